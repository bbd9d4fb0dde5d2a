import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// Nothing wakes anybody that nobody meant to.
struct QuietHoursTests {
    private static let hour: Int64 = 3_600_000

    /// A robot whose group sleeps from ten to eight.
    private func world(forNotices: Bool = false) async throws -> DigestWorld {
        let world = try await DigestWorld()
        _ = try await world.add(
            EndpointDraft(
                name: "机器人", channel: "wecom", address: "0123456789abcdef0123", quiet: "22:00-08:00",
                forNotices: forNotices))
        return world
    }

    @Test func `a plan that a server missed does not go out in the night when it is back`() async throws {
        let world = try await world()
        let time = world.fixture.time
        let approved = try await world.approved(channels: ["wecom"])
        let id = try world.row(approved.digest.id)
        // At 19:10, and back at 02:00.
        let at = time.now + (10 * Self.hour + 600_000)
        _ = try await world.desk.schedule(
            id, version: approved.digest.version, students: 3, at: at, missed: "send", by: OutreachFixture.author)
        time.advance(by: 17 * Self.hour)
        #expect(try await world.desk.releaseDue().map(\.result) == [.released])
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        #expect(try await world.desk.report(id, for: OutreachFixture.author).deliveries.map(\.heldBy) == ["quiet"])
        time.advance(by: 6 * Self.hour - 1000)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `a time that somebody chose is kept, in the night too`() async throws {
        let world = try await world()
        let approved = try await world.approved(channels: ["wecom"])
        _ = try await world.desk.schedule(
            try world.row(approved.digest.id), version: approved.digest.version, students: 3,
            at: world.fixture.time.now + 14 * Self.hour + 600_000, missed: nil, by: OutreachFixture.author)
        world.fixture.time.advance(by: 14 * Self.hour + 600_000)
        #expect(try await world.desk.releaseDue().count == 1)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `a notice that an endpoint fails waits for the morning`() async throws {
        let world = try await world(forNotices: true)
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        world.fixture.time.advance(by: 14 * Self.hour)
        _ = try await world.released(channels: ["generic"])
        for _ in 0..<5 {
            try await world.settle(
                try await world.queue.lease(now: world.moment, limit: 9), as: .retryWait, outcome: .transient,
                code: "http_503", nextAt: world.fixture.time.now)
        }
        #expect(try await NoticePost(store: world.fixture.store) {}.post() == 1)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        world.fixture.time.advance(by: 9 * Self.hour)
        let morning = try await world.queue.lease(now: world.moment, limit: 9).filter { $0.target.channel == .wecom }
        #expect(morning.count == 1)
    }

    @Test func `what a vendor put off until after midnight does not go out then`() async throws {
        let world = try await world()
        world.fixture.time.advance(by: 12 * Self.hour)
        _ = try await world.released(channels: ["wecom"])
        try await world.settle(
            try await world.queue.lease(now: world.moment, limit: 9), as: .held, outcome: .quota,
            code: "dingtalk_90030",
            nextAt: world.fixture.time.now + 3 * Self.hour + 600_000)
        world.fixture.time.advance(by: 3 * Self.hour + 600_000)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
    }
}
