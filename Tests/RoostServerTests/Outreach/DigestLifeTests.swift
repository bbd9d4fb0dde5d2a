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

/// What a digest says to whom, and when.
struct DigestLifeTests {
    private func bodies(_ world: DigestWorld) async throws -> [String: String] {
        var bodies: [String: String] = [:]
        while case let leased = try await world.queue.lease(now: world.moment, limit: 9), !leased.isEmpty {
            for delivery in leased {
                bodies[delivery.endpoint.row.description, default: ""] += String(decoding: delivery.body, as: UTF8.self)
            }
            try await world.arrived(leased)
        }
        return bodies
    }

    @Test func `an item is said once to an endpoint, and again only where it changed, marked as such`() async throws {
        let world = try await DigestWorld()
        let first = try await world.add("一", "generic", "https://example.com/1").endpoint.id
        let digest = try await world.released(channels: ["generic"])
        #expect(try await bodies(world).keys.sorted() == [first])
        #expect(try await world.report(digest).digest.status == "sent")

        // The same again is nothing new.
        var refusal = await #expect(throws: Refusal.self) { try await world.approved(channels: ["generic"]) }
        #expect(refusal?.reason == "nothing_new")

        // A second endpoint has been told nothing; the first gets only what changed.
        let second = try await world.add("二", "generic", "https://example.com/2").endpoint.id
        try await world.fixture.write([
            TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": "本科及以上可申请，名额增加。"])
        ])
        let draft = try await world.compose(channels: ["generic"])
        let id = try world.row(draft.digest.id)
        _ = try await world.send(try await world.approve(draft))
        let sent = try await bodies(world)
        #expect(Set(sent.keys) == [first, second])
        #expect(sent[first]?.contains("【更新】人才公寓申请办法") == true)
        #expect(sent[first]?.contains("结构设计工程师") == false)
        #expect(sent[second]?.contains("【更新】") == false)
        #expect(sent[second]?.contains("结构设计工程师") == true)

        // Both directions can be asked about.
        let tellings = try await world.desk.tellings(
            item: DigestWorld.policy, endpoint: nil, member: nil, for: OutreachFixture.author
        ).tellings
        #expect(tellings.map(\.endpoint).sorted() == ["一", "一", "二"])
        #expect(Set(tellings.map(\.version)).count == 2)
        #expect(tellings.allSatisfy { $0.state == "sent" && $0.sentAt != nil })
        for name in ["t-1", "人才公寓申请办法", DigestWorld.policy.description] {
            #expect(try await world.desk.item(called: name, for: OutreachFixture.author) == DigestWorld.policy)
        }
        #expect(
            try await world.desk.item(called: "结构设计工程师", for: OutreachFixture.author) == DigestWorld.job)
        for (name, reason) in [("T-404", "unknown_item"), ("", "unknown_item"), ("同名", "ambiguous_item")] {
            try await world.fixture.write(
                name == "同名"
                    ? ["S-1", "S-2"].map {
                        TrustedEdit("policy", RowID(naming: "policy", $0), .create, ["code": .text($0), "title": "同名"])
                    } : [])
            refusal = await #expect(throws: Refusal.self) {
                try await world.desk.item(called: name, for: OutreachFixture.author)
            }
            #expect(refusal?.reason == reason)
        }
        let group = try await world.desk.tellings(
            item: nil, endpoint: nil, member: DigestWorld.group, for: OutreachFixture.registrar)
        #expect(group.digests.contains { $0.id == id.description })
        refusal = await #expect(throws: Refusal.self) {
            try await world.desk.tellings(
                item: nil, endpoint: nil, member: RowID(bits: 0xC0), for: OutreachFixture.author)
        }
        #expect(refusal?.code == .notFound)
    }

    @Test func `a correction goes to those who got the digest, and says that it is one`() async throws {
        let world = try await DigestWorld()
        let told = try await world.add("一", "generic", "https://example.com/1").endpoint.id
        let digest = try await world.released(channels: ["generic"])
        _ = try await bodies(world)
        _ = try await world.add("二", "generic", "https://example.com/2")
        let draft = try await world.desk.compose(
            DigestDraft(title: "9月政策与岗位", intro: "公寓申请截止日期有误。", corrects: digest.digest.id),
            by: OutreachFixture.author)
        #expect(draft.digest.kind == "correction")
        _ = try await world.send(try await world.approve(draft))
        let sent = try await bodies(world)
        #expect(Array(sent.keys) == [told])
        #expect(sent[told]?.contains("【更正】9月政策与岗位") == true)
    }

    @Test func `a reminder of what ends soon may repeat what was said`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("一", "generic", "https://example.com/1")
        _ = try await world.released(channels: ["generic"])
        _ = try await bodies(world)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.compose(DigestDraft(title: "提醒", endingWithin: 7), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "nothing_ending")
        // The post ends on the last of December.
        world.fixture.time.advance(by: 108 * 86_400_000)
        let draft = try await world.desk.compose(
            DigestDraft(title: "提醒", endingWithin: 7, channels: ["generic"]), by: OutreachFixture.author)
        #expect(draft.digest.items == 1)
        _ = try await world.send(try await world.approve(draft))
        #expect(try await bodies(world).values.first?.contains("【截止提醒】提醒") == true)
    }

    @Test func `an endpoint gets only the sorts of section it takes`() async throws {
        let world = try await DigestWorld()
        let id = try await world.add(
            EndpointDraft(name: "只看岗位", channel: "generic", address: "https://example.com/1", topics: ["jobs"])
        ).endpoint.id
        _ = try await world.released(channels: ["generic"])
        let body = try #require(try await bodies(world)[id])
        #expect(body.contains("结构设计工程师") && !body.contains("人才公寓"))
    }

    @Test func `nothing goes out before the size of its audience was typed back`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let approved = try await world.approved(channels: ["generic"])
        #expect(approved.students == 3)
        let id = try world.row(approved.digest.id)
        for wrong in [nil, 0, 4] as [Int?] {
            let refusal = await #expect(throws: Refusal.self) {
                try await world.desk.send(
                    id, version: approved.digest.version, students: wrong, by: OutreachFixture.author)
            }
            #expect(refusal?.reason == "audience_unconfirmed")
            #expect(refusal?.messageZH?.contains("3") == true)
        }
        #expect(try await world.send(approved).digest.status == "sending")
    }

    @Test(arguments: [
        (0, "ask", "sending"), (50, "ask", "sending"), (67, "ask", "approved"), (67, "send", "sending"),
        (67, "skip", "cancelled"), (7200, "send", "cancelled"),
    ])
    func `a scheduled digest goes at its time; how late it may be is decided beforehand`(
        minutes: Int, missed: String, status: String
    ) async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let approved = try await world.approved(channels: ["generic"])
        let id = try world.row(approved.digest.id)
        let at = world.fixture.time.now + 86_400_000
        let scheduled = try await world.desk.schedule(
            id, version: approved.digest.version, students: 3, at: at, missed: missed, by: OutreachFixture.author)
        #expect(scheduled.digest.status == "scheduled")
        world.fixture.time.advance(by: 86_400_000 - 1)
        #expect(try await world.desk.releaseDue().isEmpty)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        world.fixture.time.advance(by: 1 + Int64(minutes) * 60_000)
        #expect(try await world.desk.releaseDue().count == 1)
        #expect(try await world.desk.releaseDue().isEmpty)
        let report = try await world.desk.report(id, for: OutreachFixture.author)
        #expect(report.digest.status == status)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == (status == "sending" ? 1 : 0))
        // Handed back, it can be sent after all.
        if status == "approved" {
            #expect(report.digest.note?.isEmpty == false)
            #expect(try await world.send(report).digest.status == "sending")
        }
    }

    @Test func `a scheduled robot's message keeps off the full hour`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let approved = try await world.approved(channels: ["wecom"])
        let at = world.fixture.time.now + 86_400_000
        let hour = Milliseconds(at.value - at.value % 3_600_000)
        _ = try await world.desk.schedule(
            try world.row(approved.digest.id), version: approved.digest.version, students: 3, at: hour, missed: nil,
            by: OutreachFixture.author)
        world.fixture.time.advance(by: hour - world.fixture.time.now)
        #expect(try await world.desk.releaseDue().count == 1)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        world.fixture.time.advance(by: 6 * 60_000)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `a digest that reached some is partly sent, and complete once the rest was sent again`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let digest = try await world.released(channels: ["generic", "manual"])
        let id = try world.row(digest.digest.id)
        try await world.settle(
            try await world.queue.lease(now: world.moment, limit: 9), as: .failed, outcome: .content, code: "http_413")
        let manual = try #require(digest.deliveries.first { $0.channel == "manual" })
        let marked = try await world.desk.markSent(try world.row(manual.id), reach: 52, by: OutreachFixture.author)
        #expect(marked.digest.status == "partly_sent")
        let again = try await world.desk.redrive(id, RedriveRequest(states: ["failed"]), by: OutreachFixture.author)
        #expect(again.digest.status == "sending")
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        #expect(try await world.report(digest).digest.status == "sent")
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.redrive(id, RedriveRequest(), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "not_resendable")
    }

    @Test func `cancelling a digest on its way stops what has not left`() async throws {
        let world = try await DigestWorld()
        for number in 1...2 { _ = try await world.add("\(number)", "generic", "https://example.com/\(number)") }
        let digest = try await world.released(channels: ["generic"])
        let leased = try await world.queue.lease(now: world.moment, limit: 1)
        let id = try world.row(digest.digest.id)
        let cancelled = try await world.desk.cancel(id, version: digest.digest.version, by: OutreachFixture.author)
        #expect(cancelled.deliveries.map(\.state).sorted() == ["cancelled", "leased"])
        try await world.arrived(leased)
        #expect(try await world.report(digest).digest.status == "partly_sent")
    }

    @Test func `what was under way when a digest was cancelled is not tried again`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("1", "generic", "https://example.com/1")
        let digest = try await world.released(channels: ["generic"])
        let leased = try await world.queue.lease(now: world.moment, limit: 1)
        let id = try world.row(digest.digest.id)
        _ = try await world.desk.cancel(id, version: digest.digest.version, by: OutreachFixture.author)
        try await world.settle(
            leased, as: .retryWait, outcome: .transient, code: "http_503", nextAt: world.fixture.time.now)
        #expect(try await world.queue.lease(now: world.moment, limit: 1).isEmpty)
        #expect(try await world.report(digest).deliveries.map(\.state) == ["cancelled"])
    }

    @Test(.timeLimit(.minutes(4)))
    func `a draft is tried out at an endpoint for tests and nowhere else`() async throws {
        let receiver = try LoopbackReceiver()
        let world = try await DigestWorld()
        let real = try await world.add("合作方", "generic", "https://example.com/hook")
        let trial = try await world.add(
            EndpointDraft(
                name: "试发", channel: "generic", address: "http://127.0.0.1:\(receiver.port)/hook", forTests: true))
        let draft = try await world.compose(channels: ["generic"])
        let id = try world.row(draft.digest.id)
        let preview = try await world.desk.preview(id, for: OutreachFixture.author)
        #expect(preview.renderings.flatMap(\.endpoints) == ["合作方"])
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.test(id, at: try world.row(real.endpoint.id), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "not_for_tests")
        let test = try await world.desk.test(id, at: try world.row(trial.endpoint.id), by: OutreachFixture.author)
        #expect(test.sent)
        let body = try #require(await receiver.next()).body
        #expect(String(decoding: body, as: UTF8.self) == preview.renderings.first?.parts.first?.body)
    }

    @Test func `a preview names groups nobody is told in, and shows of people only who is held`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("人工", "manual", nil)
        let id = try world.row(try await world.compose(channels: ["manual"]).digest.id)
        let preview = try await world.desk.preview(id, for: OutreachFixture.author)
        #expect(preview.audience.namesWithoutEndpoint == ["2026届群"])
        #expect(preview.audience.sample.isEmpty)
        let registrar = try await world.desk.preview(id, for: OutreachFixture.registrar)
        #expect(registrar.audience.sample == [0xC0, 0xC1, 0xC2].map { RowID(bits: $0).description })
    }

    @Test func `an unknown policy is named as it was typed`() async throws {
        let world = try await DigestWorld()
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.compose(
                DigestDraft(title: "x", items: [.init(collection: "policy", id: "NOPE")]), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "unknown_item")
        #expect(refusal?.message.contains("NOPE") == true)
    }
}
