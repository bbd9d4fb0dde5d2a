import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// What machines read of how sending is doing.
struct OutboxMetricsTests {
    private func lines(_ world: DigestWorld) async throws -> [String] {
        let metrics = ServerMetrics()
        metrics.told(try await world.fixture.store.outboxFigures(rules: Courier.rules), now: world.fixture.time.now)
        metrics.attempted("wecom", "rate_limited")
        return metrics.text.split(separator: "\n").map(String.init)
    }

    @Test func `metrics tell what waits, since when, what failed and how long it took`() async throws {
        let world = try await DigestWorld()
        _ = try await world.add("机器人", "wecom", "0123456789abcdef0123")
        _ = try await world.add("合作方", "generic", "https://example.com/hook")
        _ = try await world.released(channels: ["generic", "wecom"])
        world.fixture.time.advance(by: 90_000)
        var told = try await lines(world)
        for line in [
            "roost_deliveries{state=\"queued\"} 2", "roost_delivery_oldest_due_seconds 90",
            "roost_endpoints{state=\"active\"} 2", "roost_endpoints_suspended 0", "roost_sending_paused 0",
            "roost_delivery_attempts_total{channel=\"wecom\",outcome=\"rate_limited\"} 1",
        ] { #expect(told.contains { $0.hasPrefix(line) }, "\(line) is not in \(told)") }
        let leased = try await world.queue.lease(now: world.moment, limit: 9)
        try await world.settle(
            leased.filter { $0.target.channel == .wecom }, as: .uncertain, outcome: .uncertain, code: "timed_out")
        for _ in 0..<5 {
            let own = try await world.queue.lease(now: world.moment, limit: 9)
            try await world.settle(
                own.isEmpty ? leased.filter { $0.target.channel == .generic } : own, as: .retryWait,
                outcome: .transient, code: "http_503", nextAt: world.fixture.time.now)
        }
        told = try await lines(world)
        for line in [
            "roost_deliveries{state=\"uncertain\"} 1", "roost_endpoints_suspended 1",
            "roost_delivery_milliseconds{channel=\"generic\",quantile=\"0.95\"} 0",
            // It waits, but the breaker keeps it back and nobody is late.
            "roost_deliveries{state=\"retry_wait\"} 1", "roost_delivery_oldest_due_seconds 0",
        ] { #expect(told.contains { $0.hasPrefix(line) }, "\(line) is not in \(told)") }
    }

    @Test func `what quiet hours or the vendor's limit keep back is not late`() async throws {
        let world = try await DigestWorld()
        let id = try world.row(try await world.add("机器人", "wecom", "0123456789abcdef0123").endpoint.id)
        let store = world.fixture.store
        func isLate() async throws -> Bool { try await store.outboxFigures(rules: Courier.rules).oldestDue != nil }
        _ = try await world.released(channels: ["wecom"])
        #expect(try await isLate())
        // It is nine in the morning.
        try await store.change(id) { endpoint, _ in endpoint.quiet = "08:00-12:00" }
        #expect(try await !isLate())
        try await store.change(id) { endpoint, _ in endpoint.quiet = nil }
        #expect(try await isLate())
        let now = world.fixture.time.now
        let attempt = AttemptRecord(startedAt: now, finishedAt: now, status: 200, response: "")
        for number in 0..<20 { try await store.end(TrialResult(at: id, named: RowID(bits: UInt128(number)), attempt)) }
        #expect(try await !isLate())
        world.fixture.time.advance(by: 61_000)
        #expect(try await isLate())
    }

    @Test func `what somebody keeps back is not late`() async throws {
        let world = try await DigestWorld()
        let id = try world.row(try await world.add("合作方", "generic", "https://example.com/hook").endpoint.id)
        _ = try await world.released(channels: ["generic"])
        let store = world.fixture.store
        world.fixture.time.advance(by: 60_000)
        #expect(try await store.outboxFigures(rules: Courier.rules).oldestDue == world.fixture.time.now + -60_000)
        _ = try await world.endpoints.pause(id, by: OutreachFixture.administrator)
        #expect(try await store.outboxFigures(rules: Courier.rules).oldestDue == nil)
        _ = try await world.endpoints.resume(id, by: OutreachFixture.administrator)
        try await store.pauseSending("operator")
        #expect(try await store.outboxFigures(rules: Courier.rules).oldestDue == nil)
        #expect(try await lines(world).contains { $0.hasPrefix("roost_sending_paused 1") })
    }
}
