import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// What keeps a digest from going out twice, unseen or in vain, and what is said then.
struct DigestDoubtTests {
    @Test(arguments: [DeliveryState.failed, .expired], ["http_503", "timed_out"])
    func `of what has come to its end nobody is told that it is tried again`(
        _ state: DeliveryState, _ code: String
    ) async throws {
        let world = try await DigestWorld()
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let digest = try await world.released(channels: ["generic"])
        try await world.settle(
            try await world.queue.lease(now: world.moment, limit: 9), as: state,
            outcome: code == "timed_out" ? .uncertain : .transient, code: code)
        let said = try #require(try await world.report(digest).deliveries.first)
        #expect(said.instructionEN?.contains("roost digest redrive") == true, "\(said.instructionEN ?? "nothing")")
        #expect(said.instructionEN?.contains("not tried again by itself") == true)
        #expect(said.instructionZH?.contains(code) == true)
    }

    @Test func `what expired without an attempt says where to look`() async throws {
        let world = try await DigestWorld()
        let endpoint = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        try await world.fixture.store.setState(.paused, of: try world.row(endpoint.endpoint.id))
        let digest = try await world.released(channels: ["wecom"])
        world.fixture.time.advance(by: DigestDesk.lifetime)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        let said = try #require(try await world.report(digest).deliveries.first)
        #expect(said.state == "expired" && said.instructionEN?.contains("roost endpoints list") == true)
    }

    @Test func `what was frozen before its robot had a keyword fails by itself and leaves the robot alone`()
        async throws
    {
        let world = try await DigestWorld()
        let robot = try await world.add("机器人", "dingtalk", String(repeating: "0123456789abcdef", count: 4))
        let digest = try await world.approved(channels: ["dingtalk"])
        let id = try world.row(robot.endpoint.id)
        _ = try await world.endpoints.edit(id, EndpointDraft(keyword: "归巢"), by: OutreachFixture.administrator)
        _ = try await world.send(digest)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        let delivery = try #require(try await world.report(digest).deliveries.first)
        #expect(delivery.state == "failed" && delivery.code == "lacks_keyword")
        #expect(delivery.instructionEN?.contains("digest new --new") == true)
        let listed = try await world.endpoints.list(for: OutreachFixture.author).endpoints
        #expect(listed.map(\.state) == ["active"])
        // Composed anew it has the word, and its items count as untold.
        _ = try await world.released(channels: ["dingtalk"])
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `a robot is one endpoint only`() async throws {
        let world = try await DigestWorld()
        let key = "11111111-2222-4333-8444-555555555555"
        let first = try await world.add("机器人", "wecom", key)
        let url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=\(key)"
        let refused = await #expect(throws: Refusal.self) { try await world.add("又一个", "wecom", url) }
        #expect(refused?.reason == "address_taken" && refused?.message.contains("机器人") == true)
        let other = try await world.add("别的", "wecom", "22222222-2222-4333-8444-555555555555")
        await #expect(throws: Refusal.self) {
            try await world.endpoints.edit(
                try world.row(other.endpoint.id), EndpointDraft(address: key), by: OutreachFixture.administrator)
        }
        // Its own address may be entered again.
        _ = try await world.endpoints.edit(
            try world.row(first.endpoint.id), EndpointDraft(address: key), by: OutreachFixture.administrator)
    }

