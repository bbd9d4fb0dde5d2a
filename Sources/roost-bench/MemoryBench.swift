import RoostSync

/// What the server holds in memory over a large database.
enum MemoryBench {
    static func measure(
        _ server: BenchServer, _ device: inout Replicant, edits: Int, _ report: inout Report
    ) async throws {
        var made = 0
        while made < edits {
            let start = made % (device.generator.ids.count - 1000)
            try await device.timed(device.generator.edits(start..<start + 1000, now: now()))
            made += 1000
        }
        if made > 0 { report["edits_before_memory"] = Double(made) }
        report["population"] = Double(device.generator.ids.count)
        server.stop()
        try await server.start()
        device.connection = server.connection
        _ = try await device.exchange([])
        report["resident_mb_idle"] = Double(residentBytes(of: server.processIdentifier)) / 1e6
        var replicas: [Replicant] = []
        for index in 0..<64 { replicas.append(try await Replicant(server, 0xC000 + UInt64(index))) }
        let process = server.processIdentifier
        let peak = try await withThrowingTaskGroup(of: Int.self) { group in
            for replica in replicas {
                group.addTask {
                    var replica = replica
                    var peak = 0
                    for _ in 0..<5 {
                        _ = try replica.accept(try await replica.post(replica.request([])))
                        peak = max(peak, residentBytes(of: process))
                    }
                    return peak
                }
            }
            return try await group.reduce(0) { max($0, $1) }
        }
        report["resident_mb_64_replicas"] = Double(peak) / 1e6
    }
}
