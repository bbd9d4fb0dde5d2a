package import RoostSchema
package import RoostSync
import GRDB

/// A delivery that is due, with what is sealed in its endpoint.
package struct DueDelivery: Hashable, Sendable {
    package let delivery: DeliveryRecord
    package let endpoint: EndpointRecord
}

/// How many deliveries may be under way to one endpoint, and how many attempts it takes in a minute, by channel.
package struct ChannelLimits: Hashable, Sendable {
    package var inFlight: Int
    /// Nil for no limit.
    package var perMinute: Int?
    /// Whether a later part waits until the earlier ones were sent.
    package var keepsOrder: Bool

    package init(inFlight: Int, perMinute: Int?, keepsOrder: Bool) {
        self.inFlight = inFlight
        self.perMinute = perMinute
        self.keepsOrder = keepsOrder
    }
}

/// What becomes of a leased delivery.
package struct DeliveryResult: Hashable, Sendable {
    /// One attempt as it is kept.
    package struct Attempt: Hashable, Sendable {
        package var startedAt: Milliseconds
        package var finishedAt: Milliseconds
        package var status: Int?
        /// Nothing secret, at most 4 KiB.
        package var response: String

        package init(startedAt: Milliseconds, finishedAt: Milliseconds, status: Int?, response: String) {
            self.startedAt = startedAt
            self.finishedAt = finishedAt
            self.status = status
            self.response = response
        }
    }

    package var delivery: RowID
    package var state: DeliveryState
    package var nextAt: Milliseconds?
    package var attempts: Int
    package var outcome: String
    package var code: String
    package var endpointHeldUntil: Milliseconds?
    package var disablesEndpoint: Bool
    /// Nil where nothing was sent.
    package var attempt: Attempt?

    package init(
        delivery: RowID, state: DeliveryState, nextAt: Milliseconds?, attempts: Int, outcome: String, code: String,
        endpointHeldUntil: Milliseconds? = nil, disablesEndpoint: Bool = false, attempt: Attempt? = nil
    ) {
        self.delivery = delivery
        self.state = state
        self.nextAt = nextAt
        self.attempts = attempts
        self.outcome = outcome
        self.code = code
        self.endpointHeldUntil = endpointHeldUntil
        self.disablesEndpoint = disablesEndpoint
        self.attempt = attempt
    }
}

extension ServerStore {
    /// Takes due deliveries for `lease` milliseconds, the longest overdue first.
    ///
    /// Before that, leases that ended without a result are settled as `expired` decides, and deliveries whose last moment
    /// has passed are given up. Deliveries of endpoints that are held, paused or disabled stay where they are.
    package func leaseDeliveries(
        now: Milliseconds, limit: Int, lease: Int64, limits: [String: ChannelLimits],
        expired: @Sendable (DueDelivery) -> DeliveryResult
    ) async throws -> [DueDelivery] {
        // Most ticks find nothing due: that takes no write transaction.
        guard try await pool.read({ db in try self.hasDue(now: now, db) }) else { return [] }
        return try await pool.write { db in
            try self.settleLeases(endedBy: now, expired, db)
            try self.giveUp(now: now, db)
            return try self.takeDue(now: now, limit: limit, lease: lease, limits: limits, db)
        }
    }

    /// Settles every lease, for a start after a crash: no sender but the new one is alive.
    package func settleAllLeases(_ expired: @Sendable (DueDelivery) -> DeliveryResult) async throws {
        try await pool.write { db in try self.settleLeases(endedBy: nil, expired, db) }
    }

    /// Keeps results, all or none; a result for a delivery that is not leased changes nothing.
    package func record(_ results: [DeliveryResult]) async throws {
        try await pool.write { db in try self.keep(results, db) }
    }

