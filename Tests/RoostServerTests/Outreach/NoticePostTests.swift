import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// Who is told that endpoints fail.
struct NoticePostTests {
    /// An endpoint that fails, and one for notices.
    private struct Scene {
        let world: DigestWorld
        let post: NoticePost
        let office: RowID

        init() async throws {
            world = try await DigestWorld()
            post = NoticePost(store: world.fixture.store) {}
            _ = try await world.add("合作方", "generic", "https://example.com/hook")
            let office = try await world.add(
                EndpointDraft(
                    name: "值班群", channel: "wecom", address: "0123456789abcdef0123", keyword: "归巢", forNotices: true))
            self.office = try world.row(office.endpoint.id)
        }

        /// Lets the office get what is due, and the partner fail or not; what the office read.
        func turn(partnerFails: Bool) async throws -> [String] {
            let leased = try await world.queue.lease(now: world.moment, limit: 99)
            let notices = leased.filter { $0.endpoint.row.description == office.description }
            let others = leased.filter { $0.endpoint.row.description != office.description }
            try await world.arrived(notices)
            if partnerFails {
                try await world.settle(
                    others, as: .retryWait, outcome: .transient, code: "http_503", nextAt: world.fixture.time.now)
            } else {
                try await world.arrived(others)
            }
            return notices.map { FrozenMessage($0.body, on: .wecom)?.content ?? "" }
        }

        /// Lets attempts fail until the breaker opens, and the office read what is told of it.
        func fail() async throws -> [String] {
            for _ in 0..<5 { _ = try await turn(partnerFails: true) }
            _ = try await post.post()
            return try await turn(partnerFails: true)
        }

        /// Lets the next attempt succeed, and the office read what is told of it.
        func recover() async throws -> [String] {
            world.fixture.time.advance(by: 60_000)
            _ = try await turn(partnerFails: false)
            _ = try await post.post()
            return try await turn(partnerFails: false)
        }
    }

    @Test func `a failure is told once with what to do, and so is its end`() async throws {
        let scene = try await Scene()
        _ = try await scene.world.released(channels: ["generic"])
        #expect(try await scene.post.post() == 0)
        let told = try await scene.fail()
        let failure = try #require(told.first)
        #expect(told.count == 1)
        for words in ["【归巢】端点故障：合作方", "http_503", "有 1 条在等待", "将自动重试", "it is tried again by itself"] {
            #expect(failure.contains(words), "\(words) is not in: \(failure)")
        }
        #expect(try await scene.post.post() == 0)
        let notices = try await scene.world.endpoints.notices(for: OutreachFixture.author).notices
        #expect(notices.map(\.toldAt) == [scene.world.fixture.time.now.value])
        let recovery = try await scene.recover()
        #expect(recovery.count == 1)
        #expect(recovery.first?.contains("端点已恢复：合作方") == true)
        #expect(recovery.first?.contains("takes messages again") == true)
        #expect(try await scene.post.post() == 0)
    }

    @Test func `an endpoint that comes and goes is told of once in six hours`() async throws {
        let scene = try await Scene()
        var told: [String] = []
        for round in 0..<3 {
            try await scene.world.fixture.write([
                TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": .text("第\(round)版")])
            ])
            _ = try await scene.world.released(channels: ["generic"])
            told += try await scene.fail()
            if round < 2 { told += try await scene.recover() }
        }
        #expect(told.count == 2, "one failure and its end")
        scene.world.fixture.time.advance(by: NoticePost.window)
        #expect(try await scene.post.post() == 1, "it still fails")
    }

    @Test func `digests do not go where notices go, and nobody is told of oneself`() async throws {
        let scene = try await Scene()
        let digest = try await scene.world.released(channels: ["generic", "wecom"])
        #expect(digest.deliveries.map(\.endpoint) == ["合作方"])
        try await scene.world.settle(
            try await scene.world.queue.lease(now: scene.world.moment, limit: 9), as: .failed, outcome: .content,
            code: "http_413")
        // What no receiver takes says nothing against it.
        #expect(try await scene.post.post() == 0)
        let store = scene.world.fixture.store
        let now = scene.world.fixture.time.now
        var attempt = AttemptRecord(startedAt: now, finishedAt: now, status: nil, response: "")
        (attempt.outcome, attempt.code) = ("config", "wecom_93000")
        try await store.end(TrialResult(at: scene.office, named: RowID(bits: 1), attempt))
        #expect(try await scene.post.post() == 0)
    }
}
