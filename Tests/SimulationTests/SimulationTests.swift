import Foundation
import Testing

/// Random people on random devices over a bad line, against the real server and a naive model of it.
///
/// `ROOST_SIMULATE` sets how many seeds are run, `ROOST_SEED` the first of them.
@Suite struct SimulationTests {
    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    /// What a hundred seeds come across for certain, and must have to have shown anything.
    static let paths = [
        "applied", "merged", "late", "quarantined", "quarantined masked", "set aside masked",
        "set aside authority_ended",
        "set aside left_scope", "rejected forbidden", "rejected out_of_scope", "rejected invalid", "rejected limit",
        "group refused", "hard loss", "soft loss", "conflict", "parallel edit", "deleted", "edit of a deleted row",
        "grant ended",
        "link ended", "scope lost", "scope gained", "rows purged", "files searched", "row left", "masked", "page cut",
        "repeated", "request lost", "answer lost", "request duplicated", "request truncated", "answer truncated",
        "late request", "late answer", "device died", "server died", "server died deciding",
        "server died having decided", "server died beside deciding",
        "device died applying", "clock wrong by years", "31 days away", "400 days away", "operator acted",
        "departures collected", "verdicts collected", "snapshot made", "snapshot fetched", "device copied", "copy told",
        "new incarnation", "server restored", "request of another epoch", "edit given again",
        "searched while recovering", "idle exchange", "exchange of one row", "typed and withheld",
    ]

    /// What the seeds that `deploy/test` plays come across.
    static let uncommonPaths = ["tie", "projection narrowed", "projection widened again"]

    /// What a thousand seeds come across.
    static let rarePaths = [
        "rejected stale", "rejected duplicate", "rejected append_only", "rejected invalid_base", "rank kept",
        "reopened",
        "restored", "base outran the clock", "proposed for want of room", "scope regained", "resnapshot",
        "rows collected", "history collected", "another copy was first", "edit not given again",
        "surrendered edit lost",
        "identity taken out of sight",
        "accepted what was set aside", "snapshot interrupted", "device died between two answers",
    ]

    @Test func `whatever people, lines and machines do, the server and every device say what the model says`()
        async throws
    {
        let template = try await Template.make()
        defer { template.remove() }
        let first = Self.setting("ROOST_SEED") ?? 0
        let count = Self.setting("ROOST_SIMULATE") ?? (Self.setting("ROOST_SEED") == nil ? 100 : 1)
        let began = ContinuousClock.now
        // One worker beside other suites, which must not be kept from the processor; all there is when run alone.
        let workers = count > 200 ? ProcessInfo.processInfo.activeProcessorCount : 1
        let batch = try await Simulation(template).play(first..<first + count, workers: workers)
        for failure in batch.failures { Issue.record(Comment(rawValue: failure.description)) }
        print("\(batch.runs) seeds in \(ContinuousClock.now - began)")
        if count > 200 {
            let paths = batch.sometimes.sorted { $0.key < $1.key }
            print(paths.map { "\($0.key): \($0.value)" }.joined(separator: ", "))
        }
        guard count >= 100, batch.failures.isEmpty else { return }
        let uncommon = count >= 240 ? Self.uncommonPaths : []
        for path in Self.paths + uncommon + (count >= 1000 ? Self.rarePaths : []) {
            #expect(batch.sometimes[path] ?? 0 > 0, "no run reached: \(path)")
        }
    }

    @Test(arguments: Sabotage.allCases.filter { $0 != .none })
    func `a product broken on purpose is caught`(sabotage: Sabotage) async throws {
        let template = try await Template.make()
        defer { template.remove() }
        let simulation = Simulation(template, sabotage: sabotage)
        var batch = Simulation.Batch()
        for seed in 0..<100 as Range<UInt64> where batch.failures.isEmpty {
            try await simulation.play(seed: seed, into: &batch)
        }
        if let found = batch.failures.first {
            if let check = sabotage.check { #expect(found.violation.check == check) }
            return
        }
        Issue.record("100 seeds did not notice: \(sabotage)")
    }
}
