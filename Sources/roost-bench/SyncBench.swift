import ArgumentParser
import Curl
import Foundation
import RoostAPI
import RoostStore

/// Push, pull, snapshots, idling, revocation, import over HTTP, and memory, beside the same rows in plain SQLite.
struct SyncBench: AsyncParsableCommand {
    /// What can be measured; each stands on the rows that were pushed first.
    enum Subject: String, CaseIterable, ExpressibleByArgument {
        case pull, snapshot, idle, load, revocation, catchup, `import`, watch, memory
    }

    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "The exchange, the import and memory.")

    @Option(help: "Rows to push, in changesets of a thousand.") var rows = 15_000
    @Option(help: "Students in the database while growth and memory are read; 0 leaves both out.")
    var population = 150_000
    @Option(help: "Edits to make before memory is read, in millions; ten take some twenty minutes.") var millions = 0
    @Option(help: "Streams of events to keep open; the shell's limit of open files must allow for them.")
    var watchers = 1000
    @Option(help: "The sheet to import.")
    var sheet = "Tests/RoostSheetsTests/Rosters/education-bureau-2025.csv"
    @Option(help: "What to measure beside the push; all of it if not given.") var only: [Subject] = []

    func validate() throws {
        guard FileManager.default.isReadableFile(atPath: sheet) else {
            throw ValidationError("There is no sheet \(sheet): run it in the project's folder, or name one by --sheet.")
        }
    }

    func run() async throws {
        let directory = NSTemporaryDirectory() + "roost-bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var report = Report()
        // The baseline gets what the product has.
        SQLiteMemory.settle()
        try measureBaseline(directory, &report)
        let server = try await BenchServer(directory: directory + "/server")
        try await server.start()
        defer { server.stop() }
        var device = try await Replicant(server, 0xBE9C)
        try await PushBench.measure(&device, rows: rows, &report)
        for subject in only.isEmpty ? Subject.allCases : only {
            switch subject {
            case .pull: try await PullBench.measurePages(server, &report)
            case .snapshot: try await PullBench.measureSnapshot(server, &report)
            case .idle: try await IdleBench.measure(server, &report)
            case .load: try await LoadBench.measure(server, &device, &report)
            case .revocation: try await ClientBench.measureRevocation(server, directory, &report)
            case .catchup: try await ClientBench.measureCatchUp(server, &device, directory, &report)
            case .import: try await ImportBench.measure(server, device, sheet: sheet, &report)
            case .watch: try await WatchBench.measure(server, watchers: watchers, &report)
            case .memory:
                guard population > 0 else { continue }
                try await GrowthBench.measure(server, &device, population: population, &report)
                try await MemoryBench.measure(server, &device, edits: millions * 1_000_000, &report)
            }
        }
        report.print()
    }

    private func measureBaseline(_ directory: String, _ report: inout Report) throws {
        let plain = (0..<rows).map { BenchRows.plain($0) }
        let baseline = try Baseline(path: directory + "/plain.sqlite")
        report["baseline_upserts_per_second"] = try baseline.upserts(plain, batch: 1000)
        report["baseline_scan_rows_per_second"] = try baseline.scan()
    }
}
