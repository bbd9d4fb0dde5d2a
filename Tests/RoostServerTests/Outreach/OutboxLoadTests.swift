import Curl
import Foundation
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

@testable import RoostServer

/// The outbox under many endpoints.
struct OutboxLoadTests {
    /// Releases so many parts to each endpoint, as a digest of that many messages would; `first` numbers the endpoints.
    private func release(
        _ parts: Int, to endpoints: [RowID], from first: Int = 0, in world: DigestWorld
    ) async throws {
        let digest = try world.row(try await world.compose().digest.id)
        let now = world.fixture.time.now
        let frozen = FrozenDigest(
            deliveries: endpoints.enumerated().flatMap { number, endpoint in
                (1...parts).map { part in
                    FrozenDelivery(
                        id: RowID(bits: UInt128(0x10_0000 + (first + number) * 1000 + part)), endpoint: endpoint,
                        part: part,
                        parts: parts, contentType: "application/json", body: Array("{\"part\":\(part)}".utf8))
                }
            },
            audience: AudienceRecord(sentence: Label("所有人", "everybody"), students: 0, frozenAt: now, members: [:]),
            told: [])
        try await world.fixture.store.take { _ in
            DigestStep(digest, by: OutreachFixture.author, deliveries: .freeze(frozen), outcome: ())
        }
        try await world.fixture.store.take { _ in
            DigestStep(
                digest, by: OutreachFixture.author,
                deliveries: .release(from: now, later: [:], until: now + 86_400_000), outcome: ())
        }
    }

    private func add(_ name: String, _ channel: Channel, _ address: String, to world: DigestWorld) async throws -> RowID
    {
        let vault = EndpointVault(key: world.fixture.key, settings: world.settings)
        let id = RowID(milliseconds: world.fixture.time.now.value, random: UInt128.random(in: .min ... .max))
        var record = EndpointRecord(
            id: id, name: name, channel: channel.rawValue,
            sealedAddress: try vault.sealedAddress(address, of: id), state: .active)
        if channel == .generic {
            record.sealedSecrets = try vault.sealedSecrets(WebhookSecretRing(.random()), of: id)
        }
        try await world.fixture.store.add(record)
        return id
    }

    /// A vendor that counts what arrives from one robot, and never forgives.
    private struct StrictVendor {
        let channel: Channel
        var arrivals: [Int64] = []

        /// Whether it still takes one that arrives now.
        mutating func takes(at moment: Int64) -> Bool {
            arrivals.append(moment)
            return channel.rateLimits.allSatisfy { limit in
                arrivals.count { $0 > moment - limit.window.milliseconds && $0 <= moment } <= limit.count
            }
        }
    }

    private struct Flight {
        let delivery: LeasedDelivery
        let arrival: Int64
        let end: Int64
    }

