import RoostSchema
import RoostSync

/// What many replicas that push at the same time do to each other's waiting, and what sharing commits gains.
enum LoadBench {
    static func measure(_ server: BenchServer, _ device: inout Replicant, _ report: inout Report) async throws {
        _ = try await device.exchange([])
        var alone = 0.0
        // Rows from the end, each edited once: whoever edits them later has not seen these edits.
        var last = device.generator.ids.count
        for (count, rounds) in stages {
            var replicas: [Replicant] = []
            for index in 0..<count {
                var replica = try await Replicant(server, 0xD000_0000 + UInt64(count << 16 + index))
                replica.adopt(device)
                replicas.append(replica)
            }
            let times = try await times(of: replicas, rounds: rounds) { [last] in max(0, last - 1 - $0 * rounds - $1) }
            last -= count * rounds
            alone = note(times, "load_\(count)", beside: alone, &report)
        }
        try await measureCaseloads(server, &report)
    }

    private static let stages = [(replicas: 1, rounds: 400), (8, 80), (64, 16)]

    /// The same with replicas of officers who see their own students only, so that nobody is told of another's edits.
    private static func measureCaseloads(_ server: BenchServer, _ report: inout Report) async throws {
        let caseloads = (0..<64).map { Caseload(of: RowID(naming: "bench liaison", String($0)), students: 25) }
        try await server.write(caseloads.flatMap { $0.appointment + $0.edits })
        var alone = 0.0
        for (count, rounds) in stages {
            var replicas: [Replicant] = []
            for (index, caseload) in caseloads.prefix(count).enumerated() {
                var replica = try await Replicant(
                    server, 0xD100_0000 + UInt64(count << 16 + index), of: caseload.officer)
                replica.generator = BenchRows(ids: caseload.rows)
                _ = try await replica.exchange([])
                replicas.append(replica)
            }
            let times = try await times(of: replicas, rounds: rounds) { $1 % 25 }
            alone = note(times, "own_scope_load_\(count)", beside: alone, &report)
        }
    }

    /// - Returns: The rate of one replica alone.
    private static func note(
        _ times: (sorted: [Double], total: Double), _ name: String, beside alone: Double, _ report: inout Report
    ) -> Double {
        let rate = Double(times.sorted.count) / times.total
        report["\(name)_exchanges_per_second"] = rate
        report["\(name)_ms_p50"] = times.sorted[times.sorted.count / 2] * 1000
        report["\(name)_ms_p99"] = times.sorted[times.sorted.count * 99 / 100] * 1000
        guard alone > 0 else { return rate }
        report["\(name)_gain"] = rate / alone
        return alone
    }

    /// Seconds that exchanges of one edit took, and how long all of them took together.
    private static func times(
        of replicas: [Replicant], rounds: Int, row: @escaping @Sendable (_ replica: Int, _ round: Int) -> Int
    ) async throws -> (sorted: [Double], total: Double) {
        let clock = ContinuousClock()
        let start = clock.now
        let times = try await withThrowingTaskGroup(of: [Double].self) { group in
            for (index, replica) in replicas.enumerated() {
                group.addTask {
                    var replica = replica
                    var times: [Double] = []
                    for round in 0..<rounds {
                        let row = row(index, round)
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
