import RoostSchema
import RoostSync
import GRDB

/// What a replica does when the server lost a part of its history, counted in mutations.
package struct ReplicaRecovery: Hashable, Sendable {
    /// Acknowledged once, lost by the server, and given again.
    package var given = 0
    /// Acknowledged once and lost, but no longer known here, or only in part: the row left this device or is shown with
    /// fewer fields, or the journal does not reach back.
    package var unrecovered = 0

    package init(given: Int = 0, unrecovered: Int = 0) {
        self.given = given
        self.unrecovered = unrecovered
    }
}

extension Replica {
    /// How long acknowledged mutations are kept, in milliseconds: how old a backup may be for all to come back.
    package static let journalAge: Int64 = 30 * 86_400_000

    /// The greatest number of this incarnation that has its verdict.
    func lastAnswered(_ db: Database) throws -> Int64 {
        let statement = try BoundStatement(db, "SELECT min(number) FROM outbox WHERE answered = 0")
        defer { statement.reset() }
        let waiting = try statement.step() && !statement.isNull(0) ? statement.integer(0) : nil
        return try (waiting ?? number(.nextNumber, db)) - 1
    }

    /// Begins a new incarnation whose outbox holds what the server does not know of this replica: first, in their
    /// order, the mutations it had acknowledged after `known`, under the stamps it had given them; then those that wait.
    ///
    /// Answers with what it did and which rows are concerned.
    func recover(
        after known: KnownProgress, now: Milliseconds, _ db: Database
    ) throws -> (ReplicaRecovery, [RowKey]) {
        let incarnation = try number(.incarnation, db)
        var recovery = ReplicaRecovery()
        let again = try journal(after: known, db)
        // What was acknowledged in this incarnation and is not even in the journal is too old.
        if known.incarnation <= incarnation {
            let first = known.incarnation == incarnation ? known.number : 0
            let journaled = again.count { $0.incarnation == incarnation }
            recovery.unrecovered = max(0, Int(try lastAnswered(db) - first) - journaled)
        }
        let me = try fact(.replica, db).flatMap { ReplicaID($0) }
        var queue: [Waiting] = []
        for entry in again {
            guard let verdict = try? Verdict(stored: entry.verdict) else {
                throw ReplicaError.damaged("a verdict cannot be read")
            }
            // The server had the only copy of what was refused and given to it when the row left.
            if verdict.stamp == nil, entry.isQuarantined { recovery.unrecovered += 1 }
            // A refusal changed nothing at the server; and what the replica said of which this one is a copy, that one
            // gives again.
            guard let stamp = verdict.stamp, stamp.replica == me else { continue }
            guard let body = entry.body else {
                recovery.unrecovered += 1
                continue
            }
            guard let mutation = try? Mutation(stored: body) else {
                throw ReplicaError.damaged("an acknowledged edit cannot be read")
            }
            if entry.isCut { recovery.unrecovered += 1 }
            queue.append(Waiting(mutation.renumbered(0, recovered: stamp), madeAt: mutation.time.moment))
            let drop = try BoundStatement(db, "DELETE FROM journal WHERE incarnation = ? AND number = ?")
            try drop.bind(1, entry.incarnation)
            try drop.bind(2, entry.number)
            try drop.run()
        }
        recovery.given = queue.count
        queue += try waiting(db)
        try begin(max(incarnation, known.incarnation) + 1, with: queue, db)
        try setFact(.unrecovered, "\(recovery.unrecovered)", db)
        return (recovery, queue.compactMap { key(of: $0.mutation) })
    }

    /// Becomes another replica, with the edits that wait.
    private func becomeReplica(_ replica: ReplicaID, _ db: Database) throws {
        let queue = try waiting(db)
        // Above the former incarnation, whose verdicts stay in the journal.
        try begin(try number(.incarnation, db) + 1, with: queue, db)
        try setFact(.replica, replica.description, db)
        try setFact(.copied, "0", db)
        try Materialiser(self, db).everything()
    }

