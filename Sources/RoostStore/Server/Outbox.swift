package import RoostSchema
package import RoostSync
import GRDB

/// A delivery that is due, with what is sealed in its endpoint.
package struct DueDelivery: Hashable, Sendable {
    package let delivery: DeliveryRecord
    package let endpoint: EndpointRecord
}

/// What an endpoint takes at a moment.
package struct EndpointRoom: Hashable, Sendable {
    /// How many deliveries may start.
    package var count: Int
    /// Whether only first attempts whose chosen time has just come may start: it has quiet hours.
    package var onlyChosen: Bool

    package init(count: Int, onlyChosen: Bool = false) {
        self.count = count
        self.onlyChosen = onlyChosen
    }
}

/// What the outbox asks about deliveries and endpoints; the store decides nothing.
package struct OutboxRules: Sendable {
    /// How long a lease lasts, in milliseconds.
    package var lease: Int64
    /// How many retries may be under way at once; the rest is kept for first attempts.
    package var retries: Int
    /// Channels whose later parts wait until the earlier ones were sent.
    package var ordered: Set<String>
    /// For how long, in milliseconds, attempts matter for what a channel's endpoints take; by channel.
    package var memory: [String: Int64]
    /// What an endpoint takes, given how much is under way and when its latest attempts ended.
    package var room: @Sendable (EndpointRecord, _ inFlight: Int, _ ends: [Milliseconds], Milliseconds) -> EndpointRoom
    /// What becomes of a delivery whose sender has not reported.
    package var expired: @Sendable (DueDelivery, Milliseconds) -> DeliveryResult
    /// How many deliveries may be under way on a channel, over all its endpoints; none is named that has no such limit.
    package var together: [String: Int]
    /// How an endpoint of a channel is doing after a result, and the code for which it is to be disabled, if it is.
    package var judge: Judge

    /// Whether a result on a channel tells that the mail server cannot be used, or that it can; nil if it tells nothing of it.
    package var mailServerWorks: @Sendable (_ channel: String, DeliveryResult) -> Bool?

    package typealias Judge =
        @Sendable (EndpointHealth, _ channel: String, DeliveryResult, Milliseconds) -> (
            EndpointHealth, disable: String?
        )

    package init(
        lease: Int64, retries: Int, ordered: Set<String>, memory: [String: Int64],
        room: @escaping @Sendable (EndpointRecord, Int, [Milliseconds], Milliseconds) -> EndpointRoom,
        expired: @escaping @Sendable (DueDelivery, Milliseconds) -> DeliveryResult, together: [String: Int],
        judge: @escaping Judge,
        mailServerWorks: @escaping @Sendable (String, DeliveryResult) -> Bool? = { _, _ in nil }
    ) {
        self.lease = lease
        self.retries = retries
        self.ordered = ordered
        self.memory = memory
        self.room = room
        self.expired = expired
        self.together = together
        self.judge = judge
        self.mailServerWorks = mailServerWorks
    }
}

extension ServerStore {
    /// Holds of deliveries that wait for their time or their endpoint, in the words of the indexes over them.
    static let waiting = "(state = 'queued' OR state = 'retry_wait' OR state = 'held')"

    /// Holds of endpoints to which something may be sent that is due at the moment `?1`.
    private static let hasDue = """
        state = 'active' AND (held_until_ms IS NULL OR held_until_ms <= ?1)
            AND (open_until_ms IS NULL OR open_until_ms <= ?1)
            AND EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_queue WHERE delivery.endpoint = endpoint.id
                AND \(waiting) AND delivery.next_ms <= ?1)
        """

