import RoostSync

/// What many replicas that push at the same time do to each other's waiting, and what sharing commits gains.
enum LoadBench {
    static func measure(_ server: BenchServer, _ device: inout Replicant, _ report: inout Report) async throws {
        _ = try await device.exchange([])
        var alone = 0.0
        // Rows from the end, each edited once: whoever edits them later has not seen these edits.
        var last = device.generator.ids.count
        for (count, rounds) in [(1, 400), (8, 80), (64, 16)] {
            let times = try await times(server, like: device, replicas: count, rounds: rounds, endingAt: last)
            last -= count * rounds
            let rate = Double(count * rounds) / times.total
            if count == 1 { alone = rate }
            report["load_\(count)_exchanges_per_second"] = rate
            report["load_\(count)_ms_p50"] = times.sorted[times.sorted.count / 2] * 1000
            report["load_\(count)_ms_p99"] = times.sorted[times.sorted.count * 99 / 100] * 1000
            if count == 64 { report["group_commit_gain"] = rate / alone }
        }
    }

    /// Seconds that exchanges of one edit took, and how long all of them took together.
    private static func times(
        _ server: BenchServer, like device: Replicant, replicas count: Int, rounds: Int, endingAt last: Int
    ) async throws -> (sorted: [Double], total: Double) {
        var replicas: [Replicant] = []
        for index in 0..<count {
            var replica = try await Replicant(server, 0xD000_0000 + UInt64(count << 16 + index))
            replica.adopt(device)
            replicas.append(replica)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let times = try await withThrowingTaskGroup(of: [Double].self) { group in
            for (index, replica) in replicas.enumerated() {
                group.addTask {
                    var replica = replica
                    var times: [Double] = []
                    for round in 0..<rounds {
                        let row = max(0, last - 1 - index * rounds - round)
                        let edits = replica.generator.edits(row..<row + 1, now: now())
                        times.append(try await replica.timed(edits).seconds)
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return (times.sorted(), (clock.now - start).seconds)
    }
}
