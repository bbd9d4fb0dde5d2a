package import RoostSchema
package import RoostSync
import GRDB

/// What becomes of a leased delivery.
package struct DeliveryResult: Hashable, Sendable {
    package var delivery: RowID
    package var state: DeliveryState
    package var nextAt: Milliseconds?
    package var attempts: Int
    package var outcome: String
    package var code: String
    package var endpointHeldUntil: Milliseconds?
    package var disablesEndpoint: Bool
    /// Nil where nothing was sent.
    package var attempt: AttemptRecord?

    package init(
        delivery: RowID, state: DeliveryState, nextAt: Milliseconds?, attempts: Int, outcome: String, code: String,
        endpointHeldUntil: Milliseconds? = nil, disablesEndpoint: Bool = false, attempt: AttemptRecord? = nil
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

/// One attempt as it is kept; nothing in it is secret.
package struct AttemptRecord: Hashable, Sendable {
    /// Microseconds from the start to the end of each phase; nil for one that was not reached.
    package struct Timings: Hashable, Sendable {
        package var resolved: Int64?
        package var connected: Int64?
        package var secured: Int64?
        package var firstByte: Int64?

        package init(
            resolved: Int64? = nil, connected: Int64? = nil, secured: Int64? = nil, firstByte: Int64? = nil
        ) {
            self.resolved = resolved
            self.connected = connected
            self.secured = secured
            self.firstByte = firstByte
        }
    }

    package var startedAt: Milliseconds
    package var finishedAt: Milliseconds
    /// Class and code; filled in from the result when it is kept.
    package var outcome = ""
    package var code = ""
    /// The delivery; nil for a test message, and before it is kept.
    package var delivery: RowID?
    package var status: Int?
    /// At most 4 KiB of what the receiver said.
    package var response: String
    package var url: String?
    package var address: String?
    package var vendorCode: Int?
    package var vendorMessage: String?
    package var timings: Timings

    package init(
        startedAt: Milliseconds, finishedAt: Milliseconds, status: Int?, response: String, url: String? = nil,
        address: String? = nil, vendorCode: Int? = nil, vendorMessage: String? = nil, timings: Timings = Timings()
    ) {
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.status = status
        self.response = response
        self.url = url
        self.address = address
        self.vendorCode = vendorCode
        self.vendorMessage = vendorMessage
        self.timings = timings
    }
}

extension AttemptRecord {
    /// Reads the columns of ``RosterReader/attemptColumns``.
    init(_ statement: BoundStatement) {
        func integer(_ column: Int) -> Int64? { statement.isNull(column) ? nil : statement.integer(column) }
        func text(_ column: Int) -> String? { statement.isNull(column) ? nil : statement.text(column) }
        self.init(
            startedAt: Milliseconds(statement.integer(0)), finishedAt: Milliseconds(statement.integer(1)),
            status: integer(4).map(Int.init), response: statement.text(5), url: text(6), address: text(7),
            vendorCode: integer(8).map(Int.init), vendorMessage: text(9),
            timings: .init(
                resolved: integer(10), connected: integer(11), secured: integer(12), firstByte: integer(13)))
        outcome = statement.text(2)
        code = statement.text(3)
        delivery = statement.integer(15) == 1 ? statement.id(14) : nil
    }
}

extension ServerStore {
    func keep(_ results: [DeliveryResult], _ rules: OutboxRules, _ db: Database) throws {
        // Not by RETURNING, for which SQLite makes a table in memory each time.
        let find = try BoundStatement(
            db,
            """
            SELECT digest, endpoint, code, version, state = 'leased' FROM delivery
            WHERE id = ? AND (state = 'leased' OR state = 'uncertain' AND code = 'sender_lost')
            """)
        let update = try BoundStatement(
            db,
            """
            UPDATE delivery SET state = ?, next_ms = ?, attempts = ?, outcome = ?, code = ?, sent_ms = ?,
                lease_until_ms = NULL WHERE id = ?
            """)
        let now = clock()
        var digests: Set<RowID> = []
        var byEndpoint: [RowID: [DeliveryResult]] = [:]
        for var result in results {
            recalled.remove(result.delivery)
            try find.bind(1, result.delivery)
            defer { find.reset() }
            guard try find.step() else { continue }
            // A sender that stood still for longer than a lease was taken for lost: that it arrived, or was refused for good, is
            // true all the same.
            guard find.integer(4) == 1 || [.sent, .failed].contains(result.state) else { continue }
            // A notice that may have arrived is nobody's to look after.
            if result.state == .uncertain, find.stamp(3) == Announcement.version { result.state = .failed }
            if !find.isNull(2), Self.givenUpCodes.contains(find.text(2)),
                result.state.isOpen || result.state == .expired
            {
                // What may have arrived is not called given up.
                result.state = result.outcome == "uncertain" ? .uncertain : .cancelled
                result.nextAt = nil
                if result.attempt == nil { result.code = find.text(2) }
            }
            let (digest, endpoint) = (find.id(0), find.id(1))
            try update.bind(1, result.state.rawValue)
            try update.bind(2, optional: result.nextAt?.value)
            try update.bind(3, Int64(result.attempts))
            try update.bind(4, result.outcome)
            try update.bind(5, result.code)
            try update.bind(6, optional: result.state == .sent ? (result.attempt?.finishedAt ?? now).value : nil)
            try update.bind(7, result.delivery)
            try update.run()
            if let attempt = result.attempt {
                try insert(attempt, outcome: result.outcome, code: result.code, result.delivery, at: endpoint, db)
            }
            byEndpoint[endpoint, default: []].append(result)
            if !result.state.isOpen { digests.insert(digest) }
        }
        for (endpoint, results) in byEndpoint { try judge(endpoint, results, now: now, rules, db) }
        try settle(digests, db)
    }

    func insert(
        _ attempt: AttemptRecord, outcome: String, code: String, _ delivery: RowID, at endpoint: RowID,
        _ db: Database
    ) throws {
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO attempt (delivery, endpoint, started_ms, finished_ms, outcome, code, http_status, response, url,
                address, vendor_code, vendor_message, resolved_us, connected_us, secured_us, first_byte_us)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        try statement.bind(1, delivery)
        try statement.bind(2, endpoint)
        try statement.bind(3, attempt.startedAt.value)
        try statement.bind(4, attempt.finishedAt.value)
        try statement.bind(5, outcome)
        try statement.bind(6, code)
        try statement.bind(7, optional: attempt.status.map(Int64.init))
        try statement.bind(8, attempt.response)
        try statement.bind(9, optional: attempt.url)
        try statement.bind(10, optional: attempt.address)
        try statement.bind(11, optional: attempt.vendorCode.map(Int64.init))
        try statement.bind(12, optional: attempt.vendorMessage)
        try statement.bind(13, optional: attempt.timings.resolved)
        try statement.bind(14, optional: attempt.timings.connected)
        try statement.bind(15, optional: attempt.timings.secured)
        try statement.bind(16, optional: attempt.timings.firstByte)
        try statement.run()
    }

    /// Brings an endpoint's health up to date, disables it if it must be, and opens or closes the notice about it.
    func judge(
        _ endpoint: RowID, _ results: [DeliveryResult], now: Milliseconds, _ rules: OutboxRules, _ db: Database
    ) throws {
        guard let record = try RosterReader(store: self, db: db).endpoint(endpoint) else { return }
        try judgeMailServer(by: results, on: record.channel, now: now, rules, db)
        guard !record.isRetired else { return }
        var health = record.health
        var heldUntil = record.heldUntil
        var disable: String?
        for result in results {
            let verdict = rules.judge(health, record.channel, result, now)
            health = verdict.0
            disable = disable ?? (result.disablesEndpoint ? result.code : verdict.disable)
            heldUntil = [heldUntil, result.endpointHeldUntil].compactMap(\.self).max()
        }
        if health != record.health || heldUntil != record.heldUntil {
            try write(health, heldUntil: heldUntil, of: endpoint, db)
        }
        if let disable, record.state != .disabled, !record.isUnsubscribed {
            let statement = try BoundStatement(db, "UPDATE endpoint SET state = 'disabled', note = ? WHERE id = ?")
            try statement.bind(1, disable)
            try statement.bind(2, endpoint)
            try statement.run()
        }
        // That the mail server cannot be used is told of it, not of each mailbox.
        let results = results.filter { rules.mailServerWorks(record.channel, $0) != false }
        guard !results.isEmpty else { return }
        let failed = results.last { $0.disablesEndpoint } ?? results.last { $0.state != .sent }
        // Of a used-up quota too: until tomorrow nothing goes there.
        if disable != nil || health.isFailing || failed?.outcome == "quota", let failed {
            try openNotice(about: endpoint, failed, failures: max(1, health.failures), now: now, db)
        } else if record.health.isFailing || results.contains(where: { $0.state == .sent }) {
            // Whatever its health says: that of one which a person has mended was forgotten with the mending.
            try closeNotice(about: endpoint, now: now, db)
        }
    }

    /// Opens or closes the notice about the mail server.
    private func judgeMailServer(
        by results: [DeliveryResult], on channel: String, now: Milliseconds, _ rules: OutboxRules, _ db: Database
    ) throws {
        let attempts = results.filter { $0.attempt != nil }
        let failures = attempts.filter { rules.mailServerWorks(channel, $0) == false }
        let mailServer = EndpointRecord.mailServer.id
        if attempts.contains(where: { rules.mailServerWorks(channel, $0) == true }) {
            try closeNotice(about: mailServer, now: now, db)
        } else if let latest = failures.last {
            let before = try openFailures(of: mailServer, db)
            try openNotice(about: mailServer, latest, failures: before + failures.count, now: now, db)
        }
    }

    private func write(
        _ health: EndpointHealth, heldUntil: Milliseconds?, of endpoint: RowID, _ db: Database
    ) throws {
        let statement = try BoundStatement(
            db,
            """
            UPDATE endpoint SET answered_ms = ?, failures = ?, open_until_ms = ?, exhausted = ?,
                exhausted_since_ms = ?, held_until_ms = ? WHERE id = ?
            """)
        try statement.bind(1, optional: health.answeredAt?.value)
        try statement.bind(2, Int64(health.failures))
        try statement.bind(3, optional: health.openUntil?.value)
        try statement.bind(4, Int64(health.exhausted))
        try statement.bind(5, optional: health.exhaustedSince?.value)
        try statement.bind(6, optional: heldUntil?.value)
        try statement.bind(7, endpoint)
        try statement.run()
    }
}