    @Test(.timeLimit(.minutes(5)))
    func `two hundred robots get what they take in a minute and never more, across a restart`() async throws {
        let world = try await DigestWorld()
        let channels: [Channel] = [.wecom, .dingtalk, .feishu]
        var vendors: [EndpointID: StrictVendor] = [:]
        var robots: [RowID] = []
        for number in 0..<200 {
            let channel = channels[number % 3]
            let id = try await add("机器人\(number)", channel, String(repeating: "k", count: 32), to: world)
            robots.append(id)
            vendors[EndpointID(id)] = StrictVendor(channel: channel)
        }
        try await release(23, to: robots, in: world)
        var random = SeededGenerator(seed: 7)
        var flights: [Flight] = []
        var (sent, uncertain, refused) = (0, 0, 0)
        var hasRestarted = false
        for _ in 0..<1000 where sent + uncertain < 200 * 23 {
            let now = world.fixture.time.now.value
            let ended = flights.filter { $0.end <= now }
            flights.removeAll { $0.end <= now }
            for flight in ended where vendors[flight.delivery.endpoint]?.takes(at: flight.arrival) == false {
                refused += 1
            }
            try await world.arrived(ended.map(\.delivery))
            sent += ended.count
            if !hasRestarted, sent > 2000 {
                hasRestarted = true
                // The process dies: half of what was under way has arrived. Somebody looks and marks all of it.
                for (index, flight) in flights.enumerated() where index.isMultiple(of: 2) {
                    let isTaken = vendors[flight.delivery.endpoint]?.takes(at: min(flight.arrival, now))
                    if isTaken == false { refused += 1 }
                }
                try await world.queue.recover()
                for flight in flights {
                    let id = flight.delivery.id.row
                    let digest = try #require(
                        try await world.fixture.store.reading { try $0.delivery(id)?.digest })
                    #expect(try await world.fixture.store.markDelivered([id], of: digest, reach: nil) == 1)
                }
                uncertain += flights.count
                flights = []
            }
            for delivery in try await world.queue.lease(now: world.moment, limit: 2048) {
                let time = Int64.random(in: 20...900, using: &random)
                flights.append(
                    Flight(
                        delivery: delivery, arrival: now + Int64.random(in: 1...time, using: &random), end: now + time))
            }
            world.fixture.time.advance(by: 250)
        }
        #expect(hasRestarted)
        #expect(refused == 0)
        #expect(sent + uncertain == 200 * 23)
        #expect(uncertain > 0)
    }

    /// Answers at once, but for addresses that hang until they are given up.
    private final class PartlyHanging: HTTPTransport {
        let hanging = Mutex(0)
        /// One for each that began to hang.
        let (silences, fellSilent) = AsyncStream.makeStream(of: Void.self)

        func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
            guard request.url.contains("hang") else { return HTTPResponse(status: 200) }
            hanging.withLock { $0 += 1 }
            fellSilent.yield()
            for await _ in AsyncStream<Never>.makeStream().stream {}
            throw CurlError(.cancelled)
        }
    }

    /// Sends `parts` to 64 healthy endpoints while `hung` others hang; how long the healthy ones took.
    private func run(_ parts: Int, besides hung: Int) async throws -> Duration {
        let world = try await DigestWorld()
        var (ill, well): ([RowID], [RowID]) = ([], [])
        for number in 0..<hung {
            ill.append(try await add("挂起\(number)", .generic, "https://example.com/hang/\(number)", to: world))
        }
        for number in 0..<64 {
            well.append(try await add("正常\(number)", .generic, "https://example.com/well/\(number)", to: world))
        }
        let transport = PartlyHanging()
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let courier = Courier(
            store: world.fixture.store, key: world.fixture.key, settings: world.settings, transport: transport,
            clock: FixedClock(time: world.fixture.time)
        ) { event in
            if case .attempted(let result) = event, result.outcome.class == .sent { arrived.yield() }
        }
        let running = Task { try await courier.run() }
        if hung > 0 {
            try await release(parts, to: ill, in: world)
            courier.wake()
            var silent = 0
            for await _ in transport.silences {
                silent += 1
                if silent == hung { break }
            }
        }
        // Those that hang have begun to: what is measured is what they cost while they do.
        try await release(parts, to: well, from: hung, in: world)
        let clock = ContinuousClock()
        let start = clock.now
        courier.wake()
        var count = 0
        for await _ in arrivals {
            count += 1
            if count == 64 * parts { break }
        }
        let duration = clock.now - start
        // Each of the others has one delivery under way, and no more than one.
        #expect(transport.hanging.withLock { $0 } == hung)
        running.cancel()
        _ = try await running.value
        return duration
    }

    @Test(.timeLimit(.minutes(5)))
    func `a thousand receivers that hang delay nobody else`() async throws {
        let alone = try await run(20, besides: 0)
        let beside = try await run(20, besides: 1000)
        // Of a machine that does other things at the same time only the order of magnitude can be asked.
        let isMeasuring = ProcessInfo.processInfo.environment["ROOST_MEASURE"] != nil
        #expect(beside < alone * (isMeasuring ? 1.05 : 20), "\(alone) alone, \(beside) beside a thousand that hang")
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}
