package import RoostSchema
package import RoostSync
import GRDB

/// One part of a digest for one endpoint, with the bytes that will be sent.
package struct FrozenDelivery: Hashable, Sendable {
    package var id: RowID
    package var endpoint: RowID
    /// From 1.
    package var part: Int
    package var parts: Int
    package var contentType: String
    package var body: [UInt8]

    package init(id: RowID, endpoint: RowID, part: Int, parts: Int, contentType: String, body: [UInt8]) {
        self.id = id
        self.endpoint = endpoint
        self.part = part
        self.parts = parts
        self.contentType = contentType
        self.body = body
    }
}

/// Everything about a digest that an approval fixes.
package struct FrozenDigest: Hashable, Sendable {
    package var deliveries: [FrozenDelivery]
    package var audience: AudienceRecord
    package var told: [ToldItem]
    /// Endpoints that came to be with it: people who post where no machine can.
    package var people: [EndpointRecord]

    package init(
        deliveries: [FrozenDelivery], audience: AudienceRecord, told: [ToldItem], people: [EndpointRecord] = []
    ) {
        self.deliveries = deliveries
        self.audience = audience
        self.told = told
        self.people = people
    }
}

/// A step in a digest's life: what to write of it and in whose name, and what becomes of its deliveries, in one transaction.
package struct DigestStep<Outcome: Sendable>: Sendable {
    package enum Deliveries: Hashable, Sendable {
        case untouched
        /// Keeps bytes that nothing changes any more; any frozen before are discarded.
        case freeze(FrozenDigest)
        /// Keeps what is frozen for the version that this step writes.
        case confirm
        /// Takes back an approval.
        case discard
        /// Hands them to the sender, and what a person delivers to that person; given up at `until`.
        ///
        /// Due at `from`, or at the moment that `later` names for the endpoint; but what may have been sent in a history that was
        /// lost becomes uncertain, and a person decides about it.
        case release(from: Milliseconds, later: [RowID: Milliseconds], until: Milliseconds)
        /// Gives up what has not been sent.
        case cancel
    }

    package var digest: RowID
    package var officer: RowID
    package var edit: TrustedEdit?
    package var deliveries: Deliveries
    package var outcome: Outcome

    /// A step without fields writes nothing.
    package init(
        _ digest: RowID, by officer: RowID, _ action: Mutation.Action = .edit, _ fields: [FieldName: Value] = [:],
        deliveries: Deliveries = .untouched, outcome: Outcome
    ) {
        self.digest = digest
        self.officer = officer
        edit = fields.isEmpty ? nil : TrustedEdit("digest", digest, action, fields)
        self.deliveries = deliveries
        self.outcome = outcome
    }
}

extension ServerStore {
    /// Reads, decides and writes a step of a digest in one transaction.
    ///
    /// The step names its digest and officer, so that the arguments of this call stay few: where they did not fit the registers,
    /// the optimiser of Swift 6.3.1 left the stack askew and the process died (`deploy/test --release` shows such a thing).
    package func take<Outcome: Sendable>(
        _ step: @Sendable (RosterReader) throws -> DigestStep<Outcome>
    ) async throws -> Outcome {
        try await pool.write { db in
            let step = try step(RosterReader(store: self, db: db))
            let digest = step.digest
            if let edit = step.edit { _ = try self.write([edit], by: step.officer, as: self.writer, db) }
            switch step.deliveries {
            case .untouched: break
            case .confirm:
                let statement = try BoundStatement(
                    db, "UPDATE delivery SET version = ? WHERE digest = ? AND state = 'frozen'")
                try statement.bind(1, try self.version(of: digest, db))
                try statement.bind(2, digest)
                try statement.run()
            case .discard: try self.discardDeliveries(of: digest, db)
            case .freeze(let frozen):
                try self.discardDeliveries(of: digest, db)
                try self.freeze(frozen, of: digest, db)
            case .release(let from, let later, let until):
                try self.release(digest, from: from, later: later, until: until, db)
                // Nothing may be left to send but what is in doubt.
                try self.settle([digest], db)
            case .cancel:
                try self.cancelDeliveries(of: digest, db)
                try self.settle([digest], db)
            }
            return step.outcome
        }
    }

