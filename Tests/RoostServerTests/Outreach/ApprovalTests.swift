import RoostAPI
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// An approval is of what the approver has read: text, audience and endpoints.
struct ApprovalTests {
    /// What may change between a look and an approval without changing the digest itself.
    enum Change: CaseIterable {
        case text, audience, newEndpoint, keyword, told
    }

    /// A digest in review, and what its preview was at that time.
    private static func inReview(
        _ world: DigestWorld
    ) async throws -> (id: RowID, version: String, preview: DigestPreview) {
        let draft = try await world.compose(channels: ["generic", "wecom", "email"]).digest
        let id = try world.row(draft.id)
        let review = try await world.desk.submit(id, version: draft.version, by: OutreachFixture.author).digest
        return (id, review.version, try await world.desk.preview(id, for: OutreachFixture.approver))
    }

    @Test(arguments: Change.allCases)
    func `what changed after it was read is not approved before it is read again`(change: Change) async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let robot = try await world.add("机器人", "wecom", "0123456789abcdef0123").endpoint
        let (id, version, read) = try await Self.inReview(world)
        switch change {
        case .text:
            try await world.fixture.write([
                TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": "每月补贴 99999 元。"])
            ])
        case .audience:
            try await world.fixture.write([
                TrustedEdit("schooling", RowID(bits: 0xD3), .edit, ["cohort": 2026])
            ])
        case .newEndpoint: _ = try await world.add("另一群", "wecom", "0123456789abcdef0999")
        case .keyword:
            _ = try await world.endpoints.edit(
                try world.row(robot.id), EndpointDraft(keyword: "归巢"), by: OutreachFixture.administrator)
        case .told:
            // What another digest tells first is not told again by this one.
            _ = try await world.approved(channels: ["generic"])
        }
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.approve(
                id, version: version, preview: read.mark, by: OutreachFixture.approver)
        }
        #expect(refusal?.code == .conflict && refusal?.reason == "stale")
        let report = try await world.desk.report(id, for: OutreachFixture.approver)
        #expect(report.digest.status == "review" && report.deliveries.isEmpty)
        // Read again, it is approved as it was read.
        let again = try await world.desk.preview(id, for: OutreachFixture.approver)
        #expect(again.mark != read.mark)
        _ = try await world.desk.approve(
            id, version: version, preview: again.mark, by: OutreachFixture.approver)
        let frozen = try await world.desk.preview(id, for: OutreachFixture.approver)
        #expect(Set(frozen.renderings.flatMap(\.endpoints)) == Set(again.renderings.flatMap(\.endpoints)))
        #expect(frozen.mark == nil)
    }

    @Test func `time alone and what others are doing make no second look necessary`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        _ = try await world.add("负责人", "email", "office@example.org")
        let (id, version, read) = try await Self.inReview(world)
        world.fixture.time.advance(by: 3_600_000)
        try await world.fixture.write([
            TrustedEdit("policy", DigestWorld.overPolicy, .edit, ["summary": "与本期无关。"])
        ])
        let approved = try await world.desk.approve(
            id, version: version, preview: read.mark, by: OutreachFixture.approver)
        #expect(approved.digest.status == "approved")
    }

    @Test func `nobody approves what they have not read`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let (id, version, _) = try await Self.inReview(world)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.desk.approve(id, version: version, preview: nil, by: OutreachFixture.approver)
        }
        #expect(refusal?.reason == "preview_unconfirmed")
        #expect(refusal?.messageZH?.contains("--preview") == true)
    }
}
