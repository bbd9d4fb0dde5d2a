import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// Endpoints that are given up for good.
struct RetiredEndpointTests {
    private static let key = "0123456789abcdef0123"

    @Test func `what waits for an endpoint that is given up ends, and its digest with it`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("留下的", "generic", "https://example.com/hook")
        let gone = try world.row(try await world.add("机器人", "wecom", Self.key).endpoint.id)
        try await world.fixture.store.setState(.paused, of: gone)
        let digest = try await world.released(channels: ["generic", "wecom"])
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        #expect(try await world.report(digest).digest.status == "sending")
        let retired = try await world.endpoints.retire(gone, by: OutreachFixture.administrator)
        #expect(retired.state == "retired" && retired.waiting == 0 && retired.address.isEmpty)
        let report = try await world.report(digest)
        #expect(report.digest.status == "partly_sent" && report.instructionEN == nil)
        let lost = try #require(report.deliveries.first { $0.channel == "wecom" })
        #expect(lost.state == "cancelled" && lost.code == "endpoint_retired")
        #expect(lost.endpoint.hasPrefix("机器人") && lost.instructionEN?.contains("never will be") == true)
        // It cannot be sent again, nor the endpoint be used in any other way.
        let id = try world.row(digest.digest.id)
        let again = await #expect(throws: Refusal.self) {
            try await world.desk.redrive(id, RedriveRequest(states: ["cancelled"]), by: OutreachFixture.author)
        }
        #expect(again?.reason == "retired")
        #expect(try await world.fixture.store.requeue([try world.row(lost.id)], until: Milliseconds(.max)) == 0)
        for use in [world.endpoints.pause, { try await world.endpoints.resume($0, by: $1) }] {
            let refused = await #expect(throws: Refusal.self) { _ = try await use(gone, OutreachFixture.administrator) }
            #expect(refused?.reason == "retired")
        }
        let edited = await #expect(throws: Refusal.self) {
            try await world.endpoints.edit(gone, EndpointDraft(name: "复活"), by: OutreachFixture.administrator)
        }
        #expect(edited?.reason == "retired")
        // A test message that was on its way when it was given up does not bring it back.
        try await world.fixture.store.setState(.active, of: gone)
        #expect(try await world.fixture.store.endpoint(gone).state == .retired)
    }

    @Test func `that an owner wants no more is forgotten by a person's resuming alone`() async throws {
        let world = try await DigestWorld()
        let store = world.fixture.store
        let id = try world.row(try await world.add("订阅者", "generic", "https://example.com/hook").endpoint.id)
        try await store.unsubscribe(id)
        // Pausing it, and a test message that was on its way meanwhile.
        try await store.setState(.paused, of: id)
        try await store.setState(.active, of: id, before: .untested)
        try await store.setState(.paused, of: id, before: .disabled)
        #expect(try await store.endpoint(id).isUnsubscribed)
        _ = try await world.endpoints.resume(id, by: OutreachFixture.administrator)
        #expect(try await store.endpoint(id).state == .active)
    }

    @Test func `name and robot are free for another endpoint, which gets what comes next`() async throws {
        let world = try await DigestWorld()
        let gone = try world.row(try await world.add("机器人", "wecom", Self.key).endpoint.id)
        let digest = try await world.released(channels: ["wecom"])
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        let retired = try await world.endpoints.retire(gone, by: OutreachFixture.administrator)
        let record = try await world.fixture.store.endpoint(gone)
        #expect(record.sealedAddress.isEmpty && record.sealedSecrets.isEmpty)
        let next = try await world.add("机器人", "wecom", Self.key)
        #expect(next.endpoint.id != gone.description)
        // Given up once more it changes nothing, and what went there is known.
        #expect(try await world.endpoints.retire(gone, by: OutreachFixture.administrator).name == retired.name)
        #expect(try await world.report(digest).deliveries.map(\.state) == ["sent"])
        #expect(try await world.endpoints.log(of: gone, for: OutreachFixture.author).attempts.count == 1)
        let told = try await world.desk.tellings(item: nil, endpoint: gone, member: nil, for: OutreachFixture.author)
        #expect(told.tellings.map(\.state).allSatisfy { $0 == "sent" } && !told.tellings.isEmpty)
        _ = try await world.released(channels: ["wecom"])
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        #expect(leased.map(\.endpoint.row.description) == [next.endpoint.id])
    }

    @Test func `what was approved for it is given up when it is released, and what is posted by hand at once`()
        async throws
    {
        let world = try await DigestWorld()
        let robot = try world.row(try await world.add("机器人", "wecom", Self.key).endpoint.id)
        let board = try world.row(try await world.add("公告栏", "manual", nil).endpoint.id)
        let posted = try await world.released(channels: ["manual"])
        let approved = try await world.approved(channels: ["wecom"])
        _ = try await world.endpoints.retire(board, by: OutreachFixture.administrator)
        _ = try await world.endpoints.retire(robot, by: OutreachFixture.administrator)
        let byHand = try await world.report(posted).deliveries.filter { $0.endpoint.hasPrefix("公告栏") }
        #expect(byHand.map(\.state) == ["cancelled"])
        let before = try await world.report(approved)
        #expect(before.deliveries.first?.instructionEN?.contains("given up") == true)
        let sent = try await world.send(approved)
        #expect(sent.deliveries.map(\.state) == ["cancelled"] && sent.digest.status == "cancelled")
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
    }

    @Test func `what is under way when it is given up counts if it arrives, and is not tried again if it does not`()
        async throws
    {
        let world = try await DigestWorld()
        let ids = try await [("甲", Self.key), ("乙", "f" + Self.key)].asyncMap { name, key in
            try world.row(try await world.add(name, "wecom", key).endpoint.id)
        }
        let digest = try await world.released(channels: ["wecom"])
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        for id in ids { _ = try await world.endpoints.retire(id, by: OutreachFixture.administrator) }
        #expect(leased.allSatisfy { world.queue.isRecalled($0.id) } && leased.count == 2)
        try await world.arrived([leased[0]])
        try await world.settle(
            [leased[1]], as: .retryWait, outcome: .transient, code: "http_503", nextAt: world.fixture.time.now)
        let report = try await world.report(digest)
        #expect(Set(report.deliveries.map(\.state)) == ["sent", "cancelled"])
        // Nobody is told that it fails, or that it recovered.
        #expect(try await world.endpoints.notices(for: OutreachFixture.author).notices.isEmpty)
        #expect(try await world.fixture.store.endpoint(ids[1]).state == .retired)
    }

    @Test func `nobody but an administrator gives an endpoint up`() async throws {
        let world = try await DigestWorld()
        let id = try world.row(try await world.add("机器人", "wecom", Self.key).endpoint.id)
        await #expect(throws: Refusal.self) { try await world.endpoints.retire(id, by: OutreachFixture.author) }
        #expect(try await world.fixture.store.endpoint(id).state == .active)
    }
}

extension Array {
    fileprivate func asyncMap<Other>(_ transform: (Element) async throws -> Other) async rethrows -> [Other] {
        var others: [Other] = []
        for element in self { others.append(try await transform(element)) }
        return others
    }
}
