import RoostClient
import RoostSchema
import RoostSync
import Testing

/// How the server comes to know a device's clock.
@Suite struct ExchangeClockTests {
    @Test func `a request tells when it left, however long ago it was written`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            func connection(ahead: Int64) throws -> ServerConnection {
                try ServerConnection(
                    base: "http://127.0.0.1:\(server.port)", token: token, client: server.client,
                    environment: Environment(
                        now: { server.clock.now + ahead }, mark: { nil }, random: { 1 }, sleep: { _ in }))
            }
            let request = ExchangeRequest(
                catalogue: 1, replica: ReplicaID(0xA1), incarnation: 1, epoch: nil, now: server.clock.now + -600_000)
            #expect(try await connection(ahead: 0).exchange(request).offset == 0)
            #expect(try await connection(ahead: 90_000).exchange(request).offset == 90_000)
        }
    }
}
