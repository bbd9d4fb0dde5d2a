import Foundation

/// Many runs, what they found, and the rare paths they reached.
struct Simulation {
    struct Failure {
        let script: Script
        let violation: Violation
        let trace: [String]
    }

    /// What some seeds came to.
    struct Batch {
        var runs = 0
        var failures: [Failure] = []
        /// How often each path was taken.
        var sometimes: [String: Int] = [:]

        mutating func add(_ other: Batch) {
            runs += other.runs
            failures += other.failures
            sometimes.merge(other.sometimes, uniquingKeysWith: +)
        }
    }

    let template: Template
    var sabotage = Sabotage.none

    init(_ template: Template, sabotage: Sabotage = .none) {
        self.template = template
        self.sabotage = sabotage
    }

    /// Plays seeds on so many workers, each until it has found three failures.
    func play(_ seeds: Range<UInt64>, workers: Int) async throws -> Batch {
        try await withThrowingTaskGroup(of: Batch.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    var batch = Batch()
                    for seed in seeds where Int(seed % UInt64(workers)) == worker {
                        try await self.play(seed: seed, into: &batch)
                        // At once, so that a run which is stopped has told what it found.
                        if batch.runs % 500 == 0 { Self.say("\(batch.runs) seeds of worker \(worker), up to \(seed)") }
                        if batch.failures.count == 3 { break }
                    }
                    return batch
                }
            }
            return try await group.reduce(into: Batch()) { $0.add($1) }
        }
    }

    private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    /// Plays a seed; a failure comes with the shortest script that still fails so, and its trace.
    func play(seed: UInt64, into batch: inout Batch) async throws {
        let script = Script(seed: seed, seats: template.seats.count)
        batch.runs += 1
        let world = try World(template, script, sabotage: sabotage)
        let violation = try await world.run()
        batch.sometimes.merge(await world.sometimes, uniquingKeysWith: +)
        guard let violation else { return }
        if sabotage == .none { Self.say("seed \(seed): \(violation)") }
        batch.failures.append(
            sabotage == .none
                ? try await shortened(script, violation) : Failure(script: script, violation: violation, trace: []))
    }

    /// Drops events, by halves and then one by one, as long as the same check fails.
    private func shortened(_ script: Script, _ violation: Violation) async throws -> Failure {
        var best = script
        var found = violation
        var size = best.events.count / 2
        var attempts = 0
        while size >= 1, attempts < 400 {
            var start = 0
            while start < best.events.count, attempts < 400 {
                var shorter = best
                shorter.events.removeSubrange(start..<min(start + size, best.events.count))
                attempts += 1
                if let again = try await World(template, shorter).run(), again.check == violation.check {
                    (best, found) = (shorter, again)
                } else {
                    start += size
                }
            }
            size /= 2
        }
        let world = try World(template, best, traced: true)
        _ = try await world.run()
        return Failure(script: best, violation: found, trace: await world.trace ?? [])
    }
}

extension Simulation.Failure: CustomStringConvertible {
    var description: String {
        let people = script.devices.indices.map { index in
            "device \(index): clock \(script.skews[index]) ms, catalogue \(script.versions[index])"
        }
        return (["seed \(script.seed): \(violation)"] + people + trace)
            .joined(separator: "\n")
    }
}
