/// What decides whether something may be sent to an endpoint now.
package struct EndpointConditions: Hashable, Sendable {
    package var channel: Channel
    /// Deliveries under way.
    package var inFlight: Int
    /// When attempts ended that lie within ``Channel/rateMemory``.
    package var ends: [Moment]
    /// Until when a vendor's rate limit or quota holds it.
    package var heldUntil: Moment?
    package var breaker: Breaker
    package var quietHours: QuietHours?

    package init(
        channel: Channel, inFlight: Int = 0, ends: [Moment] = [], heldUntil: Moment? = nil,
        breaker: Breaker = Breaker(),
        quietHours: QuietHours? = nil
    ) {
        self.channel = channel
        self.inFlight = inFlight
        self.ends = ends
        self.heldUntil = heldUntil
        self.breaker = breaker
        self.quietHours = quietHours
    }
}

/// Whether something may be sent to an endpoint now, and if not, when to ask again.
///
/// To wait here uses up no attempt: nothing was tried.
package enum EndpointGate: Hashable, Sendable {
    /// So many deliveries may start.
    case open(room: Int)
    case closed(Reason, until: Moment)
    /// Enough is under way; ask again when something has ended.
    case busy

    /// Why to wait, in the order in which they are asked about.
    package enum Reason: String, CaseIterable, Hashable, Sendable {
        case held
        case breaker
        case quietHours = "quiet_hours"
        case rateLimit = "rate_limit"
        case halfHour = "half_hour"
    }

    /// Judges an endpoint that is active.
    ///
    /// `ignoringQuietHours` is for a time that a person chose. `jitter` in 0..<1 spreads those who keep off the half hour.
    package init(
        for it: EndpointConditions, now: Moment, ignoringQuietHours: Bool = false, jitter: Double = 0.5
    ) {
        func wait(_ reason: Reason, _ until: Moment?) -> EndpointGate? {
            until.flatMap { now < $0 ? .closed(reason, until: $0) : nil }
        }
        let room = it.breaker.maximumInFlight(it.channel, at: now) - it.inFlight
        self =
            wait(.held, it.heldUntil)
            ?? wait(.breaker, it.breaker.openUntil)
            ?? wait(.quietHours, ignoringQuietHours ? nil : it.quietHours?.end(for: now))
            ?? (room > 0 ? nil : .busy)
            ?? wait(.rateLimit, RateLimits.next(on: it.channel, after: it.ends, now: now))
            ?? wait(.halfHour, it.channel == .feishu ? now.awayFromHalfHour(jitter: jitter) : nil)
            ?? .open(room: room)
    }
}
