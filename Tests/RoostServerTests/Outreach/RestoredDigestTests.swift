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

/// What becomes of digests whose server went back to a backup: nobody may read twice what went out meanwhile.
struct RestoredDigestTests {
    /// A server that was put back to the moment at which `lost` began.
    private struct Restored {
        let store: ServerStore
        let desk: DigestDesk
        let queue: StoreDeliveryQueue

        init(_ world: DigestWorld, losing lost: () async throws -> Void) async throws {
            let fixture = world.fixture
            let copy = fixture.directory + "/copy.sqlite"
            try fixture.store.backUp(to: copy)
            try await lost()
            try fixture.store.close()
            fixture.time.advance(by: 60_000)
            _ = try ServerStore.restore(copy, to: fixture.directory)
            let time = fixture.time
            store = try ServerStore(directory: fixture.directory, catalogue: .programme, clock: { time.now })
            desk = DigestDesk(
                store: store, key: fixture.key, settings: world.settings, transport: HTTPClient(), wake: {})
            queue = StoreDeliveryQueue(
                store: store, vault: EndpointVault(key: fixture.key, settings: world.settings))
            time.advance(by: 60_000)
        }

        func resume() async throws -> RestoredDoubt {
            try await store.resumeSending(doubting: DigestDesk.channelsWithoutIdentity)
        }
    }

