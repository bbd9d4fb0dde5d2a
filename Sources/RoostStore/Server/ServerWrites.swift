package import RoostSchema
package import RoostSync
import GRDB

/// A write the server makes itself, for an officer whose right to it has been checked.
package struct TrustedEdit: Hashable, Sendable {
    package var collection: CollectionName
    package var row: RowID
    package var action: Mutation.Action
    package var fields: [FieldName: Value]
    /// The effective time; nil for just after the last one.
    package var time: HybridTime?

    package init(
        _ collection: CollectionName, _ row: RowID, _ action: Mutation.Action, _ fields: [FieldName: Value] = [:],
        time: HybridTime? = nil
    ) {
        self.collection = collection
        self.row = row
        self.action = action
        self.fields = fields
        self.time = time
    }
}

/// What became of a run of trusted edits.
package struct WriteReceipt: Hashable, Sendable {
    /// By the order of the edits.
    package var verdicts: [Verdict]
    /// What each edit replaced, by the order of the edits; a creation replaced nothing.
    package var before: [[FieldName: Value]?]
    package var lastSequence: ServerSequence
}

/// A refusal of one of several edits that must all apply.
package struct RefusedWrite: Error, Hashable, Sendable {
    package let index: Int
    package let verdict: Verdict
}

extension ServerStore {
    /// Applies edits in one transaction, or none of them.
    package func write(_ edits: [TrustedEdit], by officer: RowID) async throws -> WriteReceipt {
        try await pool.write { db in try self.write(edits, by: officer, as: self.writer, db) }
    }

    /// As ``write(_:by:)``, and notes in the same transaction that everybody in this database is invented.
    package func writeDemo(_ edits: [TrustedEdit], by officer: RowID) async throws -> WriteReceipt {
        try await pool.write { db in
            try db.execute(sql: "INSERT OR REPLACE INTO meta (name, value) VALUES ('demo', '1')")
            return try self.write(edits, by: officer, as: self.writer, db)
        }
    }

    /// Whether the database began as ``writeDemo(_:by:)`` made it.
    package func isDemo() async throws -> Bool {
        try await pool.read { db in
            try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'demo')") ?? false
        }
    }

    /// As ``write(_:by:)``, inside a transaction of the store's own.
    ///
    /// The replica is ``writer`` or ``undoer``. The writer's times rise by two, which leaves the undoer a time just after
    /// each of them.
    func write(
        _ edits: [TrustedEdit], by officer: RowID, as replica: ReplicaID, _ db: Database
    ) throws -> WriteReceipt {
        let now = clock()
        try enrolWriter(replica, now: now, db)
        let source = ServerRows(store: self, db: db)
        let set = WorkingSet(rules, source: source)
        try set.prefetch(
            edits.compactMap { edit in
                rules.catalogue.position(of: edit.collection).map { RowKey($0, edit.row) }
            })
        var time = max(HybridTime(now), try source.lastEffective(of: replica)?.next ?? HybridTime(now))
        // An even counter, so that no later write of this replica takes the time an undo will need.
        if time.bits & 1 == 1 { time = time.next }
        var mutations: [Mutation] = []
        var before: [[FieldName: Value]?] = []
        mutations.reserveCapacity(edits.count)
        for (index, edit) in edits.enumerated() {
            let row = try rules.catalogue.position(of: edit.collection).flatMap { try set.row(RowKey($0, edit.row)) }
            before.append(
                row.flatMap { row in
                    guard edit.action == .edit else { return nil }
                    let collection = rules.catalogue.collections[row.key.collection]
                    return Dictionary(
                        uniqueKeysWithValues: edit.fields.keys.compactMap { name in
                            collection.position(of: name).map { (name, row.values[$0]) }
                        })
                })
            // What is written now comes after what it replaces, even where a device's clock ran ahead within the same
            // millisecond.
            if edit.time == nil, let version = row?.version.time, version >= time {
                time = version.bits & 1 == 1 ? version.next : version.next.next
            }
            mutations.append(
                Mutation(
                    number: Int64(index + 1), collection: edit.collection.text, row: edit.row, action: edit.action,
                    time: edit.time ?? time, base: row?.version,
                    changes: edit.fields.sorted { $0.key < $1.key }.map { Mutation.Change($0.key.text, $0.value) }))
            time = time.next.next
        }
        let decider = Decider(
            rules: rules, principal: Principal(officer: officer, grants: [], isTrusted: true), replica: replica,
            now: now, correction: ClockCorrection(now: now, device: now, mark: nil), exactTimes: true)
        let plan = try decider.decide(mutations, in: set, after: try lastSequence(db))
        if let index = plan.verdicts.firstIndex(where: { $0.outcome == .rejected }) {
            throw RefusedWrite(index: index, verdict: plan.verdicts[index])
        }
        _ = try PlanWriter(store: self, db: db).apply(
            plan, replica: replica, incarnation: nil, now: now, deciding: [])
        // What devices gave back may have waited for a row that is made here again.
        _ = try release(after: plan, now: now, db)
        return WriteReceipt(verdicts: plan.verdicts, before: before, lastSequence: plan.lastSequence)
    }

    /// The server's writers stand among the replicas, so that stamps of theirs are known as issued.
    private func enrolWriter(_ replica: ReplicaID, now: Milliseconds, _ db: Database) throws {
        let statement = try BoundStatement(
            db, "INSERT OR IGNORE INTO replica (id, officer, label, enrolled_ms) VALUES (?, zeroblob(16), 'server', ?)")
        try statement.bind(1, replica)
        try statement.bind(2, now.value)
        try statement.run()
    }
}
