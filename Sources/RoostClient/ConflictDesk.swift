package import RoostSchema
import RoostStore
package import RoostSync

/// A value that lost against somebody who had not seen it, for a person to decide about.
package struct ConflictCase: Hashable, Sendable {
    package let id: RowID
    package let collection: CollectionName
    package let row: RowID
    package let field: String
    package let losing: Value
    package let losingStamp: Stamp?
    package let losingAuthor: RowID?
    package let winningStamp: Stamp?
    package let winningAuthor: RowID?
    package let losingDevice: String?
    package let winningDevice: String?
    /// What the row holds now.
    package let current: Value
    /// Since when the row holds that; nil while an edit of this device's waits.
    package let currentStamp: Stamp?
    /// Who wrote that, as far as this device can tell: not always who won, for somebody may have written since.
    package let currentAuthor: RowID?
    package let currentDevice: String?
    package let isOpen: Bool
    package let isPending: Bool
    /// Whether the values are withheld because the device was out of contact for too long.
    package let isLocked: Bool
}

extension Desk {
    /// The conflicts this device may see, open ones only unless asked for all.
    package func conflicts(all: Bool = false) throws -> [ConflictCase] {
        let known = try replica.rows(of: Conflict.collection)
        let writers = Writer.known(from: known)
        return try known.filter { all || $0.row.values[Conflict.Position.state].text == "open" }
            .compactMap { try conflict($0, writers) }
            .sorted { ($0.losingStamp?.bits ?? 0) < ($1.losingStamp?.bits ?? 0) }
    }

    /// The conflict that an id, or the beginning of one, names.
    package func conflict(named text: String) throws -> ConflictCase {
        let found = try conflicts(all: true).filter { $0.id.description.hasPrefix(text.lowercased()) }
        guard let only = found.first, found.count == 1, !text.isEmpty else { throw ClientError.noSuchEntry(text) }
        return only
    }

    private func conflict(_ shown: ShownRow, _ writers: [Stamp: Writer]) throws -> ConflictCase? {
        typealias Position = Conflict.Position
        let values = shown.row.values
        guard let name = values[Position.collection].text, let collection = catalogue[CollectionName(name)],
            let row = values[Position.row].text.flatMap({ RowID($0) }), let field = values[Position.field].text
        else { return nil }
        let position = collection.position(of: field)
        let wire = values[Position.value].list?.first ?? .null
        let holder = try position.flatMap { _ in try replica.row(collection.name, row) }
        let current = position.flatMap { holder?.row.values[$0] } ?? .null
        let isOwn = try holder?.isPending ?? false && waits(row, in: collection.name, field)
        let stamp = isOwn ? nil : position.flatMap { holder?.row.stamp(of: $0) }
        let me = Writer(author: enrolled.officer, device: enrolled.label)
        let writer = isOwn || stamp?.replica == enrolled.replica ? me : stamp.flatMap { writers[$0] }
        return ConflictCase(
            id: shown.row.key.id, collection: collection.name, row: row, field: field,
            losing: position.map { collection.fields[$0].kind.adopted(wire) } ?? wire,
            losingStamp: values[Position.losingStamp].text.flatMap { Stamp($0) },
            losingAuthor: values[Position.losingAuthor].text.flatMap { RowID($0) },
            winningStamp: values[Position.winningStamp].text.flatMap { Stamp($0) },
            winningAuthor: values[Position.winningAuthor].text.flatMap { RowID($0) },
            losingDevice: values[Position.losingDevice].text, winningDevice: values[Position.winningDevice].text,
            current: current, currentStamp: stamp, currentAuthor: writer?.author, currentDevice: writer?.device,
            isOpen: values[Position.state].text == "open", isPending: shown.isPending,
            isLocked: !shown.locked.isEmpty)
    }

    /// Whether an edit of a field waits on this device.
    private func waits(_ row: RowID, in collection: CollectionName, _ field: String) throws -> Bool {
        try replica.unsent().contains { mutation in
            mutation.row == row && mutation.collection == collection.text
                && mutation.changes.contains { $0.field == field }
        }
    }

    /// Takes the losing value back and closes the conflict, as one group.
    ///
    /// The edit names the winning value as its base, so that it replaces that value and not one nobody here has seen.
    package func restore(_ conflict: ConflictCase) throws {
        if conflict.isLocked { try requireLease() }
        var edits: [Edit] = []
        // A value is taken back to be seen.
        if try replica.row(conflict.collection, conflict.row)?.row.isDeleted ?? false {
            edits.append(Edit(conflict.collection, conflict.row, .restore))
        }
        if conflict.losing != conflict.current {
            edits.append(
                Edit(
                    conflict.collection, conflict.row, .edit,
                    [Mutation.Change(conflict.field, conflict.losing)], base: conflict.winningStamp))
        }
        try settle(conflict, with: edits)
    }

    /// Keeps the winning value and closes the conflict.
    package func keep(_ conflict: ConflictCase) throws { try settle(conflict, with: []) }

    private func settle(_ conflict: ConflictCase, with edits: [Edit]) throws {
        guard conflict.isOpen || !edits.isEmpty else { throw ClientError.nothingToChange }
        var edits = edits
        if conflict.isOpen {
            edits.append(
                Edit(Conflict.collection, conflict.id, .edit, [Mutation.Change("state", "settled")]))
        }
        try replica.queue(edits, grouped: true, at: environment.moment)
    }
}

/// Who wrote a value, and on which device.
private struct Writer {
    let author: RowID?
    let device: String?

    /// Whom conflicts name, by what they wrote: a stamp names one edit.
    static func known(from conflicts: [ShownRow]) -> [Stamp: Writer] {
        typealias Position = Conflict.Position
        var known: [Stamp: Writer] = [:]
        for values in conflicts.map(\.row.values) {
            for (stamp, author, device) in [
                (Position.winningStamp, Position.winningAuthor, Position.winningDevice),
                (Position.losingStamp, Position.losingAuthor, Position.losingDevice),
            ] {
                guard let stamp = values[stamp].text.flatMap({ Stamp($0) }) else { continue }
                known[stamp] = Writer(
                    author: values[author].text.flatMap { RowID($0) }, device: values[device].text)
            }
        }
        return known
    }
}
