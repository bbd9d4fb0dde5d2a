package import RoostSchema
package import RoostSync
import GRDB

/// Where digests go, as it is kept; what is secret in it is sealed by whoever has the key.
package struct EndpointRecord: Hashable, Sendable {
    package enum State: String, CaseIterable, Hashable, Sendable {
        /// New or just mended: deliveries gather until a test message has arrived there.
        case untested
        case active
        /// By a person; deliveries gather until it is resumed or their last moment passes.
        case paused
        /// By an outcome that a person must mend first, or by failing for days.
        case disabled
        /// Given up for good, by a person.
        case retired
    }

    package var id: RowID
    package var name: String
    package var channel: String
    /// The kind of message it wants; nil for the usual one of its channel.
    package var form: String?
    package var contactGroup: RowID?
    package var sealedAddress: [UInt8]
    package var sealedSecrets: [UInt8]
    package var keyword: String?
    /// The sorts of section it takes; nil for all.
    package var topics: [String]?
    /// Hours in which it wants nothing, as `22:00-08:00` in China.
    package var quiet: String?
    /// PEM of an authority of its own.
    package var authority: String?
    package var isForTests = false
    /// Whether it is told that other endpoints fail.
    package var isForNotices = false
    /// The role whose sight of rows its payload has; nil for what everybody sees.
    package var payloadRole: RoleName?
    package var state: State
    package var note: String?
    /// Until when its receiver wants nothing.
    package var heldUntil: Milliseconds?
    package var health = EndpointHealth()

    package init(
        id: RowID, name: String, channel: String, contactGroup: RowID? = nil, sealedAddress: [UInt8] = [],
        sealedSecrets: [UInt8] = [], keyword: String? = nil, state: State = .untested, note: String? = nil
    ) {
        self.id = id
        self.name = name
        self.channel = channel
        self.contactGroup = contactGroup
        self.sealedAddress = sealedAddress
        self.sealedSecrets = sealedSecrets
        self.keyword = keyword
        self.state = state
        self.note = note
    }
}

/// How an endpoint has been doing since it last took something.
package struct EndpointHealth: Hashable, Sendable {
    /// When it last took something.
    package var answeredAt: Milliseconds?
    /// Attempts failed since.
    package var failures = 0
    /// Until when sending to it is suspended for that.
    package var openUntil: Milliseconds?
    /// Deliveries given up since, and when the first of them was.
    package var exhausted = 0
    package var exhaustedSince: Milliseconds?

    package init() {}

    /// Whether somebody should be told.
    var isFailing: Bool { openUntil != nil || exhausted > 0 }
}

/// Why an endpoint cannot be kept.
package enum EndpointProblem: Error, Hashable, Sendable {
    case nameTaken
    case unknown
}

extension ServerStore {
    /// Keeps a new endpoint, unless `check` throws: of two people who add the same at one moment the second is refused.
    package func add(
        _ endpoint: EndpointRecord, _ check: @Sendable (RosterReader) throws -> Void = { _ in }
    ) async throws {
        try await pool.write { db in
            try check(RosterReader(store: self, db: db))
            let taken = try BoundStatement(db, "SELECT 1 FROM endpoint WHERE name = ?")
            try taken.bind(1, endpoint.name)
            let isTaken = try taken.step()
            taken.reset()
            guard !isTaken else { throw EndpointProblem.nameTaken }
            try self.insert(endpoint, orRename: false, db)
        }
    }