    @Test(arguments: [false, true])
    func `whoever was given up or wanted no more since the backup gets nothing after it either`(
        _ ledgerIsLost: Bool
    ) async throws {
        let world = try await DigestWorld()
        let store = world.fixture.store
        var ids: [String: RowID] = [:]
        for (number, name) in ["弃用", "退订", "退订又恢复", "退订后改地址", "改地址后退订", "照旧"].enumerated() {
            ids[name] = try world.row(
                try await world.add(name, "generic", "https://example.com/\(number)").endpoint.id)
        }
        let robot = try world.row(try await world.add("弃用的机器人", "wecom", "0123456789abcdef0123").endpoint.id)
        func id(_ name: String) throws -> RowID { try #require(ids[name]) }
        let digest = try await world.released()
        let server = try await Restored(world) {
            try await store.retire(try id("弃用"))
            try await store.retire(robot)
            /// Another address, which the backup does not have.
            func move(_ name: String) async throws {
                try await store.change(try id(name)) { endpoint, _ in
                    endpoint.sealedAddress += [1]
                    endpoint.state = .untested
                }
            }
            for name in ["退订", "退订又恢复", "退订后改地址"] { try await store.unsubscribe(try id(name)) }
            // To pause it does not make anybody forget why it is.
            try await store.setState(.paused, of: try id("退订"))
            try await store.setState(.active, of: try id("退订又恢复"))
            try await move("退订后改地址")
            try await move("改地址后退订")
            try await store.unsubscribe(try id("改地址后退订"))
            // What the database says that is replaced counts just as well.
            if ledgerIsLost { try FileManager.default.removeItem(atPath: world.fixture.directory + "/ledger") }
        }
        let states = try await server.store.endpoints().reduce(into: [:]) { $0[$1.id] = $1.state }
        #expect(states[try id("弃用")] == .retired && states[robot] == .retired)
        // That an address wanted no more which the endpoint had for a while is known to the ledger alone.
        let unwilling = ledgerIsLost ? ["退订"] : ["退订", "退订后改地址"]
        for name in unwilling { #expect(try await server.store.endpoint(try id(name)).isUnsubscribed) }
        let used = ["退订又恢复", "改地址后退订", "照旧"] + (ledgerIsLost ? ["退订后改地址"] : [])
        #expect(used.allSatisfy { ids[$0].flatMap { states[$0] } == .active })
        // What waited for those when the backup was made may have gone out before they were stopped.
        #expect(try await server.resume() == RestoredDoubt(queued: 2 + unwilling.count))
        let leased = try await server.queue.lease(now: world.moment, limit: 9)
        #expect(try Set(leased.map(\.endpoint.row)) == Set(used.map { try id($0) }))
        let report = try await server.desk.report(try world.row(digest.digest.id), for: OutreachFixture.author)
        let doubted = report.deliveries.filter { $0.state == "uncertain" && $0.code == "restored" }
        #expect(doubted.count == 2 + unwilling.count)
        // A pause of later lifts nothing that a person has set since.
        try await server.store.setState(.active, of: try id("退订"))
        try await server.store.pauseSending("operator")
        _ = try await server.resume()
        #expect(try await server.store.endpoint(try id("退订")).state == .active)
        try server.store.close()
    }

    @Test func `what was composed after a restoration is not doubted`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let before = try await world.released(channels: ["wecom"])
        let (server, time) = (try await Restored(world) {}, world.fixture.time)
        let (store, desk) = (server.store, server.desk)
        #expect(try await store.sendingPause() == "new_epoch")
        let draft = try await desk.compose(
            DigestDraft(
                title: "恢复之后",
                items: [DigestDraft.Item(collection: "policy", id: DigestWorld.policy.description, text: "新")],
                channels: ["wecom"]), by: OutreachFixture.author)
        let id = try world.row(draft.digest.id)
        let review = try await desk.submit(id, version: draft.digest.version, by: OutreachFixture.author).digest
        let preview = try await desk.preview(id, for: OutreachFixture.approver).mark
        let approved = try await desk.approve(
            id, version: review.version, preview: preview, by: OutreachFixture.approver)
        // Nor is it when it is released only after sending was resumed.
        time.advance(by: 1000)
        // Whoever pauses what stands still already does not make the server forget why.
        try await store.pauseSending("operator")
        #expect(try await store.sendingPause() == "new_epoch")
        #expect(try await server.resume() == RestoredDoubt(queued: 1))
        let after = try await desk.send(
            id, version: approved.digest.version, students: approved.students, by: OutreachFixture.author)
        #expect(after.deliveries.map(\.state) == ["queued"])
        let old = try await desk.report(try world.row(before.digest.id), for: OutreachFixture.author)
        #expect(old.deliveries.map(\.state) == ["uncertain"])
        try store.close()
    }

    @Test(arguments: [true, false])
    func `a digest that was approved at the backup and sent after it does not go out to a robot again`(
        releasedWhilePaused: Bool
    ) async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        let approved = try await world.approved(channels: ["wecom", "generic"])
        let id = try world.row(approved.digest.id)
        let server = try await Restored(world) {
            _ = try await world.send(approved)
            let leased = try await world.queue.lease(now: world.moment, limit: 9)
            #expect(leased.count == 2)
            try await world.arrived(leased)
        }
        func send() async throws {
            _ = try await server.desk.send(
                id, version: approved.digest.version, students: approved.students, by: OutreachFixture.author)
        }
        if releasedWhilePaused {
            try await send()
            #expect(try await server.resume() == RestoredDoubt(queued: 1))
        } else {
            #expect(try await server.resume() == RestoredDoubt(frozen: 1))
            let told = try await server.desk.report(id, for: OutreachFixture.author)
            #expect(told.digest.status == "approved")
            #expect(told.instructionZH?.contains("1 条可能在服务器恢复备份之前已发出") == true)
            #expect(told.instructionEN?.contains("1 may have gone out before the server was restored") == true)
            try await send()
        }
        // The webhook's receiver knows the repetition by its id.
        let leased = try await server.queue.lease(now: world.moment, limit: 9)
        #expect(leased.map(\.target.channel) == [.generic])
        var report = try await server.desk.report(id, for: OutreachFixture.author)
        let robot = try #require(report.deliveries.first { $0.channel == "wecom" })
        #expect(robot.state == "uncertain" && robot.code == "restored")
        #expect(robot.instructionZH?.contains("恢复自备份") == true)
        // Somebody looks into the group, where it is.
        report = try await server.desk.markSent(try world.row(robot.id), reach: nil, by: OutreachFixture.author)
        #expect(report.deliveries.first { $0.channel == "wecom" }?.state == "sent")
        try server.store.close()
    }