    private func hasDue(now: Milliseconds, _ db: Database) throws -> Bool {
        let statement = try BoundStatement(
            db,
            """
            SELECT 1 FROM delivery WHERE state IN ('queued', 'retry_wait', 'held')
                AND (next_ms <= ?1 OR not_after_ms <= ?1)
            UNION ALL SELECT 1 FROM delivery WHERE state = 'leased' AND lease_until_ms <= ?1 LIMIT 1
            """)
        defer { statement.reset() }
        try statement.bind(1, now.value)
        return try statement.step()
    }

    private func settleLeases(
        endedBy now: Milliseconds?, _ expired: (DueDelivery) -> DeliveryResult, _ db: Database
    ) throws {
        let reader = RosterReader(store: self, db: db)
        let statement = try BoundStatement(
            db, RosterReader.deliveryColumns + " WHERE state = 'leased' AND lease_until_ms <= ?")
        defer { statement.reset() }
        try statement.bind(1, now?.value ?? .max)
        var ended: [DeliveryRecord] = []
        while try statement.step() { ended.append(try RosterReader.delivery(statement)) }
        guard !ended.isEmpty else { return }
        let endpoints = Dictionary(uniqueKeysWithValues: try reader.endpoints().map { ($0.id, $0) })
        try keep(
            ended.compactMap { delivery in
                endpoints[delivery.endpoint].map { expired(DueDelivery(delivery: delivery, endpoint: $0)) }
            }, db)
    }

