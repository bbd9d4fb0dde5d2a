import Curl
import Glibc
package import RoostCourier
package import RoostSchema
import RoostStore
import RoostSync

/// The courier's queue over the server's database.
struct StoreDeliveryQueue: DeliveryQueue {
    private let store: ServerStore
    private let targets: OpenedTargets

    init(store: ServerStore, vault: EndpointVault) {
        self.store = store
        targets = OpenedTargets(vault: vault)
    }

    /// How much is under way at once in all: room for a thousand receivers that hang, and as many again that do not, as far
    /// as the system lets the process open so many connections beside its clients' and the database's.
    static let capacity = max(256, min(2048, sysconf(Int32(_SC_OPEN_MAX)) - 512))

    /// How many letters are handed to the mail server at once: it is one server for all mailboxes, and most refuse whoever
    /// opens many sessions.
    static let lettersAtOnce = 4

    static let rules = OutboxRules(
        // Longer than any transfer takes.
        lease: 60_000,
        // A quarter of the places stays free for first attempts.
        retries: capacity * 3 / 4,
        ordered: Set(Channel.allCases.filter { $0.maximumInFlight == 1 }.map(\.rawValue)),
        memory: Dictionary(
            uniqueKeysWithValues: Channel.allCases.filter { $0.rateMemory > .zero }.map { channel in
                (channel.rawValue, channel.rateMemory.milliseconds)
            }),
        room: EndpointPacing.room(at:inFlight:ends:now:), expired: Self.result(ofExpiredLease:now:),
        together: [Channel.email.rawValue: lettersAtOnce], judge: EndpointPacing.judge(_:on:_:now:),
        mailServerWorks: EndpointPacing.mailServerWorks(by:_:))

    /// Settles what a sender that is no more had taken; for a start, before the first lease.
    func recover() async throws { try await store.settleAllLeases(rules: Self.rules) }

    func lease(now: Moment, limit: Int) async throws -> [LeasedDelivery] {
        try await turn([], at: nil, now: now, limit: limit)
    }

    func turn(
        _ results: [AttemptResult], at endpoints: Set<EndpointID>?, now: Moment, limit: Int
    ) async throws -> [LeasedDelivery] {
        let moment = Milliseconds(now.milliseconds)
        let due = try await store.turn(
            keeping: results.map(Self.result),
            at: endpoints.map { Set($0.map(\.row)) }, now: moment, limit: limit,
            rules: Self.rules)
        var leased: [LeasedDelivery] = []
        var unusable: [DeliveryResult] = []
        leased.reserveCapacity(due.count)
        for due in due {
            do {
                let target = try targets.target(of: due.endpoint, at: moment)
                guard due.hasKeyword else {
                    // The vendor would refuse it, and its robot is in order.
                    unusable.append(
                        DeliveryResult(
                            delivery: due.delivery.id, state: .failed, nextAt: nil, attempts: due.delivery.attempts,
                            outcome: Outcome.Class.content.rawValue, code: "lacks_keyword"))
                    continue
                }
                leased.append(
                    LeasedDelivery(
                        id: DeliveryID(due.delivery.id), webhookID: Self.webhookID(of: due.delivery.id),
                        endpoint: EndpointID(due.endpoint.id), target: target, body: due.delivery.body,
                        contentType: due.delivery.contentType, attempts: due.delivery.attempts,
                        notAfter: Moment(milliseconds: due.delivery.notAfter?.value ?? .max),
                        authorities: due.endpoint.authority, isWarm: EndpointPacing.isWarm(due.endpoint, now: moment)))
            } catch {
                // It cannot be sent whatever the receiver does: a person must enter the address again.
                unusable.append(
                    DeliveryResult(
                        delivery: due.delivery.id, state: .failed, nextAt: nil, attempts: due.delivery.attempts,
                        outcome: Outcome.Class.config.rawValue, code: "endpoint_unreadable", disablesEndpoint: true))
            }
        }
        // Whatever comes of it, the others have been taken; the leases of these end by themselves.
        if !unusable.isEmpty { try? await store.record(unusable, rules: Self.rules) }
        return leased
    }

