package import RoostSchema
import RoostStore
package import RoostSync

/// Two edits of one row by people who had not seen each other's, of different fields: both stand, nothing is to decide.
package struct ParallelCase: Hashable, Sendable {
    /// One of the two edits.
    package struct Side: Hashable, Sendable {
        package let fields: [String]
        package let stamp: Stamp?
        package let author: RowID?
        package let device: String?
        /// What it set, by field, where nobody has set anything else since and nothing is locked.
        package let standing: [String: Value]
    }

    package let id: RowID
    package let collection: CollectionName
    package let row: RowID
    package let notedAt: Milliseconds
    package let earlier: Side
    package let later: Side
}

extension Desk {
    /// For how long parallel edits are told unasked, in milliseconds: two weeks.
    package static let parallelsToldFor: Int64 = 14 * 86_400_000

    /// The parallel edits this device may see, oldest first; recent ones only unless asked for all.
    package func parallelEdits(all: Bool = false) throws -> [ParallelCase] {
        let since = environment.moment.now + -Self.parallelsToldFor
        return try replica.rows(of: ParallelEdit.collection).compactMap { try parallelCase($0.row) }
            .filter { all || $0.notedAt >= since }.sorted { ($0.notedAt, $0.id) < ($1.notedAt, $1.id) }
    }

    private func parallelCase(_ entry: Row) throws -> ParallelCase? {
        typealias Position = ParallelEdit.Position
        guard let name = entry.values[Position.collection].text, let collection = catalogue[CollectionName(name)],
            let id = entry.values[Position.row].text.flatMap({ RowID($0) }),
            let notedAt = entry.values[Position.notedAt].integer
        else { return nil }
        let shown = try replica.row(collection.name, id)
        func side(_ start: Int) -> ParallelCase.Side {
            let fields = (entry.values[start].list ?? []).compactMap(\.text)
            let stamp = entry.values[start + Position.stamp].text.flatMap { Stamp($0) }
            var standing: [String: Value] = [:]
            for field in fields {
                guard let shown, let position = collection.position(of: field), !shown.locked.contains(position),
                    shown.row.stamp(of: position) == stamp
                else { continue }
                standing[field] = shown.row.values[position]
            }
            return ParallelCase.Side(
                fields: fields, stamp: stamp,
                author: entry.values[start + Position.author].text.flatMap { RowID($0) },
                device: entry.values[start + Position.device].text, standing: standing)
        }
        return ParallelCase(
            id: entry.key.id, collection: collection.name, row: id, notedAt: Milliseconds(notedAt),
            earlier: side(Position.earlier), later: side(Position.later))
    }
}
