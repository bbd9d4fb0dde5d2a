import ArgumentParser
import Foundation
import RoostCourier
import RoostSchema

/// Deliveries from the outbox to a loopback receiver and back into the database, beside nothing but `curl_multi` with the
/// same commits.
struct CourierBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "courier", abstract: "Deliveries to webhooks and robots, and memory while a thousand hang.")

    @Option(help: "Deliveries to send in each measurement.") var deliveries = 20_000
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
            case .hanging: for hanging in [0, 1000] { try await measure(besides: hanging, directory, &report) }
            case .tls:
                let sink = try await TLSSink(directory: directory)
                try await measure(
                    "courier_tls", sink, directory + "/tls", authorities: sink.certificateFile, &report)
            }
        }
        report.print()
    }

    /// Measures kept and new connections, each beside the bare loop.
    ///
    /// Webhooks keep theirs; robots get a new one for each message.
    private func measure(
        _ name: String, _ sink: some BenchSink, _ directory: String, authorities: String?, _ report: inout Report
    ) async throws {
        let bare = try BareLoop(directory: directory + "/bare")
        // A new connection costs more, and a robot takes twenty messages a minute.
        let (kept, new) = (deliveries, deliveries / 4)
        report.add(
            try bare.run(
                kept, to: sink.url, body: Self.body, concurrency: concurrency, .init(authorities: authorities)),
            name + "_bare_deliveries")
        report.add(
            try bare.run(
                new, to: sink.url, body: Self.body, concurrency: concurrency,
                .init(connectsAnew: true, authorities: authorities)), name + "_bare_new_connections")
        let outbox = try await BenchOutbox(
            directory: directory + "/server", url: sink.url, authorities: authorities, body: Self.body,
            concurrency: concurrency)
        let webhooks = try await outbox.addEndpoints(
            max(1, concurrency / Channel.generic.maximumInFlight), .generic)
        let robots = try await outbox.addEndpoints(new / 10, .wecom)
        try await outbox.running {
            report.add(try await outbox.send(kept / webhooks.count, to: webhooks), name + "_deliveries")
            report.add(try await outbox.send(10, to: robots), name + "_robot_messages")
        }
    }

    /// Sends to webhooks that answer while others take what they are sent and say nothing.
    private func measure(besides hanging: Int, _ directory: String, _ report: inout Report) async throws {
        let (sink, silent) = (try LoopbackSink(), try LoopbackSink())
        let held = silent.hold()
        let outbox = try await BenchOutbox(
            directory: directory + "/besides\(hanging)", url: sink.url, authorities: nil, body: Self.body,
            concurrency: concurrency + 1000)
        let others = try await outbox.addEndpoints(hanging, .generic, at: silent.url)
        let webhooks = try await outbox.addEndpoints(
            max(1, concurrency / Channel.generic.maximumInFlight), .generic)
        try await outbox.running {
            if !others.isEmpty { try await outbox.release(try await outbox.freeze(1, to: others)) }
            for await _ in held.prefix(others.count) {}
            report.add(
                try await outbox.send(deliveries / webhooks.count, to: webhooks), "courier_beside_\(hanging)_hanging")
        }
    }

    /// From before the commit that releases a delivery to the first byte of it at the receiver, one at a time.
    private func measureLatency(_ directory: String, _ report: inout Report) async throws {
        let sink = try LoopbackSink()
        let outbox = try await BenchOutbox(
            directory: directory + "/latency", url: sink.url, authorities: nil, body: Self.body,
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
            directory: directory + "/memory", url: sink.url, authorities: nil, body: Self.body, concurrency: 1000)
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
