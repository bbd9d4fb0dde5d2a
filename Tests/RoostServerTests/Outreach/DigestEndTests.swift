import Curl
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// How a digest comes to its end where machines alone cannot bring it there.
struct DigestEndTests {
    @Test func `what nobody can be sure of ends a digest as partly sent, until somebody has looked`() async throws {
        let world = try await DigestWorld()
        for number in 1...3 { _ = try await world.add("机器人\(number)", "wecom", "0123456789abcdef012\(number)") }
        let digest = try await world.released(channels: ["wecom"])
        let id = try world.row(digest.digest.id)
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        try await world.arrived(Array(leased.prefix(1)))
        try await world.settle(Array(leased.dropFirst()), as: .uncertain, outcome: .uncertain, code: "timed_out")
        var report = try await world.report(digest)
        #expect(report.digest.status == "partly_sent")
        #expect(report.digest.sentAt != nil)
        #expect(report.instructionZH?.hasPrefix("2 条无法确认是否送达") == true)
        #expect(report.instructionEN?.hasPrefix("2 may or may not have arrived") == true)

        // One is there.
        let doubtful = report.deliveries.filter { $0.state == "uncertain" }
        report = try await world.desk.markSent(try world.row(doubtful[0].id), reach: nil, by: OutreachFixture.author)
        #expect(report.digest.status == "partly_sent")
        #expect(report.instructionZH?.hasPrefix("1 条") == true)
        // The other is not, and is sent once more.
        report = try await world.desk.redrive(
            id, RedriveRequest(deliveries: [doubtful[1].id], acceptsDuplicates: true), by: OutreachFixture.author)
        #expect(report.digest.status == "sending")
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        report = try await world.report(digest)
        #expect(report.digest.status == "sent")
        #expect(report.instructionZH == nil && report.instructionEN == nil)
    }

