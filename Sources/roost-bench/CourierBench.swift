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

    private static let body = [UInt8](repeating: UInt8(ascii: "x"), count: 2048)

    func run() async throws {
        let directory = NSTemporaryDirectory() + "roost-bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var report = Report()
        // First, while nothing else has been done with the process's memory.
        try await measureMemory(directory, &report)
        let sink = try LoopbackSink()
        let bare = try BareLoop(path: directory + "/plain.sqlite")
        try await measure("courier", sink, bare, directory + "/server", authorities: nil, &report)
        try await measureLatency(directory, &report)
        let secret = try await TLSSink(directory: directory)
        try await measure(
            "courier_tls", secret, bare, directory + "/tls", authorities: secret.certificateFile, &report)
        report.print()
    }

    /// Measures kept and new connections, each beside the bare loop.
    ///
    /// Webhooks keep theirs; robots get a new one for each message.
    private func measure(
        _ name: String, _ sink: some BenchSink, _ bare: BareLoop, _ directory: String, authorities: String?,
        _ report: inout Report
    ) async throws {
        // A new connection costs more, and a robot takes twenty messages a minute.
        let (kept, new) = (deliveries, deliveries / 4)
        report[name + "_bare_deliveries_per_second"] = try bare.run(
            kept, to: sink.url, body: Self.body, concurrency: concurrency, .init(authorities: authorities))
        report[name + "_bare_new_connections_per_second"] = try bare.run(
            new, to: sink.url, body: Self.body, concurrency: concurrency,
            .init(connectsAnew: true, authorities: authorities))
        let outbox = try await BenchOutbox(
            directory: directory, url: sink.url, authorities: authorities, body: Self.body, concurrency: concurrency)
        let webhooks = try await outbox.addEndpoints(
            max(1, concurrency / Channel.generic.maximumInFlight), .generic)
        let robots = try await outbox.addEndpoints(new / 10, .wecom)
        try await outbox.running {
            // From the commit that releases them; freezing was done before, when a person approved.
            var start = try await outbox.send(kept / webhooks.count, to: webhooks)
            report[name + "_deliveries_per_second"] =
                Double(kept / webhooks.count * webhooks.count) / (ContinuousClock.now - start).seconds
            start = try await outbox.send(10, to: robots)
            report[name + "_robot_messages_per_second"] =
                Double(10 * robots.count) / (ContinuousClock.now - start).seconds
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
                let start = try await outbox.send(1, to: endpoints)
                waits.append((sink.latestArrival - start).seconds * 1000)
            }
            waits.sort()
            report["courier_enqueue_to_first_byte_ms_p50"] = waits[100]
            report["courier_enqueue_to_first_byte_ms_p95"] = waits[190]
        }
    }

    private func measureMemory(_ directory: String, _ report: inout Report) async throws {
        let sink = try LoopbackSink()
        sink.hold()
        let outbox = try await BenchOutbox(
            directory: directory + "/memory", url: sink.url, authorities: nil, body: Self.body, concurrency: 1000)
        let endpoints = try await outbox.addEndpoints(1000, .generic)
        let process = ProcessInfo.processInfo.processIdentifier
        report["courier_resident_megabytes_idle"] = Double(residentBytes(of: process)) / 1e6
        try await outbox.running {
            _ = try await outbox.release(1, to: endpoints)
            while sink.count < endpoints.count { try await Task.sleep(for: .milliseconds(20)) }
            report["courier_resident_megabytes_with_1000_in_flight"] = Double(residentBytes(of: process)) / 1e6
        }
    }
}
