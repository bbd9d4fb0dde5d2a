import Foundation
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import Synchronization

/// A server's outbox in this process, with endpoints that lead to a sink.
final class BenchOutbox: Sendable {
    private let store: ServerStore
    private let desk: EndpointDesk
    private let arrivals: Arrivals
    private let body: [UInt8]
    private let url: String
    private let authorities: String?
    private let courier: Courier

    private static let officer = RowID(naming: "bench", "administrator")

    /// `authorities` is the PEM file to trust a sink behind TLS by.
    init(directory: String, url: String, authorities: String?, body: [UInt8], concurrency: Int) async throws {
        let catalogue = Catalogue.programme.withConflicts(about: Programme.subject)
        store = try ServerStore(directory: directory, catalogue: catalogue, clock: now)
        try ServerKey.create(in: directory)
        let key = try ServerKey(directory: directory)
        let settings = CourierSettings.testing(weComBase: url)
        let arrivals = Arrivals()
        courier = Courier(store: store, key: key, settings: settings, maximumInFlight: concurrency) { event in
            if case .attempted(let result) = event { arrivals.add(result.outcome.class == .sent) }
        }
        let courier = courier
        desk = EndpointDesk(store: store, key: key, settings: settings, transport: courier.transport) { courier.wake() }
        self.arrivals = arrivals
        self.body = body
        self.url = url
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

    /// Adds endpoints as if their test messages had arrived.
    func addEndpoints(_ count: Int, _ channel: Channel) async throws -> [RowID] {
        var endpoints: [RowID] = []
        for number in 0..<count {
            let address =
                channel == .generic ? url + "/hook/\(number)" : "00000000-0000-4000-8000-\(100_000_000_000 + number)"
            let added = try await desk.add(
                EndpointDraft(
                    name: "\(channel.rawValue) \(number)", channel: channel.rawValue, address: address,
                    authority: authorities), by: Self.officer)
            guard let id = RowID(added.endpoint.id) else { continue }
            try await store.setState(.active, of: id)
            endpoints.append(id)
        }
        return endpoints
    }

    /// Returns when every one has been answered; the moment before they were released.
    @discardableResult
    func send(_ parts: Int, to endpoints: [RowID]) async throws -> ContinuousClock.Instant {
        let goal = arrivals.count + parts * endpoints.count
        let start = try await release(parts, to: endpoints)
        try await arrivals.wait(for: goal)
        return start
    }

    /// Freezes and releases so many deliveries to each endpoint.
    func release(_ parts: Int, to endpoints: [RowID]) async throws -> ContinuousClock.Instant {
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
        let start = ContinuousClock.now
        try await store.take { _ in
            DigestStep(
                digest, by: Self.officer,
                deliveries: .release(from: now(), later: [:], until: now() + 86_400_000), outcome: ())
        }
        courier.wake()
        return start
    }
}

/// Counts answers, and lets somebody wait for so many.
private final class Arrivals: Sendable {
    private struct State {
        var count = 0
        var failures = 0
        var waiter: (goal: Int, continuation: CheckedContinuation<Void, Never>)?
    }

    struct Failed: Error { let count: Int }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    func add(_ isSent: Bool) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.count += 1
            if !isSent { state.failures += 1 }
            guard let waiter = state.waiter, state.count >= waiter.goal else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume()
    }

    /// - Throws: ``Failed`` if one was not sent: what is measured then is something else.
    func wait(for goal: Int) async throws {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                if state.count < goal { state.waiter = (goal, continuation) }
                return state.count >= goal
            }
            if isReached { continuation.resume() }
        }
        let failures = state.withLock { $0.failures }
        guard failures == 0 else { throw Failed(count: failures) }
    }
}
