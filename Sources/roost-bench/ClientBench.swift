import Curl
import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Synchronization

/// The whole client over HTTP: how long until it has what changed, and until what it lost is gone.
enum ClientBench {
    private static let students = 1000

    /// A liaison officer with a thousand students whose grant ends.
    static func measureRevocation(_ server: BenchServer, _ directory: String, _ report: inout Report) async throws {
        try await server.write(Caseload(of: BenchServer.Officer.liaison.row, students: students).edits)
        let device = try await Device(server, 0xF001, as: .liaison, in: directory + "/revoked")
        _ = try await device.synchronise()
        let before = device.server.bytes
        try await server.write([
            TrustedEdit("authority_grant", BenchServer.Officer.liaison.grant("liaison"), .delete)
        ])
        let clock = ContinuousClock()
        let start = clock.now
        let done = try await device.synchronise()
        report["revocation_ms"] = (clock.now - start).seconds * 1000
        report["revocation_bytes"] = Double(device.server.bytes - before)
        report["revocation_rows_purged"] = Double(done.rowsPurged)
        try device.replica.close()
    }

    /// A registrar's device that was away for ten thousand edits.
    static func measureCatchUp(
        _ server: BenchServer, _ author: inout Replicant, _ directory: String, _ report: inout Report
    ) async throws {
        let device = try await Device(server, 0xF002, as: .registrar, in: directory + "/caught-up")
        let clock = ContinuousClock()
        var start = clock.now
        let first = try await device.synchronise()
        report["first_sync_seconds"] = (clock.now - start).seconds
        report["first_sync_rows_per_second"] = Double(first.rowsReceived) / (clock.now - start).seconds
        let changes = min(10_000, author.generator.ids.count)
        for begin in stride(from: 0, to: changes, by: 1000) {
            try await author.timed(author.generator.edits(begin..<begin + 1000, now: now()))
        }
        let before = device.server.bytes
        start = clock.now
        _ = try await device.synchronise()
        report["catch_up_changes"] = Double(changes)
        report["catch_up_seconds"] = (clock.now - start).seconds
        report["catch_up_bytes"] = Double(device.server.bytes - before)
        try device.replica.close()
    }

    private struct Device {
        let replica: Replica
        let server: CountedServer

        init(_ server: BenchServer, _ bits: UInt64, as officer: BenchServer.Officer, in directory: String) async throws
        {
            let token = try await server.enrol([(ReplicaID(bits), officer.row)])[0]
            self.server = CountedServer(connection: server.connection, token: token)
            replica = try Replica.create(
                directory: directory, catalogue: .bench, names: NameKeys.programme,
                enrolled: Enrolled(
                    server: "http://127.0.0.1", token: token, replica: ReplicaID(bits), officer: officer.row,
                    name: "Bench", roles: [], label: "bench"))
        }

        func synchronise() async throws -> SyncReport {
            try await Synchroniser(replica: replica, server: server, environment: .system).run(within: Limits())
        }
    }

    /// A server that counts the bytes of bodies, uncompressed.
    private final class CountedServer: ExchangeServer {
        private let connection: BenchConnection
        private let token: String
        private let counted = Mutex(0)

        init(connection: BenchConnection, token: String) {
            self.connection = connection
            self.token = token
        }

        var bytes: Int { counted.withLock { $0 } }

        func limits() async throws(ClientError) -> Limits { Limits() }

        func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
            do {
                return try ExchangeAnswer(json: try await send(.post, Path.sync, request.json))
            } catch {
                throw .badAnswer
            }
        }

        func snapshot(_ id: String, from position: Int, count: Int) async throws(ClientError) -> [UInt8] {
            do {
                return try await send(
                    .get, Path.snapshots + "/" + id, nil, range: "bytes=\(position)-\(position + count - 1)")
            } catch {
                throw .badAnswer
            }
        }

        private func send(
            _ method: HTTPMethod, _ path: String, _ body: [UInt8]?, range: String? = nil
        ) async throws -> [UInt8] {
            let answer = try await connection.send(method, path, body, token: token, range: range)
            counted.withLock { $0 += (body?.count ?? 0) + answer.count }
            return answer
        }
    }
}
