import ArgumentParser
import Foundation
import RoostCourier
import RoostSchema

/// Deliveries from the outbox to a loopback receiver and back into the database, beside nothing but `curl_multi` with the
/// same commits.
struct CourierBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "courier", abstract: "Deliveries to webhooks and robots, and memory while a thousand hang.")

    @Option(help: "Deliveries to send in each turn of a measurement; of messages to robots a sixteenth.")
    var deliveries = 8000
    @Option(help: "Turns that what is compared takes in alternation; what counts is the median.") var turns = 15
    @Option(help: "How many are under way at once; four to a webhook, one to a robot.") var concurrency = 64
    @Option(parsing: .upToNextOption, help: "What to measure, instead of everything.") var only: [Part] = Part.allCases

    enum Part: String, CaseIterable, ExpressibleByArgument { case memory, plain, latency, hanging, tls }

    private static let body = [UInt8](repeating: UInt8(ascii: "x"), count: 2048)

    func run() async throws {
        let directory = NSTemporaryDirectory() + "roost-bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var report = Report()
        // Memory first, while nothing else has been done with the process's.
        for part in Part.allCases where only.contains(part) {
            switch part {
            case .memory: try await measureMemory(directory, &report)
            case .plain:
                try await measure("courier", try LoopbackSink(), directory + "/plain", authorities: nil, &report)
            case .latency: try await measureLatency(directory, &report)
            case .hanging: try await measureHanging(directory, &report)
            case .tls:
                let sink = try await TLSSink(directory: directory)
                try await measure(
                    "courier_tls", sink, directory + "/tls", authorities: sink.certificateFile, &report)
            }
        }
        report.print()
    }

    /// Measures kept and new connections in turns with the bare loop.
    ///
    /// Webhooks keep theirs; robots get a new one for each message, and none takes more than twenty a minute.
    private func measure(
        _ name: String, _ sink: some BenchSink, _ directory: String, authorities: String?, _ report: inout Report
    ) async throws {
        let bare = try BareLoop(directory: directory + "/bare")
        let outbox = try await BenchOutbox(
            directory: directory + "/server", sink: sink, authorities: authorities, body: Self.body,
            concurrency: concurrency)
        let webhooks = try await outbox.addWebhooks(concurrency)
        let (kept, new) = (deliveries, deliveries / 16)
        let robotsATurn = new / 5
        let robots = try await outbox.addEndpoints(turns * robotsATurn, .wecom)
        var spent = (bareKept: [Spending](), kept: [Spending](), bareNew: [Spending](), new: [Spending]())
        try await outbox.running {
            for turn in 0..<turns {
                spent.bareKept.append(
                    try bare.run(
                        kept, to: sink.url, body: Self.body, concurrency: concurrency, .init(authorities: authorities)))
                spent.kept.append(try await outbox.send(kept / webhooks.count, to: webhooks))
                spent.bareNew.append(
                    try bare.run(
                        new, to: sink.url, body: Self.body, concurrency: concurrency,
                        .init(connectsAnew: true, authorities: authorities)))
                spent.new.append(
                    try await outbox.send(
                        5, to: Array(robots[turn * robotsATurn..<(turn + 1) * robotsATurn])))
            }
        }
        report.add(spent.bareKept, name + "_bare_deliveries")
        report.add(spent.kept, name + "_deliveries")
        report.add(spent.bareNew, name + "_bare_new_connections")
        report.add(spent.new, name + "_robot_messages")
    }

    /// Sends to webhooks that answer, in turns alone and while a thousand others take what they are sent and say nothing.
    ///
    /// All turns must be over before those are given up, or it is nothing.
    private func measureHanging(_ directory: String, _ report: inout Report) async throws {
        let (sink, silent) = (try LoopbackSink(), try LoopbackSink())
        let held = silent.hold()
        let alone = try await BenchOutbox(
            directory: directory + "/alone", sink: sink, authorities: nil, body: Self.body,
            concurrency: concurrency + 1000)
        let beside = try await BenchOutbox(
            directory: directory + "/beside", sink: sink, authorities: nil, body: Self.body,
            concurrency: concurrency + 1000)
        let others = try await beside.addEndpoints(1000, .generic, at: silent.url)
        let webhooks = (
            alone: try await alone.addWebhooks(concurrency), beside: try await beside.addWebhooks(concurrency)
        )
        let parts = deliveries / 2 / webhooks.alone.count
        var spent = (alone: [Spending](), beside: [Spending]())
        try await alone.running {
            try await beside.running {
                try await beside.release(try await beside.freeze(1, to: others))
                for await _ in held.prefix(others.count) {}
                let meter = Meter()
                for _ in 0..<turns {
                    spent.alone.append(try await alone.send(parts, to: webhooks.alone))
                    spent.beside.append(try await beside.send(parts, to: webhooks.beside))
                }
                guard meter.elapsed < .seconds(28) else { throw BenchOutbox.Failed() }
            }
        }
        report.add(spent.alone, "courier_beside_0_hanging")
        report.add(spent.beside, "courier_beside_1000_hanging")
    }

    /// From before the commit that releases a delivery to the first byte of it at the receiver, one at a time.
    private func measureLatency(_ directory: String, _ report: inout Report) async throws {
        let sink = try LoopbackSink()
        let outbox = try await BenchOutbox(
            directory: directory + "/latency", sink: sink, authorities: nil, body: Self.body,
            concurrency: concurrency)
        let endpoints = try await outbox.addEndpoints(1, .generic)
        try await outbox.running {
            var waits: [Double] = []
            for _ in 0..<200 {
                let digest = try await outbox.freeze(1, to: endpoints)
                let start = ContinuousClock.now
                try await outbox.release(digest)
                try await outbox.wait(until: digest)
                waits.append((sink.latestArrival - start).seconds * 1000)
            }
            waits.sort()
            report["courier_enqueue_to_first_byte_ms_p50"] = waits[100]
            report["courier_enqueue_to_first_byte_ms_p95"] = waits[190]
        }
    }

    private func measureMemory(_ directory: String, _ report: inout Report) async throws {
        let sink = try LoopbackSink()
        let held = sink.hold()
        let outbox = try await BenchOutbox(
            directory: directory + "/memory", sink: sink, authorities: nil, body: Self.body, concurrency: 1000)
        let endpoints = try await outbox.addEndpoints(1000, .generic)
        let process = ProcessInfo.processInfo.processIdentifier
        report["courier_resident_megabytes_idle"] = Double(residentBytes(of: process)) / 1e6
        try await outbox.running {
            try await outbox.release(try await outbox.freeze(1, to: endpoints))
            for await _ in held.prefix(endpoints.count) {}
            report["courier_resident_megabytes_with_1000_in_flight"] = Double(residentBytes(of: process)) / 1e6
        }
    }
}