    @Test func `a restored server leaves no digest behind that says it is being sent`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let digest = try await world.released(channels: ["wecom"])
        let store = world.fixture.store
        try await store.pauseSending("new_epoch")
        #expect(try await store.resumeSending(doubting: DigestDesk.channelsWithoutIdentity).queued == 1)
        let report = try await world.report(digest)
        #expect(report.digest.status == "partly_sent")
        #expect(report.deliveries.first?.instructionZH?.contains("恢复自备份") == true)
    }

    @Test(arguments: [DeliveryState.sent, .failed, .retryWait])
    func `what a sender learns that stood still for longer than a lease counts where it is certain`(
        _ result: DeliveryState
    ) async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let digest = try await world.released(channels: ["wecom"])
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        world.fixture.time.advance(by: 61_000)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        #expect(try await world.report(digest).deliveries.map(\.code) == ["sender_lost"])
        let outcome: Outcome.Class =
            switch result {
            case .sent: .sent
            case .failed: .content
            default: .transient
            }
        try await world.settle(leased, as: result, outcome: outcome, code: "late", nextAt: world.fixture.time.now)
        let report = try await world.report(digest)
        // Somebody may have looked meanwhile: it does not go out by itself.
        #expect(report.deliveries.map(\.state) == [result == .retryWait ? "uncertain" : result.rawValue])
        #expect(report.digest.status == (result == .retryWait ? "partly_sent" : result.rawValue))
    }

    @Test func `in a group that no machine speaks to, somebody posts the text and says how many it reached`()
        async throws
    {
        let world = try await DigestWorld()
        let draft = try await world.compose(channels: ["manual"])
        let preview = try await world.desk.preview(try world.row(draft.digest.id), for: OutreachFixture.author)
        #expect(preview.renderings.map(\.endpoints) == [["2026届群"]])
        #expect(preview.renderings.first?.parts.first?.content.contains("人才公寓申请办法") == true)
        let digest = try await world.send(try await world.approve(draft))
        #expect(digest.deliveries.map(\.state) == ["manual_pending"])
        #expect(digest.deliveries.map(\.endpoint) == ["2026届群"])
        #expect(digest.instructionZH?.contains("1 条待人工发送") == true)
        let marked = try await world.desk.markSent(
            try world.row(digest.deliveries[0].id), reach: 47, by: OutreachFixture.author)
        #expect(marked.digest.status == "sent")
        #expect(marked.deliveries.map(\.reach) == [47])

        // What was posted there is not new there again, and a robot that comes later takes the person's place.
        let again = await #expect(throws: Refusal.self) { try await world.approved(channels: ["manual"]) }
        #expect(again?.reason == "nothing_new")
        _ = try await world.add("2026届机器人", "wecom", "0123456789abcdef0123", group: DigestWorld.group)
        let later = try await world.released(channels: ["wecom", "manual"])
        #expect(later.deliveries.map(\.endpoint) == ["2026届机器人"])
    }

    @Test func `who posted all parts in one group says so once, of that group alone`() async throws {
        let world = try await DigestWorld()
        let items = try await world.addLongPolicies(12)
        _ = try await world.add("人工", "manual", nil)
        let draft = try await world.desk.compose(
            DigestDraft(
                title: "长推送", items: items.map { .init(collection: "policy", id: $0.description) },
                audience: "cohort>=2026", channels: ["manual"]), by: OutreachFixture.author)
        let digest = try await world.send(try await world.approve(draft))
        let id = try world.row(digest.digest.id)
        let own = digest.deliveries.filter { $0.endpoint == "2026届群" }
        try #require(own.count > 2 && digest.deliveries.contains { $0.endpoint == "人工" })
        let place = try #require(
            try await world.endpoints.list(for: OutreachFixture.author).endpoints.first { $0.name == "2026届群" })
        let endpoint = try world.row(place.id)
        // The first part was posted and noted by itself; what was said of it stays.
        _ = try await world.desk.markSent(try world.row(own[0].id), reach: 40, by: OutreachFixture.author)
        let marked = try await world.desk.markSent(id, at: endpoint, reach: 47, by: OutreachFixture.author)
        let parts = marked.deliveries.filter { $0.endpoint == "2026届群" }
        #expect(parts.allSatisfy { $0.state == "manual_done" })
        #expect(parts.map(\.reach) == [40] + Array(repeating: 47, count: parts.count - 1))
        #expect(marked.deliveries.filter { $0.endpoint == "人工" }.allSatisfy { $0.state == "manual_pending" })
        #expect(marked.digest.status == "sending")
        let again = await #expect(throws: Refusal.self) {
            try await world.desk.markSent(id, at: endpoint, reach: 47, by: OutreachFixture.author)
        }
        #expect(again?.reason == "not_waiting")
        await #expect(throws: Refusal.self) {
            try await world.desk.markSent(id, at: endpoint, reach: 47, by: OutreachFixture.collector)
        }
    }

    @Test func `two groups of one name are told apart, and one whose person is paused is left out`() async throws {
        let world = try await DigestWorld()
        try await world.fixture.write([
            TrustedEdit(
                "contact_group", RowID(bits: 0xB6), .create,
                ["name": "2026届群", "platform": "qq", "cohort": 2026])
        ])
        let first = try await world.released(channels: ["manual"])
        #expect(Set(first.deliveries.map(\.endpoint)) == ["2026届群", "2026届群（00b6）"])
        let person = try #require(
            try await world.endpoints.list(for: OutreachFixture.author).endpoints.first { $0.name == "2026届群" })
        _ = try await world.endpoints.pause(try world.row(person.id), by: OutreachFixture.administrator)
        try await world.fixture.write([
            TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": "名额增加。"])
        ])
        let second = try await world.released(channels: ["manual"])
        #expect(second.deliveries.map(\.endpoint) == ["2026届群（00b6）"])
    }

    @Test func `what nobody said was posted is given up in time, and may be said later`() async throws {
        let world = try await DigestWorld()
        let digest = try await world.released(channels: ["manual"])
        world.fixture.time.advance(by: DigestDesk.lifetime)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        let report = try await world.report(digest)
        #expect(report.deliveries.map(\.state) == ["expired"])
        #expect(report.deliveries.first?.instructionZH?.contains("补标") == true)
        #expect(report.digest.status == "failed")
        let marked = try await world.desk.markSent(
            try world.row(digest.deliveries[0].id), reach: 12, by: OutreachFixture.author)
        #expect(marked.digest.status == "sent")
    }

    @Test func `a plan of reminders drafts what ends soon after its time, and not what is over by then`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let time = world.fixture.time
        func ending(_ row: UInt64, _ title: String, afterDays days: Int) -> TrustedEdit {
            TrustedEdit(
                "policy", RowID(bits: UInt128(row)), .create,
                [
                    "code": .text(title), "title": .text(title),
                    "valid_to": .text(ChinaTime.date(days: ChinaTime(time.now).days + days)),
                ])
        }
        let plan = try await world.desk.add(
            ScheduleDraft(
                name: "截止提醒", cadence: "weekly", day: 3, time: "19:10", channels: ["generic"], endingWithin: 7),
            by: OutreachFixture.author)
        #expect(plan.endingWithin == 7)
        time.advance(by: plan.nextAt - 2 * 86_400_000 - time.now.value)
        try await world.fixture.write([
            ending(0x501, "明天截止", afterDays: 1), ending(0x502, "当天截止", afterDays: 2),
            ending(0x503, "七天内截止", afterDays: 9), ending(0x504, "还早", afterDays: 10),
        ])
        #expect(try await world.desk.draftDue() == ["made"])
        let draft = try #require(try await world.desk.list(for: OutreachFixture.author).digests.first)
        #expect(draft.kind == "reminder")
        #expect(draft.scheduledAt == plan.nextAt)
        let preview = try await world.desk.preview(try world.row(draft.id), for: OutreachFixture.author)
        let text = try #require(preview.renderings.first?.parts.first?.content)
        #expect(text.contains("【截止提醒】") && text.contains("当天截止") && text.contains("七天内截止"))
        #expect(!text.contains("明天截止") && !text.contains("还早"))
        for days in [0, 61] {
            let refusal = await #expect(throws: Refusal.self) {
                try await world.desk.add(
                    ScheduleDraft(name: "x", cadence: "weekly", day: 3, time: "19:10", endingWithin: days),
                    by: OutreachFixture.author)
            }
            #expect(refusal?.reason == "schedule_form")
        }
    }

    @Test func `what waits for its next try is tried at once when somebody asks for it`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let digest = try await world.released(channels: ["generic"])
        let id = try world.row(digest.digest.id)
        try await world.settle(
            try await world.queue.lease(now: world.moment, limit: 9), as: .retryWait, outcome: .transient,
            code: "http_503", nextAt: world.fixture.time.now + 7_200_000)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        let again = try await world.desk.redrive(
            id, RedriveRequest(states: ["retry_wait"]), by: OutreachFixture.author)
        #expect(again.deliveries.map(\.state) == ["queued"])
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
        // What is under way is not.
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.redrive(id, RedriveRequest(states: ["retry_wait"]), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "not_resendable")
    }

    @Test func `what has been withdrawn since is not sent again`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let digest = try await world.released(channels: ["generic"])
        try await world.settle(
            try await world.queue.lease(now: world.moment, limit: 9), as: .failed, outcome: .content, code: "http_413")
        try await world.fixture.write([TrustedEdit("policy", DigestWorld.policy, .edit, ["status": "withdrawn"])])
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.redrive(
                try world.row(digest.digest.id), RedriveRequest(), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "expired_item")
        #expect(refusal?.messageZH?.contains("人才公寓申请办法") == true)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
    }

    @Test(arguments: [["generic"], ["wecom"]])
    func `that a policy was withdrawn is a correction, sent to those who were told of it`(channels: [String])
        async throws
    {
        let world = try await DigestWorld()
        let isRobot = channels == ["wecom"]
        _ = try await world.add(
            EndpointDraft(
                name: "一", channel: channels[0], form: isRobot ? "news" : nil,
                address: isRobot ? "0123456789abcdef0123" : "https://example.com/1", topics: ["policy"]))
        let digest = try await world.released(channels: channels)
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        try await world.fixture.write([
            TrustedEdit("policy", DigestWorld.policy, .edit, ["status": "withdrawn"]),
            TrustedEdit("opportunity", DigestWorld.job, .edit, ["status": "closed"]),
        ])
        // With nothing left to tell, the introduction has to say what was wrong.
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.compose(
                DigestDraft(title: "更正", corrects: digest.digest.id), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "empty")
        #expect(refusal?.messageZH?.contains("导语") == true)
        let draft = try await world.desk.compose(
            DigestDraft(title: "9月政策与岗位", intro: "人才公寓申请办法已撤回。", corrects: digest.digest.id),
            by: OutreachFixture.author)
        #expect(draft.digest.items == 0)
        _ = try await world.send(try await world.approve(draft))
        let body = try #require(try await world.queue.lease(now: world.moment, limit: 9).first).body
        let text = String(decoding: body, as: UTF8.self)
        #expect(text.contains("【更正】9月政策与岗位") && text.contains("人才公寓申请办法已撤回。"))
    }

    @Test func `a correction with other items left still reaches who was told only of the withdrawn one`() async throws
    {
        let world = try await DigestWorld()
        for (name, topic) in [("看政策", "policy"), ("看岗位", "jobs")] {
            _ = try await world.add(
                EndpointDraft(
                    name: name, channel: "generic", address: "https://example.com/\(topic)", topics: [topic]))
        }
        let digest = try await world.released(channels: ["generic"])
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        try await world.fixture.write([TrustedEdit("policy", DigestWorld.policy, .edit, ["status": "withdrawn"])])
        let draft = try await world.desk.compose(
            DigestDraft(title: "9月", intro: "公寓办法已撤回。", corrects: digest.digest.id), by: OutreachFixture.author)
        #expect(draft.digest.items == 1)
        let sent = try await world.send(try await world.approve(draft))
        #expect(Set(sent.deliveries.map(\.endpoint)) == ["看政策", "看岗位"])
    }
}
