import ArgumentParser
import Curl
import Foundation
import RoostAPI
import RoostSchema
import RoostSync

/// Push, pull, idle and import over HTTP, and memory, beside the same rows in plain SQLite.
struct SyncBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "The exchange, the import and memory.")

    @Option(help: "Rows to push, in changesets of a thousand.") var rows = 20_000
    @Option(help: "Students in the database while memory is read; 0 leaves memory out.") var population = 150_000
    @Option(help: "The sheet to import.")
    var sheet = "Tests/RoostSheetsTests/Rosters/education-bureau-2025.csv"

    func run() async throws {
        let directory = NSTemporaryDirectory() + "roost-bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var report = Report()
        try measureBaseline(directory, &report)
        let server = try await BenchServer(directory: directory + "/server")
        try await server.start()
        defer { server.stop() }
        var device = try await Replicant(server, 0xBE9C)
        try await measurePush(&device, &report)
        try await measureApply(server, &report)
        try await measureSnapshot(server, &report)
        try await measureIdle(server, &report)
        try await measureImport(device, &report)
        if population > 0 { try await measureMemory(server, &device, &report) }
        report.print()
    }

    private func measureBaseline(_ directory: String, _ report: inout Report) throws {
        let plain = (0..<rows).map { BenchRows.plain($0) }
        let baseline = try Baseline(path: directory + "/plain.sqlite")
        report["baseline_upserts_per_second"] = try baseline.upserts(plain, batch: 1000)
        report["baseline_scan_rows_per_second"] = try baseline.scan()
    }

    private func measurePush(_ device: inout Replicant, _ report: inout Report) async throws {
        let clock = ContinuousClock()
        var generator = BenchRows()
        var bases: [Stamp] = []
        _ = try await device.exchange([])
        var time = Duration.zero
        for _ in 0..<rows / 1000 {
            let body = device.request(generator.creations(1000, now: now()))
            let start = clock.now
            let bytes = try await device.post(body)
            time += clock.now - start
            bases += try device.accept(bytes).map { $0.stamp ?? Stamp(HybridTime(bits: 0), ReplicaID(0)) }
        }
        report["push_new_rows_per_second"] = Double(generator.ids.count) / time.seconds
        time = .zero
        for start in stride(from: 0, to: generator.ids.count, by: 1000) {
            let body = device.request(generator.edits(start..<start + 1000, bases: bases, now: now()))
            let begun = clock.now
            let bytes = try await device.post(body)
            time += clock.now - begun
            _ = try device.accept(bytes)
        }
        report["push_edits_per_second"] = Double(generator.ids.count) / time.seconds
        var single: [Double] = []
        for index in 0..<200 {
            let body = device.request(generator.edits(index..<index + 1, bases: bases, now: now()))
            let begun = clock.now
            let bytes = try await device.post(body)
            single.append((clock.now - begun).seconds * 1000)
            _ = try device.accept(bytes)
        }
        report["one_row_exchange_ms_median"] = single.sorted()[100]
        device.generator = generator
    }

    /// Reads everything as a new replica would, and applies it as the client does.
    private func measureApply(_ server: BenchServer, _ report: inout Report) async throws {
        let clock = ContinuousClock()
        var fresh = try await Replicant(server, 0xBE9D)
        var (count, bytes, time) = (0, 0, Duration.zero)
        var answers: [[UInt8]] = []
        repeat {
            let body = fresh.request([])
            let begun = clock.now
            let answer = try await fresh.post(body)
            time += clock.now - begun
            bytes += answer.count
            answers.append(answer)
            _ = try fresh.accept(answer)
            count = fresh.rows
        } while fresh.more
        report["pull_rows_per_second"] = Double(count) / time.seconds
        report["pull_bytes_per_row"] = Double(bytes) / Double(max(count, 1))
        report["client_apply_rows_per_second"] = try ClientApply.rowsPerSecond(answers)
    }

    /// The county's scope as a file: how long it takes to be made, fetched and applied.
    private func measureSnapshot(_ server: BenchServer, _ report: inout Report) async throws {
        let clock = ContinuousClock()
        let fresh = try await Replicant(server, 0xBE9F)
        let asked = clock.now
        var found: (page: ScopePage, offer: SnapshotOffer)?
        while found == nil {
            var request = try ExchangeRequest(json: fresh.request([]))
            request.snapshots = true
            let pages = try ExchangeAnswer(json: try await fresh.post(request.json)).scopes
            guard pages.contains(where: { $0.snapshot != nil || $0.wait != nil }) else { return }
            found = pages.lazy.compactMap { page in page.snapshot.map { (page, $0) } }.first
        }
        guard let (page, offer) = found else { return }
        report["snapshot_rows"] = Double(offer.rows)
        report["snapshot_build_rows_per_second"] = Double(offer.rows) / (clock.now - asked).seconds
        report["snapshot_bytes_per_row"] = Double(offer.bytes) / Double(offer.rows)
        let begun = clock.now
        let file = try await fresh.connection.send(
            .get, Path.snapshots + "/" + offer.id, nil, token: fresh.token)
        let time = (clock.now - begun).seconds
        report["snapshot_download_mb_per_second"] = Double(file.count) / time / 1e6
        report["snapshot_download_rows_per_second"] = Double(offer.rows) / time
        report["snapshot_apply_rows_per_second"] = try ClientApply.rowsPerSecond(page, offer, file)
    }

    /// As an officer with one scope beside what everybody holds.
    private func measureIdle(_ server: BenchServer, _ report: inout Report) async throws {
        var device = try await Replicant(server, 0xBE9E, as: .approver)
        _ = try await device.exchange([])
        let before = try await device.connection.timeSpent(on: Path.sync)
        var sizes = 0
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<1000 {
            let body = device.request([])
            let answer = try await device.post(body)
            sizes = body.count + answer.count
        }
        report["idle_exchange_ms_round_trip"] = (clock.now - start).seconds
        let after = try await device.connection.timeSpent(on: Path.sync)
        report["idle_exchange_server_us"] = (after.seconds - before.seconds) / (after.count - before.count) * 1e6
        report["idle_exchange_bytes"] = Double(sizes)
    }

    private func measureImport(_ device: Replicant, _ report: inout Report) async throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: sheet))
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await device.connection.send(.post, Path.imports + "?dry_run=false", Array(bytes), token: device.token)
        report["import_sheet_seconds"] = (clock.now - start).seconds
    }

    private func measureMemory(
        _ server: BenchServer, _ device: inout Replicant, _ report: inout Report
    ) async throws {
        var generator = device.generator
        while generator.ids.count < population {
            _ = try device.accept(try await device.post(device.request(generator.creations(1000, now: now()))))
        }
        report["population"] = Double(generator.ids.count)
        server.stop()
        try await server.start()
        device.connection = server.connection
        _ = try await device.exchange([])
        report["resident_mb_idle"] = Double(residentBytes(of: server.processIdentifier)) / 1e6
        var replicas: [Replicant] = []
        for index in 0..<64 { replicas.append(try await Replicant(server, 0xC000 + UInt64(index))) }
        let process = server.processIdentifier
        let peak = try await withThrowingTaskGroup(of: Int.self) { group in
            for replica in replicas {
                group.addTask {
                    var replica = replica
                    var peak = 0
                    for _ in 0..<5 {
                        _ = try replica.accept(try await replica.post(replica.request([])))
                        peak = max(peak, residentBytes(of: process))
                    }
                    return peak
                }
            }
            return try await group.reduce(0) { max($0, $1) }
        }
        report["resident_mb_64_replicas"] = Double(peak) / 1e6
    }
}

