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
        let notices = try await world.endpoints.notices(for: OutreachFixture.author).notices
        #expect(notices.map(\.endpoint) == [EndpointRecord.mailServer.name])
        #expect(notices.map(\.failures) == [8] && notices.map(\.code) == [code])
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
        // The server answers, so its own notice is closed; the mailbox has one now.
        let open = try await world.endpoints.notices(for: OutreachFixture.author).notices.filter { $0.closedAt == nil }
        #expect(open.map(\.endpoint) == ["联络员"])
    }

    @Test(arguments: ["no_mail_server", "login_refused", "unreachable"])
    func `that the mail server cannot be used is told once for all mailboxes, and so is its end`(_ code: String)
        async throws
    {
        let world = try await DigestWorld()
        for number in 0..<3 { _ = try await world.add("邮箱\(number)", "email", "liaison\(number)@example.org") }
        let office = try await world.add(
            EndpointDraft(name: "值班群", channel: "wecom", address: "0123456789abcdef0123", forNotices: true))
        // It cannot be told by letter that no letter goes out.
        _ = try await world.add(
            EndpointDraft(name: "值班邮箱", channel: "email", address: "office@example.org", forNotices: true))
        _ = try await world.released(channels: ["email"])
        let post = NoticePost(store: world.fixture.store) {}
        let fixture = world.fixture
        func fail() async throws {
            let leased = try await world.queue.lease(now: world.moment, limit: 9)
            #expect(leased.count == 3)
            try await world.settle(
                leased, as: .retryWait, outcome: .transient, code: code, nextAt: fixture.time.now + 300_000)
        }
        func read() async throws -> [String] {
            _ = try await post.post()
            let notices = try await world.queue.lease(now: world.moment, limit: 9).filter {
                $0.endpoint.row.description == office.endpoint.id
            }
            try await world.arrived(notices)
            return notices.map { FrozenMessage($0.body, on: .wecom)?.content ?? "" }
        }
        try await fail()
        #expect(try await read().isEmpty, "it may just be starting")
        fixture.time.advance(by: 300_000)
        try await fail()
        let told = try await read()
        #expect(told.count == 1)
        let failure = try #require(told.first)
        for words in ["邮件服务器故障", code, "有 3 封邮件在等待", "自动", "3 letters wait", "by itself"] {
            #expect(failure.contains(words), "\(words) is not in: \(failure)")
        }
        fixture.time.advance(by: 300_000)
        try await fail()
        #expect(try await read().isEmpty, "it is told once")
        fixture.time.advance(by: 300_000)
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        let recovery = try await read()
        #expect(recovery.count == 1 && recovery.first?.contains("邮件服务器已恢复") == true)
        #expect(try await read().isEmpty)
        let notices = try await world.endpoints.notices(for: OutreachFixture.author).notices
        #expect(notices.map(\.endpoint) == [EndpointRecord.mailServer.name] && notices.first?.closedAt != nil)
    }

    @Test func `that nobody can be told of the mail server is for whoever runs the server to read`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("联络员", "email", "liaison@example.org")
        let office = try await world.add(
            EndpointDraft(name: "值班邮箱", channel: "email", address: "office@example.org", forNotices: true))
        _ = try await world.released(channels: ["email"])
        let post = NoticePost(store: world.fixture.store) {}
        let doctor = Doctor(DataDirectory(path: world.fixture.directory) { world.fixture.time.now })
        func findings() -> [Doctor.Finding] { doctor.findings().filter { $0.check == "endpoints" } }
        #expect(findings().map(\.level) == [.good])
        for _ in 0..<2 {
            try await world.settle(
                try await world.queue.lease(now: world.moment, limit: 9), as: .retryWait, outcome: .transient,
                code: "login_refused", nextAt: world.fixture.time.now + 300_000)
            world.fixture.time.advance(by: 300_000)
        }
        #expect(try await post.post() == 0)
        let unheard = try await post.unheard()
        #expect(unheard.map(\.code) == ["login_refused"])
        #expect(try await post.unheard().isEmpty, "the log has it once")
        let finding = try #require(findings().first)
        #expect(finding.level == .warning && finding.message.en.contains("login_refused"))
        #expect(finding.advice?.en.contains("--for-notices") == true)
        // A mailbox is no help, a robot is, once it has been tested.
        _ = try await world.add(
            EndpointDraft(name: "值班群", channel: "wecom", address: "0123456789abcdef0123", forNotices: true))
        #expect(findings().first?.advice?.en.contains("--for-notices") == false)
        #expect(try await post.post() == 1)
        try await world.arrived(
            try await world.queue.lease(now: world.moment, limit: 9).filter {
                $0.endpoint.row.description != office.endpoint.id
            })
        #expect(findings().map(\.level) == [.good])
    }
}
