import Curl
import Foundation
import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

@testable import RoostServer

/// Test messages keep to what receivers take, like all others.
struct EndpointTrialTests {
    /// A robot's vendor that says this, and counts.
    private final class Vendor: HTTPTransport {
        let requests = Mutex<[HTTPRequest]>([])
        let body: String
        /// Waits before each answer until it is let go, where it is to.
        let gate: AsyncStream<Void>?

        init(_ body: String = #"{"errcode":0,"errmsg":"ok"}"#, gate: AsyncStream<Void>? = nil) {
            self.body = body
            self.gate = gate
        }

        func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
            requests.withLock { $0.append(request) }
            if let gate { for await _ in gate { break } }
            if Task.isCancelled { throw CurlError(.cancelled, requestMayHaveLeft: true) }
            return HTTPResponse(
                status: 200, body: Array(body.utf8), connectedAddress: "203.0.113.7:443")
        }

        var count: Int { requests.withLock(\.count) }
    }

    private func robot(
        _ world: DigestWorld, _ vendor: Vendor, _ channel: String = "wecom"
    ) async throws -> (desk: EndpointDesk, id: RowID) {
        let id = try world.row(
            try await world.add("机器人", channel, String(repeating: "0123456789abcdef", count: 2)).endpoint.id)
        let desk = EndpointDesk(
            store: world.fixture.store, key: world.fixture.key, settings: world.settings, transport: vendor, wake: {})
        return (desk, id)
    }

    private func refusal(_ desk: EndpointDesk, _ id: RowID) async -> RoostServer.Refusal? {
        await #expect(throws: RoostServer.Refusal.self) { try await desk.test(id, by: OutreachFixture.administrator) }
    }

    @Test func `a robot is tried out as often as its vendor lets it, and no more`() async throws {
        let (world, vendor) = (try await DigestWorld(), Vendor())
        let (desk, id) = try await robot(world, vendor)
        for _ in 0..<20 { #expect(try await desk.test(id, by: OutreachFixture.administrator).sent) }
        let refusal = await refusal(desk, id)
        #expect(refusal?.reason == "vendor_limit")
        #expect(refusal?.retryAfter == 61)
        #expect(vendor.count == 20)
    }

    @Test func `every part of a trial keeps to the limit, not the first alone`() async throws {
        let (world, vendor) = (try await DigestWorld(), Vendor())
        let (desk, id) = try await robot(world, vendor)
        for _ in 0..<18 { _ = try await desk.test(id, by: OutreachFixture.administrator) }
        let items = (0..<60).map { Message.Item(title: "第\($0)项" + String(repeating: "政策", count: 40)) }
        let rendering = try Message(headline: "试发", sections: [.init(title: "政策", items: items)])
            .rendered(for: .wecom, in: RenderingContext(digest: "d", frozenAt: world.moment))
        #expect(rendering.parts.count > 2)
        let vault = EndpointVault(key: world.fixture.key, settings: world.settings)
        let trial = EndpointTrial(store: world.fixture.store, vault: vault, transport: vendor)
        let endpoint = try await world.fixture.store.endpoint(id)
        let refusal = await #expect(throws: Refusal.self) { try await trial.send(rendering, to: endpoint) }
        #expect(refusal?.reason == "vendor_limit")
        #expect(vendor.count == 20)
    }

    @Test func `a ban that a test met holds the queue, and a ban holds tests`() async throws {
        let world = try await DigestWorld()
        let vendor = Vendor(#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#)
        let (desk, id) = try await robot(world, vendor, "dingtalk")
        #expect(try await desk.test(id, by: OutreachFixture.administrator).code == "dingtalk_130101")
        let until = world.fixture.time.now + 610_000
        #expect(try await world.fixture.store.endpoint(id).heldUntil == until)
        _ = try await world.released(channels: ["dingtalk"])
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        #expect(await refusal(desk, id)?.retryAfter == 610)
        #expect(vendor.count == 1)
        world.fixture.time.advance(by: 610_000)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `what is under way at a robot is waited for, and a test is too`() async throws {
        let world = try await DigestWorld()
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let vendor = Vendor(gate: gate)
        let (desk, id) = try await robot(world, vendor)
        _ = try await world.released(channels: ["wecom"])
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        #expect(leased.count == 1)
        #expect(await refusal(desk, id)?.reason == "vendor_limit")
        #expect(vendor.count == 0)
        try await world.settle(
            leased, as: .retryWait, outcome: .transient, code: "http_503", nextAt: world.fixture.time.now)
        async let test = desk.test(id, by: OutreachFixture.administrator)
        while vendor.count == 0 { await Task.yield() }
        #expect(try await world.queue.lease(now: world.moment, limit: 9).isEmpty)
        #expect(await refusal(desk, id)?.reason == "vendor_limit")
        opener.yield()
        #expect(try await test.sent)
        #expect(try await world.queue.lease(now: world.moment, limit: 9).count == 1)
    }

    @Test func `a test whose asker is gone counts all the same, and the log tells it`() async throws {
        let world = try await DigestWorld()
        let (gate, _) = AsyncStream.makeStream(of: Void.self)
        let vendor = Vendor(gate: gate)
        let (desk, id) = try await robot(world, vendor)
        let asker = Task { try await desk.test(id, by: OutreachFixture.administrator) }
        while vendor.count == 0 { await Task.yield() }
        asker.cancel()
        _ = try? await asker.value
        let attempts = try await world.fixture.store.reading { try $0.attempts(toReach: id, limit: 9) }
        #expect(attempts.map(\.outcome) == ["uncertain"])
        #expect(attempts.map(\.delivery) == [nil])
        // Nobody waits longer for it than the server does for its own requests.
        #expect(vendor.requests.withLock { $0.map(\.options.totalTimeout) } == [EndpointTrial.limit])
        // The queue is let at the robot again.
        #expect(try await world.fixture.store.endpoint(id).heldUntil == nil)
    }

    @Test func `the log of an endpoint tells tests and deliveries with address and times, and nothing secret`()
        async throws
    {
        let (world, vendor) = (try await DigestWorld(), Vendor())
        let (desk, id) = try await robot(world, vendor)
        #expect(try await desk.test(id, by: OutreachFixture.administrator).sent)
        let digest = try await world.released(channels: ["wecom"])
        try await world.arrived(try await world.queue.lease(now: world.moment, limit: 9))
        let log = try await desk.log(of: id, for: OutreachFixture.author)
        #expect(log.endpoint.name == "机器人")
        #expect(Set(log.attempts.map(\.delivery)) == [nil, digest.deliveries.first?.id])
        let test = try #require(log.attempts.first { $0.delivery == nil })
        #expect(test.address == "203.0.113.7:443" && test.status == 200)
        #expect(test.url?.contains("/cgi-bin/webhook/send?key=***") == true)
        let told = String(decoding: try JSONEncoder().encode(log), as: UTF8.self)
        #expect(!told.contains("0123456789abcdef"))
    }
}
