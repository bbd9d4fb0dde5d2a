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
    package let isOpen: Bool
    package let isPending: Bool
    /// Whether the values are withheld because the device was out of contact for too long.
    package let isLocked: Bool
}

extension Desk {
    /// The conflicts this device may see, open ones only unless asked for all.
    package func conflicts(all: Bool = false) throws -> [ConflictCase] {
        let condition: Condition = all ? .always : .field("state", is: "open")
        return try replica.rows(of: Conflict.collection, where: condition).compactMap(conflict)
            .sorted { ($0.losingStamp?.bits ?? 0) < ($1.losingStamp?.bits ?? 0) }
    }

    /// The conflict that an id, or the beginning of one, names.
    package func conflict(named text: String) throws -> ConflictCase {
        let found = try conflicts(all: true).filter { $0.id.description.hasPrefix(text.lowercased()) }
        guard let only = found.first, found.count == 1, !text.isEmpty else { throw ClientError.noSuchEntry(text) }
        return only
    }

    private func conflict(_ shown: ShownRow) throws -> ConflictCase? {
        typealias Position = Conflict.Position
        let values = shown.row.values
        guard let name = values[Position.collection].text, let collection = catalogue[CollectionName(name)],
            let row = values[Position.row].text.flatMap({ RowID($0) }), let field = values[Position.field].text
        else { return nil }
        let position = collection.position(of: field)
        let wire = values[Position.value].list?.first ?? .null
        let current = try position.flatMap { try replica.row(collection.name, row)?.row.values[$0] } ?? .null
        return ConflictCase(
            id: shown.row.key.id, collection: collection.name, row: row, field: field,
            losing: position.map { collection.fields[$0].kind.adopted(wire) } ?? wire,
            losingStamp: values[Position.losingStamp].text.flatMap { Stamp($0) },
            losingAuthor: values[Position.losingAuthor].text.flatMap { RowID($0) },
            winningStamp: values[Position.winningStamp].text.flatMap { Stamp($0) },
            winningAuthor: values[Position.winningAuthor].text.flatMap { RowID($0) },
            losingDevice: values[Position.losingDevice].text, winningDevice: values[Position.winningDevice].text,
            current: current,
            isOpen: values[Position.state].text == "open", isPending: shown.isPending,
            isLocked: !shown.locked.isEmpty)
    }

    /// Takes the losing value back and closes the conflict, as one group.
    ///
    /// The edit names the winning value as its base, so that it replaces that value and not one nobody here has seen.
    package func restore(_ conflict: ConflictCase) throws {
        if conflict.isLocked { try requireLease() }
        var edits: [Edit] = []
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
