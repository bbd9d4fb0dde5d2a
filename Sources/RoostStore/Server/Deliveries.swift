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
    case manualPending = "manual_pending"
    case manualDone = "manual_done"

    /// Whether nothing more happens by itself and nobody is expected to do anything.
    package var isSettled: Bool {
        switch self {
        case .sent, .failed, .expired, .manualDone: true
        case .frozen, .queued, .leased, .retryWait, .held, .uncertain, .manualPending: false
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
        while try statement.step() { deliveries.append(try Self.delivery(statement)) }
        return deliveries
    }

    /// The delivery of this identity.
    package func delivery(_ id: RowID) throws -> DeliveryRecord? {
        let statement = try BoundStatement(db, Self.deliveryColumns + " WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, id)
        return try statement.step() ? try Self.delivery(statement) : nil
    }

    static let deliveryColumns =
        """
        SELECT id, digest, version, endpoint, part, parts, content_type, body, state, attempts, next_ms, not_after_ms,
            outcome, code, reach, sent_ms FROM delivery
        """

    static func delivery(_ statement: BoundStatement) throws -> DeliveryRecord {
        guard let state = DeliveryState(rawValue: statement.text(8)) else {
            throw StoreError.damaged("a delivery is in no known state")
        }
        func moment(_ column: Int) -> Milliseconds? {
            statement.isNull(column) ? nil : Milliseconds(statement.integer(column))
        }
        return DeliveryRecord(
            id: statement.id(0), digest: statement.id(1), version: statement.stamp(2), endpoint: statement.id(3),
            part: Int(statement.integer(4)), parts: Int(statement.integer(5)), contentType: statement.text(6),
            body: statement.blob(7), state: state, attempts: Int(statement.integer(9)), nextAt: moment(10),
            notAfter: moment(11), outcome: statement.isNull(12) ? nil : statement.text(12),
            code: statement.isNull(13) ? nil : statement.text(13),
            reach: statement.isNull(14) ? nil : Int(statement.integer(14)), sentAt: moment(15))
    }
}

extension ServerStore {
    /// Notes that a person delivered by hand, or looked and found what was uncertain delivered.
    /// - Returns: False if the delivery waits for nobody.
    package func markDelivered(_ delivery: RowID, reach: Int?) async throws -> Bool {
        try await pool.write { db in
            let statement = try BoundStatement(
                db,
                """
                UPDATE delivery SET state = CASE state WHEN 'manual_pending' THEN 'manual_done' ELSE 'sent' END,
                    reach = ?, sent_ms = ? WHERE id = ? AND state IN ('manual_pending', 'uncertain')
                """)
            if let reach { try statement.bind(1, Int64(reach)) } else { try statement.bindNull(1) }
            try statement.bind(2, self.clock().value)
            try statement.bind(3, delivery)
            try statement.run()
            guard db.changesCount == 1 else { return false }
            if let digest = try RosterReader(store: self, db: db).delivery(delivery)?.digest {
                try self.settle([digest], db)
            }
            return true
        }
    }

    /// Puts a delivery that did not arrive, or may not have, back in the queue for one more series of attempts.
    /// - Returns: False if it is in no state to be sent again.
    package func requeue(_ delivery: RowID, until: Milliseconds) async throws -> Bool {
        try await pool.write { db in
            let statement = try BoundStatement(
                db,
                """
                UPDATE delivery SET state = 'queued', attempts = 0, next_ms = ?, not_after_ms = ?, outcome = NULL,
                    code = NULL WHERE id = ? AND state IN ('uncertain', 'failed', 'expired')
                """)
            try statement.bind(1, self.clock().value)
            try statement.bind(2, until.value)
            try statement.bind(3, delivery)
            try statement.run()
            return db.changesCount == 1
        }
    }

    /// Marks digests as sent, all of whose deliveries have come to an end.
    func settle(_ digests: Set<RowID>, _ db: Database) throws {
        let reader = RosterReader(store: self, db: db)
        guard let declaration = rules.catalogue["digest"], let author = declaration.position(of: "author" as FieldName),
            let status = declaration.position(of: "status" as FieldName)
        else { return }
        for row in try reader.rows("digest", ids: digests.sorted()) {
            guard row.values[status] == "sending", let officer = row.values[author].id,
                try reader.deliveries(of: row.key.id).allSatisfy(\.state.isSettled)
            else { continue }
            let edit = TrustedEdit(
                "digest", row.key.id, .edit, ["status": "sent", "sent_at": .integer(clock().value)])
            _ = try write([edit], by: officer, as: writer, db)
        }
    }
}