    /// Keeps results and takes at most `limit` due deliveries, each endpoint's longest overdue first, one of each endpoint
    /// before the second of any; in one transaction, because each costs a write to disk.
    ///
    /// With `endpoints` only those are looked at: of all others nothing is known that was not when somebody looked everywhere.
    /// Who looks everywhere also settles leases that ended without a result, and gives up what is past its last moment.
    /// Deliveries of endpoints that are held, suspended, paused or disabled stay where they are; while sending is paused as
    /// a whole nothing is taken.
    package func turn(
        keeping results: [DeliveryResult], at endpoints: Set<RowID>?, now: Milliseconds, limit: Int,
        rules: OutboxRules
    ) async throws -> [DueDelivery] {
        // Most ticks find nothing due: that takes no write transaction.
        if results.isEmpty {
            guard endpoints == nil, try await pool.read({ db in try self.isToWrite(now: now, db) }) else { return [] }
        }
        return try await pool.write { db in
            try self.keep(results, rules, db)
            if endpoints == nil {
                try self.settleLeases(endedBy: now, now: now, rules, db)
                try self.giveUp(now: now, rules, db)
            }
            guard try self.sendingPause(db) == nil else {
                try self.recallAll(db)
                return []
            }
            guard limit > 0 else { return [] }
            return try self.takeDue(at: endpoints, now: now, limit: limit, rules: rules, db)
        }
    }

    /// Takes due deliveries wherever there are any; see ``turn(keeping:at:now:limit:rules:)``.
    package func leaseDeliveries(
        now: Milliseconds, limit: Int, rules: OutboxRules
    ) async throws -> [DueDelivery] {
        try await turn(keeping: [], at: nil, now: now, limit: limit, rules: rules)
    }

    /// Settles every lease, for a start after a crash: no sender but the new one is alive.
    package func settleAllLeases(rules: OutboxRules) async throws {
        let now = clock()
        try await pool.write { db in
            try self.settleLeases(endedBy: Milliseconds(.max), now: now, rules, db)
        }
    }

    /// Keeps results, all or none; a result for a delivery that is not leased changes nothing, unless it tells that what was
    /// given up with its sender arrived.
    package func record(_ results: [DeliveryResult], rules: OutboxRules) async throws {
        try await pool.write { db in try self.keep(results, rules, db) }
    }

    /// Whether looking everywhere would write anything.
    private func isToWrite(now: Milliseconds, _ db: Database) throws -> Bool {
        // Another process may have paused sending.
        if try sendingPause(db) != nil { try recallAll(db) }
        return try hasDue(now: now, db)
    }

    private func hasDue(now: Milliseconds, _ db: Database) throws -> Bool {
        let statement = try BoundStatement(
            db,
            """
            SELECT 1 FROM endpoint WHERE \(Self.hasDue)
            UNION ALL SELECT 1 FROM delivery INDEXED BY delivery_expiry
                WHERE \(Self.waiting) AND not_after_ms <= ?1
            UNION ALL SELECT 1 FROM delivery INDEXED BY delivery_by_hand
                WHERE state = 'manual_pending' AND not_after_ms <= ?1
            UNION ALL SELECT 1 FROM delivery INDEXED BY delivery_leased
                WHERE state = 'leased' AND lease_until_ms <= ?1 LIMIT 1
            """)
        defer { statement.reset() }
        try statement.bind(1, now.value)
        return try statement.step()
    }

    private func settleLeases(
        endedBy end: Milliseconds, now: Milliseconds, _ rules: OutboxRules, _ db: Database
    ) throws {
        let statement = try BoundStatement(
            db,
            RosterReader.deliveryColumns
                + " INDEXED BY delivery_leased WHERE state = 'leased' AND lease_until_ms <= ?")
        try statement.bind(1, end.value)
        var ended: [DeliveryRecord] = []
        var contents: [Int64: [UInt8]] = [:]
        while try statement.step() { ended.append(try RosterReader.delivery(statement, &contents, db)) }
        statement.reset()
        guard !ended.isEmpty else { return }
        let endpoints = Dictionary(
            uniqueKeysWithValues: try RosterReader(store: self, db: db).endpoints().map { ($0.id, $0) })
        try keep(
            ended.compactMap { delivery in
                endpoints[delivery.endpoint].map { rules.expired(DueDelivery(delivery: delivery, endpoint: $0), now) }
            }, rules, db)
    }

