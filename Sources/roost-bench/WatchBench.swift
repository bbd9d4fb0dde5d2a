import RoostClient
import RoostSync

/// What the server holds in memory for devices that only wait to be told.
enum WatchBench {
    static func measure(_ server: BenchServer, watchers count: Int, _ report: inout Report) async throws {
        let tokens = try await server.enrol(
            (0..<count).map { (ReplicaID(0xA100_0000 + UInt64($0)), BenchServer.Officer.registrar.row) })
        let before = residentBytes(of: server.processIdentifier)
        let (opened, open) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup { group in
            for token in tokens {
                let connection = try ServerConnection(
                    base: "http://127.0.0.1:\(server.connection.port)", token: token,
                    client: server.connection.client, environment: .system)
                group.addTask { try await connection.watch { _ in open.yield() } }
            }
            // Every stream begins by saying that it is open.
            for await _ in opened.prefix(count) {}
            let bytes = residentBytes(of: server.processIdentifier) - before
            report["watchers"] = Double(count)
            report["watcher_kb"] = Double(bytes) / 1024 / Double(count)
            group.cancelAll()
        }
    }
}
