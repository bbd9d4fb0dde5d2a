/// Where a delivery stands; one word for the store, the log and the person who looks.
package enum DeliveryStatus: String, CaseIterable, Hashable, Sendable {
    /// Due at its time; no attempt has failed yet, or the last one did not count.
    case queued
    /// Under way. Whoever took it may have sent it.
    case leased
    case sent
    /// Due again at its time, after a failure.
    case retryWait = "retry_wait"
    /// Due again at its time, because the receiver limits the rate.
    case held
    /// May or may not have arrived; a person decides.
    case uncertain
    case failed
    /// Its last moment passed before it could be sent.
    case expired

    /// Whether nothing more happens by itself.
    package var isFinal: Bool {
        switch self {
        case .queued, .leased, .retryWait, .held: false
        case .sent, .uncertain, .failed, .expired: true
        }
    }
}

/// What becomes of a delivery, and of its endpoint, after an attempt.
package struct DeliveryDecision: Hashable, Sendable {
    package var status: DeliveryStatus
    /// When it is due again; nil in a final status.
    package var nextAt: Moment?
    /// Attempts used up so far.
    package var attempts: Int
    /// Until when nothing is to be sent to the endpoint at all; nil changes nothing.
    package var endpointHeldUntil: Moment?
    /// Whether the endpoint is to be disabled until a person has mended it.
    package var disablesEndpoint: Bool

    package init(
        status: DeliveryStatus, nextAt: Moment? = nil, attempts: Int, endpointHeldUntil: Moment? = nil,
        disablesEndpoint: Bool = false
    ) {
        self.status = status
        self.nextAt = nextAt
        self.attempts = attempts
        self.endpointHeldUntil = endpointHeldUntil
        self.disablesEndpoint = disablesEndpoint
    }
}

/// What is known of a delivery when the policy is asked about it.
package struct DeliveryCircumstances: Hashable, Sendable {
    package var channel: Channel
    /// Attempts used up before the one in question.
    package var attempts: Int
    package var now: Moment
    /// After this nothing is sent any more.
    package var notAfter: Moment
    /// A random number in 0..<1, which spreads retries by ±20 %.
    package var jitter: Double

    package init(channel: Channel, attempts: Int, now: Moment, notAfter: Moment, jitter: Double = 0.5) {
        self.channel = channel
        self.attempts = attempts
        self.now = now
        self.notAfter = notAfter
        self.jitter = jitter
    }
}

/// When to try again, and when to stop.
package enum RetryPolicy {
    /// A hint or a hold longer than this is cut to it.
    static let longestWait = Duration.seconds(86_400)
    /// How long an endpoint that limits the rate is left alone, unless it asks for longer.
    ///
    /// WeCom and Feishu count by the minute; DingTalk shuts a robot out for ten minutes.
    static func rateLimitHold(on channel: Channel) -> Duration {
        channel == .dingtalk ? .seconds(610) : .seconds(65)
    }
    /// The last wait repeats until ``DeliveryCircumstances/notAfter``.
    static let robotWaits: [Duration] = [.seconds(10), .seconds(60), .seconds(300), .seconds(900), .seconds(3600)]
    /// After the last wait and one more attempt, the delivery has failed: about 45 hours in all.
    static let genericWaits: [Duration] = [
        .seconds(5), .seconds(30), .seconds(120), .seconds(600), .seconds(1800), .seconds(7200), .seconds(21_600),
        .seconds(43_200), .seconds(86_400),
    ]
    /// Longer than robots', because greylisting mail servers want some minutes to pass; the last one repeats.
    static let mailWaits: [Duration] = [
        .seconds(60), .seconds(300), .seconds(900), .seconds(3600), .seconds(14_400),
    ]

    /// Between attempts while it is our own mail server that cannot be used; they use up nothing.
    static let mailServerWait = Duration.seconds(300)
    /// Before something is taken again that was not even begun: what keeps it from being begun may last.
    static let deferral = Duration.seconds(1)

    /// Decides what becomes of a delivery after an attempt with this outcome.
    ///
    /// An `uncertain` message to a robot is never repeated by itself: the group would read it twice. A generic webhook is,
    /// because its receiver recognises the `webhook-id`, and so is a letter, by its message id. A rate limit and an attempt that never started use up nothing.
    package static func decision(after outcome: Outcome, _ it: DeliveryCircumstances) -> DeliveryDecision {
        let used = it.attempts + 1
        switch outcome.class {
        case .sent:
            return DeliveryDecision(status: .sent, attempts: used)
        case .rateLimited:
            let wait = min(max(rateLimitHold(on: it.channel), outcome.retryAfter ?? .zero), longestWait)
            var decision = due(.held, at: it.now + wait, attempts: it.attempts, it)
            decision.endpointHeldUntil = it.now + wait
            return decision
        case .quota:
            // The vendor does not say when its day begins; soon after midnight in China, spread over half an hour.
            let morning = it.now.nextMidnight + .seconds(300) + .seconds(1800) * it.jitter
            var decision = due(.held, at: morning, attempts: it.attempts, it)
            decision.endpointHeldUntil = morning
            return decision
        case .deferred:
            return due(.queued, at: it.now + deferral, attempts: it.attempts, it)
        case .transient where Outcome.blamesMailServer(code: outcome.code, on: it.channel):
            return due(
                .retryWait, at: it.now + mailServerWait * (0.8 + 0.4 * it.jitter), attempts: it.attempts, it)
        case .transient:
            return retry(after: outcome, it)
        case .uncertain:
            return it.channel.isRobot
                ? DeliveryDecision(status: .uncertain, attempts: used) : retry(after: outcome, it)
        case .unrecognised:
            return it.attempts == 0 ? retry(after: outcome, it) : DeliveryDecision(status: .failed, attempts: used)
        case .config:
            return DeliveryDecision(status: .failed, attempts: used, disablesEndpoint: true)
        case .content, .blocked:
            return DeliveryDecision(status: .failed, attempts: used)
        }
    }

    /// Decides what becomes of a leased delivery whose sender has not reported by the end of the lease.
    ///
    /// It may have been sent just before the sender died. That is `uncertain` for a robot; a generic webhook is sent again
    /// under the same `webhook-id`.
    package static func decision(afterExpiredLease it: DeliveryCircumstances) -> DeliveryDecision {
        it.channel.isRobot
            ? DeliveryDecision(status: .uncertain, attempts: it.attempts + 1)
            : due(.queued, at: it.now, attempts: it.attempts + 1, it)
    }

    private static func retry(after outcome: Outcome, _ it: DeliveryCircumstances) -> DeliveryDecision {
        let used = it.attempts + 1
        let waits =
            switch it.channel {
            case .wecom, .dingtalk, .feishu: robotWaits
            case .email: mailWaits
            case .generic, .manual: genericWaits
            }
        guard it.attempts < waits.count || it.channel != .generic else {
            return DeliveryDecision(status: .failed, attempts: used)
        }
        let scheduled = waits[min(it.attempts, waits.count - 1)] * (0.8 + 0.4 * it.jitter)
        let wait = max(scheduled, min(outcome.retryAfter ?? .zero, longestWait))
        return due(.retryWait, at: it.now + wait, attempts: used, it)
    }

    /// Due at the moment, or expired when the last moment comes first.
    private static func due(
        _ status: DeliveryStatus, at moment: Moment, attempts: Int, _ it: DeliveryCircumstances
    ) -> DeliveryDecision {
        moment < it.notAfter
            ? DeliveryDecision(status: status, nextAt: moment, attempts: attempts)
            : DeliveryDecision(status: .expired, attempts: attempts)
    }
}
