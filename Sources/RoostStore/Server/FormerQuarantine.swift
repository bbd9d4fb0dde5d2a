import GRDB
import RoostSchema
import RoostSync

/// Edits that the first version set aside in a table of its own, before they were rows that people synchronise.
extension ServerStore {
    /// Moves them into the collection; what does not fit there stays where it is.
    func adoptFormerQuarantine() throws {
        guard rules.catalogue.position(of: Quarantine.collection) != nil else { return }
        try pool.write { db in
            guard try db.tableExists("former_quarantine") else { return }
            for (id, edit) in try self.formerQuarantine(db) {
                do {
                    _ = try self.write([edit], by: RowID(bits: 0), as: self.writer, db)
                } catch is RefusedWrite {
                    continue
                }
                try db.execute(sql: "DELETE FROM former_quarantine WHERE id = ?", arguments: [id])
            }
            guard try Int.fetchOne(db, sql: "SELECT count(*) FROM former_quarantine") == 0 else { return }
            try db.execute(sql: "DROP TABLE former_quarantine")
        }
    }

    private func formerQuarantine(_ db: Database) throws -> [(id: Int64, edit: TrustedEdit)] {
        let set = WorkingSet(rules, source: ServerRows(store: self, db: db))
        let statement = try BoundStatement(
            db,
            """
            SELECT q.id, q.replica, q.incarnation, q.number, q.collection, q.row, q.action, q.fields, q.stamp, q.reason,
                q.received_ms, r.officer, r.label
            FROM former_quarantine AS q JOIN replica AS r ON r.id = q.replica ORDER BY q.id
            """)
        defer { statement.reset() }
        var found: [(id: Int64, edit: TrustedEdit)] = []
        while try statement.step() {
            guard let collection = positions[statement.integer(4)],
                let action = Mutation.Action(rawValue: statement.text(6)),
                let reason = Quarantine.Reason(rawValue: statement.text(9)),
                case .object(let members)? = try? Value(json: Array(statement.text(7).utf8))
            else { continue }
            let (replica, incarnation, number) = (statement.replica(1), statement.integer(2), statement.integer(3))
            let entry = Quarantine.Entry(
                id: Quarantine.id(of: number, incarnation: incarnation, by: replica),
                row: RowKey(collection, statement.id(5)), action: action,
                changes: members.map { Mutation.Change($0.name, $0.value) }, author: statement.id(11),
                device: statement.text(12), madeAt: statement.stamp(8).time.moment,
                unit: "\(replica) \(incarnation) \(number)", place: number, reason: reason)
            let now = Milliseconds(statement.integer(10))
            guard let edit = try creation(settingAside: entry, in: set, now: now) else { continue }
            found.append((statement.integer(0), edit))
        }
        return found
    }

    /// The trusted edit that sets an edit aside; nil in a catalogue without quarantine.
    func creation(
        settingAside entry: Quarantine.Entry, in set: WorkingSet, now: Milliseconds
    ) throws -> TrustedEdit? {
        guard let (key, values) = try set.values(settingAside: entry, now: now) else { return nil }
        let fields = rules.catalogue.collections[key.collection].fields
        return TrustedEdit(
            Quarantine.collection, key.id, .create,
            Dictionary(
                uniqueKeysWithValues: zip(fields, values).filter { !$0.1.isNull }.map { ($0.0.name, $0.1) }))
    }
}