/// A replica that keeps cursors and nothing else, so that what is measured is the server.
struct Replicant: Sendable {
    var connection: BenchConnection
    let replica: ReplicaID
    let token: String
    var generator = BenchRows()
    private var cursors: [Scope: ScopeCursor] = [:]
    private var epoch: String?
    private(set) var rows = 0
    private(set) var more = true

    init(_ server: BenchServer, _ bits: UInt64, as officer: BenchServer.Officer = .registrar) async throws {
        replica = ReplicaID(bits)
        token = try await server.enrol(replica, as: officer)
        connection = server.connection
    }

    func request(_ mutations: [Mutation]) -> [UInt8] {
        ExchangeRequest(
            catalogue: 1, replica: replica, incarnation: 1, epoch: epoch, now: now(), mutations: mutations,
            scopes: cursors.values.sorted { $0.scope < $1.scope }
        ).json
    }

    func post(_ body: [UInt8]) async throws -> [UInt8] {
        try await connection.send(.post, Path.sync, body, token: token)
    }

    mutating func accept(_ bytes: [UInt8]) throws -> [Verdict] {
        let answer = try ExchangeAnswer(json: bytes)
        epoch = answer.epoch
        for page in answer.scopes {
            rows += page.rows.count
            cursors[page.scope] = ScopeCursor(scope: page.scope, epoch: page.epoch, cursor: page.cursor)
        }
        more = answer.scopes.contains { $0.more }
        if let refused = answer.verdicts.first(where: { $0.outcome == .rejected }) {
            throw BenchServer.Failure.status(200, "refused: \(refused)")
        }
        return answer.verdicts
    }

    mutating func exchange(_ mutations: [Mutation]) async throws -> [Verdict] {
        var verdicts: [Verdict] = []
        repeat { verdicts += try accept(try await post(request(mutations))) } while more && mutations.isEmpty
        return verdicts
    }
}

/// Figures by name, with the ratios that are promised.
struct Report {
    private var figures: [(name: String, value: Double)] = []

    subscript(_ name: String) -> Double? {
        get { figures.first { $0.name == name }?.value }
        set { if let newValue { figures.append((name, newValue)) } }
    }

    func print() {
        var members = figures.map { Value.Member($0.name, .real(($0.value * 100).rounded() / 100)) }
        func ratio(_ name: String, _ over: String, _ label: String) {
            guard let figure = self[name], let base = self[over], base > 0 else { return }
            members.append(Value.Member(label, .real((figure / base * 1000).rounded() / 1000)))
        }
        ratio("push_new_rows_per_second", "baseline_upserts_per_second", "ratio_push_new_to_upserts")
        ratio("push_edits_per_second", "baseline_upserts_per_second", "ratio_push_edits_to_upserts")
        ratio("pull_rows_per_second", "baseline_scan_rows_per_second", "ratio_pull_to_scan")
        ratio("client_apply_rows_per_second", "baseline_upserts_per_second", "ratio_client_apply_to_upserts")
        for kind in ["courier", "courier_tls"] {
            ratio("\(kind)_deliveries_per_second", "\(kind)_bare_deliveries_per_second", "ratio_\(kind)_to_bare")
            ratio(
                "\(kind)_robot_messages_per_second", "\(kind)_bare_new_connections_per_second",
                "ratio_\(kind)_robots_to_bare")
        }
        Swift.print("{")
        for (index, member) in members.enumerated() {
            let comma = index == members.count - 1 ? "" : ","
            Swift.print("  \"\(member.name)\": \(String(decoding: member.value.json, as: UTF8.self))\(comma)")
        }
        Swift.print("}")
    }
}
