import Curl
import Foundation
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// From the first test message to retirement.
struct EndpointLifeTests {
    private static let hour: Int64 = 3_600_000

    @Test(.timeLimit(.minutes(4)))
    func `what is for a new endpoint waits until a test message has arrived there`() async throws {
        let receiver = try LoopbackReceiver()
        let world = try await DigestWorld()
        let added = try await world.endpoints.add(
            EndpointDraft(name: "合作方", channel: "generic", address: "http://127.0.0.1:\(receiver.port)/hook"),
            by: OutreachFixture.administrator)
        #expect(added.endpoint.state == "untested")
        let digest = try await world.released(channels: ["generic"])
        #expect(digest.deliveries.map(\.heldBy) == ["untested"])
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.endpoints.resume(try world.row(added.endpoint.id), by: OutreachFixture.administrator)
        }
        #expect(refusal?.reason == "test_first")
        let test = try await world.endpoints.test(try world.row(added.endpoint.id), by: OutreachFixture.administrator)
        #expect(test.sent)
        #expect(test.endpoint.state == "active")
        #expect(test.endpoint.waiting == 1)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test(arguments: [
        "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x", "https://10.0.0.8/x",
        "https://169.254.169.254/",
        "https://2130706433/x", "https://0x7f000001/x", "https://0177.0.0.1/x",
    ])
    func `an address inside the house is refused when it is entered`(address: String) async throws {
        let world = try await DigestWorld()
        let desk = EndpointDesk(
            store: world.fixture.store, key: world.fixture.key, settings: .production(), transport: HTTPClient(),
            wake: {})
        let refusal = await #expect(throws: Refusal.self) {
            try await desk.add(
                EndpointDraft(name: "x", channel: "generic", address: address), by: OutreachFixture.administrator)
        }
        #expect(refusal?.code == .invalidEndpoint)
    }

    @Test func `a rotated secret signs beside the old one for its overlap and alone after it`() async throws {
        let world = try await DigestWorld()
        let added = try await world.add("合作方", "generic", "https://example.com/hook")
        let id = try world.row(added.endpoint.id)
        let old = try WebhookSecret(try #require(added.secret))
        let rotated = try await world.endpoints.rotate(
            id, EndpointRotation(overlapHours: 2), by: OutreachFixture.administrator)
        let new = try WebhookSecret(try #require(rotated.secret))
        _ = try await world.released(channels: ["generic"])
        func secrets() async throws -> [WebhookSecret] {
            let vault = EndpointVault(key: world.fixture.key, settings: world.settings)
            return try vault.secrets(of: try await world.fixture.store.endpoint(id)).signing(at: world.moment)
        }
        #expect(try await secrets() == [new, old])
        let leased = try #require(try await world.queue.lease(now: world.moment, limit: 1).first)
        guard case .generic(_, let used) = leased.target else { throw LoopbackReceiver.Failure() }
        #expect(used == [new, old])
        world.fixture.time.advance(by: 2 * Self.hour)
        #expect(try await secrets() == [new])
        // At most ten old ones are kept.
        for _ in 0..<15 {
            _ = try await world.endpoints.rotate(id, EndpointRotation(), by: OutreachFixture.administrator)
        }
        #expect(try await secrets().count == 11)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.endpoints.rotate(id, EndpointRotation(overlapHours: 200), by: OutreachFixture.administrator)
        }
        #expect(refusal?.reason == "overlap_range")
    }

    @Test func `five failures suspend an endpoint, one delivery tries it out, and success closes the notice`()
        async throws
    {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let digest = try await world.released(channels: ["generic"])
        for _ in 0..<5 {
            let leased = try await world.queue.lease(now: world.moment, limit: 9)
            #expect(leased.count == 1)
            try await world.settle(
                leased, as: .retryWait, outcome: .transient, code: "http_503", nextAt: world.fixture.time.now)
        }
        #expect(try await world.report(digest).deliveries.map(\.heldBy) == ["suspended"])
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        var notices = try await world.endpoints.notices(for: OutreachFixture.author).notices
        #expect(notices.map(\.failures) == [5])
        #expect(notices.map(\.closedAt) == [nil])
        #expect(notices.first?.instructionZH.isEmpty == false)
        world.fixture.time.advance(by: 60_000)
        let probe = try await world.queue.lease(now: world.moment, limit: 9)
        #expect(probe.map(\.attempts) == [5])
        try await world.arrived(probe)
        notices = try await world.endpoints.notices(for: OutreachFixture.author).notices
        #expect(notices.map(\.closedAt) == [world.fixture.time.now.value])
        #expect(try await world.report(digest).digest.status == "sent")
    }

    @Test func `a robot that is gone is disabled at once, and what is for it gathers until it is mended`() async throws
    {
        let world = try await DigestWorld()
        let added = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let digest = try await world.released(channels: ["wecom"])
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        try await world.fixture.store.record(
            [
                DeliveryResult(
                    delivery: try #require(leased.first).id.row, state: .failed, nextAt: nil,
                    attempts: 1, outcome: "config", code: "wecom_93000", disablesEndpoint: true,
                    attempt: AttemptRecord(
                        startedAt: world.fixture.time.now, finishedAt: world.fixture.time.now, status: 200,
                        response: "", vendorCode: 93000, vendorMessage: "invalid webhook url"))
            ], rules: StoreDeliveryQueue.rules)
        let listed = try await world.endpoints.list(for: OutreachFixture.author).endpoints
        #expect(listed.map(\.state) == ["disabled"])
        #expect(listed.map(\.note) == ["wecom_93000"])
        #expect(try await world.report(digest).digest.status == "failed")
        let log = try await world.desk.log(
            of: try world.row(try #require(digest.deliveries.first).id), for: OutreachFixture.author)
        #expect(log.attempts.map(\.vendorCode) == [93000])
        #expect(log.attempts.first?.instructionEN.contains("robot") == true)

        // Sent again it waits, until a person has mended and tested the robot.
        let id = try world.row(digest.digest.id)
        let again = try await world.desk.redrive(id, RedriveRequest(), by: OutreachFixture.author)
        #expect(again.digest.status == "sending")
        #expect(again.deliveries.map(\.heldBy) == ["disabled"])
        let endpoint = try world.row(added.endpoint.id)
        try await world.fixture.store.setState(.paused, of: endpoint)
        let resumed = try await world.endpoints.resume(endpoint, backlog: "skip", by: OutreachFixture.administrator)
        #expect(resumed.state == "active")
        #expect(resumed.waiting == 0)
        #expect(try await world.report(digest).digest.status == "cancelled")
    }

    @Test func `an endpoint is disabled for failing long and often, not for one bad night`() async throws {
        var health = EndpointHealth()
        func given(up result: DeliveryState, at moment: Int64) -> String? {
            let judged = EndpointPacing.judge(
                health, on: "generic",
                DeliveryResult(
                    delivery: RowID(bits: 1), state: result, nextAt: nil, attempts: 9, outcome: "transient",
                    code: "http_503"), now: Milliseconds(moment))
            health = judged.0
            return judged.disable
        }
        for count in 1...9 { #expect(given(up: .failed, at: Int64(count) * Self.hour) == nil) }
        #expect(given(up: .expired, at: 74 * Self.hour) == "failing_for_days")
    }

    @Test func `in quiet hours only what was meant for that hour goes out`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add(
            EndpointDraft(
                name: "机器人", channel: "wecom", address: "0123456789abcdef0123", quiet: "22:00-08:00"))
        // 09:00 to 23:00.
        world.fixture.time.advance(by: 14 * Self.hour)
        let digest = try await world.released(channels: ["wecom"])
        let first = try await world.queue.lease(now: world.moment, limit: 9)
        #expect(first.count == 1)
        try await world.settle(
            first, as: .retryWait, outcome: .transient, code: "http_503", nextAt: world.fixture.time.now)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        #expect(try await world.report(digest).deliveries.map(\.heldBy) == ["quiet"])
        world.fixture.time.advance(by: 9 * Self.hour)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `a restored server sends nothing until somebody resumes it, and doubts what robots may have got`()
        async throws
    {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let digest = try await world.released(channels: ["generic", "wecom"])
        try await world.fixture.store.pauseSending("new_epoch")
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        #expect(Set(try await world.report(digest).deliveries.map(\.heldBy)) == ["sending_paused"])
        #expect(
            try await world.fixture.store.resumeSending(doubting: DigestDesk.channelsWithoutIdentity).queued == 1)
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        #expect(leased.map(\.target.channel) == [.generic])
        let robot = try await world.report(digest).deliveries.first { $0.channel == "wecom" }
        #expect(robot?.state == "uncertain")
    }
}