    @Test func `a digest of which all is in doubt does not stay as being sent, and is sent again only by a decision`()
        async throws
    {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let approved = try await world.approved(channels: ["wecom"])
        let id = try world.row(approved.digest.id)
        let server = try await Restored(world) {}
        #expect(try await server.resume() == RestoredDoubt(frozen: 1))
        let sent = try await server.desk.send(
            id, version: approved.digest.version, students: approved.students, by: OutreachFixture.author)
        #expect(sent.digest.status == "partly_sent")
        let refusal = await #expect(throws: Refusal.self) {
            try await server.desk.redrive(id, RedriveRequest(states: ["uncertain"]), by: OutreachFixture.author)
        }
        #expect(refusal?.reason == "may_duplicate")
        let again = try await server.desk.redrive(
            id, RedriveRequest(states: ["uncertain"], acceptsDuplicates: true), by: OutreachFixture.author)
        #expect(again.digest.status == "sending" && again.deliveries.map(\.state) == ["queued"])
        #expect(try await server.queue.lease(now: world.moment, limit: 9).count == 1)
        try server.store.close()
    }

    @Test(arguments: ["skip", "send", "ask"], [true, false])
    func `a digest whose time passed while the server was put back is handed to a person, who is told why`(
        missed: String, isResumed: Bool
    ) async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let approved = try await world.approved(channels: ["wecom"])
        let id = try world.row(approved.digest.id)
        _ = try await world.desk.schedule(
            id, version: approved.digest.version, students: approved.students,
            at: world.fixture.time.now + 600_000, missed: missed, by: OutreachFixture.author)
        let server = try await Restored(world) { world.fixture.time.advance(by: 2 * DigestDesk.tolerance) }
        if isResumed { #expect(try await server.resume() == RestoredDoubt(frozen: 1)) }
        #expect(try await server.desk.releaseDue().map(\.result) == [.asked])
        let report = try await server.desk.report(id, for: OutreachFixture.author)
        #expect(report.digest.status == "approved")
        #expect(report.digest.note?.contains("恢复自备份") == true)
        #expect(try await server.queue.lease(now: world.moment, limit: 9).isEmpty)
        try server.store.close()
    }

    @Test(arguments: [true, false], [true, false])
    func `that it may have gone out is known of a digest that is taken back and approved again`(
        isEdited: Bool, isResumed: Bool
    ) async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let approved = try await world.approved(channels: ["wecom"])
        let id = try world.row(approved.digest.id)
        let server = try await Restored(world) {}
        if isResumed { _ = try await server.resume() }
        let draft =
            isEdited
            ? try await server.desk.edit(id, DigestDraft(intro: "新的前言"), by: OutreachFixture.author)
            : try await server.desk.reject(id, version: approved.digest.version, by: OutreachFixture.approver)
        if !isResumed { _ = try await server.resume() }
        let version = try await server.desk.report(id, for: OutreachFixture.author).digest.version
        #expect(draft.digest.status == "draft")
        let review = try await server.desk.submit(id, version: version, by: OutreachFixture.author)
        let preview = try await server.desk.preview(id, for: OutreachFixture.approver)
        #expect(preview.digest.note?.contains("look in the groups") == true)
        let again = try await server.desk.approve(
            id, version: review.digest.version, preview: preview.mark, by: OutreachFixture.approver)
        #expect(again.digest.note?.contains("look in the groups") == true)
        let sent = try await server.desk.send(
            id, version: again.digest.version, students: again.students, by: OutreachFixture.author)
        #expect(sent.deliveries.map(\.state) == ["queued"] && sent.digest.note == nil)
        try server.store.close()
    }

    @Test func `who sends all after a restoration sends what was approved too`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        let approved = try await world.approved(channels: ["wecom"])
        let server = try await Restored(world) {}
        #expect(try await server.store.resumeSending() == RestoredDoubt())
        let sent = try await server.desk.send(
            try world.row(approved.digest.id), version: approved.digest.version, students: approved.students,
            by: OutreachFixture.author)
        #expect(sent.deliveries.map(\.state) == ["queued"])
        try server.store.close()
    }
}
