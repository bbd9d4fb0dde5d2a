import Curl
import Foundation
import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// The queue's laws over real SQLite.
struct DigestOutboxTests {
    @Test func `what is leased is not leased again, and only so much at once`() async throws {
        let world = try await DigestWorld()
        for number in 1...3 { _ = try await world.add("合作方\(number)", "generic", "https://example.com/\(number)") }
        _ = try await world.released()
        let queue = world.queue
        let first = try await queue.lease(now: world.moment, limit: 2)
        let second = try await queue.lease(now: world.moment, limit: 9)
        #expect(first.count == 2)
        #expect(second.count == 1)
        #expect(Set((first + second).map(\.webhookID)).count == 3)
        #expect(try await queue.lease(now: world.moment, limit: 9).isEmpty)
    }

    @Test func `what goes to who has not answered lately is carried out apart`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        /// Whether the next message is, after so many milliseconds.
        func isApart(after wait: Int64, _ policy: RowID) async throws -> Bool {
            let draft = try await world.desk.compose(
                DigestDraft(
                    title: "政策", items: [DigestDraft.Item(collection: "policy", id: policy.description)],
                    audience: "cohort>=2026", channels: ["generic"]), by: OutreachFixture.author)
            _ = try await world.send(try await world.approve(draft))
            world.fixture.time.advance(by: wait)
            let leased = try await world.queue.lease(now: world.moment, limit: 9)
            try await world.arrived(leased)
            let delivery = try #require(leased.first)
            guard case .post(let request) = OutwardRequest(for: delivery, settings: world.settings, now: world.moment)
            else { throw LoopbackReceiver.Failure() }
            return request.isDoubtful
        }
        let policies = try await world.addLongPolicies(3)
        #expect(try await isApart(after: 0, policies[0]))
        #expect(try await !isApart(after: 59_000, policies[1]))
        #expect(try await isApart(after: 60_000, policies[2]))
    }

    @Test func `nothing is due before its time, nor at an endpoint that is paused`() async throws {
        let world = try await DigestWorld()
        let endpoint = try await world.add("合作方", "generic", "https://example.com/hook").endpoint
        _ = try await world.released()
        let earlier = Moment(milliseconds: world.moment.milliseconds - 1)
        #expect(try await world.queue.lease(now: earlier, limit: 9).isEmpty)
        let id = try world.row(endpoint.id)
        _ = try await world.endpoints.pause(id, by: OutreachFixture.administrator)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        _ = try await world.endpoints.resume(id, by: OutreachFixture.administrator)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `after a crash a webhook goes out again under its id, a robot's message is uncertain`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let digest = try await world.released()
        let taken = try await world.queue.lease(now: world.moment, limit: 9)
        #expect(taken.count == 2)
        // The process died; another one starts.
        try await world.queue.recover()
        let again = try await world.queue.lease(now: world.moment, limit: 9)
        #expect(again.map(\.webhookID) == taken.filter { $0.target.channel == .generic }.map(\.webhookID))
        #expect(again.map(\.attempts) == [1])
        let report = try await world.report(digest)
        let robot = try #require(report.deliveries.first { $0.channel == "wecom" })
        #expect(robot.state == "uncertain")
        #expect(robot.instructionZH?.isEmpty == false)
        #expect(report.digest.status == "sending")

        let id = try world.row(digest.digest.id)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.redrive(id, RedriveRequest(deliveries: [robot.id]), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "may_duplicate")
        let resent = try await world.desk.redrive(
            id, RedriveRequest(deliveries: [robot.id], acceptsDuplicates: true), by: OutreachFixture.author)
        #expect(resent.deliveries.first { $0.channel == "wecom" }?.state == "queued")
    }

    @Test func `a lease that runs out is settled while the server runs`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        _ = try await world.released()
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
        world.fixture.time.advance(by: 59_999)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        world.fixture.time.advance(by: 1)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `a robot gets one message at a time, in order, and twenty a minute`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        // Long enough for several parts.
        for number in 0..<24 {
            try await world.fixture.write([
                TrustedEdit(
                    "policy", RowID(bits: UInt128(0x1000 + number)), .create,
                    [
                        "code": .text("L-\(number)"), "title": .text("政策\(number)"),
                        "summary": .text(String(repeating: "长", count: 300)), "valid_from": "2025-01-01",
                    ])
            ])
        }
        let draft = try await world.desk.compose(
            DigestDraft(
                title: "长期次",
                items: (0..<24).map { .init(collection: "policy", id: RowID(bits: UInt128(0x1000 + $0)).description) },
                channels: ["wecom"]), by: OutreachFixture.author)
        let released = try await world.send(try await world.approve(draft))
        let parts = released.deliveries.count
        #expect(parts > 4)
        var order: [Int] = []
        while let delivery = try await world.queue.lease(now: world.moment, limit: 9).first {
            #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty, "two at a time")
            let row = try #require(try await world.report(released).deliveries.first { $0.state == "leased" })
            order.append(row.part)
            try await world.arrived([delivery])
        }
        #expect(order == Array(1...parts))
        // The minute's twenty: `parts` are used up, the others are other digests'.
        for number in 0..<20 {
            let item = DigestDraft.Item(collection: "policy", id: DigestWorld.policy.description, text: "其\(number)")
            let draft = try await world.desk.compose(
                DigestDraft(title: "短讯\(number)", items: [item], channels: ["wecom"]), by: OutreachFixture.author)
            _ = try await world.send(try await world.approve(draft))
        }
        func drained() async throws -> Int {
            var count = 0
            while let delivery = try await world.queue.lease(now: world.moment, limit: 9).first {
                count += 1
                try await world.arrived([delivery])
            }
            return count
        }
        #expect(try await drained() == 20 - parts)
        world.fixture.time.advance(by: 59_999)
        #expect(try await drained() == 0)
        // A little longer than the minute, because the vendor's clock does not tick with ours.
        world.fixture.time.advance(by: 501)
        #expect(try await drained() == parts)
    }

    @Test func `what could not be sent in time is given up, and the digest comes to its end`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let digest = try await world.released()
        world.fixture.time.advance(by: DigestDesk.lifetime)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        let report = try await world.report(digest)
        #expect(Set(report.deliveries.map(\.state)) == ["expired"])
        #expect(report.digest.status == "failed")
    }

    @Test(
        .timeLimit(.minutes(4)),
        arguments: [
            ("wecom", "0123456789abcdef0123", #"{"errcode":0,"errmsg":"ok"}"#),
            ("dingtalk", String(repeating: "0123456789abcdef", count: 4), #"{"errcode":0,"errmsg":"ok"}"#),
            ("feishu", "3fa2c0de-1b2c-4d5e-8f90-a1b2c3d4e5f6", #"{"code":0,"msg":"success","data":{}}"#),
        ])
    func `what a robot gets is byte for byte what the preview showed`(
        _ channel: String, _ key: String, _ words: String
    ) async throws {
        let receiver = try LoopbackReceiver(saying: words)
        let world = try await DigestWorld()
        _ = try await world.add("机器人", channel, key, keyword: "归巢")
        let draft = try await world.compose(channels: [channel])
        let id = try world.row(draft.digest.id)
        let shown = try await world.desk.preview(id, for: OutreachFixture.author).renderings.flatMap(\.parts)
        let approved = try await world.approve(draft)
        let frozen = try await world.desk.preview(id, for: OutreachFixture.author).renderings.flatMap(\.parts)
        _ = try await world.send(approved)
        // Off the full hour, which Feishu's robots keep away from.
        world.fixture.time.advance(by: 900_000)
        let courier = Courier(
            store: world.fixture.store, key: world.fixture.key,
            settings: .testing(weComBase: "http://127.0.0.1:\(receiver.port)"),
            clock: FixedClock(time: world.fixture.time), observe: { _ in })
        let running = Task { try await courier.run() }
        let post = try #require(await receiver.next())
        courier.drain()
        try await running.value
        #expect(frozen.map(\.body) == [String(decoding: post.body, as: UTF8.self)])
        #expect(shown.map(\.body) == frozen.map(\.body) && shown.map(\.bytes) == frozen.map(\.bytes))
        // A card holds its words in several places; frozen, it is shown as the body that it is.
        #expect(channel == "feishu" || shown.map(\.content) == frozen.map(\.content))
        #expect(frozen.first?.content.contains("【归巢】") == true)
        #expect(try await world.report(approved).deliveries.map(\.state) == ["sent"])
    }

    @Test(.timeLimit(.minutes(4)))
    func `a receiver that fails once gets one webhook-id with valid signatures, and the state survives`() async throws {
        let receiver = try LoopbackReceiver { $0 == 0 ? 503 : 200 }
        let world = try await DigestWorld()
        let added = try await world.add("合作方", "generic", "http://127.0.0.1:\(receiver.port)/hook")
        let secret = try WebhookSecret(try #require(added.secret))
        let draft = try await world.compose(channels: ["generic"])
        func preview() async throws -> DigestPreview {
            try await world.desk.preview(try world.row(draft.digest.id), for: OutreachFixture.author)
        }
        var shown = [try await preview()]
        let approved = try await world.approve(draft)
        shown.append(try await preview())
        let digest = try await world.send(approved)
        shown.append(try await preview())
        let store = world.fixture.store
        let time = world.fixture.time

        func posted() async throws -> ReceivedPost {
            let courier = Courier(
                store: store, key: world.fixture.key, settings: world.settings, clock: FixedClock(time: time),
                observe: { _ in })
            let running = Task { try await courier.run() }
            let post = try #require(await receiver.next())
            courier.drain()
            try await running.value
            return post
        }
        let first = try await posted()
        #expect(try await world.report(digest).deliveries.map(\.state) == ["retry_wait"])
        time.advance(by: 60_000)
        let second = try await posted()
        for post in [first, second] {
            let id = try #require(post.header("webhook-id"))
            let timestamp = try #require(post.header("webhook-timestamp").flatMap { Int64($0) })
            let signature = try #require(post.header("webhook-signature"))
            #expect(
                WebhookSignature.verify(
                    header: signature, id: WebhookID(id), timestamp: timestamp, body: post.body, secret: secret,
                    now: world.moment))
        }
        #expect(first.header("webhook-id") == second.header("webhook-id"))
        #expect(first.body == second.body)
        // Frozen, it is byte for byte what people were shown, before it was sent and after.
        shown.append(try await preview())
        #expect(shown.map(\.isFrozen) == [false, true, true, true])
        for preview in shown.dropFirst() {
            #expect(preview.renderings.flatMap(\.parts).map(\.body) == [String(decoding: first.body, as: UTF8.self)])
        }
        let report = try await world.report(digest)
        #expect(report.deliveries.map(\.state) == ["sent"])
        #expect(report.deliveries.map(\.attempts) == [2])
        #expect(report.digest.status == "sent")
        #expect(report.digest.sentAt == time.now.value)
    }
}

/// The fixture's time; it sleeps for as long as the task lives.
struct FixedClock: SenderClock {
    let time: ManualTime

    func now() -> Moment { Moment(milliseconds: time.now.value) }

    func sleep(for duration: Duration) async throws {
        // Nothing comes of waiting: the sender is woken by its own start and by results.
        for await _ in AsyncStream<Never>.makeStream().stream {}
        throw CancellationError()
    }
}
