import Foundation
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// How an endpoint that failed comes back, and what is told of it meanwhile.
struct EndpointMendingTests {
    private static let day: Int64 = 86_400_000

    /// A robot, a group that is told of failures, and a digest that is due.
    private struct Scene {
        let world: DigestWorld
        let robot: RowID
        let post: NoticePost

        init() async throws {
            world = try await DigestWorld()
            robot = try world.row(try await world.add("机器人", "wecom", "0123456789abcdef0123").endpoint.id)
            _ = try await world.add(
                EndpointDraft(name: "值班", channel: "generic", address: "https://example.com/duty", forNotices: true))
            post = NoticePost(store: world.fixture.store) {}
        }

        /// What is under way at the robot.
        func leased() async throws -> [LeasedDelivery] {
            try await world.queue.lease(now: world.moment, limit: 9).filter {
                $0.endpoint.row.description == robot.description
            }
        }

        /// A digest with something new in it is released, and the robot is found gone.
        func lose(_ round: Int) async throws {
            try await world.fixture.write([
                TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": .text("第\(round)版")])
            ])
            _ = try await world.released(channels: ["wecom"])
            try await world.fixture.store.record(
                try await leased().map { try gone($0) }, rules: StoreDeliveryQueue.rules)
        }

        func gone(_ delivery: LeasedDelivery) throws -> DeliveryResult {
            DeliveryResult(
                delivery: delivery.id.row, state: .failed, nextAt: nil, attempts: 1,
                outcome: "config", code: "wecom_93000", disablesEndpoint: true,
                attempt: AttemptRecord(
                    startedAt: world.fixture.time.now, finishedAt: world.fixture.time.now, status: 200, response: ""))
        }

        func notices() async throws -> [EndpointNotice] {
            try await world.endpoints.notices(for: OutreachFixture.author).notices.filter { $0.endpoint == "机器人" }
        }
    }

    @Test func `every outage is told, also after one that a person had mended`() async throws {
        let scene = try await Scene()
        let (world, time) = (scene.world, scene.world.fixture.time)
        for round in 1...2 {
            try await scene.lose(round)
            #expect(try await scene.post.post() == 1, "outage \(round) is told")
            #expect(try await scene.notices().map(\.closedAt).first == .some(nil))
            // A person mends it: a test arrives, and they let it go again.
            try await world.fixture.store.setState(.paused, of: scene.robot)
            _ = try await world.endpoints.resume(scene.robot, by: OutreachFixture.administrator)
            time.advance(by: Self.day)
            try await world.fixture.write([
                TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": .text("第\(round)版，续")])
            ])
            _ = try await world.released(channels: ["wecom"])
            try await world.arrived(try await scene.leased())
            #expect(try await scene.notices().allSatisfy { $0.closedAt != nil })
            #expect(try await scene.post.post() == 1, "its end \(round) is told")
            time.advance(by: Self.day)
        }
        #expect(try await scene.notices().count == 2)
    }

    @Test func `a test message that arrives ends an outage, and says that the endpoint is to be resumed`() async throws
    {
        let scene = try await Scene()
        let (world, store) = (scene.world, scene.world.fixture.store)
        try await scene.lose(1)
        #expect(try await scene.post.post() == 1)
        let now = world.fixture.time.now
        var attempt = AttemptRecord(startedAt: now, finishedAt: now, status: 200, response: "")
        (attempt.outcome, attempt.code) = ("sent", "sent")
        try await store.end(TrialResult(at: scene.robot, named: RowID(bits: 1), attempt))
        try await store.setState(.paused, of: scene.robot)
        #expect(try await scene.notices().map(\.closedAt) == [now.value])
        #expect(try await scene.post.post() == 1)
        // One after the other: who gets notices has not answered lately.
        var told: [String] = []
        while case let leased = try await world.queue.lease(now: world.moment, limit: 9), !leased.isEmpty {
            told += leased.map { String(decoding: $0.body, as: UTF8.self) }
            try await world.arrived(leased)
        }
        #expect(told.contains { $0.contains("端点已恢复：机器人") && $0.contains("roost endpoints resume") })
    }

