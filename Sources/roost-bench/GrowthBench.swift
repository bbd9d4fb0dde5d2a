import RoostSync

/// The same operations on little data and on much: what does not concern a replica must not cost it.
enum GrowthBench {
    static func measure(
        _ server: BenchServer, _ device: inout Replicant, population: Int, _ report: inout Report
    ) async throws {
        let few = try await costs(server, &device, 0xE000)
        let rows = device.generator.ids.count
        while device.generator.ids.count < population {
            try await device.timed(device.generator.creations(1000, now: now()))
        }
        let many = try await costs(server, &device, 0xE100)
        report["growth_rows"] = Double(population) / Double(max(rows, 1))
        for (before, after) in zip(few, many) {
            report["growth_\(before.name)_before"] = before.value
            report["growth_\(before.name)_after"] = after.value
        }
    }

    private static func costs(
        _ server: BenchServer, _ device: inout Replicant, _ replica: UInt64
    ) async throws -> [(name: String, value: Double)] {
        var idle = try await Replicant(server, replica, as: .guest)
        _ = try await idle.exchange([])
        let cost = try await IdleBench.cost(&idle)
        _ = try await device.exchange([])
        let oneRow = try await PushBench.oneRowMilliseconds(&device)
        let push = try await device.timed(device.generator.edits(0..<1000, now: now())).seconds
        // A page of what a thousand edits changed, for a replica that has all before.
        var other = try await Replicant(server, replica + 1)
        _ = try await device.exchange([])
        other.adopt(device)
        try await device.timed(device.generator.edits(0..<1000, now: now()))
        let clock = ContinuousClock()
        let start = clock.now
        let answer = try await other.post(other.request([]))
        let page = (clock.now - start).seconds
        return [
            ("idle_server_us", cost.server * 1e6), ("idle_bytes", Double(cost.bytes)), ("one_row_ms", oneRow),
            ("push_1000_ms", push * 1000), ("page_ms", page * 1000), ("page_bytes", Double(answer.count)),
        ]
    }
}
