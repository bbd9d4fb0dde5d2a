import RoostCourier
import RoostStore
import RoostSync

/// What an endpoint takes now and how it is judged by what comes of it: the courier's rules over stored records.
enum EndpointPacing {
    /// How long an endpoint's last answer speaks for it, in milliseconds.
    private static let warmth: Int64 = 60_000

    @Sendable static func room(
        at endpoint: EndpointRecord, inFlight: Int, ends: [Milliseconds], now: Milliseconds
    ) -> EndpointRoom {
        guard let channel = Channel(rawValue: endpoint.channel) else { return EndpointRoom(count: 0) }
        let moment = Moment(milliseconds: now.value)
        // One that has not answered lately gets one at a time: a thousand that hang take a thousand places, not four
        // thousand.
        let most = isWarm(endpoint, now: now) ? channel.maximumInHand : min(1, channel.maximumInFlight)
        let conditions = EndpointConditions(
            channel: channel, ends: ends.map { Moment(milliseconds: $0.value) },
            heldUntil: endpoint.heldUntil.map { Moment(milliseconds: $0.value) }, breaker: endpoint.health.breaker)
        guard inFlight < most,
            case .open = EndpointGate(for: conditions, now: moment, ignoringQuietHours: true)
        else { return EndpointRoom(count: 0) }
        return EndpointRoom(
            count: most - inFlight,
            onlyChosen: endpoint.quiet.flatMap { QuietHours($0) }.map { $0.end(for: moment) > moment } ?? false)
    }

    /// Whether the endpoint has answered lately.
    static func isWarm(_ endpoint: EndpointRecord, now: Milliseconds) -> Bool {
        endpoint.health.failures == 0 && (endpoint.health.answeredAt.map { $0.value > now.value - warmth } ?? false)
    }

    /// What a result tells of the mail server in the settings; nil for nothing.
    @Sendable static func mailServerWorks(by channel: String, _ result: DeliveryResult) -> Bool? {
        guard channel == Channel.email.rawValue, result.code != "sender_lost",
            result.outcome != Outcome.Class.deferred.rawValue
        else { return nil }
        return !Outcome.blamesMailServer(code: result.code, on: .email)
    }

    /// `channel` is the endpoint's.
    @Sendable static func judge(
        _ before: EndpointHealth, on channel: String, _ result: DeliveryResult, now: Milliseconds
    ) -> (EndpointHealth, disable: String?) {
        guard let outcome = Outcome.Class(rawValue: result.outcome), let channel = Channel(rawValue: channel),
            !Outcome.blamesMailServer(code: result.code, on: channel)
        else { return (before, nil) }
        var health = before
        if outcome == .sent {
            // Noted now and then only: it costs a write.
            if health.failures == 0, health.exhausted == 0, health.openUntil == nil, let last = health.answeredAt,
                (last.value...last.value + warmth / 4).contains(now.value)
            {
                return (health, nil)
            }
            health = EndpointHealth()
            health.answeredAt = now
            return (health, nil)
        }
        if result.attempt != nil {
            let breaker = before.breaker.after(outcome, at: Moment(milliseconds: now.value))
            health.failures = breaker.failures
            health.openUntil = breaker.openUntil.map { Milliseconds($0.milliseconds) }
        }
        // What nobody takes says nothing against the endpoint.
        guard [.failed, .expired].contains(result.state), outcome != .content else { return (health, nil) }
        let since = health.exhaustedSince ?? now
        health.exhausted += 1
        health.exhaustedSince = since
        let isLost = DisableRule.disables(
            exhausted: health.exhausted, since: Moment(milliseconds: since.value),
            now: Moment(milliseconds: now.value))
        return (health, disable: isLost ? "failing_for_days" : nil)
    }
}

extension EndpointHealth {
    fileprivate var breaker: Breaker {
        Breaker(failures: failures, openUntil: openUntil.map { Moment(milliseconds: $0.value) })
    }
}