    @Test func `of many who add one robot at the same moment one does`() async throws {
        let world = try await DigestWorld()
        let added = await withTaskGroup(of: Bool.self) { group in
            for number in 1...12 {
                group.addTask {
                    (try? await world.endpoints.add(
                        EndpointDraft(name: "机器人\(number)", channel: "wecom", address: "0123456789abcdef0123"),
                        by: OutreachFixture.administrator)) != nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(added == 1)
        #expect(try await world.fixture.store.endpoints().count == 1)
    }

    @Test func `an approval of one preview does not hold for another`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let draft = try await world.compose(channels: ["wecom"])
        let id = try world.row(draft.digest.id)
        let review = try await world.desk.submit(id, version: draft.digest.version, by: OutreachFixture.author)
        let seen = try #require(try await world.desk.preview(id, for: OutreachFixture.approver).mark)
        try await world.fixture.write([
            TrustedEdit("policy", DigestWorld.policy, .edit, ["summary": "只限硕士及以上。"])
        ])
        let refused = await #expect(throws: Refusal.self) {
            try await world.desk.approve(
                id, version: review.digest.version, preview: seen, by: OutreachFixture.approver)
        }
        #expect(refused?.reason == "stale")
        let now = try await world.desk.preview(id, for: OutreachFixture.approver)
        let approved = try await world.desk.approve(
            id, version: review.digest.version, preview: now.mark, by: OutreachFixture.approver)
        #expect(approved.digest.status == "approved")
        #expect(try await world.desk.preview(id, for: OutreachFixture.approver).mark == nil)
    }

    @Test func `what was cancelled while it went out can be sent after all`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let digest = try await world.released(channels: ["wecom"])
        let id = try world.row(digest.digest.id)
        let cancelled = try await world.desk.cancel(id, version: digest.digest.version, by: OutreachFixture.author)
        #expect(cancelled.digest.status == "cancelled" && cancelled.digest.sentAt == nil)
        #expect(cancelled.deliveries.map(\.code) == ["digest_cancelled"])
        let again = try await world.desk.redrive(
            id, RedriveRequest(states: ["cancelled"]), by: OutreachFixture.author)
        #expect(again.digest.status == "sending")
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        #expect(try await world.report(digest).digest.status == "sent")
    }

    @Test func `that a quota is used up is told`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "dingtalk", String(repeating: "0123456789abcdef", count: 4))
        _ = try await world.released(channels: ["dingtalk"])
        try await world.settle(
            try await world.queue.lease(now: world.moment, limit: 9), as: .held, outcome: .quota,
            code: "dingtalk_90030", nextAt: world.fixture.time.now + 3_600_000)
        let notices = try await world.endpoints.notices(for: OutreachFixture.author).notices
        #expect(notices.map(\.code) == ["dingtalk_90030"] && notices.map(\.failures) == [1])
        world.fixture.time.advance(by: 3_600_000)
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        #expect(try await world.endpoints.notices(for: OutreachFixture.author).notices.first?.closedAt != nil)
    }

    @Test func `what is new of every section is proposed`() async throws {
        let world = try await DigestWorld()
        let (shortage, base) = (RowID(bits: 0xF1), RowID(bits: 0xF2))
        try await world.fixture.write([
            TrustedEdit(
                "opportunity", shortage, .create,
                ["kind": "shortage", "title": "紧缺：模具设计", "employer": "某某卫浴", "status": "open"]),
            TrustedEdit(
                "opportunity", base, .create,
                ["kind": "base", "title": "实习基地", "employer": "某某卫浴", "status": "recognised"]),
        ])
        let draft = try await world.desk.compose(
            DigestDraft(title: "新内容", new: true, channels: ["wecom"]), by: OutreachFixture.author)
        let preview = try await world.desk.preview(try world.row(draft.digest.id), for: OutreachFixture.author)
        let text = preview.renderings.flatMap(\.parts).map(\.content).joined()
        for words in ["产业动态", "紧缺：模具设计", "家乡环境", "实习基地"] {
            #expect(text.contains(words), "\(words) is not in: \(text)")
        }
    }

    @Test func `nobody is told by an endpoint that a person delivers to`() async throws {
        let world = try await DigestWorld()
        let refused = await #expect(throws: Refusal.self) {
            try await world.add(EndpointDraft(name: "公告栏", channel: "manual", forNotices: true))
        }
        #expect(refused?.reason == "notices_by_hand")
    }
}