    private func giveUp(now: Milliseconds, _ rules: OutboxRules, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            UPDATE delivery INDEXED BY delivery_expiry SET state = 'expired', next_ms = NULL
            WHERE \(Self.waiting) AND not_after_ms <= ?
            RETURNING id, digest, endpoint, attempts, coalesce(outcome, ''), coalesce(code, '')
            """)
        try statement.bind(1, now.value)
        var digests: Set<RowID> = []
        var exhausted: [RowID: [DeliveryResult]] = [:]
        while try statement.step() {
            digests.insert(statement.id(1))
            // What was never tried says nothing about its endpoint.
            guard statement.integer(3) > 0 else { continue }
            exhausted[statement.id(2), default: []].append(
                DeliveryResult(
                    delivery: statement.id(0), state: .expired, nextAt: nil, attempts: Int(statement.integer(3)),
                    outcome: statement.text(4), code: statement.text(5)))
        }
        statement.reset()
        for (endpoint, results) in exhausted { try judge(endpoint, results, now: now, rules, db) }
        // Nobody has posted it by hand; who does so later may still say so.
        let forgotten = try BoundStatement(
            db,
            """
            UPDATE delivery INDEXED BY delivery_by_hand SET state = 'expired', next_ms = NULL, outcome = 'deferred',
                code = 'not_posted' WHERE state = 'manual_pending' AND not_after_ms <= ? RETURNING digest
            """)
        try forgotten.bind(1, now.value)
        while try forgotten.step() { digests.insert(forgotten.id(0)) }
        forgotten.reset()
        try settle(digests, db)
    }

    private func takeDue(
        at places: Set<RowID>?, now: Milliseconds, limit: Int, rules: OutboxRules, _ db: Database
    ) throws -> [DueDelivery] {
        let underWay = try underWay(at: places, db)
        var candidates: [Candidate] = []
        var endpoints: [RowID: EndpointRecord] = [:]
        var contents: [Int64: [UInt8]] = [:]
        for endpoint in try endpointsWithDue(at: places, now: now, db) {
            let ends = try rules.memory[endpoint.channel].map { memory in
                try self.ends(at: endpoint.id, since: now.value - memory, db)
            }
            let room = rules.room(endpoint, underWay[endpoint.id] ?? 0, ends ?? [], now)
            guard room.count > 0 else { continue }
            endpoints[endpoint.id] = endpoint
            candidates += try due(
                at: endpoint.id, limit: min(room.count, limit), isOrdered: rules.ordered.contains(endpoint.channel),
                onlyChosen: room.onlyChosen, now: now, &contents, db)
        }
        candidates.sort { ($0.rank, $0.dueAt, $0.delivery.id) < ($1.rank, $1.dueAt, $1.delivery.id) }
        let mark = try BoundStatement(
            db, "UPDATE delivery SET state = 'leased', lease_until_ms = ? WHERE id = ?")
        // Counted only where one is due: beside a thousand deliveries that hang it would cost each turn more than the rest.
        var retries: Int?
        var places = try self.places(for: Set(endpoints.values.map(\.channel)), rules, db)
        var taken: [DueDelivery] = []
        for candidate in candidates where taken.count < limit {
            let delivery = candidate.delivery
            guard let endpoint = endpoints[delivery.endpoint], places[endpoint.channel] ?? 1 > 0 else { continue }
            if delivery.attempts > 0 {
                let left = try retries ?? rules.retries - retriesUnderWay(db)
                retries = left - 1
                guard left > 0 else { continue }
            }
            places[endpoint.channel]? -= 1
            try mark.bind(1, now.value + rules.lease)
            try mark.bind(2, delivery.id)
            try mark.run()
            taken.append(DueDelivery(delivery: delivery, endpoint: endpoint))
        }
        return taken
    }

    /// How many more deliveries may be under way on those of these channels that have a limit.
    private func places(
        for channels: Set<String>, _ rules: OutboxRules, _ db: Database
    ) throws -> [String: Int] {
        let limits = rules.together.filter { channels.contains($0.key) }
        guard !limits.isEmpty else { return [:] }
        let leased = try BoundStatement(
            db,
            """
            SELECT count(*) FROM delivery INDEXED BY delivery_leased WHERE state = 'leased'
                AND (SELECT channel FROM endpoint WHERE id = delivery.endpoint) = ?
            """)
        defer { leased.reset() }
        var places: [String: Int] = [:]
        for (channel, limit) in limits {
            try leased.bind(1, channel)
            places[channel] = try leased.step() ? limit - Int(leased.integer(0)) : limit
            leased.reset()
        }
        return places
    }

    struct Candidate {
        let delivery: DeliveryRecord
        let dueAt: Milliseconds
        /// Its place among those of its endpoint.
        let rank: Int
    }

    /// How many deliveries are under way, by endpoint.
    private func underWay(at places: Set<RowID>?, _ db: Database) throws -> [RowID: Int] {
        var counts: [RowID: Int] = [:]
        guard let places else {
            let statement = try BoundStatement(
                db,
                """
                SELECT endpoint, count(*) FROM delivery INDEXED BY delivery_leased WHERE state = 'leased' GROUP BY endpoint
                """)
            defer { statement.reset() }
            while try statement.step() { counts[statement.id(0)] = Int(statement.integer(1)) }
            return counts
        }
        let statement = try BoundStatement(
            db, "SELECT count(*) FROM delivery INDEXED BY delivery_leased WHERE state = 'leased' AND endpoint = ?")
        for place in places {
            try statement.bind(1, place)
            if try statement.step() { counts[place] = Int(statement.integer(0)) }
            statement.reset()
        }
        return counts
    }

    private func retriesUnderWay(_ db: Database) throws -> Int {
        let statement = try BoundStatement(
            db, "SELECT count(*) FROM delivery INDEXED BY delivery_leased WHERE state = 'leased' AND attempts > 0")
        defer { statement.reset() }
        return try statement.step() ? Int(statement.integer(0)) : 0
    }

    func endpointsWithDue(
        at places: Set<RowID>?, now: Milliseconds, _ db: Database
    ) throws -> [EndpointRecord] {
        let one = places == nil ? "" : " AND id = ?2"
        let statement = try BoundStatement(db, RosterReader.endpointColumns + " WHERE " + Self.hasDue + one)
        defer { statement.reset() }
        var endpoints: [EndpointRecord] = []
        func read() throws {
            try statement.bind(1, now.value)
            while try statement.step() { endpoints.append(EndpointRecord(statement)) }
            statement.reset()
        }
        guard let places else {
            try read()
            return endpoints
        }
        for place in places {
            try statement.bind(2, place)
            try read()
        }
        return endpoints
    }

    /// The first due deliveries of an endpoint; in its quiet hours only first attempts whose chosen time has just come.
    func due(
        at endpoint: RowID, limit: Int, isOrdered: Bool, onlyChosen: Bool, now: Milliseconds,
        _ contents: inout [Int64: [UInt8]], _ db: Database
    ) throws -> [Candidate] {
        // Nobody chose the time of a notice, which is of no version of any digest.
        let chosen = "AND state = 'queued' AND attempts = 0 AND next_ms > ?2 - 900000 AND version != ?4"
        // A part waits for those before it; what a person marked or cancelled is no longer waited for.
        let order = """
            AND NOT EXISTS (SELECT 1 FROM delivery AS earlier WHERE earlier.digest = delivery.digest
                AND earlier.endpoint = delivery.endpoint AND earlier.part < delivery.part
                AND earlier.state NOT IN ('sent', 'cancelled'))
            """
        let statement = try BoundStatement(
            db,
            """
            \(RosterReader.deliveryColumns) INDEXED BY delivery_queue WHERE endpoint = ?1
                AND \(Self.waiting) AND next_ms <= ?2 \(onlyChosen ? chosen : "")
                \(isOrdered ? order : "")
            ORDER BY next_ms\(isOrdered ? ", digest, part" : "") LIMIT ?3
            """)
        defer { statement.reset() }
        try statement.bind(1, endpoint)
        try statement.bind(2, now.value)
        try statement.bind(3, Int64(limit))
        if onlyChosen { try statement.bind(4, Announcement.version) }
        var candidates: [Candidate] = []
        while try statement.step() {
            let delivery = try RosterReader.delivery(statement, &contents, db)
            candidates.append(
                Candidate(delivery: delivery, dueAt: delivery.nextAt ?? now, rank: candidates.count))
        }
        return candidates
    }

    /// When attempts at an endpoint ended, after a moment.
    func ends(at endpoint: RowID, since: Int64, _ db: Database) throws -> [Milliseconds] {
        let statement = try BoundStatement(
            db, "SELECT finished_ms FROM attempt WHERE endpoint = ? AND finished_ms > ?")
        defer { statement.reset() }
        try statement.bind(1, endpoint)
        try statement.bind(2, since)
        var ends: [Milliseconds] = []
        while try statement.step() { ends.append(Milliseconds(statement.integer(0))) }
        return ends
    }
}
