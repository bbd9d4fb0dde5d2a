import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// Letters, which all go through one server.
struct MailOutboxTests {
    @Test func `letters are handed over four at a time, whatever the number of mailboxes`() async throws {
        let world = try await DigestWorld()
        for number in 0..<10 { _ = try await world.add("邮箱\(number)", "email", "liaison\(number)@example.org") }
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        _ = try await world.released(channels: ["email", "generic"])
        let first = try await world.queue.lease(now: world.moment, limit: 99)
        #expect(first.count { $0.target.channel == .email } == 4)
        #expect(first.count { $0.target.channel == .generic } == 1)
        #expect(try await world.queue.lease(now: world.moment, limit: 99).isEmpty)
        try await world.arrived(Array(first.filter { $0.target.channel == .email }.prefix(1)))
        #expect(try await world.queue.lease(now: world.moment, limit: 99).count == 1)
    }

    @Test(arguments: ["no_mail_server", "login_refused", "unwelcome", "sender_refused", "unreachable", "smtp_535"])
    func `a mail server that cannot be used says nothing against a mailbox`(_ code: String) async throws {
        let world = try await DigestWorld()
        _ = try await world.add("联络员", "email", "liaison@example.org")
        let digest = try await world.released(channels: ["email"])
        for _ in 0..<8 {
            let leased = try await world.queue.lease(now: world.moment, limit: 9)
            #expect(leased.count == 1, "it is suspended for nothing")
            try await world.settle(
                leased, as: .retryWait, outcome: .transient, code: code, nextAt: world.fixture.time.now)
        }
        #expect(try await world.endpoints.notices(for: OutreachFixture.author).notices.isEmpty)
        // Given up at last, it still is not the mailbox's fault.
        world.fixture.time.advance(by: DigestDesk.lifetime)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        let listed = try await world.endpoints.list(for: OutreachFixture.author).endpoints
        #expect(listed.map(\.state) == ["active"] && listed.map(\.exhausted) == [0])
        #expect(try await world.report(digest).deliveries.map(\.state) == ["expired"])
        // What the server says of the mailbox is.
        _ = try await world.desk.redrive(
            try world.row(digest.digest.id), RedriveRequest(), by: OutreachFixture.author)
        for _ in 0..<5 {
            try await world.settle(
                try await world.queue.lease(now: world.moment, limit: 9), as: .retryWait, outcome: .transient,
                code: "smtp_450", nextAt: world.fixture.time.now)
        }
        #expect(try await world.report(digest).deliveries.map(\.heldBy) == ["suspended"])
    }
}
