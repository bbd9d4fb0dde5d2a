package import RoostSchema
package import RoostSync
import GRDB

/// Where one delivery stands.
package struct DeliveryRecord: Hashable, Sendable {
    package let id: RowID
    package let digest: RowID
    /// The digest's version when its bytes were frozen.
    package let version: Stamp
    package let endpoint: RowID
    package let part: Int
    package let parts: Int
    package let contentType: String
    package let body: [UInt8]
    package let state: DeliveryState
    package let attempts: Int
    package let nextAt: Milliseconds?
    package let notAfter: Milliseconds?
    /// Class and code of the last outcome.
    package let outcome: String?
    package let code: String?
    /// How many people it reached, as told by whoever posted it.
    package let reach: Int?
    package let sentAt: Milliseconds?

    /// Whether it is approved and may have been sent in a history that was lost.
    package var isInDoubt: Bool { state == .frozen && code == ServerStore.restoredCode }
}

/// The states of a delivery; the courier's, and those before and beside the courier.
package enum DeliveryState: String, CaseIterable, Hashable, Sendable {
    /// Approved and not released.
    case frozen
    case queued
    case leased
    case retryWait = "retry_wait"
    case held
    case uncertain
    case sent
    case failed
    case expired
    /// Given up by a person before it was sent.
    case cancelled
    case manualPending = "manual_pending"
    case manualDone = "manual_done"

    /// Whether nothing more happens by itself and nobody is expected to do anything.
    package var isSettled: Bool { !isOpen && self != .uncertain }

    /// Whether it is yet to be sent, by the sender or by a person.
    package var isOpen: Bool {
        switch self {
        case .frozen, .queued, .leased, .retryWait, .held, .manualPending: true
        case .sent, .failed, .expired, .cancelled, .manualDone, .uncertain: false
        }
    }
}

extension RosterReader {
    /// The deliveries of a digest, by endpoint and part.
    package func deliveries(of digest: RowID) throws -> [DeliveryRecord] {
        let statement = try BoundStatement(db, Self.deliveryColumns + " WHERE digest = ? ORDER BY endpoint, part")
        defer { statement.reset() }
        try statement.bind(1, digest)
        var deliveries: [DeliveryRecord] = []
        var contents: [Int64: [UInt8]] = [:]
        while try statement.step() { deliveries.append(try Self.delivery(statement, &contents, db)) }
        return deliveries
    }

