import RoostSync

/// How fast changes are taken from one client.
enum PushBench {
    static func measure(_ device: inout Replicant, rows: Int, _ report: inout Report) async throws {
        _ = try await device.exchange([])
        var time = Duration.zero
        for _ in 0..<rows / 1000 { time += try await device.timed(device.generator.creations(1000, now: now())) }
        let count = device.generator.ids.count
        report["push_new_rows_per_second"] = Double(count) / time.seconds
        time = .zero
        for start in stride(from: 0, to: count, by: 1000) {
            time += try await device.timed(device.generator.edits(start..<start + 1000, now: now()))
        }
        report["push_edits_per_second"] = Double(count) / time.seconds
        report["one_row_exchange_ms_median"] = try await oneRowMilliseconds(&device)
    }

    /// The median time of an exchange that edits one row.
    static func oneRowMilliseconds(_ device: inout Replicant) async throws -> Double {
        var times: [Double] = []
        for index in 0..<200 {
            let edits = device.generator.edits(index..<index + 1, now: now())
            times.append(try await device.timed(edits).seconds * 1000)
        }
        return times.sorted()[100]
    }
}