    private func version(of digest: RowID, _ db: Database) throws -> Stamp {
        guard let position = rules.catalogue.position(of: "digest"),
            let row = try ServerRows(store: self, db: db).rows([RowKey(position, digest)]).first
        else { throw StoreError.damaged("a digest that was just written is missing") }
        return row.version
    }

    private func discardDeliveries(of digest: RowID, _ db: Database) throws {
        for sql in [
            "DELETE FROM delivery WHERE digest = ? AND state = 'frozen'", "DELETE FROM content WHERE digest = ?",
            "DELETE FROM told WHERE digest = ?", "DELETE FROM audience WHERE digest = ?",
            "DELETE FROM audience_member WHERE digest = ?",
        ] {
            let statement = try BoundStatement(db, sql)
            try statement.bind(1, digest)
            try statement.run()
        }
    }

    private func freeze(_ frozen: FrozenDigest, of digest: RowID, _ db: Database) throws {
        let version = try version(of: digest, db)
        for endpoint in frozen.people { try insert(endpoint, orRename: true, db) }
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO delivery (id, digest, version, endpoint, part, parts, content_type, body, content, state)
            VALUES (?, ?, ?, ?, ?, ?, ?, zeroblob(0), ?, 'frozen')
            """)
        var contents: [[UInt8]: Int64] = [:]
        for delivery in frozen.deliveries {
            let content = try contents[delivery.body] ?? insert(delivery.body, of: digest, db)
            contents[delivery.body] = content
            try statement.bind(1, delivery.id)
            try statement.bind(2, digest)
            try statement.bind(3, version)
            try statement.bind(4, delivery.endpoint)
            try statement.bind(5, Int64(delivery.part))
            try statement.bind(6, Int64(delivery.parts))
            try statement.bind(7, delivery.contentType)
            try statement.bind(8, content)
            try statement.run()
        }
        try keep(frozen.audience, of: digest, db)
        try keep(frozen.told, of: digest, db)
    }

    private func insert(_ body: [UInt8], of digest: RowID, _ db: Database) throws -> Int64 {
        let statement = try BoundStatement(db, "INSERT INTO content (digest, body) VALUES (?, ?)")
        try statement.bind(1, digest)
        try statement.bind(2, body)
        try statement.run()
        return db.lastInsertedRowID
    }

    private func release(
        _ digest: RowID, from: Milliseconds, later: [RowID: Milliseconds], until: Milliseconds, _ db: Database
    ) throws {
        try giveUpRetired(of: digest, db)
        let statement = try BoundStatement(
            db,
            """
            UPDATE delivery SET not_after_ms = ?3,
                next_ms = CASE WHEN code = '\(Self.restoredCode)' THEN NULL ELSE ?2 END,
                state = CASE WHEN code = '\(Self.restoredCode)' THEN 'uncertain'
                    WHEN (SELECT channel FROM endpoint WHERE id = delivery.endpoint) = 'manual' THEN 'manual_pending'
                    ELSE 'queued' END
            WHERE digest = ?1 AND state = 'frozen'
            """)
        try statement.bind(1, digest)
        try statement.bind(2, from.value)
        try statement.bind(3, until.value)
        try statement.run()
        let postpone = try BoundStatement(
            db, "UPDATE delivery SET next_ms = ? WHERE digest = ? AND endpoint = ? AND state = 'queued'")
        for (endpoint, moment) in later {
            try postpone.bind(1, moment.value)
            try postpone.bind(2, digest)
            try postpone.bind(3, endpoint)
            try postpone.run()
        }
    }
}