    /// The delivery of this identity.
    package func delivery(_ id: RowID) throws -> DeliveryRecord? {
        let statement = try BoundStatement(db, Self.deliveryColumns + " WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, id)
        var contents: [Int64: [UInt8]] = [:]
        return try statement.step() ? try Self.delivery(statement, &contents, db) : nil
    }

    /// The attempts at a delivery, the earliest first.
    package func attempts(at delivery: RowID) throws -> [AttemptRecord] {
        let statement = try BoundStatement(db, Self.attemptColumns + " WHERE delivery = ? ORDER BY id")
        defer { statement.reset() }
        try statement.bind(1, delivery)
        var attempts: [AttemptRecord] = []
        while try statement.step() { attempts.append(AttemptRecord(statement)) }
        return attempts
    }

    static let attemptColumns =
        """
        SELECT started_ms, finished_ms, outcome, code, http_status, response, url, address, vendor_code,
            vendor_message, resolved_us, connected_us, secured_us, first_byte_us, delivery,
            EXISTS (SELECT 1 FROM delivery WHERE delivery.id = attempt.delivery) FROM attempt
        """

    static let deliveryColumns =
        """
        SELECT id, digest, version, endpoint, part, parts, content_type, body, state, attempts, next_ms, not_after_ms,
            outcome, code, reach, sent_ms, content FROM delivery
        """

    /// Reads a row of ``deliveryColumns``; `contents` are the shared bytes that were read before.
    static func delivery(
        _ statement: BoundStatement, _ contents: inout [Int64: [UInt8]], _ db: Database
    ) throws -> DeliveryRecord {
        guard let state = DeliveryState(rawValue: statement.text(8)) else {
            throw StoreError.damaged("a delivery is in no known state")
        }
        func moment(_ column: Int) -> Milliseconds? {
            statement.isNull(column) ? nil : Milliseconds(statement.integer(column))
        }
        var body: [UInt8]?
        if !statement.isNull(16) {
            let content = statement.integer(16)
            body = try contents[content] ?? self.content(content, db)
            contents[content] = body
        }
        return DeliveryRecord(
            id: statement.id(0), digest: statement.id(1), version: statement.stamp(2), endpoint: statement.id(3),
            part: Int(statement.integer(4)), parts: Int(statement.integer(5)), contentType: statement.text(6),
            body: body ?? statement.blob(7), state: state, attempts: Int(statement.integer(9)), nextAt: moment(10),
            notAfter: moment(11), outcome: statement.isNull(12) ? nil : statement.text(12),
            code: statement.isNull(13) ? nil : statement.text(13),
            reach: statement.isNull(14) ? nil : Int(statement.integer(14)), sentAt: moment(15))
    }

    /// Bytes that deliveries share.
    private static func content(_ id: Int64, _ db: Database) throws -> [UInt8] {
        let statement = try BoundStatement(db, "SELECT body FROM content WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, id)
        guard try statement.step() else { throw StoreError.damaged("the bytes of a delivery are missing") }
        return statement.blob(0)
    }
}

extension ServerStore {
    /// Notes that a person delivered parts of a digest by hand, late or not, or looked and found what was uncertain
    /// delivered.
    /// - Returns: How many waited for somebody; the others stay as they are.
    package func markDelivered(_ parts: [RowID], of digest: RowID, reach: Int?) async throws -> Int {
        try await pool.write { db in
            let statement = try BoundStatement(
                db,
                """
                UPDATE delivery SET state = CASE state WHEN 'uncertain' THEN 'sent' ELSE 'manual_done' END,
                    code = NULL, reach = ?, sent_ms = ?
                WHERE id = ? AND digest = ? AND (state IN ('manual_pending', 'uncertain')
                    OR state = 'expired' AND (SELECT channel FROM endpoint WHERE id = delivery.endpoint) = 'manual')
                """)
            var count = 0
            for part in parts {
                try statement.bind(1, optional: reach.map(Int64.init))
                try statement.bind(2, self.clock().value)
                try statement.bind(3, part)
                try statement.bind(4, digest)
                try statement.run()
                count += db.changesCount
            }
            if count > 0 { try self.settle([digest], db) }
            return count
        }
    }

    /// Puts deliveries that did not arrive, or may not have, back in the queue for one more series of attempts, under the
    /// same identities, due now; a digest that had come to an end is under way again.
    /// - Returns: How many were in a state to be sent again.
    package func requeue(_ deliveries: [RowID], until: Milliseconds) async throws -> Int {
        try await pool.write { db in
            let statement = try BoundStatement(
                db,
                """
                UPDATE delivery SET state = 'queued', attempts = 0, next_ms = ?, not_after_ms = ?, outcome = NULL,
                    code = NULL WHERE id = ? AND state IN ('uncertain', 'failed', 'expired', 'cancelled', 'retry_wait')
                    AND endpoint NOT IN (SELECT id FROM endpoint WHERE state = 'retired')
                RETURNING digest
                """)
            var digests: Set<RowID> = []
            var count = 0
            for delivery in deliveries {
                try statement.bind(1, self.clock().value)
                try statement.bind(2, until.value)
                try statement.bind(3, delivery)
                if try statement.step() {
                    digests.insert(statement.id(0))
                    count += 1
                }
                statement.reset()
            }
            try self.move(digests, to: "sending", db) { $0 != "sending" }
            return count
        }
    }

    /// Gives up what waits for an endpoint, for a person who does not want it to arrive late.
    /// - Returns: How many deliveries were given up.
    package func skipBacklog(of endpoint: RowID) async throws -> Int {
        try await pool.write { db in try self.skipBacklog(of: endpoint, as: "backlog_skipped", db) }
    }

    func skipBacklog(of endpoint: RowID, as code: String, _ db: Database) throws -> Int {
        let statement = try BoundStatement(
            db,
            """
            UPDATE delivery SET state = 'cancelled', next_ms = NULL, code = ?
            WHERE endpoint = ? AND \(Self.waiting) RETURNING digest
            """)
        try statement.bind(1, code)
        try statement.bind(2, endpoint)
        var digests: [RowID] = []
        while try statement.step() { digests.append(statement.id(0)) }
        statement.reset()
        try giveUpTaken("endpoint", endpoint, as: code, db)
        try settle(Set(digests), db)
        return digests.count
    }

    /// Gives up what of a digest has not been sent; what is under way is waited for and not tried again.
    func cancelDeliveries(of digest: RowID, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            UPDATE delivery SET state = 'cancelled', next_ms = NULL, outcome = 'deferred', code = 'digest_cancelled'
            WHERE digest = ? AND state IN ('queued', 'retry_wait', 'held', 'manual_pending')
            """)
        try statement.bind(1, digest)
        try statement.run()
        try giveUpTaken("digest", digest, as: "digest_cancelled", db)
    }

    /// Ends digests of which nothing is yet to be sent: sent, partly sent, failed or cancelled.
    ///
    /// What is uncertain keeps a digest from being sent in full until a person has looked; that moves it on once more.
    func settle(_ digests: Set<RowID>, _ db: Database) throws {
        let open = try BoundStatement(
            db,
            """
            SELECT 1 FROM delivery INDEXED BY delivery_open WHERE digest = ? AND (state = 'frozen' OR state = 'queued'
                OR state = 'leased' OR state = 'retry_wait' OR state = 'held' OR state = 'uncertain'
                OR state = 'manual_pending') AND state != 'uncertain' LIMIT 1
            """)
        let counts = try BoundStatement(
            db,
            """
            SELECT count(*), sum(state IN ('sent', 'manual_done')), sum(state = 'cancelled'), sum(state = 'uncertain')
            FROM delivery WHERE digest = ?
            """)
        for digest in digests {
            try open.bind(1, digest)
            let isOpen = try open.step()
            open.reset()
            guard !isOpen else { continue }
            try counts.bind(1, digest)
            guard try counts.step() else { continue }
            let (all, sent) = (counts.integer(0), counts.integer(1))
            let (cancelled, uncertain) = (counts.integer(2), counts.integer(3))
            counts.reset()
            let status =
                switch (sent, cancelled, uncertain) {
                case (all, _, _): "sent"
                case (0, all, _): "cancelled"
                case (0, _, 0): "failed"
                default: "partly_sent"
                }
            try move([digest], to: status, isSent: sent > 0, db) {
                $0 != status && ["sending", "partly_sent", "failed"].contains($0)
            }
        }
    }

    /// Writes the status of digests whose present one passes `from`, in the name of their authors.
    private func move(
        _ digests: Set<RowID>, to status: String, isSent: Bool = false, _ db: Database, from: (String) -> Bool
    ) throws {
        guard !digests.isEmpty, let declaration = rules.catalogue["digest"],
            let author = declaration.position(of: "author" as FieldName),
            let place = declaration.position(of: "status" as FieldName)
        else { return }
        for row in try RosterReader(store: self, db: db).rows("digest", ids: digests.sorted()) {
            guard from(row.values[place].text ?? ""), let officer = row.values[author].id else { continue }
            var fields: [FieldName: Value] = ["status": .text(status)]
            if isSent { fields["sent_at"] = .integer(clock().value) }
            _ = try write([TrustedEdit("digest", row.key.id, .edit, fields)], by: officer, as: writer, db)
        }
    }
}
