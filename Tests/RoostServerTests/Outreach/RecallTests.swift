import Curl
import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

@testable import RoostServer

/// What a sender has taken and not begun when somebody stops it.
struct RecallTests {
    /// Answers each request when the test says so.
    private final class Held: HTTPTransport {
        private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])
        let begun = Mutex(0)
        let (beginnings, begins) = AsyncStream.makeStream(of: Void.self)

        func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
            await withCheckedContinuation { continuation in
                waiting.withLock { $0.append(continuation) }
                begun.withLock { $0 += 1 }
                begins.yield()
            }
            return HTTPResponse(status: 200)
        }

        func answer() {
            let continuations = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for continuation in continuations { continuation.resume() }
        }
    }

    enum Stop: CaseIterable {
        case cancel, pauseEndpoint, skipBacklog, pauseAll
    }

    /// A webhook that has answered lately and takes four at a time, and a digest of more messages to it.
    private struct Scene {
        static let messages = 12
        let world: DigestWorld
        let endpoint: RowID
        let digest: RowID
        let transport = Held()
        let courier: Courier

        init() async throws {
            world = try await DigestWorld()
            endpoint = try world.row(try await world.add("合作方", "generic", "https://example.com/hook").endpoint.id)
            _ = try await world.released(channels: ["generic"])
            try await world.arrived(try await world.queue.lease(now: world.moment, limit: 1))
            let (store, now) = (world.fixture.store, world.fixture.time.now)
            let digest = try world.row(try await world.compose(channels: ["generic"]).digest.id)
            self.digest = digest
            let endpoint = endpoint
            let frozen = FrozenDigest(
                deliveries: (1...Self.messages).map { part in
                    FrozenDelivery(
                        id: RowID(milliseconds: now.value, random: UInt128(part)), endpoint: endpoint, part: part,
                        parts: Self.messages, contentType: "application/json", body: Array("{\"part\":\(part)}".utf8))
                },
                audience: AudienceRecord(
                    sentence: Label("所有人", "everybody"), students: 0, frozenAt: now, members: [:]),
                told: [])
            try await store.take { _ in
                DigestStep(digest, by: OutreachFixture.author, deliveries: .freeze(frozen), outcome: ())
            }
            try await store.take { _ in
                DigestStep(
                    digest, by: OutreachFixture.author, .edit, ["status": "sending"],
                    deliveries: .release(from: now, later: [:], until: now + 86_400_000), outcome: ())
            }
            courier = Courier(
                store: store, key: world.fixture.key, settings: world.settings, transport: transport,
                clock: FixedClock(time: world.fixture.time), observe: { _ in })
        }

        func fourHaveBegun() async {
            var begun = 0
            for await _ in transport.beginnings {
                begun += 1
                if begun == 4 { break }
            }
        }

        func states() async throws -> [String: Int] {
            let report = try await world.desk.report(digest, for: OutreachFixture.author)
            return Dictionary(grouping: report.deliveries, by: \.state).mapValues(\.count)
        }

        func stop(_ stop: Stop) async throws {
            switch stop {
            case .cancel: _ = try await world.desk.cancel(digest, version: "", by: OutreachFixture.author)
            case .pauseEndpoint: _ = try await world.endpoints.pause(endpoint, by: OutreachFixture.administrator)
            case .skipBacklog: _ = try await world.fixture.store.skipBacklog(of: endpoint)
            case .pauseAll: try await world.fixture.store.pauseSending("operator")
            }
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: Stop.allCases)
    func `what had not begun when somebody stopped it is not sent`(_ stop: Stop) async throws {
        let scene = try await Scene()
        let running = Task { try await scene.courier.run() }
        await scene.fourHaveBegun()
        // All are taken, four are under way.
        #expect(try await scene.states() == ["leased": Scene.messages])
        try await scene.stop(stop)
        let meanwhile = try await scene.world.desk.report(scene.digest, for: OutreachFixture.author).deliveries
        #expect(meanwhile.allSatisfy { $0.state != "leased" || $0.instructionZH == nil }, "it is still under way")
        scene.courier.wake()
        scene.transport.answer()
        scene.courier.drain()
        try await running.value
        #expect(scene.transport.begun.withLock { $0 } == 4)
        let rest = Scene.messages - 4
        switch stop {
        case .cancel:
            #expect(try await scene.states() == ["sent": 4, "cancelled": rest])
            let report = try await scene.world.desk.report(scene.digest, for: OutreachFixture.author)
            #expect(report.digest.status == "partly_sent")
            #expect(report.deliveries.contains { $0.instructionZH?.contains("推送已取消") == true })
        case .skipBacklog: #expect(try await scene.states() == ["sent": 4, "cancelled": rest])
        case .pauseEndpoint, .pauseAll: #expect(try await scene.states() == ["sent": 4, "held": rest])
        }
        #expect(scene.world.fixture.store.recalled.isEmpty)
    }

    @Test(.timeLimit(.minutes(2))) func `what was paused while it was taken goes once it is resumed`() async throws {
        let scene = try await Scene()
        let running = Task { try await scene.courier.run() }
        await scene.fourHaveBegun()
        try await scene.stop(.pauseEndpoint)
        scene.transport.answer()
        scene.courier.drain()
        try await running.value
        scene.world.fixture.time.advance(by: 2000)
        _ = try await scene.world.endpoints.resume(scene.endpoint, by: OutreachFixture.administrator)
        var sent = 4
        while sent < Scene.messages {
            let leased = try await scene.world.queue.lease(now: scene.world.moment, limit: 99)
            try #require(!leased.isEmpty)
            sent += leased.count
            try await scene.world.arrived(leased)
        }
        #expect(try await scene.states() == ["sent": Scene.messages])
    }
}
