import GRDB
import RoostSchema
import RoostSync

/// Applies a plan inside the transaction that decided it.
struct PlanWriter {
    let store: ServerStore
    let db: Database

    /// Writes everything the plan says and tells the bytes of each verdict, in the plan's order.
    ///
    /// `replica` is whose mutations the plan decides; `incarnation` is nil for the server's own writes, which keep no
    /// verdicts.
    /// `mutations` are those decided, in the order of the verdicts.
    func apply(
        _ plan: Plan, replica: ReplicaID, incarnation: Int64?, now: Milliseconds, deciding mutations: [Mutation]
    ) throws -> [[UInt8]] {
        store.announce(Movement(plan, author: incarnation == nil ? nil : replica), db)
        try writeRows(plan)
        try writeMemberships(plan.memberships)
        try writeAuthority(plan.authority)
        try writeAdmissions(plan.admissions)
        try writeHistory(plan.history)
        if let lastEffective = plan.lastEffective {
            let statement = try BoundStatement(db, "UPDATE replica SET last_effective = ? WHERE id = ?")
            try statement.bind(1, Int64(bitPattern: lastEffective.bits))
            try statement.bind(2, replica)
            try statement.run()
        }
        let sequence = try BoundStatement(db, "UPDATE meta SET value = ? WHERE name = 'sequence'")
        try sequence.bind(1, plan.lastSequence.description)
        try sequence.run()
        guard let incarnation else { return [] }
        try note(
            plan.refusedCreations, of: replica,
            "INSERT OR IGNORE INTO refused_creation (replica, collection, row) VALUES (?, ?, ?)")
        try note(
            plan.madeUpFor, of: replica, "DELETE FROM refused_creation WHERE replica = ? AND collection = ? AND row = ?"
        )
        try store.noteErased(plan.erased, db)
        try store.park(plan.parked, of: replica, incarnation: incarnation, now: now, db)
        return try writeVerdicts(plan.verdicts, mutations, replica: replica, incarnation: incarnation)
    }

    private func writeRows(_ plan: Plan) throws {
        let shelf = StatementShelf()
        for (row, isNew) in zip(plan.rows, plan.isNew) {
            let table = store.tables[row.key.collection]
            let statement = try shelf.statement(row.key.collection * 2 + (isNew ? 1 : 0)) {
                try BoundStatement(db, isNew ? table.insert : table.update)
            }
            try table.write(row, with: statement)
        }
    }

