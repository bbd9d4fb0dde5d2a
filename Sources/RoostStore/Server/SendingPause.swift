package import RoostSchema
package import RoostSync
import GRDB

/// How the outbox as a whole is doing.
package struct OutboxFigures: Hashable, Sendable {
    /// One run of attempts at one channel.
    package struct Pace: Hashable, Sendable {
        package let channel: String
        /// Milliseconds from start to end, of half of the attempts and of nineteen in twenty.
        package let median: Int64
        package let p95: Int64
    }

    /// Deliveries by state, those that came to an end left out.
    package var byState: [DeliveryState: Int] = [:]
    /// When the delivery that has been due longest was due, of those that nothing keeps back: no pause, hold, suspension,
    /// quiet hours, vendor's limit or earlier part; nil where none is.
    package var oldestDue: Milliseconds?
    /// Endpoints by state, and how many of them sending is suspended for.
    package var endpoints: [EndpointRecord.State: Int] = [:]
    package var suspended = 0
    package var failing: [FailingEndpoint] = []
    package var paces: [Pace] = []
    /// Why sending is paused as a whole; nil where it is not.
    package var pause: String?
}

/// Deliveries that may have gone out after the backup was made from which a database was restored.
package struct RestoredDoubt: Hashable, Sendable {
    /// Those that were queued then, and are uncertain now.
    package var queued = 0
    /// Those that were approved and not released then: they become uncertain when they are released.
    package var frozen = 0

    package init(queued: Int = 0, frozen: Int = 0) {
        self.queued = queued
        self.frozen = frozen
    }
}

extension RosterReader {
    /// Why sending is paused as a whole; nil where it is not.
    package func sendingPause() throws -> String? { try store.sendingPause(db) }

    /// Whether an approved delivery may have gone out in a history that was lost: it is in doubt, or is older than a
    /// restoration about which nobody has decided yet.
    package func mayHaveGoneOut(_ delivery: DeliveryRecord) throws -> Bool {
        if delivery.isInDoubt { return true }
        guard delivery.state == .frozen, try sendingPause() == ServerStore.pausedByEpoch else { return false }
        return try store.latestEpochBegun(db).map { delivery.id < $0 } ?? false
    }

    /// How many deliveries wait for each endpoint.
    package func waitingByEndpoint() throws -> [RowID: Int] {
        let statement = try BoundStatement(
            db,
            """
            SELECT endpoint, count(*) FROM delivery WHERE \(ServerStore.waiting) GROUP BY endpoint
            """)
        defer { statement.reset() }
        var waiting: [RowID: Int] = [:]
        while try statement.step() { waiting[statement.id(0)] = Int(statement.integer(1)) }
        return waiting
    }
}

/// Sending as a whole, which an operator or a restoration pauses.
extension ServerStore {
    private static let fact = "sending_paused"
    /// Why sending is paused after the history broke.
    static let pausedByEpoch = "new_epoch"
    /// The code of what may have been sent in a history that was lost.
    package static let restoredCode = "restored"

    /// Why sending is paused; nil where it is not.
    func sendingPause(_ db: Database) throws -> String? {
        let statement = try BoundStatement(db, "SELECT value FROM meta WHERE name = ?")
        defer { statement.reset() }
        try statement.bind(1, Self.fact)
        return try statement.step() ? statement.text(0) : nil
    }

    /// Why sending is paused; nil where it is not.
    package func sendingPause() async throws -> String? { try await pool.read { db in try self.sendingPause(db) } }

    /// Lets nothing out until ``resumeSending(doubting:)``.
    package func pauseSending(_ reason: String) async throws {
        try await pool.write { db in
            // Who pauses what a restoration has paused already must not make it forget to doubt.
            try db.execute(
                sql: "INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)", arguments: [Self.fact, reason])
            try self.recallAll(db)
        }
    }

