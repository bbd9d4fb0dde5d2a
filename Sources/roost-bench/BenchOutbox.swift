import Foundation
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostServer
import RoostStore
import RoostSync

/// A server's outbox in this process, with endpoints that lead to a sink.
final class BenchOutbox: Sendable {
    private let store: ServerStore
    private let desk: EndpointDesk
    private let body: [UInt8]
    private let sink: any BenchSink
    private let authorities: String?
    private let courier: Courier

    private static let officer = RowID(naming: "bench", "administrator")

    /// `authorities` is the PEM file to trust a sink behind TLS by.
    init(directory: String, sink: any BenchSink, authorities: String?, body: [UInt8], concurrency: Int) async throws {
        let catalogue = Catalogue.programme.withConflicts(about: Programme.subject)
        store = try ServerStore(directory: directory, catalogue: catalogue, clock: now)
        try ServerKey.create(in: directory)
        let key = try ServerKey(directory: directory)
        let settings = CourierSettings.testing(weComBase: sink.url)
        courier = Courier(store: store, key: key, settings: settings, maximumInFlight: concurrency) { _ in }
        let courier = courier
        desk = EndpointDesk(store: store, key: key, settings: settings, transport: courier.transport) { courier.wake() }
        self.body = body
        self.sink = sink
        self.authorities = try authorities.map { try String(contentsOfFile: $0, encoding: .utf8) }
        _ = try await store.write(
            [
                TrustedEdit("officer", Self.officer, .create, ["name": "administrator"]),
                TrustedEdit(
                    "authority_grant", RowID(naming: "bench grant", "administrator"), .create,
                    ["officer": .id(Self.officer), "role": "admin"]),
            ], by: Self.officer)
    }

    /// Lets the sender work while `body` runs.
    func running(_ body: () async throws -> Void) async throws {
        let task = Task { try await courier.run() }
        defer { task.cancel() }
        try await body()
        task.cancel()
        try await task.value
        try store.close()
    }

    /// Adds as many webhooks as it takes to have so many deliveries under way.
    func addWebhooks(_ concurrency: Int) async throws -> [RowID] {
        try await addEndpoints(max(1, concurrency / Channel.generic.maximumInFlight), .generic)
    }

    /// Adds endpoints as if their test messages had arrived.
    func addEndpoints(_ count: Int, _ channel: Channel, at other: String? = nil) async throws -> [RowID] {
        var endpoints: [RowID] = []
        for number in 0..<count {
            let address =
                channel == .generic
                ? (other ?? sink.url) + "/hook/\(number)" : "00000000-0000-4000-8000-\(100_000_000_000 + number)"
            let added = try await desk.add(
                EndpointDraft(
                    name: "\(channel.rawValue) \(number) \(other ?? "")", channel: channel.rawValue, address: address,
                    authority: authorities), by: Self.officer)
            guard let id = RowID(added.endpoint.id) else { continue }
            try await store.setState(.active, of: id)
            endpoints.append(id)
        }
        return endpoints
    }

    /// Sends so many to each endpoint, from when they are due to when all of them are settled.
    func send(_ parts: Int, to endpoints: [RowID]) async throws -> Spending {
        let digest = try await freeze(parts, to: endpoints)
        try await release(digest, wakes: false)
        let all = sink.arrivals.next(parts * endpoints.count)
        let patience = Task {
            try await Task.sleep(for: .seconds(120))
            sink.arrivals.giveUp()
        }
        defer { patience.cancel() }
        let meter = Meter()
        courier.wake()
        // What has come is known without a look into the database, which would count, as would asking again and again.
        guard await all.first(where: { true }) != nil else { throw Failed() }
        try await wait(until: digest)
        return meter.spent(on: parts * endpoints.count)
    }

    /// Freezes so many deliveries to each endpoint.
    func freeze(_ parts: Int, to endpoints: [RowID]) async throws -> RowID {
        let digest = RowID(milliseconds: now().value, random: UInt128.random(in: .min ... .max))
        let body = body
        let deliveries = endpoints.flatMap { endpoint in
            (1...parts).map { part in
                FrozenDelivery(
                    id: RowID(milliseconds: now().value, random: UInt128.random(in: .min ... .max)),
                    endpoint: endpoint, part: part, parts: parts, contentType: "application/json", body: body)
            }
        }
        let audience = AudienceRecord(
            sentence: Label("全部", "everybody"), students: 0, frozenAt: now(), members: [:])
        let frozen = FrozenDigest(deliveries: deliveries, audience: audience, told: [])
        let fields: [FieldName: Value] = ["title": "bench", "author": .id(Self.officer), "status": "sending"]
        try await store.take { _ in
            DigestStep(digest, by: Self.officer, .create, fields, deliveries: .freeze(frozen), outcome: ())
        }
        return digest
    }

    /// Releases what was frozen, as a person does who sends a digest.
    func release(_ digest: RowID, wakes: Bool = true) async throws {
        try await store.take { _ in
            DigestStep(
                digest, by: Self.officer,
                deliveries: .release(from: now(), later: [:], until: now() + 86_400_000), outcome: ())
        }
        if wakes { courier.wake() }
    }

    /// Returns when every delivery of a digest is settled.
    /// - Throws: ``Failed`` if one was not sent: what is measured then is something else.
    func wait(until digest: RowID) async throws {
        while true {
            let status = try await store.reading { reader in
                guard let place = reader.catalogue["digest"]?.position(of: "status") else { return nil as String? }
                return try reader.rows("digest", ids: [digest]).first?.values[place].text
            }
            guard status == "sending" else {
                if status != "sent" { throw Failed() }
                return
            }
            // Nothing tells of a digest's end.
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    struct Failed: Error {}
}
