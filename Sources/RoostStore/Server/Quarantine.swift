package import RoostSchema
package import RoostSync
import GRDB

/// An edit set aside for a person's decision, with as much of it as the reader may see.
package struct QuarantinedEdit: Hashable, Sendable {
    /// Rises with the time of arrival.
    package let id: Int64
    package let received: Milliseconds
    /// Whose device it came from.
    package let officer: RowID
    package let label: String
    package let collection: CollectionName
    package let row: RowID
    package let action: Mutation.Action
    /// Empty for a deletion or restoration.
    package let changes: [Mutation.Change]
    /// As in ``QuarantineEntry``.
    package let reason: String
}

extension ServerStore {
    /// Edits set aside, newest first, as far as the scopes a principal holds now show their rows and fields.
    ///
    /// `before` continues after the entry of that number. Entries the principal may not see do not count to `limit`.
    package func quarantine(
        for principal: Principal, before: Int64? = nil, limit: Int
    ) async throws -> (edits: [QuarantinedEdit], more: Bool) {
        let held = Set(principal.scopes(at: clock(), rules))
        return try await pool.read { db in
            let set = WorkingSet(self.rules, source: ServerRows(store: self, db: db))
            let statement = try BoundStatement(
                db,
                """
                SELECT quarantine.id, quarantine.received_ms, replica.officer, replica.label, quarantine.collection,
                    quarantine.row, quarantine.action, quarantine.fields, quarantine.stamp, quarantine.reason
                FROM quarantine JOIN replica ON replica.id = quarantine.replica
                WHERE quarantine.id < ? ORDER BY quarantine.id DESC
                """)
            defer { statement.reset() }
            try statement.bind(1, before ?? .max)
            var edits: [QuarantinedEdit] = []
            while try statement.step() {
                guard let edit = try self.edit(statement, set, held) else { continue }
                guard edits.count < limit else { return (edits, true) }
                edits.append(edit)
            }
            return (edits, false)
        }
    }

    private func edit(
        _ statement: BoundStatement, _ set: WorkingSet, _ held: Set<ScopeKey>
    ) throws -> QuarantinedEdit? {
        guard let collection = positions[statement.integer(4)],
            let action = Mutation.Action(rawValue: statement.text(6))
        else { return nil }
        let key = RowKey(collection, statement.id(5))
        let declaration = rules.catalogue.collections[collection]
        var changes: [Mutation.Change] = []
        if case .object(let members) = try Value(json: Array(statement.text(7).utf8)) {
            changes = members.map { member in
                let kind = declaration[FieldName(member.name)]?.kind
                return Mutation.Change(member.name, kind?.adopted(member.value) ?? member.value)
            }
        }
        var row = try set.row(key)
        if row == nil, action == .create {
            row = try set.proposal(changes, key: key, stamp: statement.stamp(8))
        }
        guard let row, let shown = try set.disclosed(changes, of: row, to: held),
            changes.isEmpty || !shown.isEmpty
        else { return nil }
        return QuarantinedEdit(
            id: statement.integer(0), received: Milliseconds(statement.integer(1)), officer: statement.id(2),
            label: statement.text(3), collection: declaration.name, row: key.id, action: action, changes: shown,
            reason: statement.text(9))
    }
}