    /// Lets what is due go again.
    ///
    /// After a restoration what was queued when the backup was made may have been sent since: `channels` names those whose
    /// receivers cannot tell a repetition, and what waits there becomes uncertain, for a person to decide; but not what was
    /// composed after the restoration. What was approved then may have been released and sent since just as well: it stays
    /// frozen, marked, and becomes uncertain in place of queued when somebody releases it. What waits for endpoints
    /// that were retired since, or whose owners wanted no more letters, is uncertain whatever the channel.
    package func resumeSending(doubting channels: [String] = []) async throws -> RestoredDoubt {
        try await pool.write { db in
            let isAfterBreak = try self.sendingPause(db) == Self.pausedByEpoch
            try db.execute(sql: "DELETE FROM meta WHERE name = ?", arguments: [Self.fact])
            let before = try self.latestEpochBegun(db) ?? RowID(bits: .max)
            let ofChannel = "id < ?1 AND endpoint IN (SELECT id FROM endpoint WHERE channel = ?2)"
            let doubt = try BoundStatement(
                db,
                """
                UPDATE delivery SET state = 'uncertain', next_ms = NULL, outcome = 'uncertain', code = '\(Self.restoredCode)'
                WHERE \(Self.waiting) AND \(ofChannel) RETURNING digest
                """)
            let mark = try BoundStatement(
                db,
                """
                UPDATE delivery SET outcome = 'uncertain', code = '\(Self.restoredCode)'
                WHERE state = 'frozen' AND \(ofChannel)
                """)
            var digests: [RowID] = []
            var frozen = 0
            for channel in channels {
                for statement in [doubt, mark] {
                    try statement.bind(1, before)
                    try statement.bind(2, channel)
                }
                while try doubt.step() { digests.append(doubt.id(0)) }
                doubt.reset()
                try mark.run()
                frozen += db.changesCount
            }
            if isAfterBreak { digests += try self.doubtStopped(before: before, db) }
            try self.settle(Set(digests), db)
            return RestoredDoubt(queued: digests.count, frozen: frozen)
        }
    }

    /// The identity before which all deliveries are that were made before the latest break of the history; nil without one.
    func latestEpochBegun(_ db: Database) throws -> RowID? {
        // The identity of a delivery begins with the moment at which it was made.
        try Int64.fetchOne(db, sql: "SELECT max(begun_ms) FROM epoch_begun").map { RowID(milliseconds: $0, random: 0) }
    }

    /// How the outbox is doing, by the rules of its sender; paces are those of the last day's attempts.
    package func outboxFigures(rules: OutboxRules) async throws -> OutboxFigures {
        let now = clock()
        return try await pool.read { db in
            var figures = OutboxFigures()
            figures.pause = try self.sendingPause(db)
            let states = try BoundStatement(
                db,
                """
                SELECT state, count(*) FROM delivery INDEXED BY delivery_open WHERE state = 'frozen' OR state = 'queued' OR state = 'leased'
                    OR state = 'retry_wait' OR state = 'held' OR state = 'uncertain' OR state = 'manual_pending'
                GROUP BY state
                """)
            while try states.step() {
                guard let state = DeliveryState(rawValue: states.text(0)) else { continue }
                figures.byState[state] = Int(states.integer(1))
            }
            states.reset()
            if figures.pause == nil { figures.oldestDue = try self.oldestDue(now: now, rules, db) }
            for endpoint in try RosterReader(store: self, db: db).endpoints() {
                figures.endpoints[endpoint.state, default: 0] += 1
                if let until = endpoint.health.openUntil, until > now { figures.suspended += 1 }
            }
            figures.failing = try FailingEndpoint.all(db)
            figures.paces = try self.paces(since: now.value - 86_400_000, db)
            return figures
        }
    }

    private func oldestDue(now: Milliseconds, _ rules: OutboxRules, _ db: Database) throws -> Milliseconds? {
        var contents: [Int64: [UInt8]] = [:]
        var oldest: Milliseconds?
        for endpoint in try endpointsWithDue(at: nil, now: now, db) {
            let ends = try rules.memory[endpoint.channel].map { memory in
                try self.ends(at: endpoint.id, since: now.value - memory, db)
            }
            let room = rules.room(endpoint, 0, ends ?? [], now)
            guard room.count > 0, !room.onlyChosen else { continue }
            let first = try due(
                at: endpoint.id, limit: 1, isOrdered: rules.ordered.contains(endpoint.channel), onlyChosen: false,
                now: now, &contents, db
            ).first
            if let first { oldest = min(oldest ?? first.dueAt, first.dueAt) }
        }
        return oldest
    }

    private func paces(since: Int64, _ db: Database) throws -> [OutboxFigures.Pace] {
        let statement = try BoundStatement(
            db,
            """
            SELECT channel, max(CASE WHEN place * 2 <= total + 1 THEN duration END),
                max(CASE WHEN place * 20 <= total * 19 + 19 THEN duration END)
            FROM (SELECT channel, duration, row_number() OVER (PARTITION BY channel ORDER BY duration) AS place,
                count(*) OVER (PARTITION BY channel) AS total
                FROM (SELECT endpoint.channel, finished_ms - started_ms AS duration
                    FROM (SELECT endpoint, started_ms, finished_ms FROM attempt ORDER BY id DESC LIMIT 10000) AS latest
                    JOIN endpoint ON endpoint.id = latest.endpoint WHERE finished_ms > ?)) GROUP BY channel
            """)
        defer { statement.reset() }
        try statement.bind(1, since)
        var paces: [OutboxFigures.Pace] = []
        while try statement.step() {
            paces.append(
                OutboxFigures.Pace(
                    channel: statement.text(0), median: statement.integer(1), p95: statement.integer(2)))
        }
        return paces
    }
}