    @Test func `a notice names what failed, not what came after it`() async throws {
        let world = try await DigestWorld()
        let endpoint = try await world.add("合作方", "generic", "https://example.com/hook")
        let store = world.fixture.store
        var leased: [LeasedDelivery] = []
        for round in 1...2 {
            try await world.fixture.write([
                TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": .text("第\(round)版")])
            ])
            _ = try await world.released(channels: ["generic"])
            leased += try await world.queue.lease(now: world.moment, limit: 9)
            // Warm, it takes more than one at a time.
            if round == 1 {
                try await world.arrived(leased)
                leased = []
                _ = try await world.add("别处", "generic", "https://example.com/other")
            }
        }
        try await world.fixture.write([
            TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": "第三版"])
        ])
        _ = try await world.released(channels: ["generic"])
        leased += try await world.queue.lease(now: world.moment, limit: 9)
        let own = leased.filter { $0.endpoint.row.description == endpoint.endpoint.id }
        try #require(own.count == 2)
        let now = world.fixture.time.now
        func result(_ delivery: LeasedDelivery, _ outcome: Outcome.Class, _ code: String) throws -> DeliveryResult {
            DeliveryResult(
                delivery: delivery.id.row, state: outcome == .sent ? .sent : .failed,
                nextAt: nil, attempts: 1, outcome: outcome.rawValue, code: code, disablesEndpoint: outcome == .config,
                attempt: AttemptRecord(startedAt: now, finishedAt: now, status: 200, response: ""))
        }
        try await store.record(
            [try result(own[0], .config, "http_410"), try result(own[1], .sent, "sent")],
            rules: StoreDeliveryQueue.rules)
        let notices = try await world.endpoints.notices(for: OutreachFixture.author).notices
        #expect(notices.map(\.code) == ["http_410"])
        #expect(notices.map(\.closedAt) == [nil])
    }

    @Test func `pausing and resuming does not lift a vendor's ban`() async throws {
        let scene = try await Scene()
        let (world, store) = (scene.world, scene.world.fixture.store)
        _ = try await world.released(channels: ["wecom"])
        let until = world.fixture.time.now + 610_000
        try await store.record(
            [
                DeliveryResult(
                    delivery: try #require(try await scene.leased().first).id.row, state: .held,
                    nextAt: until, attempts: 0, outcome: "rate_limited", code: "wecom_45009", endpointHeldUntil: until,
                    attempt: AttemptRecord(
                        startedAt: world.fixture.time.now, finishedAt: world.fixture.time.now, status: 200,
                        response: ""))
            ], rules: StoreDeliveryQueue.rules)
        _ = try await world.endpoints.resume(scene.robot, by: OutreachFixture.administrator)
        _ = try await world.endpoints.pause(scene.robot, by: OutreachFixture.administrator)
        _ = try await world.endpoints.resume(scene.robot, by: OutreachFixture.administrator)
        #expect(try await store.endpoint(scene.robot).heldUntil == until)
        // Entering the same address again is no way around it, another robot is under no ban.
        func heldUntil(afterEntering address: String) async throws -> Milliseconds? {
            _ = try await world.endpoints.edit(
                scene.robot, EndpointDraft(address: address), by: OutreachFixture.administrator)
            return try await store.endpoint(scene.robot).heldUntil
        }
        #expect(try await heldUntil(afterEntering: "0123456789abcdef0123") == until)
        #expect(try await heldUntil(afterEntering: "abcdef0123456789abcd") == nil)
    }

    @Test func `whoever unsubscribed stays so when an administrator pauses the mailbox`() async throws {
        let world = try await DigestWorld()
        let mailbox = try world.row(try await world.add("联络员", "email", "liaison@example.org").endpoint.id)
        try await world.fixture.store.unsubscribe(mailbox)
        let paused = try await world.endpoints.pause(mailbox, by: OutreachFixture.administrator)
        #expect(paused.note == "unsubscribed")
    }
}