    func record(_ results: [AttemptResult]) async throws {
        try await store.record(results.map(Self.result), rules: Self.rules)
    }

    var hasRecalled: Bool { !store.recalled.isEmpty }

    func isRecalled(_ delivery: DeliveryID) -> Bool { store.recalled.contains(delivery.row) }

    /// The same for every attempt, so that a receiver recognises a repetition.
    static func webhookID(of delivery: RowID) -> WebhookID { WebhookID("msg_\(delivery)") }

    private static func result(_ result: AttemptResult) -> DeliveryResult {
        let isAttempt = result.outcome.class != .deferred
        return DeliveryResult(
            delivery: result.delivery.row, state: DeliveryState(result.decision.status),
            nextAt: result.decision.nextAt.map { Milliseconds($0.milliseconds) },
            attempts: result.decision.attempts, outcome: result.outcome.class.rawValue, code: result.outcome.code,
            endpointHeldUntil: result.decision.endpointHeldUntil.map { Milliseconds($0.milliseconds) },
            disablesEndpoint: result.decision.disablesEndpoint, attempt: isAttempt ? record(of: result) : nil)
    }

    static func record(of result: AttemptResult) -> AttemptRecord {
        AttemptRecord(
            startedAt: Milliseconds(result.startedAt.milliseconds),
            finishedAt: Milliseconds(result.finishedAt.milliseconds), status: result.status, response: result.answer,
            url: result.url, address: result.connectedAddress, vendorCode: result.outcome.vendor?.code,
            vendorMessage: result.outcome.vendor?.message,
            timings: .init(
                resolved: microseconds(result.timings.resolved), connected: microseconds(result.timings.connected),
                secured: microseconds(result.timings.secured), firstByte: microseconds(result.timings.firstByte)))
    }

    private static func microseconds(_ duration: Duration) -> Int64? {
        guard duration > .zero else { return nil }
        return duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
    }

    /// What was under way may have arrived just before the sender died; it counts towards what the vendor allows.
    @Sendable private static func result(ofExpiredLease due: DueDelivery, now: Milliseconds) -> DeliveryResult {
        let decision = RetryPolicy.decision(
            afterExpiredLease: DeliveryCircumstances(
                channel: Channel(rawValue: due.endpoint.channel) ?? .manual, attempts: due.delivery.attempts,
                now: Moment(milliseconds: now.value),
                notAfter: Moment(milliseconds: due.delivery.notAfter?.value ?? .max)))
        return DeliveryResult(
            delivery: due.delivery.id, state: DeliveryState(decision.status),
            nextAt: decision.nextAt.map { Milliseconds($0.milliseconds) }, attempts: decision.attempts,
            outcome: Outcome.Class.uncertain.rawValue, code: "sender_lost",
            attempt: AttemptRecord(startedAt: now, finishedAt: now, status: nil, response: ""))
    }
}

extension DueDelivery {
    /// Whether the word that its robot demands now is in it: what was frozen before lacks it.
    ///
    /// Robots of WeCom demand none.
    fileprivate var hasKeyword: Bool {
        guard [.dingtalk, .feishu].contains(Channel(rawValue: endpoint.channel)), let keyword = endpoint.keyword
        else { return true }
        // Any other character may have been written otherwise for the channel's sake.
        guard keyword.allSatisfy({ $0.isLetter || $0.isNumber }) else { return true }
        return String(decoding: delivery.body, as: UTF8.self).contains(keyword)
    }
}

extension DeliveryID {
    package init(_ row: RowID) { self.init(bits: row.bits) }

    package var row: RowID { RowID(bits: bits) }
}

extension EndpointID {
    package init(_ row: RowID) { self.init(bits: row.bits) }

    package var row: RowID { RowID(bits: bits) }
}

extension DeliveryState {
    /// What the store calls it.
    fileprivate init(_ status: DeliveryStatus) {
        self =
            switch status {
            case .queued: .queued
            case .leased: .leased
            case .sent: .sent
            case .retryWait: .retryWait
            case .held: .held
            case .uncertain: .uncertain
            case .failed: .failed
            case .expired: .expired
            }
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