    /// Keeps a new endpoint; of one that is known already, at most the name is taken over.
    func insert(_ endpoint: EndpointRecord, orRename: Bool, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO endpoint (name, channel, form, contact_group, address, secrets, keyword, topics, quiet,
                authority, for_tests, for_notices, payload_role, state, id, created_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            \(orRename ? "ON CONFLICT (id) DO UPDATE SET name = excluded.name" : "")
            """)
        try endpoint.bind(to: statement)
        try statement.bind(EndpointRecord.places + 1, clock().value)
        try statement.run()
    }

    /// Reads an endpoint, changes it and writes it in one transaction, its health excepted: of two people who change it at
    /// the same time neither undoes what the other did.
    /// - Throws: ``EndpointProblem``, and whatever the change throws, which then changes nothing.
    package func change<Outcome: Sendable>(
        _ id: RowID, _ change: @Sendable (inout EndpointRecord, RosterReader) throws -> Outcome
    ) async throws -> Outcome {
        try await pool.write { db in
            let reader = RosterReader(store: self, db: db)
            guard var endpoint = try reader.endpoint(id) else { throw EndpointProblem.unknown }
            let outcome = try change(&endpoint, reader)
            let taken = try BoundStatement(db, "SELECT 1 FROM endpoint WHERE name = ? AND id != ?")
            try taken.bind(1, endpoint.name)
            try taken.bind(2, id)
            let isTaken = try taken.step()
            taken.reset()
            guard !isTaken else { throw EndpointProblem.nameTaken }
            let statement = try BoundStatement(
                db,
                """
                UPDATE endpoint SET name = ?, channel = ?, form = ?, contact_group = ?, address = ?, secrets = ?,
                    keyword = ?, topics = ?, quiet = ?, authority = ?, for_tests = ?, for_notices = ?,
                    payload_role = ?, state = ?, held_until_ms = ?16 WHERE id = ?15
                """)
            try endpoint.bind(to: statement)
            try statement.bind(EndpointRecord.places + 1, optional: endpoint.heldUntil?.value)
            try statement.run()
            // What was taken has the address from before.
            try self.recall(of: id, db)
            return outcome
        }
    }

    /// Every endpoint, by name.
    package func endpoints() async throws -> [EndpointRecord] {
        try await reading { reader in try reader.endpoints() }
    }

    /// The endpoint of this identity.
    /// - Throws: ``EndpointProblem/unknown``.
    package func endpoint(_ id: RowID) async throws -> EndpointRecord {
        guard let endpoint = try await reading({ reader in try reader.endpoint(id) }) else {
            throw EndpointProblem.unknown
        }
        return endpoint
    }

    /// Pauses an endpoint because whoever gets its letters wants no more, and gives up what waits for it; only a person
    /// resumes it.
    package func unsubscribe(_ endpoint: RowID) async throws {
        try await pool.write { db in
            guard let record = try RosterReader(store: self, db: db).endpoint(endpoint), !record.isRetired else {
                return
            }
            try self.ledger.append([.unsubscribed(endpoint, address: record.addressMark, at: self.clock())])
            try self.markUnsubscribed(endpoint, db)
            _ = try self.skipBacklog(of: endpoint, as: EndpointRecord.unsubscribedNote, db)
        }
    }

    func markUnsubscribed(_ endpoint: RowID, _ db: Database) throws {
        let statement = try BoundStatement(
            db, "UPDATE endpoint SET state = 'paused', note = ? WHERE id = ? AND state != 'retired'")
        try statement.bind(1, EndpointRecord.unsubscribedNote)
        try statement.bind(2, endpoint)
        try statement.run()
    }

    /// Moves an endpoint to another state; failures and a note from before are forgotten, but not that its receiver wants
    /// nothing for a while: that is the receiver's to lift.
    ///
    /// One that was given up meanwhile stays so, and to pause one whose owner wants no more changes nothing; nor does
    /// anything where it is no longer in the state `before`, if that is given.
    package func setState(
        _ state: EndpointRecord.State, of endpoint: RowID, before: EndpointRecord.State? = nil
    ) async throws {
        try await pool.write { db in
            guard let record = try RosterReader(store: self, db: db).endpoint(endpoint) else {
                throw EndpointProblem.unknown
            }
            guard (before ?? record.state) == record.state, state != .paused || !record.isUnsubscribed else { return }
            let statement = try BoundStatement(
                db,
                """
                UPDATE endpoint SET state = CASE state WHEN 'retired' THEN state ELSE ? END, note = NULL, failures = 0, open_until_ms = NULL, exhausted = 0,
                    exhausted_since_ms = NULL WHERE id = ?
                """)
            try statement.bind(1, state.rawValue)
            try statement.bind(2, endpoint)
            try statement.run()
            if state != .active { try self.recall(of: endpoint, db) }
            guard state == .active, record.isUnsubscribed else { return }
            let moment = self.clock()
            db.afterNextTransaction { _ in try? self.ledger.append([.resubscribed(endpoint, at: moment)]) }
        }
    }
}

extension RosterReader {
    static let endpointColumns =
        """
        SELECT id, name, channel, form, contact_group, address, secrets, keyword, topics, quiet, authority,
            for_tests, state, note, held_until_ms, answered_ms, failures, open_until_ms,
            exhausted, exhausted_since_ms, for_notices, payload_role FROM endpoint
        """

    /// Every endpoint, by name.
    package func endpoints() throws -> [EndpointRecord] {
        let statement = try BoundStatement(db, Self.endpointColumns + " ORDER BY name")
        defer { statement.reset() }
        var endpoints: [EndpointRecord] = []
        while try statement.step() { endpoints.append(EndpointRecord(statement)) }
        return endpoints
    }

    /// The endpoint of this identity.
    package func endpoint(_ id: RowID) throws -> EndpointRecord? {
        let statement = try BoundStatement(db, Self.endpointColumns + " WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, id)
        return try statement.step() ? EndpointRecord(statement) : nil
    }
}

extension EndpointRecord {
    /// Stands in notices for the server that all letters go through: it is no endpoint, and fails for all mailboxes at once.
    package static let mailServer = EndpointRecord(
        id: RowID(naming: "service", "mail_server"), name: "邮件服务器 (mail server)", channel: "email", state: .active)

    static let unsubscribedNote = "unsubscribed"

    /// Tells its address from others that it had or will have; entered anew, the same address has another mark.
    var addressMark: RowID { RowID(naming: "sealed address", sealedAddress.map(String.init).joined(separator: " ")) }

    /// Whether it is paused by whoever gets its letters, who has asked for no more of them.
    package var isUnsubscribed: Bool { state == .paused && note == Self.unsubscribedNote }

    /// Reads the columns of ``RosterReader/endpointColumns``.
    init(_ statement: BoundStatement) {
        func text(_ column: Int) -> String? { statement.isNull(column) ? nil : statement.text(column) }
        func moment(_ column: Int) -> Milliseconds? {
            statement.isNull(column) ? nil : Milliseconds(statement.integer(column))
        }
        self.init(
            id: statement.id(0), name: statement.text(1), channel: statement.text(2),
            contactGroup: statement.isNull(4) ? nil : statement.id(4), sealedAddress: statement.blob(5),
            sealedSecrets: statement.blob(6), keyword: text(7),
            state: State(rawValue: statement.text(12)) ?? .disabled, note: text(13))
        form = text(3)
        topics = statement.texts(8)
        quiet = text(9)
        authority = text(10)
        isForTests = statement.integer(11) == 1
        heldUntil = moment(14)
        health.answeredAt = moment(15)
        health.failures = Int(statement.integer(16))
        health.openUntil = moment(17)
        health.exhausted = Int(statement.integer(18))
        health.exhaustedSince = moment(19)
        isForNotices = statement.integer(20) == 1
        payloadRole = text(21).map { RoleName($0) }
    }

    /// How many places ``bind(to:)`` fills.
    fileprivate static let places = 15

    /// Binds what a person decides about an endpoint to the first places.
    fileprivate func bind(to statement: BoundStatement) throws {
        try statement.bind(1, name)
        try statement.bind(2, channel)
        try statement.bind(3, optional: form)
        if let contactGroup { try statement.bind(4, contactGroup) } else { try statement.bindNull(4) }
        try statement.bind(5, sealedAddress)
        try statement.bind(6, sealedSecrets)
        try statement.bind(7, optional: keyword)
        try statement.bind(8, optional: topics.map(BoundStatement.json))
        try statement.bind(9, optional: quiet)
        try statement.bind(10, optional: authority)
        try statement.bind(11, isForTests ? 1 : 0 as Int64)
        try statement.bind(12, isForNotices ? 1 : 0 as Int64)
        try statement.bind(13, optional: payloadRole?.text)
        try statement.bind(14, state.rawValue)
        try statement.bind(Self.places, id)
    }
}

extension BoundStatement {
    func bind(_ index: Int, optional text: String?) throws {
        if let text { try bind(index, text) } else { try bindNull(index) }
    }

    func bind(_ index: Int, optional integer: Int64?) throws {
        if let integer { try bind(index, integer) } else { try bindNull(index) }
    }

    /// A list of texts as it is stored.
    static func json(_ texts: [String]) -> String {
        String(decoding: Value.list(texts.map(Value.text)).json, as: UTF8.self)
    }

    /// A list of texts; nil where there is none.
    func texts(_ column: Int) -> [String]? {
        value(column, as: .json).list?.compactMap(\.text)
    }
}
