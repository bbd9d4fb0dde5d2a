import RoostCourier
import RoostSchema
import RoostStore
import RoostSync

/// The courier's queue over the server's database.
struct StoreDeliveryQueue: DeliveryQueue {
    let store: ServerStore
    let vault: EndpointVault

    /// Longer than any transfer takes.
    private static let leaseMilliseconds: Int64 = 60_000

    private static let limits = Dictionary(
        uniqueKeysWithValues: Channel.allCases.map { channel in
            (
                channel.rawValue,
                // WeCom takes 20 messages a minute; its robots' parts must arrive in order.
                ChannelLimits(
                    inFlight: channel.maximumInFlight, perMinute: channel.isRobot ? 20 : nil,
                    keepsOrder: channel.isRobot)
            )
        })

    /// Settles what a sender that is no more had taken; for a start, before the first lease.
    func recover() async throws {
        let now = store.clock()
        try await store.settleAllLeases { due in Self.result(ofExpiredLease: due, now: now) }
    }

    func lease(now: Moment, limit: Int) async throws -> [LeasedDelivery] {
        let moment = Milliseconds(now.milliseconds)
        let due = try await store.leaseDeliveries(
            now: moment, limit: limit, lease: Self.leaseMilliseconds, limits: Self.limits
        ) { due in Self.result(ofExpiredLease: due, now: moment) }
        var leased: [LeasedDelivery] = []
        var unusable: [DeliveryResult] = []
        for due in due {
            do {
                guard let target = try vault.target(of: due.endpoint) else {
                    throw UnsealableEndpoint(endpoint: due.endpoint.id)
                }
                leased.append(
                    LeasedDelivery(
                        id: DeliveryID(due.delivery.id.description), webhookID: Self.webhookID(of: due.delivery.id),
                        endpoint: EndpointID(due.endpoint.id.description), target: target, body: due.delivery.body,
                        contentType: due.delivery.contentType, attempts: due.delivery.attempts,
                        notAfter: Moment(milliseconds: due.delivery.notAfter?.value ?? .max)))
            } catch {
                // It cannot be sent whatever the receiver does: a person must enter the address again.
                unusable.append(
                    DeliveryResult(
                        delivery: due.delivery.id, state: .failed, nextAt: nil, attempts: due.delivery.attempts,
                        outcome: Outcome.Class.config.rawValue, code: "endpoint_unreadable", disablesEndpoint: true))
            }
        }
        if !unusable.isEmpty { try await store.record(unusable) }
        return leased
    }

    func record(_ results: [AttemptResult]) async throws {
        try await store.record(results.compactMap(Self.result))
    }

    /// The same for every attempt, so that a receiver recognises a repetition.
    static func webhookID(of delivery: RowID) -> WebhookID { WebhookID("msg_\(delivery)") }

    private static func result(_ result: AttemptResult) -> DeliveryResult? {
        guard let id = RowID(result.delivery.description),
            let state = DeliveryState(rawValue: result.decision.status.rawValue)
        else { return nil }
        let isAttempt = result.outcome.class != .deferred
        return DeliveryResult(
            delivery: id, state: state, nextAt: result.decision.nextAt.map { Milliseconds($0.milliseconds) },
            attempts: result.decision.attempts, outcome: result.outcome.class.rawValue, code: result.outcome.code,
            endpointHeldUntil: result.decision.endpointHeldUntil.map { Milliseconds($0.milliseconds) },
            disablesEndpoint: result.decision.disablesEndpoint,
            attempt: isAttempt
                ? DeliveryResult.Attempt(
                    startedAt: Milliseconds(result.startedAt.milliseconds),
                    finishedAt: Milliseconds(result.finishedAt.milliseconds), status: result.status,
                    response: result.answer) : nil)
    }

    private static func result(ofExpiredLease due: DueDelivery, now: Milliseconds) -> DeliveryResult {
        let decision = RetryPolicy.decision(
            afterExpiredLease: DeliveryCircumstances(
                channel: Channel(rawValue: due.endpoint.channel) ?? .manual, attempts: due.delivery.attempts,
                now: Moment(milliseconds: now.value),
                notAfter: Moment(milliseconds: due.delivery.notAfter?.value ?? .max)))
        return DeliveryResult(
            delivery: due.delivery.id, state: DeliveryState(rawValue: decision.status.rawValue) ?? .uncertain,
            nextAt: decision.nextAt.map { Milliseconds($0.milliseconds) }, attempts: decision.attempts,
            outcome: Outcome.Class.uncertain.rawValue, code: "sender_lost")
    }
}
