import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// Digests of more than one message, and what does not fit one.
struct DigestPartTests {
    /// A digest of so many long policies to a robot, and the rows of its items.
    private func released(_ count: Int, in world: DigestWorld) async throws -> (DigestReport, items: [RowID]) {
        let items = try await world.addLongPolicies(count)
        let draft = try await world.desk.compose(
            DigestDraft(
                title: "长推送", items: items.map { .init(collection: "policy", id: $0.description) },
                audience: "cohort>=2026", channels: ["wecom"]), by: OutreachFixture.author)
        return (try await world.send(try await world.approve(draft)), items)
    }

    @Test func `a part that is lost takes only its own items with it, and the rest is not told again`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let (digest, items) = try await released(10, in: world)
        let parts = digest.deliveries.count
        try #require(parts > 2)
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        try await world.settle(
            try await world.queue.lease(now: world.moment, limit: 9), as: .failed, outcome: .content,
            code: "wecom_40058")
        // What is behind it says why it waits, and what would let it go.
        let report = try await world.report(digest)
        #expect(report.deliveries.map(\.state).prefix(2) == ["sent", "failed"])
        #expect(report.deliveries.dropFirst(2).allSatisfy { $0.heldBy == "earlier_part" && $0.state == "held" })
        #expect(report.instructionZH?.contains("\(parts - 2) 条在等待同一推送前面的部分") == true)
        let log = try await world.desk.log(of: try world.row(report.deliveries[2].id), for: OutreachFixture.author)
        #expect(log.delivery.heldBy == "earlier_part")

        // Of ten items those of the second part are new, together with what was in no digest.
        let first = try await world.fixture.store.reading { reader in
            try reader.items(in: try reader.deliveries(of: try world.row(digest.digest.id)).filter { $0.part == 1 })
        }
        let next = try await world.desk.compose(
            DigestDraft(title: "下一期", new: true, channels: ["wecom"]), by: OutreachFixture.author)
        let again = try await world.fixture.store.reading { reader in
            try reader.rows("digest", ids: [try world.row(next.digest.id)])
                .compactMap { DigestRow($0, reader.catalogue) }.flatMap { $0.sections ?? [] }.flatMap(\.items).map(\.id)
        }
        let known = Set(items)
        let lost = try await world.fixture.store.reading { reader in
            try reader.items(in: try reader.deliveries(of: try world.row(digest.digest.id)).filter { $0.part == 2 })
        }
        #expect(!first.isEmpty && !lost.isEmpty && first.isDisjoint(with: lost))
        #expect(Set(again).intersection(known) == lost)
    }

    @Test func `an item too long for any message is named, with its size and what to do`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add(
            EndpointDraft(name: "2026届机器人", channel: "wecom", form: "text", address: "0123456789abcdef0123"))
        let long = RowID(bits: 0x900)
        try await world.fixture.write([
            TrustedEdit(
                "policy", long, .create,
                ["code": "T-9", "title": "很长的政策", "summary": "原文很短。"])
        ])
        let draft = try await world.desk.compose(
            DigestDraft(
                title: "x",
                items: [
                    .init(collection: "policy", id: DigestWorld.policy.description),
                    .init(collection: "policy", id: long.description, text: String(repeating: "字", count: 700)),
                ], channels: ["wecom"]), by: OutreachFixture.author)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.submit(
                try world.row(draft.digest.id), version: draft.digest.version, by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "item_too_large")
        for words in ["人才政策 · 很长的政策", "2048", "wecom（2026届机器人）", "请缩短"] {
            #expect(refusal?.messageZH?.contains(words) == true, "\(words) is not in \(refusal?.messageZH ?? "")")
        }
        #expect(refusal?.message.contains("很长的政策") == true && refusal?.message.contains("shorten it") == true)
    }

    @Test func `an introduction too long for a channel is told with the channel and its limit`() async throws {
        let world = try await DigestWorld()
        let draft = try await world.desk.compose(
            DigestDraft(
                title: "x", intro: String(repeating: "导", count: 1000), items: DigestWorld.items, channels: ["manual"]),
            by: OutreachFixture.author)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.submit(
                try world.row(draft.digest.id), version: draft.digest.version, by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "head_too_large")
        #expect(refusal?.messageZH?.contains("manual") == true && refusal?.messageZH?.contains("3000") == true)
        #expect(refusal?.messageZH?.contains("缩短导语") == true)
    }

    @Test(arguments: [
        ("wecom", "news"), ("wecom", "template_card"), ("dingtalk", "action_card"),
        ("dingtalk", "feed_card"), ("dingtalk", "link"),
    ])
    func `an item without a link falls back to the usual kind of message`(channel: String, form: String) async throws {
        let world = try await DigestWorld()
        _ = try await world.add(
            EndpointDraft(
                name: "机器人", channel: channel, form: form, address: String(repeating: "0123456789abcdef", count: 2)))
        // The post has no link, the policy has one.
        let digest = try await world.released(channels: [channel])
        #expect(digest.deliveries.map(\.state) == ["queued"])
        let leased = try #require(try await world.queue.lease(now: world.moment, limit: 1).first)
        let message = try #require(FrozenMessage(leased.body, on: leased.target.channel))
        #expect(String(decoding: leased.body, as: UTF8.self).contains("结构设计工程师"))
        #expect(message.form == .markdown || message.form == .templateCard)
    }

    @Test(arguments: [("wecom", "news", "picurl"), ("dingtalk", "feed_card", "picURL")])
    func `an item's picture is shown beside it`(channel: String, form: String, member: String) async throws {
        let world = try await DigestWorld()
        _ = try await world.add(
            EndpointDraft(
                name: "机器人", channel: channel, form: form, address: String(repeating: "0123456789abcdef", count: 2)))
        func compose(_ picture: String) async throws -> DigestReport {
            try await world.desk.compose(
                DigestDraft(
                    title: "图",
                    items: [.init(collection: "policy", id: DigestWorld.policy.description, picture: picture)],
                    channels: [channel]), by: OutreachFixture.author)
        }
        for picture in ["http://example.org/a.png", "https://127.0.0.1/a.png", "不是链接"] {
            let refusal = await #expect(throws: Refusal.self) { _ = try await compose(picture) }
            #expect(refusal?.reason == "invalid_picture")
        }
        _ = try await world.send(try await world.approve(try await compose("https://example.org/a.png")))
        let leased = try #require(try await world.queue.lease(now: world.moment, limit: 1).first)
        let body = String(decoding: leased.body, as: UTF8.self)
        #expect(body.contains("\"\(member)\":\"https://example.org/a.png\""), "\(body)")
    }
}
