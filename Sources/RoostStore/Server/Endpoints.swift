package import RoostSchema
import RoostSync
import GRDB

/// Where digests go, as it is kept; what is secret in it is sealed by whoever has the key.
package struct EndpointRecord: Hashable, Sendable {
    package enum State: String, Hashable, Sendable {
        case active
        /// By a person; deliveries gather until it is resumed or their last moment passes.
        case paused
        /// By an outcome that a person must mend first.
        case disabled
    }

    package var id: RowID
    package var name: String
    package var channel: String
    package var contactGroup: RowID?
    package var sealedAddress: [UInt8]
    package var sealedSecrets: [UInt8]
    package var keyword: String?
    package var state: State
    package var note: String?

    package init(
        id: RowID, name: String, channel: String, contactGroup: RowID? = nil, sealedAddress: [UInt8] = [],
        sealedSecrets: [UInt8] = [], keyword: String? = nil, state: State = .active, note: String? = nil
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

/// Why an endpoint cannot be kept.
package enum EndpointProblem: Error, Hashable, Sendable {
    case nameTaken
    case unknown
}

extension ServerStore {
    /// Keeps a new endpoint.
    package func add(_ endpoint: EndpointRecord) async throws {
        try await pool.write { db in
            let taken = try BoundStatement(db, "SELECT 1 FROM endpoint WHERE name = ?")
            try taken.bind(1, endpoint.name)
            let isTaken = try taken.step()
            taken.reset()
            guard !isTaken else { throw EndpointProblem.nameTaken }
            let statement = try BoundStatement(
                db,
                """
                INSERT INTO endpoint (id, name, channel, contact_group, address, secrets, keyword, state, created_ms)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
            try statement.bind(1, endpoint.id)
            try statement.bind(2, endpoint.name)
            try statement.bind(3, endpoint.channel)
            if let group = endpoint.contactGroup { try statement.bind(4, group) } else { try statement.bindNull(4) }
            try statement.bind(5, endpoint.sealedAddress)
            try statement.bind(6, endpoint.sealedSecrets)
            if let keyword = endpoint.keyword { try statement.bind(7, keyword) } else { try statement.bindNull(7) }
            try statement.bind(8, endpoint.state.rawValue)
            try statement.bind(9, self.clock().value)
            try statement.run()
        }
    }

    /// Every endpoint, by name.
    package func endpoints() async throws -> [EndpointRecord] {
        try await reading { reader in try reader.endpoints() }
    }

    /// The endpoint of this identity.
    /// - Throws: ``EndpointProblem/unknown``.
    package func endpoint(_ id: RowID) async throws -> EndpointRecord {
        guard let endpoint = try await endpoints().first(where: { $0.id == id }) else { throw EndpointProblem.unknown }
        return endpoint
    }

    /// Moves an endpoint to another state; a hold or note from before is forgotten.
    package func setState(_ state: EndpointRecord.State, of endpoint: RowID) async throws {
        try await pool.write { db in
            let statement = try BoundStatement(
                db, "UPDATE endpoint SET state = ?, note = NULL, held_until_ms = NULL WHERE id = ?")
            try statement.bind(1, state.rawValue)
            try statement.bind(2, endpoint)
            try statement.run()
            guard db.changesCount == 1 else { throw EndpointProblem.unknown }
        }
    }
}

extension RosterReader {
    /// Every endpoint, by name.
    package func endpoints() throws -> [EndpointRecord] {
        let statement = try BoundStatement(
            db,
            """
            SELECT id, name, channel, contact_group, address, secrets, keyword, state, note FROM endpoint ORDER BY name
            """)
        defer { statement.reset() }
        var endpoints: [EndpointRecord] = []
        while try statement.step() {
            endpoints.append(
                EndpointRecord(
                    id: statement.id(0), name: statement.text(1), channel: statement.text(2),
                    contactGroup: statement.isNull(3) ? nil : statement.id(3), sealedAddress: statement.blob(4),
                    sealedSecrets: statement.blob(5), keyword: statement.isNull(6) ? nil : statement.text(6),
                    state: EndpointRecord.State(rawValue: statement.text(7)) ?? .disabled,
                    note: statement.isNull(8) ? nil : statement.text(8)))
        }
        return endpoints
    }
}
