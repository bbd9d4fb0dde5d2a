package import RoostSchema
package import RoostSync
import GRDB

/// A refused or quarantined edit, as the person is to see it.
package struct AnsweredMutation: Hashable, Sendable {
    /// Names the entry in the refused box; nil in the journal.
    package let id: Int64?
    package let number: Int64
    package let collection: String
    package let row: RowID
    package let answeredAt: Milliseconds
    /// Nil once the row left every scope of this replica.
    package var mutation: Mutation?
    package let verdict: Verdict
    /// Names of fields withheld because the device was out of contact for too long; the mutation lacks them.
    package var locked: [String] = []
}

extension Replica {
    /// The refused box, oldest first.
    package func refused() throws -> [AnsweredMutation] {
        try reading { db in
            let statement = try BoundStatement(
                db,
                "SELECT id, number, collection, row, refused_at_ms, body, verdict FROM refused ORDER BY id")
            defer { statement.reset() }
            var found: [AnsweredMutation] = []
            while try statement.step() { found.append(veiled(try Self.answered(statement, id: statement.integer(0)))) }
            return found
        }
    }

    /// Edits that wait at the server for somebody to decide, as far as this device knows.
    ///
    /// One that the person sees in quarantine waits until it is decided there; any other for as long as the journal
    /// keeps it, because nobody tells its author.
    package func quarantined() throws -> [AnsweredMutation] { try reading { db in try self.quarantined(db) } }

    func quarantined(_ db: Database) throws -> [AnsweredMutation] {
        let author = try fact(.replica, db).flatMap { ReplicaID($0) } ?? ReplicaID(0)
        let statement = try BoundStatement(
            db,
            """
            SELECT incarnation, number, collection, row, answered_at_ms, body, verdict FROM journal
            WHERE outcome = 'quarantined' ORDER BY incarnation, number
            """)
        defer { statement.reset() }
        var found: [AnsweredMutation] = []
        while try statement.step() {
            let id = Quarantine.id(of: statement.integer(1), incarnation: statement.integer(0), by: author)
            guard try !isDecided(id, db) else { continue }
            found.append(veiled(try Self.answered(statement, id: nil)))
        }
        return found
    }

    /// Whether an edit set aside is here and waits no more.
    private func isDecided(_ id: RowID, _ db: Database) throws -> Bool {
        guard rules.catalogue.position(of: Quarantine.collection) != nil else { return false }
        let statement = try BoundStatement(
            db, "SELECT deleted = 1 OR state != 'pending' FROM \"\(Quarantine.collection)\" WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, id)
        return try statement.step() && statement.integer(0) != 0
    }

    private static func answered(_ statement: BoundStatement, id: Int64?) throws -> AnsweredMutation {
        guard let verdict = try? Verdict(stored: statement.blob(6)) else {
            throw ReplicaError.damaged("a verdict cannot be read")
        }
        return AnsweredMutation(
            id: id, number: statement.integer(1), collection: statement.text(2), row: statement.id(3),
            answeredAt: Milliseconds(statement.integer(4)),
            mutation: statement.isNull(5) ? nil : try? Mutation(stored: statement.blob(5)), verdict: verdict)
    }

    /// Takes entries out of the refused box; what they said is gone with them.
    package func discardRefused(_ ids: [Int64]) throws {
        try writing { db in try self.discardRefused(ids, db) }
    }

    private func discardRefused(_ ids: [Int64], _ db: Database) throws {
        for id in ids {
            let statement = try BoundStatement(db, "DELETE FROM refused WHERE id = ?")
            try statement.bind(1, id)
            try statement.run()
        }
    }

    /// Queues what a person made of refused edits and takes those out of the box, in one transaction.
    package func resubmit(_ ids: [Int64], as groups: [[Edit]], at moment: DeviceMoment) throws {
        try writing { db in
            for group in groups { try self.queue(group, grouped: group.count > 1, at: moment, db) }
            try self.discardRefused(ids, db)
        }
    }
}
