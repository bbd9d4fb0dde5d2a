package import RoostStore
import RoostAPI

/// What a client does when the server says that its device was revoked.
package struct Revocation {
    private let replica: Replica
    private let server: any ExchangeServer
    private let environment: Environment

    package init(replica: Replica, server: any ExchangeServer, environment: Environment) {
        self.replica = replica
        self.server = server
        self.environment = environment
    }

    /// Whether an error is the server's word that the device was revoked.
    package static func isMeant(by error: ClientError) -> Bool {
        if case .refused(let refusal) = error { refusal.code == .deviceRevoked } else { false }
    }

    /// Purges the device and tells the server so; answers with what to say to the person.
    package func purge() async throws -> ClientError {
        try replica.purgeRevoked(at: environment.now())
        return try await standing() ?? .badAnswer
    }

    /// What to say of a device that is known to be revoked; nil for any other.
    ///
    /// A server that could not be told of the purge is told now.
    func standing() async throws -> ClientError? {
        guard let revoked = try replica.revokedDevice() else { return nil }
        if revoked.owesWord, try replica.isPurged(),
            (try? await server.confirmRevoked(try replica.enrolled().replica)) != nil
        {
            try replica.notePurgeTold()
        }
        return .deviceRevoked(kept: revoked.kept)
    }
}
