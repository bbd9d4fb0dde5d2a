import Curl
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore

extension ServerConnection {
    /// The one digest whose id begins like this.
    func digest(matching text: String) async throws -> DigestSummary {
        let found = try await digests().digests.filter { $0.id.hasPrefix(text.lowercased()) }
        guard let digest = found.first, !text.isEmpty else { throw ClientError.noSuchEntry(text) }
        guard found.count == 1 else { throw ClientError.ambiguousEntry(text, matches: found.count) }
        return digest
    }

    /// The id of the one delivery that begins like this; a whole id is taken as it is.
    func delivery(matching text: String) async throws -> String {
        if RowID(text) != nil { return text }
        var found: [String] = []
        for digest in try await digests().digests where !text.isEmpty {
            found += try await self.digest(digest.id).deliveries.map(\.id).filter { $0.hasPrefix(text.lowercased()) }
        }
        guard let delivery = found.first else { throw ClientError.noSuchEntry(text) }
        guard found.count == 1 else { throw ClientError.ambiguousEntry(text, matches: found.count) }
        return delivery
    }

    /// The endpoint of this name, or whose id begins like this.
    func endpoint(matching text: String) async throws -> EndpointSummary {
        let all = try await endpoints().endpoints
        let found = all.filter { $0.name == text }
        let matches = found.isEmpty ? all.filter { $0.id.hasPrefix(text.lowercased()) } : found
        guard let endpoint = matches.first, !text.isEmpty else { throw ClientError.noSuchEntry(text) }
        guard matches.count == 1 else { throw ClientError.ambiguousEntry(text, matches: matches.count) }
        return endpoint
    }
}

extension Session {
    /// Runs a command that speaks to the server this device is enrolled at.
    static func online(
        _ options: CommonOptions, _ body: (Session, ServerConnection) async throws -> Void
    ) async throws {
        try await run(options) { session in
            let client = HTTPClient(idleConnections: 2)
            defer { client.shutdown() }
            try await body(session, try session.connection(try session.openReplica().enrolled(), client))
        }
    }
}