    /// Takes a new enrolment of this device: it keeps its rows, its journal and the edits that wait.
    ///
    /// Under another replica id it goes on as a device of its own, for a copy of a database that is in use elsewhere too.
    package func renew(_ enrolled: Enrolled) throws {
        try writing { db in
            if try self.fact(.replica, db) != enrolled.replica.description {
                try self.becomeReplica(enrolled.replica, db)
            }
            try self.keep(enrolled, db)
            try self.removeFact(.revokedAt, db)
        }
    }

    /// Whether a copy of this database is known to be in use elsewhere.
    package func isCopied() throws -> Bool { try reading { db in try self.number(.copied, db) != 0 } }

    /// Keeps in mind that a copy of this database is in use elsewhere.
    package func noteCopied() throws { try writing { db in try self.setFact(.copied, "1", db) } }

    private func begin(_ incarnation: Int64, with queue: [Waiting], _ db: Database) throws {
        try BoundStatement(db, "DELETE FROM outbox").run()
        for (index, entry) in queue.enumerated() {
            try insert(
                entry.mutation.renumbered(Int64(index + 1)), madeAt: entry.madeAt, batch: entry.batch, db)
        }
        try setFact(.incarnation, "\(incarnation)", db)
        try setFact(.nextNumber, "\(queue.count + 1)", db)
    }

    private func key(of mutation: Mutation) -> RowKey? {
        rules.catalogue.position(of: mutation.collection).map { RowKey($0, mutation.row) }
    }

    /// A mutation that is to be sent.
    private struct Waiting {
        let mutation: Mutation
        let madeAt: Milliseconds
        /// The import it belongs to.
        let batch: String?

        init(_ mutation: Mutation, madeAt: Milliseconds, batch: String? = nil) {
            self.mutation = mutation
            self.madeAt = madeAt
            self.batch = batch
        }
    }

    private struct JournalEntry {
        let incarnation: Int64
        let number: Int64
        /// Nil for what was refused, and once the row left every scope of this replica.
        let body: [UInt8]?
        let verdict: [UInt8]
        /// Whether it waits at the server for somebody to decide.
        let isQuarantined: Bool
        /// Whether it says less than was said.
        let isCut: Bool
    }

    private func journal(after known: KnownProgress, _ db: Database) throws -> [JournalEntry] {
        let statement = try BoundStatement(
            db,
            """
            SELECT incarnation, number, body, verdict, outcome = 'quarantined', cut FROM journal
            WHERE incarnation > ?1 OR incarnation = ?1 AND number > ?2 ORDER BY incarnation, number
            """)
        defer { statement.reset() }
        try statement.bind(1, known.incarnation)
        try statement.bind(2, known.number)
        var found: [JournalEntry] = []
        while try statement.step() {
            found.append(
                JournalEntry(
                    incarnation: statement.integer(0), number: statement.integer(1),
                    body: statement.isNull(2) ? nil : statement.blob(2), verdict: statement.blob(3),
                    isQuarantined: statement.integer(4) != 0, isCut: statement.integer(5) != 0))
        }
        return found
    }

    private func waiting(_ db: Database) throws -> [Waiting] {
        let statement = try BoundStatement(
            db, "SELECT body, made_at_ms, batch FROM outbox WHERE answered = 0 ORDER BY number")
        defer { statement.reset() }
        var found: [Waiting] = []
        while try statement.step() {
            guard let mutation = try? Mutation(stored: statement.blob(0)) else {
                throw ReplicaError.damaged("a pending edit cannot be read")
            }
            found.append(
                Waiting(
                    mutation, madeAt: Milliseconds(statement.integer(1)),
                    batch: statement.isNull(2) ? nil : statement.text(2)))
        }
        return found
    }

    /// Forgets acknowledged mutations that are too old to be asked for again, once a day.
    ///
    /// Those set aside too: whoever may decide about them has them, and their author need not see what became of them.
    func trimJournal(now: Milliseconds, _ db: Database) throws {
        guard abs(now.value - (try number(.journalTrimmedAt, db))) > 86_400_000 else { return }
        try setFact(.journalTrimmedAt, "\(now.value)", db)
        let statement = try BoundStatement(db, "DELETE FROM journal WHERE answered_at_ms < ?")
        try statement.bind(1, now.value - Self.journalAge)
        try statement.run()
    }
}
