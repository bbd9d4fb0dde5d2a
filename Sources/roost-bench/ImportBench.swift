import Curl
import Foundation
import RoostAPI
import RoostSync
import Synchronization

/// How long an import takes, and how long another's exchanges wait while it is committed.
enum ImportBench {
    static func measure(
        _ server: BenchServer, _ device: Replicant, sheet: String, _ report: inout Report
    ) async throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: sheet)))
        var other = try await Replicant(server, 0xF101)
        other.adopt(device)
        let clock = ContinuousClock()
        let start = clock.now
        let (connection, token) = (device.connection, device.token)
        async let imported: Double = {
            _ = try await connection.send(.post, Path.imports + "?dry_run=false", bytes, token: token)
            return (clock.now - start).seconds
        }()
        // Not by cancelling: the last exchange is the one that waited longest.
        let isImported = Atomic(false)
        let waiting = Task {
            var times: [Double] = []
            while !isImported.load(ordering: .relaxed) {
                let row = times.count % other.generator.ids.count
                times.append(try await other.timed(other.generator.edits(row..<row + 1, now: now())).seconds)
            }
            return times.sorted()
        }
        report["import_sheet_seconds"] = try await imported
        isImported.store(true, ordering: .relaxed)
        let times = try await waiting.value
        guard !times.isEmpty else { return }
        report["import_meanwhile_exchanges"] = Double(times.count)
        report["import_meanwhile_ms_p50"] = times[times.count / 2] * 1000
        report["import_meanwhile_ms_p99"] = times[times.count * 99 / 100] * 1000
        report["import_meanwhile_ms_max"] = (times.last ?? 0) * 1000
    }
}