    private func writeMemberships(_ memberships: [MembershipChange]) throws {
        guard !memberships.isEmpty else { return }
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO member (scope, collection, row, sequence, present) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET sequence = excluded.sequence, present = excluded.present
            """)
        var numbers: [ScopeKey: Int64] = [:]
        for change in memberships {
            let number: Int64
            if let known = numbers[change.scope] {
                number = known
            } else {
                number = try scopeNumber(change.scope)
                numbers[change.scope] = number
            }
            try statement.bind(1, number)
            try statement.bind(2, store.numbers[change.row.collection])
            try statement.bind(3, change.row.id)
            try statement.bind(4, change.sequence.value)
            try statement.bind(5, change.isMember ? 1 : 0 as Int64)
            try statement.run()
        }
    }

    private func scopeNumber(_ scope: ScopeKey) throws -> Int64 {
        let name = store.rules.scope(scope).description
        if let state = try store.state(ofScope: name, db) { return state.id }
        try db.execute(sql: "INSERT INTO scope (name) VALUES (?)", arguments: [name])
        return db.lastInsertedRowID
    }

    private func writeAuthority(_ changes: [AuthorityChange]) throws {
        try store.ledger.append(changes.compactMap(\.ledgerEntry))
        for change in changes {
            let kind: String
            let subject: RowID
            let role: String?
            let target: RowID?
            switch change.kind {
            case .grant(let officer, let name, let place):
                (kind, subject, role, target) = ("grant", officer, name, place)
            case .link(let scope, let about, let key):
                (kind, subject, role, target) = (store.rules.catalogue.scopes[scope].name.text, about, nil, key)
            }
            if change.begins {
                let statement = try BoundStatement(
                    db,
                    """
                    INSERT INTO authority (kind, row, subject, role, target, from_sequence, from_ms)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """)
                try statement.bind(1, kind)
                try statement.bind(2, change.row.id)
                try statement.bind(3, subject)
                if let role { try statement.bind(4, role) } else { try statement.bindNull(4) }
                if let target { try statement.bind(5, target) } else { try statement.bindNull(5) }
                try statement.bind(6, change.sequence.value)
                try statement.bind(7, change.at.value)
                try statement.run()
            } else {
                let statement = try BoundStatement(
                    db,
                    """
                    UPDATE authority SET until_sequence = ?, until_ms = ?
                    WHERE row = ? AND kind = ? AND until_sequence IS NULL
                    """)
                try statement.bind(1, change.sequence.value)
                try statement.bind(2, change.at.value)
                try statement.bind(3, change.row.id)
                try statement.bind(4, kind)
                try statement.run()
            }
        }
    }

    private func writeAdmissions(_ changes: [AdmissionChange]) throws {
        guard !changes.isEmpty else { return }
        let statement = try BoundStatement(
            db, "INSERT INTO admission (collection, row, kind, link, was, at_ms) VALUES (?, ?, ?, ?, ?, ?)")
        for change in changes {
            try statement.bind(1, store.numbers[change.row.collection])
            try statement.bind(2, change.row.id)
            try statement.bind(3, store.rules.catalogue.scopes[change.kind].name.text)
            try statement.bind(4, change.isLink ? 1 : 0 as Int64)
            try statement.bind(5, change.was ? 1 : 0 as Int64)
            try statement.bind(6, change.at.value)
            try statement.run()
        }
    }

    private func writeHistory(_ entries: [HistoryEntry]) throws {
        guard !entries.isEmpty else { return }
        let statement = try BoundStatement(
            db, "INSERT INTO history (collection, row, losses, sequence) VALUES (?, ?, ?, ?)")
        var start = 0
        while start < entries.count {
            let first = entries[start]
            let end = entries[start...].firstIndex { $0.row != first.row } ?? entries.endIndex
            var writer = JSONWriter(reserving: (end - start) * 128)
            writer.array { writer in for entry in entries[start..<end] { entry.loss.write(to: &writer) } }
            try statement.bind(1, store.numbers[first.row.collection])
            try statement.bind(2, first.row.id)
            try statement.bind(text: writer.bytes, at: 3)
            try statement.bind(4, first.sequence.value)
            try statement.run()
            start = end
        }
    }

    /// Runs a statement about refused creations for each row.
    private func note(_ keys: [RowKey], of replica: ReplicaID, _ sql: String) throws {
        for key in keys {
            let statement = try BoundStatement(db, sql)
            try statement.bind(1, replica)
            try statement.bind(2, store.numbers[key.collection])
            try statement.bind(3, key.id)
            try statement.run()
        }
    }

    private func writeVerdicts(
        _ verdicts: [Verdict], _ mutations: [Mutation], replica: ReplicaID, incarnation: Int64
    ) throws -> [[UInt8]] {
        let statement = try BoundStatement(
            db,
            "INSERT INTO verdict (replica, incarnation, number, body, fingerprint, claimed) VALUES (?, ?, ?, ?, ?, ?)")
        return try zip(verdicts, mutations).map { verdict, mutation in
            let body = verdict.json
            try statement.bind(1, replica)
            try statement.bind(2, incarnation)
            try statement.bind(3, verdict.number)
            try statement.bind(4, body)
            try statement.bind(5, mutation.fingerprint)
            if let stamp = verdict.stamp, stamp.time == mutation.time {
                try statement.bindNull(6)
            } else {
                try statement.bind(6, Int64(bitPattern: mutation.time.bits))
            }
            try statement.run()
            return body
        }
    }
}

extension AuthorityChange {
    /// What the ledger keeps of it: grants alone, as links without a grant give nobody anything.
    fileprivate var ledgerEntry: Ledger.Entry? {
        guard case .grant = kind else { return nil }
        return begins ? .granted(row.id, at: at) : .ended(row.id, at: at)
    }
}

extension ServerStore {
    /// What is known of a scope; nil if nothing was ever in it.
    func state(ofScope name: String, _ db: Database) throws -> ScopeState? {
        let statement = try BoundStatement(db, "SELECT id, epoch, since, collected FROM scope WHERE name = ?")
        defer { statement.reset() }
        try statement.bind(1, name)
        guard try statement.step() else { return nil }
        return ScopeState(
            id: statement.integer(0), epoch: statement.integer(1), since: statement.integer(2),
            collected: statement.integer(3))
    }
}

extension Merge.Loss {
    /// As the history keeps it.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.array { writer in
            writer.string(field)
            writer.value(value)
            writer.stamp(stamp)
            writer.stamp(winner)
            writer.boolean(hard)
        }
    }
}
