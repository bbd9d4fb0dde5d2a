import RoostCourier
import Testing

@Suite struct PacingTests {
    /// 2026-11-21 08:10:00 in China.
    static let start = Moment(milliseconds: 1_795_219_800_000)

    /// A vendor that counts arrivals in a sliding window and never forgives.
    private struct StrictVendor {
        let limits: [RateLimit]
        var arrivals: [Moment] = []
        var violations = 0

        mutating func receive(at moment: Moment) {
            arrivals.append(moment)
            for limit in limits where arrivals.count(where: { moment - $0 < limit.window }) > limit.count {
                violations += 1
            }
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>, [Channel.wecom, .dingtalk, .feishu])
    func `a strict vendor is never exceeded, whatever answers take, and nearly all it allows is used`(
        _ seed: UInt64, _ channel: Channel
    ) {
        var random = SplitMix(state: seed)
        var vendor = StrictVendor(limits: channel.rateLimits)
        var ends: [Moment] = []
        var now = Self.start
        let slow = seed % 3 == 0
        var sent = 0
        while now < Self.start + .seconds(600) {
            let due = RateLimits.next(on: channel, after: ends, now: now)
            if due > now { now = due }
            // It arrives at any moment between start and answer.
            let took = Int64.random(in: 1...(slow ? 12_000 : 80), using: &random)
            vendor.receive(at: now + .milliseconds(Int64.random(in: 0...took, using: &random)))
            now = now + .milliseconds(took)
            ends.append(now)
            ends = ends.filter { now - $0 <= channel.rateMemory }
            sent += 1
        }
        #expect(vendor.violations == 0)
        let allowed = channel == .feishu ? 1000 : 200
        if !slow { #expect(sent > allowed * 9 / 10 && sent <= allowed + 100) }
    }

    @Test func `the twenty-first message of a minute waits for the first to leave it`() {
        let ends = (0..<20).map { Self.start + .seconds($0) }
        let now = Self.start + .seconds(20)
        #expect(RateLimits.next(on: .wecom, after: ends, now: now) == Self.start + .milliseconds(60_500))
        #expect(RateLimits.next(on: .wecom, after: Array(ends.dropFirst()), now: now) == now)
        #expect(RateLimits.next(on: .generic, after: ends, now: now) == now)
    }

    @Test(arguments: [
        ("08:59:49", "08:59:49"), ("08:59:50", "09:03:00"), ("09:00:00", "09:03:00"), ("09:00:59", "09:03:00"),
        ("09:01:00", "09:01:00"), ("09:30:00", "09:33:00"), ("09:15:00", "09:15:00"), ("23:59:55", "00:03:00"),
    ])
    func `nothing starts around a full or half hour`(_ time: String, _ moved: String) {
        let moment = Self.moment(time)
        #expect(Self.time(moment.awayFromHalfHour(jitter: 0.5)) == moved)
        for jitter in [0, 0.3, 0.99] {
            let away = moment.awayFromHalfHour(jitter: jitter)
            #expect(away.awayFromHalfHour(jitter: jitter) == away && away >= moment)
        }
    }

    @Test(arguments: [
        ("22:00-07:30", "21:59:59", "21:59:59"), ("22:00-07:30", "22:00:00", "07:30:00"),
        ("22:00-07:30", "03:00:00", "07:30:00"), ("22:00-07:30", "07:30:00", "07:30:00"),
        ("12:00-14:00", "13:00:00", "14:00:00"), ("12:00-14:00", "11:00:00", "11:00:00"),
    ])
    func `quiet hours end at their end, also past midnight`(_ text: String, _ time: String, _ end: String) throws {
        let hours = try #require(QuietHours(text))
        #expect(hours.description == text)
        let moment = Self.moment(time)
        let after = hours.end(for: moment)
        #expect(Self.time(after) == end)
        #expect(after >= moment && after - moment < .seconds(86_400))
    }

    @Test(arguments: [
        "", "22:00", "22:00-22:00", "24:00-07:00", "22:60-07:00", "2:00-7:00", "a-b", "22:00-07:00-08:00",
    ])
    func `other texts are no quiet hours`(_ text: String) { #expect(QuietHours(text) == nil) }

    @Test func `five failures in a row open the breaker, and each failed probe doubles the wait up to an hour`() {
        var breaker = Breaker()
        var now = Self.start
        for _ in 0..<4 { breaker = breaker.after(.transient, at: now) }
        #expect(breaker.state(at: now) == .closed)
        var waits: [Int64] = []
        for outcome in [Outcome.Class.transient, .uncertain, .unrecognised] + Array(repeating: .transient, count: 6) {
            breaker = breaker.after(outcome, at: now)
            #expect(breaker.state(at: now) == .open && breaker.maximumInFlight(.generic, at: now) == 0)
            // Those that were under way when it opened change nothing.
            #expect(breaker.after(.transient, at: now) == breaker)
            let until = breaker.openUntil ?? now
            waits.append((until - now).components.seconds)
            now = until
            #expect(breaker.state(at: now) == .halfOpen && breaker.maximumInFlight(.generic, at: now) == 1)
        }
        #expect(waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
        for closing in [Outcome.Class.sent, .content, .config] {
            #expect(breaker.after(closing, at: now) == Breaker())
        }
        for neutral in [Outcome.Class.rateLimited, .quota, .deferred] {
            #expect(breaker.after(neutral, at: now) == breaker)
        }
    }

    @Test func `a success between failures starts the count anew`() {
        var breaker = Breaker()
        for outcome in [Outcome.Class.transient, .transient, .transient, .transient, .sent, .transient] {
            breaker = breaker.after(outcome, at: Self.start)
        }
        #expect(breaker == Breaker(failures: 1))
    }

    @Test func `an endpoint is disabled by count and time together`() {
        let days = Duration.seconds(72 * 3600)
        #expect(!DisableRule.disables(exhausted: 4, since: Self.start, now: Self.start + days + days))
        #expect(!DisableRule.disables(exhausted: 50, since: Self.start, now: Self.start + .seconds(72 * 3600 - 1)))
        #expect(DisableRule.disables(exhausted: 5, since: Self.start, now: Self.start + days))
    }

    @Test func `a gate names the first reason to wait and when to ask again`() throws {
        let quiet = try #require(QuietHours("08:00-09:00"))
        let minute = Self.start + .seconds(60)
        var it = EndpointConditions(
            channel: .wecom, ends: (0..<20).map { _ in Self.start }, heldUntil: minute,
            breaker: Breaker(failures: 5, openUntil: minute), quietHours: quiet)
        func gate(_ now: Moment = Self.start) -> EndpointGate { EndpointGate(for: it, now: now) }
        #expect(gate() == .closed(.held, until: minute))
        it.heldUntil = nil
        #expect(gate() == .closed(.breaker, until: minute))
        #expect(gate(minute) == .closed(.quietHours, until: Self.moment("09:00:00")))
        #expect(
            EndpointGate(for: it, now: minute, ignoringQuietHours: true)
                == .closed(.rateLimit, until: Self.start + .milliseconds(60_500)))
        it.quietHours = nil
        it.ends = []
        #expect(gate(minute) == .open(room: 1))
        it.inFlight = 1
        #expect(gate(minute) == .busy)
        it = EndpointConditions(channel: .generic, inFlight: 1, heldUntil: Self.start)
        #expect(gate() == .open(room: 3))
        it.breaker = Breaker(failures: 5, openUntil: Self.start)
        #expect(gate() == .busy)
        it = EndpointConditions(channel: .feishu)
        #expect(
            EndpointGate(for: it, now: Self.moment("09:30:00")) == .closed(.halfHour, until: Self.moment("09:33:00")))
        #expect(EndpointGate(for: EndpointConditions(channel: .manual), now: Self.start) == .busy)
    }

    /// The moment of 2026-11-21 with this time in China.
    private static func moment(_ time: String) -> Moment {
        let parts = time.split(separator: ":").compactMap { Int64($0) }
        return Moment(milliseconds: start.milliseconds - start.timeOfDay)
            + .seconds(
                parts[0] * 3600 + parts[1] * 60 + parts[2])
    }

    private static func time(_ moment: Moment) -> String {
        let seconds = moment.timeOfDay / 1000
        return [seconds / 3600, seconds / 60 % 60, seconds % 60].map { ($0 < 10 ? "0" : "") + String($0) }
            .joined(separator: ":")
    }
}

/// SplitMix64.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
