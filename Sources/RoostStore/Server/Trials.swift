package import RoostSchema
package import RoostSync
import GRDB

/// Why a message outside the queue may not be sent now.
package enum TrialRefusal: Error, Hashable, Sendable {
    /// Its receiver wants nothing before then, or something is under way there.
    case held(until: Milliseconds)
}

/// What of a message outside the queue has to be known before it may start.
package struct Trial: Sendable {
    package var endpoint: RowID
    /// When the queue is let at the endpoint again, should the server die meanwhile.
    package var until: Milliseconds
    /// For how long, in milliseconds, attempts matter.
    package var memory: Int64
    /// Whether nothing else may be under way there.
    package var isAlone: Bool
    /// When the next message may start, by when the latest attempts ended.
    package var next: @Sendable ([Milliseconds], Milliseconds) -> Milliseconds

    package init(
        at endpoint: RowID, until: Milliseconds, memory: Int64, isAlone: Bool,
        next: @escaping @Sendable ([Milliseconds], Milliseconds) -> Milliseconds
    ) {
        self.endpoint = endpoint
        self.until = until
        self.memory = memory
        self.isAlone = isAlone
        self.next = next
    }
}

/// What came of a message outside the queue.
package struct TrialResult: Hashable, Sendable {
    package var endpoint: RowID
    /// The message's own name.
    package var name: RowID
    package var attempt: AttemptRecord
    /// Until when the endpoint's receiver wants nothing; nil if it said nothing of the kind.
    package var heldUntil: Milliseconds?

    /// `attempt` with the class and code of the outcome.
    package init(at endpoint: RowID, named name: RowID, _ attempt: AttemptRecord, heldUntil: Milliseconds? = nil) {
        self.endpoint = endpoint
        self.name = name
        self.attempt = attempt
        self.heldUntil = heldUntil
    }
}

/// Messages outside the queue, by which endpoints are tried out: within the same limits as deliveries.
extension ServerStore {
    /// Keeps the queue away from an endpoint for as long as a test message to it may take, if one may start now.
    ///
    /// What is asked is one value, as in ``take(_:)``: of many arguments the compiler makes a call that crashes.
    /// - Throws: ``TrialRefusal``; ``EndpointProblem/unknown``.
    package func begin(_ trial: Trial) async throws {
        let now = clock()
        try await pool.write { db in
            guard let endpoint = try RosterReader(store: self, db: db).endpoint(trial.endpoint) else {
                throw EndpointProblem.unknown
            }
            if let held = endpoint.heldUntil, held > now { throw TrialRefusal.held(until: held) }
            let free = trial.next(try self.ends(at: endpoint.id, since: now.value - trial.memory, db), now)
            guard free <= now else { throw TrialRefusal.held(until: free) }
            guard trial.isAlone else { return }
            let leased = try BoundStatement(
                db,
                """
                SELECT max(lease_until_ms) FROM delivery INDEXED BY delivery_leased
                WHERE state = 'leased' AND endpoint = ?
                """)
            defer { leased.reset() }
            try leased.bind(1, endpoint.id)
            if try leased.step(), !leased.isNull(0) {
                throw TrialRefusal.held(until: Milliseconds(leased.integer(0)))
            }
            try self.hold(endpoint.id, until: trial.until, db)
        }
    }

    /// Keeps what came of a test message, and lets the queue at the endpoint again, or not before its receiver wants more.
    ///
    /// A message that arrived closes the notice about the endpoint: it takes something again.
    package func end(_ result: TrialResult) async throws {
        let now = clock()
        try await pool.write { db in
            let attempt = result.attempt
            try self.insert(
                attempt, outcome: attempt.outcome, code: attempt.code, result.name, at: result.endpoint, db)
            try self.hold(result.endpoint, until: result.heldUntil, db)
            guard attempt.outcome == "sent" else { return }
            try self.closeNotice(about: result.endpoint, now: now, db)
            let mailServer = EndpointRecord.mailServer
            if try RosterReader(store: self, db: db).endpoint(result.endpoint)?.channel == mailServer.channel {
                try self.closeNotice(about: mailServer.id, now: now, db)
            }
        }
    }

    private func hold(_ endpoint: RowID, until moment: Milliseconds?, _ db: Database) throws {
        let statement = try BoundStatement(db, "UPDATE endpoint SET held_until_ms = ? WHERE id = ?")
        try statement.bind(1, optional: moment?.value)
        try statement.bind(2, endpoint)
        try statement.run()
    }
}

extension RosterReader {
    /// The latest attempts at an endpoint, test messages included, the latest first.
    package func attempts(toReach endpoint: RowID, limit: Int) throws -> [AttemptRecord] {
        let statement = try BoundStatement(
            db, Self.attemptColumns + " WHERE endpoint = ? ORDER BY finished_ms DESC, id DESC LIMIT ?")
        defer { statement.reset() }
        try statement.bind(1, endpoint)
        try statement.bind(2, Int64(limit))
        var attempts: [AttemptRecord] = []
        while try statement.step() { attempts.append(AttemptRecord(statement)) }
        return attempts
    }
}
