/// Keeps an endpoint that fails again and again from being tried with every message.
///
/// Digests are few, so that a share of failures would never be reached; what counts is failures in a row, over all
/// deliveries to the endpoint. A value: whoever owns the endpoint stores it.
package struct Breaker: Hashable, Sendable {
    /// Failures in a row after which it opens.
    static let threshold = 5
    /// How long it stays open at first; doubled by every probe that fails.
    static let firstWait = Duration.seconds(60)
    static let longestWait = Duration.seconds(3600)

    /// Failures in a row.
    package var failures: Int
    /// Until when nothing is sent; afterwards one delivery probes.
    package var openUntil: Moment?

    package init(failures: Int = 0, openUntil: Moment? = nil) {
        self.failures = failures
        self.openUntil = openUntil
    }

    package enum State: String, CaseIterable, Hashable, Sendable {
        case closed
        case open
        /// One delivery may try whether the receiver is back.
        case halfOpen = "half_open"
    }

    package func state(at now: Moment) -> State {
        guard let openUntil else { return .closed }
        return now < openUntil ? .open : .halfOpen
    }

    /// How many deliveries may be under way, of those the channel allows.
    package func maximumInFlight(_ channel: Channel, at now: Moment) -> Int {
        switch state(at: now) {
        case .closed: channel.maximumInFlight
        case .open: 0
        case .halfOpen: min(1, channel.maximumInFlight)
        }
    }

    /// The breaker after an attempt with this outcome.
    ///
    /// Any answer that says what is wanted closes it, even a refusal. A rate limit, a quota and an attempt that never
    /// started tell nothing. Failures that come in while it is open, from deliveries that were under way, count once.
    package func after(_ outcome: Outcome.Class, at now: Moment) -> Breaker {
        switch outcome {
        case .sent, .content, .config: return Breaker()
        case .rateLimited, .quota, .deferred: return self
        case .transient, .uncertain, .unrecognised, .blocked:
            guard state(at: now) != .open else { return self }
            let failures = failures + 1
            guard failures >= Self.threshold else { return Breaker(failures: failures) }
            let doublings = min(failures - Self.threshold, 6)
            let wait = min(Self.firstWait * (1 << doublings), Self.longestWait)
            return Breaker(failures: failures, openUntil: now + wait)
        }
    }
}

/// When an endpoint that only fails is disabled until a person has mended it.
///
/// By count and by time: one bad night must not do it, and neither must one digest that had many parts.
package enum DisableRule {
    /// Deliveries that ended without having arrived, since the last that did.
    package static let exhausted = 5
    /// Time since the first of them.
    package static let duration = Duration.seconds(72 * 3600)

    package static func disables(exhausted count: Int, since first: Moment, now: Moment) -> Bool {
        count >= exhausted && now - first >= duration
    }
}
