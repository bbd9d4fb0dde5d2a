import GRDB
import RoostSchema
package import RoostSync

/// An edit that a device gave back after a loss, waiting for the row it is about.
package struct WaitingEdit: Hashable, Sendable {
    package let replica: ReplicaID
    package let mutation: Mutation
    /// Under which it was filed before it was lost.
    package let stamp: Stamp
}

/// Recovered mutations whose row another device has yet to bring back.
extension ServerStore {
    /// All that wait, in the order in which they were made: if the row never comes, they are nowhere but here.
    package func waitingEdits() async throws -> [WaitingEdit] {
        try await pool.read { db in
            try self.parked(db).map { WaitingEdit(replica: $0.replica, mutation: $0.mutation, stamp: $0.stamp) }
                .sorted { $0.stamp < $1.stamp }
        }
    }

    /// Keeps what a plan parks.
    func park(
        _ entries: [ParkedEntry], of replica: ReplicaID, incarnation: Int64, now: Milliseconds, _ db: Database
    ) throws {
        for entry in entries {
            let statement = try BoundStatement(
                db,
                """
                INSERT INTO parked (replica, incarnation, collection, row, body, stamp, received_ms)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
            try statement.bind(1, replica)
            try statement.bind(2, incarnation)
            try statement.bind(3, numbers[entry.awaited.collection])
            try statement.bind(4, entry.awaited.id)
            try statement.bind(5, entry.mutation.json)
            try statement.bind(6, entry.stamp)
            try statement.bind(7, now.value)
            try statement.run()
        }
    }

    /// Decides again what waited for rows that a plan brought, and then for rows which that brought; whether there was
    /// anything.
    func release(after plan: Plan, now: Milliseconds, _ db: Database) throws -> Bool {
        var released = false
        var arrived = zip(plan.rows, plan.isNew).filter(\.1).map(\.0.key)
        while !arrived.isEmpty {
            guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM parked)") ?? false else { break }
            let waiting = try arrived.flatMap { try parked(for: $0, db) }
            arrived = []
            released = released || !waiting.isEmpty
            // Each replica's own run, in the order in which it was sent.
            for run in Dictionary(grouping: waiting, by: \.replica).values {
                let sorted = run.sorted { $0.id < $1.id }
                for parked in sorted { try db.execute(sql: "DELETE FROM parked WHERE id = ?", arguments: [parked.id]) }
                guard let first = sorted.first else { continue }
                arrived += try decideAgain(
                    sorted.map { ($0.mutation, $0.stamp) }, of: first.replica, incarnation: first.incarnation,
                    grace: recoveryGrace(of: first.replica, db), now: now, db)
            }
        }
        return released
    }

    private struct Parked {
        let id: Int64
        let replica: ReplicaID
        let incarnation: Int64
        let mutation: Mutation
        let stamp: Stamp
    }

    /// What waits for a row, or all that waits.
    private func parked(for key: RowKey? = nil, _ db: Database) throws -> [Parked] {
        let statement = try BoundStatement(
            db,
            "SELECT id, replica, incarnation, body, stamp FROM parked"
                + (key == nil ? "" : " WHERE row = ? AND collection = ?"))
        defer { statement.reset() }
        if let key {
            try statement.bind(1, key.id)
            try statement.bind(2, numbers[key.collection])
        }
        var found: [Parked] = []
        while try statement.step() {
            guard let mutation = try? Mutation(stored: statement.blob(3)) else {
                throw StoreError.damaged("a parked mutation cannot be read")
            }
            found.append(
                Parked(
                    id: statement.integer(0), replica: statement.replica(1), incarnation: statement.integer(2),
                    mutation: mutation, stamp: statement.stamp(4)))
        }
        return found
    }

    /// Applies mutations of one replica that were kept, under the stamps they have; answers with the rows they made.
    ///
    /// Their verdicts were given: what cannot be applied even now goes to quarantine, where a person finds it. `grace` is
    /// how late they may be about what their author has no access to any more, in milliseconds.
    func decideAgain(
        _ kept: [(mutation: Mutation, stamp: Stamp)], of replica: ReplicaID, incarnation: Int64, grace: Int64 = .max,
        now: Milliseconds, _ db: Database
    ) throws -> [RowKey] {
        let source = ServerRows(store: self, db: db)
        guard let officer = try source.officers(of: [replica])[replica] else { return [] }
        let decider = Decider(
            rules: rules, principal: Principal(officer: officer, grants: try source.grants(of: officer)),
            replica: replica, incarnation: incarnation, now: now,
            correction: ClockCorrection(now: now, device: now, mark: nil),
            recoveryGrace: grace, exactTimes: true, undoer: undoer, lostUntil: now)
        var plan = try decider.decide(
            kept.map { $0.mutation.filed(at: $0.stamp) }, in: WorkingSet(rules, source: source),
            after: try lastSequence(db))
        plan.verdicts = []
        plan.refusedCreations = []
        _ = try PlanWriter(store: self, db: db).apply(
            plan, replica: replica, incarnation: incarnation, now: now, deciding: [])
        return zip(plan.rows, plan.isNew).filter(\.1).map(\.0.key)
    }
}

extension Mutation {
    /// The edit as made at the time of the stamp it was filed under.
    fileprivate func filed(at stamp: Stamp) -> Mutation {
        Mutation(
            number: number, group: group, collection: collection, row: row, action: action, time: stamp.time,
            base: base, changes: changes, recovered: stamp)
    }
}