    private func giveUp(now: Milliseconds, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            UPDATE delivery SET state = 'expired', next_ms = NULL
            WHERE state IN ('queued', 'retry_wait', 'held') AND not_after_ms <= ? RETURNING digest
            """)
        try statement.bind(1, now.value)
        var digests: Set<RowID> = []
        while try statement.step() { digests.insert(statement.id(0)) }
        statement.reset()
        try settle(digests, db)
    }

    private func takeDue(
        now: Milliseconds, limit: Int, lease: Int64, limits: [String: ChannelLimits], _ db: Database
    ) throws -> [DueDelivery] {
        let reader = RosterReader(store: self, db: db)
        let endpoints = Dictionary(uniqueKeysWithValues: try reader.endpoints().map { ($0.id, $0) })
        let statement = try BoundStatement(
            db,
            """
            SELECT id FROM delivery WHERE state IN ('queued', 'retry_wait', 'held') AND next_ms <= ?1
                AND EXISTS (SELECT 1 FROM endpoint WHERE endpoint.id = delivery.endpoint AND endpoint.state = 'active'
                    AND (held_until_ms IS NULL OR held_until_ms <= ?1))
            ORDER BY next_ms, digest, endpoint, part
            """)
        try statement.bind(1, now.value)
        var due: [RowID] = []
        while try statement.step() { due.append(statement.id(0)) }
        statement.reset()
        let mark = try BoundStatement(
            db, "UPDATE delivery SET state = 'leased', lease_until_ms = ? WHERE id = ?")
        var room: [RowID: Int] = [:]
        var taken: [DueDelivery] = []
        for id in due where taken.count < limit {
            guard let delivery = try reader.delivery(id), let endpoint = endpoints[delivery.endpoint],
                let limits = limits[endpoint.channel]
            else { continue }
            let left = try room[endpoint.id] ?? self.room(at: endpoint.id, limits, now: now, db)
            room[endpoint.id] = left
            guard left > 0 else { continue }
            if limits.keepsOrder, try isBehind(delivery, db) { continue }
            try mark.bind(1, now.value + lease)
            try mark.bind(2, id)
            try mark.run()
            room[endpoint.id] = left - 1
            taken.append(DueDelivery(delivery: delivery, endpoint: endpoint))
        }
        return taken
    }

    /// How many more deliveries an endpoint takes now.
    private func room(
        at endpoint: RowID, _ limits: ChannelLimits, now: Milliseconds, _ db: Database
    ) throws -> Int {
        func count(_ sql: String, since: Int64? = nil) throws -> Int {
            let statement = try BoundStatement(db, sql)
            defer { statement.reset() }
            try statement.bind(1, endpoint)
            if let since { try statement.bind(2, since) }
            return try statement.step() ? Int(statement.integer(0)) : 0
        }
        let leased = try count("SELECT count(*) FROM delivery WHERE endpoint = ? AND state = 'leased'")
        guard let perMinute = limits.perMinute else { return limits.inFlight - leased }
        // Counted over the last sixty seconds, not from a bucket that refills: a burst on either side of a full minute
        // would exceed what the vendor allows.
        let recent = try count(
            """
            SELECT count(*) FROM delivery JOIN attempt ON attempt.delivery = delivery.id
            WHERE delivery.endpoint = ? AND attempt.started_ms > ?
            """, since: now.value - 60_000)
        return min(limits.inFlight - leased, perMinute - recent - leased)
    }

    /// Whether an earlier part of the same digest is still to arrive.
    private func isBehind(_ delivery: DeliveryRecord, _ db: Database) throws -> Bool {
        let statement = try BoundStatement(
            db,
            """
            SELECT 1 FROM delivery WHERE digest = ? AND endpoint = ? AND part < ? AND state != 'sent' LIMIT 1
            """)
        defer { statement.reset() }
        try statement.bind(1, delivery.digest)
        try statement.bind(2, delivery.endpoint)
        try statement.bind(3, Int64(delivery.part))
        return try statement.step()
    }

    private func keep(_ results: [DeliveryResult], _ db: Database) throws {
        let reader = RosterReader(store: self, db: db)
        var digests: Set<RowID> = []
        for result in results {
            guard let delivery = try reader.delivery(result.delivery), delivery.state == .leased else { continue }
            try update(result, db)
            if let attempt = result.attempt { try insert(attempt, of: result, db) }
            try judgeEndpoint(delivery.endpoint, result, db)
            if result.state.isSettled { digests.insert(delivery.digest) }
        }
        try settle(digests, db)
    }

    private func update(_ result: DeliveryResult, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            UPDATE delivery SET state = ?, next_ms = ?, attempts = ?, outcome = ?, code = ?, sent_ms = ?,
                lease_until_ms = NULL WHERE id = ?
            """)
        try statement.bind(1, result.state.rawValue)
        if let next = result.nextAt { try statement.bind(2, next.value) } else { try statement.bindNull(2) }
        try statement.bind(3, Int64(result.attempts))
        try statement.bind(4, result.outcome)
        try statement.bind(5, result.code)
        if result.state == .sent {
            try statement.bind(6, (result.attempt?.finishedAt ?? clock()).value)
        } else {
            try statement.bindNull(6)
        }
        try statement.bind(7, result.delivery)
        try statement.run()
    }

    private func insert(
        _ attempt: DeliveryResult.Attempt, of result: DeliveryResult, _ db: Database
    ) throws {
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO attempt (delivery, started_ms, finished_ms, outcome, http_status, code, response)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        try statement.bind(1, result.delivery)
        try statement.bind(2, attempt.startedAt.value)
        try statement.bind(3, attempt.finishedAt.value)
        try statement.bind(4, result.outcome)
        if let status = attempt.status { try statement.bind(5, Int64(status)) } else { try statement.bindNull(5) }
        try statement.bind(6, result.code)
        try statement.bind(7, attempt.response)
        try statement.run()
    }

    private func judgeEndpoint(_ endpoint: RowID, _ result: DeliveryResult, _ db: Database) throws {
        if let until = result.endpointHeldUntil {
            let statement = try BoundStatement(db, "UPDATE endpoint SET held_until_ms = ? WHERE id = ?")
            try statement.bind(1, until.value)
            try statement.bind(2, endpoint)
            try statement.run()
        }
        if result.disablesEndpoint {
            let statement = try BoundStatement(db, "UPDATE endpoint SET state = 'disabled', note = ? WHERE id = ?")
            try statement.bind(1, result.code)
            try statement.bind(2, endpoint)
            try statement.run()
        }
    }
}
