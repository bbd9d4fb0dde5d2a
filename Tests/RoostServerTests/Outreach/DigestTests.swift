import Foundation
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

struct DigestTests {
    @Test func `a digest is nobody's to approve but another's, and edits void the approval`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        // The author may approve digests too, only not this one.
        try await world.fixture.write([
            TrustedEdit(
                "authority_grant", RowID(bits: 0xE1), .create,
                ["officer": .id(OutreachFixture.author), "role": "approver"])
        ])
        world.fixture.time.advance(by: 1000)
        let draft = try await world.compose().digest
        let id = try world.row(draft.id)
        let review = try await world.desk.submit(id, version: draft.version, by: OutreachFixture.author).digest
        #expect(review.status == "review")
        var refusal = await #expect(throws: Refusal.self) {
            try await world.desk.approve(
                id, version: review.version, preview: try await world.read(id), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "own_digest")
        let approved = try await world.desk.approve(
            id, version: review.version, preview: try await world.read(id), by: OutreachFixture.approver)
        #expect(approved.digest.status == "approved")
        #expect(approved.digest.approver == OutreachFixture.approver.description)
        #expect(Set(approved.deliveries.map(\.state)) == ["frozen"])

        let edited = try await world.desk.edit(id, DigestDraft(intro: "补充说明"), by: OutreachFixture.author)
        #expect(edited.digest.status == "draft")
        #expect(edited.digest.approver == nil)
        #expect(edited.deliveries.isEmpty)
        refusal = await #expect(throws: Refusal.self) {
            try await world.send(edited)
        }
        #expect(refusal?.reason == "wrong_status")
    }

    @Test func `an approver approves the version looked at and no other`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let draft = try await world.compose().digest
        let id = try world.row(draft.id)
        let review = try await world.desk.submit(id, version: draft.version, by: OutreachFixture.author).digest
        let edited = try await world.desk.edit(id, DigestDraft(title: "换了标题"), by: OutreachFixture.author).digest
        #expect(edited.status == "draft")
        _ = try await world.desk.submit(id, version: edited.version, by: OutreachFixture.author)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.approve(
                id, version: review.version, preview: try await world.read(id), by: OutreachFixture.approver)
        }
        #expect(refusal?.code == .conflict)
        #expect(refusal?.reason == "stale")
    }

    @Test func `who changed a digest does not approve it, whoever wrote and submitted it`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        try await world.fixture.write([
            TrustedEdit(
                "authority_grant", RowID(bits: 0xE1), .create,
                ["officer": .id(OutreachFixture.registrar), "role": "approver"])
        ])
        world.fixture.time.advance(by: 1000)
        let draft = try await world.compose().digest
        let id = try world.row(draft.id)
        _ = try await world.desk.edit(id, DigestDraft(intro: "登记员补充"), by: OutreachFixture.registrar)
        let last = try await world.desk.edit(id, DigestDraft(period: "2025-09"), by: OutreachFixture.author).digest
        let review = try await world.desk.submit(id, version: last.version, by: OutreachFixture.author).digest
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.approve(
                id, version: review.version, preview: try await world.read(id), by: OutreachFixture.registrar)
        }
        #expect(refusal?.reason == "own_digest")
        let approved = try await world.desk.approve(
            id, version: review.version, preview: try await world.read(id), by: OutreachFixture.approver
        ).digest
        #expect(approved.status == "approved")
    }

    @Test func `a policy that is over is refused when composed, and when it ends before the approval`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        var refusal = await #expect(throws: Refusal.self) {
            try await world.desk.compose(
                DigestDraft(
                    title: "x", items: [.init(collection: "policy", id: DigestWorld.overPolicy.description)]),
                by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "expired_item")
        let draft = try await world.compose().digest
        let id = try world.row(draft.id)
        let review = try await world.desk.submit(id, version: draft.version, by: OutreachFixture.author).digest
        let read = try await world.read(id)
        try await world.fixture.write([
            TrustedEdit("policy", DigestWorld.policy, .edit, ["status": "withdrawn"])
        ])
        refusal = await #expect(throws: Refusal.self) {
            try await world.desk.approve(
                id, version: review.version, preview: read, by: OutreachFixture.approver)
        }
        #expect(refusal?.reason == "expired_item")
    }

    @Test func `the preview tells numbers and bytes, and approval freezes exactly those bytes`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add(
            "2026届机器人", "wecom", "0123456789abcdef0123", group: DigestWorld.group, keyword: "青鹤")
        _ = try await world.add("2020届机器人", "wecom", "abcdef0123456789abcd", group: DigestWorld.otherGroup)
        _ = try await world.add("人工", "manual", nil)
        let draft = try await world.compose(channels: ["wecom", "manual"]).digest
        let id = try world.row(draft.id)
        let preview = try await world.desk.preview(id, for: OutreachFixture.author)
        #expect(preview.audience.students == 3)
        #expect(preview.audience.sentenceZH.contains("2026"))
        #expect(preview.audience.groups == 1)
        #expect(preview.audience.groupsWithoutEndpoint == 0)
        #expect(preview.renderings.map(\.endpoints) == [["2026届机器人"], ["人工"]])
        #expect(preview.renderings.first?.parts.first?.content.contains("【青鹤】") == true)
        for part in preview.renderings.flatMap(\.parts) { #expect(part.bytes == part.content.utf8.count) }
        #expect(!preview.isFrozen)
        let review = try await world.desk.submit(id, version: draft.version, by: OutreachFixture.author).digest
        _ = try await world.desk.approve(
            id, version: review.version, preview: try await world.read(id), by: OutreachFixture.approver)
        let frozen = try await world.desk.preview(id, for: OutreachFixture.author)
        #expect(frozen.isFrozen)
        // Endpoints stand in the order of their names once frozen.
        #expect(Set(frozen.renderings) == Set(preview.renderings))
    }

    @Test(arguments: [
        ("cohort>=", "unexpected_end"), ("nobody=1", "unknown_name"), ("level>=研究僧", "unknown_word"),
    ])
    func `an audience that means nothing is refused with its code`(audience: String, code: String) async throws {
        let world = try await DigestWorld()
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.compose(
                DigestDraft(title: "x", items: DigestWorld.items, audience: audience), by: OutreachFixture.author)
        }
        #expect(refusal?.code == .invalidDigest)
        #expect(refusal?.reason == code)
    }

    @Test func `what was told in an earlier digest is not new again`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("人工", "manual", nil)
        let first = try await world.desk.compose(DigestDraft(title: "一", new: true), by: OutreachFixture.author).digest
        #expect(first.items == 2)
        let id = try world.row(first.id)
        let review = try await world.desk.submit(id, version: first.version, by: OutreachFixture.author).digest
        _ = try await world.desk.approve(
            id, version: review.version, preview: try await world.read(id), by: OutreachFixture.approver)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.compose(DigestDraft(title: "二", new: true), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "nothing_new")
    }

    @Test func `a digest is released once; a person's part waits for the person`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("人工", "manual", nil)
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let released = try await world.released()
        #expect(released.digest.status == "sending")
        #expect(Set(released.deliveries.map(\.state)) == ["queued", "manual_pending"])
        let refusal = await #expect(throws: Refusal.self) {
            try await world.send(released)
        }
        #expect(refusal?.reason == "wrong_status")
        let manual = try #require(released.deliveries.first { $0.channel == "manual" })
        let marked = try await world.desk.markSent(
            try world.row(manual.id), reach: 52, by: OutreachFixture.author)
        let done = try #require(marked.deliveries.first { $0.channel == "manual" })
        #expect(done.state == "manual_done")
        #expect(done.reach == 52)
        let again = await #expect(throws: Refusal.self) {
            try await world.desk.markSent(try world.row(manual.id), reach: 52, by: OutreachFixture.author)
        }
        #expect(again?.reason == "not_waiting")
    }

    @Test func `drafts are their author's; an approver sees what waits, a coordinator nothing`() async throws {
        let world = try await DigestWorld()
        let draft = try await world.compose().digest
        #expect(try await world.desk.list(for: OutreachFixture.author).digests.map(\.id) == [draft.id])
        #expect(try await world.desk.list(for: OutreachFixture.registrar).digests.map(\.id) == [draft.id])
        #expect(try await world.desk.list(for: OutreachFixture.approver).digests.isEmpty)
        await #expect(throws: Refusal.self) { try await world.desk.list(for: OutreachFixture.collector) }
        await #expect(throws: Refusal(.notFound, "no such digest")) {
            try await world.desk.report(try world.row(draft.id), for: OutreachFixture.approver)
        }
    }

    @Test func `an endpoint's address and secret leave the vault only for the sender`() async throws {
        let world = try await DigestWorld()
        let added = try await world.add("合作方", "generic", "https://example.com/hooks/0123456789abcdef-token")
        let secret = try #require(added.secret)
        let robot = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let listed = try await world.endpoints.list(for: OutreachFixture.author)
        let told = String(decoding: try JSONEncoder().encode(listed), as: UTF8.self)
        #expect(!told.contains(secret) && !told.contains("0123456789abcdef"))
        for name in try FileManager.default.contentsOfDirectory(atPath: world.fixture.directory) {
            let contents = try Data(contentsOf: URL(filePath: world.fixture.directory + "/" + name))
            #expect(contents.range(of: Data(secret.dropFirst(6).utf8)) == nil)
            #expect(contents.range(of: Data("0123456789abcdef".utf8)) == nil)
        }
        let record = try await world.fixture.store.endpoint(try world.row(robot.endpoint.id))
        #expect(
            try EndpointVault(key: world.fixture.key, settings: world.settings).target(of: record, at: Milliseconds(0))
                == .wecom(WeComKey("0123456789abcdef0123")))
        await #expect(throws: Refusal.self) {
            try await world.endpoints.add(
                EndpointDraft(name: "x", channel: "manual"), by: OutreachFixture.author)
        }
    }

    @Test(arguments: [
        ("wecom", "https://evil.example/cgi-bin/webhook/send?key=0123456789abcdef", "foreign_host"),
        ("wecom", "short", "malformed_key"), ("generic", "ftp://example.com/x", "insecure_scheme"),
        ("generic", "not a url", "malformed_url"), ("fax", "1", "unknown_channel"),
    ])
    func `an address that cannot be delivered to is refused`(channel: String, address: String, code: String)
        async throws
    {
        let world = try await DigestWorld()
        let refusal = await #expect(throws: Refusal.self) { try await world.add("x", channel, address) }
        #expect(refusal?.reason == code)
        #expect(try await world.fixture.store.endpoints().isEmpty)
    }
}
