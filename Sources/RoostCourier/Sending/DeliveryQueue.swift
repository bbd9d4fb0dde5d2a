package import Curl

/// Where deliveries come from and where their results are kept.
///
/// The store behind it survives a crash; the sender keeps nothing that matters.
package protocol DeliveryQueue: Sendable {
    /// Takes deliveries that are due, marking each as leased before it returns.
    ///
    /// - Leased deliveries of one endpoint, those of earlier calls included, must never exceed
    ///   ``Channel/maximumInHand``; a robot's later parts wait for its earlier ones.
    /// - A lease lasts longer than a transfer may take (``OutwardRequest/longestTransfer``); one that ends without a result
    ///   is settled by ``RetryPolicy/decision(afterExpiredLease:)``.
    /// - Deliveries of endpoints that are held, paused or disabled are not due.
    func lease(now: Moment, limit: Int) async throws -> [LeasedDelivery]

    /// Stores results in one transaction, all or none.
    ///
    /// It may be called again with the same results when it has thrown; a result for a delivery that is no longer leased
    /// changes nothing.
    func record(_ results: [AttemptResult]) async throws

    /// Whether a delivery that was taken is to go back, because somebody cancelled or paused meanwhile.
    ///
    /// Asked from any thread just before it begins, so it must not wait.
    func isRecalled(_ delivery: DeliveryID) -> Bool

    /// Whether any is.
    var hasRecalled: Bool { get }

    /// Stores results and takes what is due, in one transaction if the queue can; all or nothing, as ``record(_:)``.
    ///
    /// With `endpoints` only deliveries of those may be looked for: elsewhere nothing has changed since everything was
    /// looked through.
    func turn(
        _ results: [AttemptResult], at endpoints: Set<EndpointID>?, now: Moment, limit: Int
    ) async throws -> [LeasedDelivery]
}

extension DeliveryQueue {
    package func isRecalled(_ delivery: DeliveryID) -> Bool { false }
    package var hasRecalled: Bool { false }

    package func turn(
        _ results: [AttemptResult], at endpoints: Set<EndpointID>?, now: Moment, limit: Int
    ) async throws -> [LeasedDelivery] {
        if !results.isEmpty { try await record(results) }
        return limit > 0 ? try await lease(now: now, limit: limit) : []
    }
}

/// A delivery that one sender has taken, with all that sending it needs.
///
/// A class, because it goes through many hands and never changes: as a structure, each would copy a dozen references.
package final class LeasedDelivery: Sendable {
    package let id: DeliveryID
    package let webhookID: WebhookID
    package let endpoint: EndpointID
    package let target: DeliveryTarget
    /// The bytes frozen with the digest.
    package let body: [UInt8]
    package let contentType: String
    /// Attempts used up so far.
    package let attempts: Int
    package let notAfter: Moment
    /// The PEM text of authorities that the endpoint's receiver is trusted by, beside the system's.
    package let authorities: String?
    /// Whether the endpoint has answered lately.
    package let isWarm: Bool

    package init(
        id: DeliveryID, webhookID: WebhookID, endpoint: EndpointID, target: DeliveryTarget, body: [UInt8],
        contentType: String, attempts: Int, notAfter: Moment, authorities: String? = nil, isWarm: Bool = false
    ) {
        self.id = id
        self.webhookID = webhookID
        self.endpoint = endpoint
        self.target = target
        self.body = body
        self.contentType = contentType
        self.attempts = attempts
        self.notAfter = notAfter
        self.authorities = authorities
        self.isWarm = isWarm
    }
}

/// Where a delivery goes and what proves it.
package enum DeliveryTarget: Hashable, Sendable {
    case wecom(WeComKey)
    /// Signed with the secret if the robot has one.
    case dingtalk(DingTalkToken, secret: RobotSecret?)
    /// Signed with the secret if the robot has one.
    case feishu(FeishuToken, secret: RobotSecret?)
    /// Signed with every secret, the newest first.
    case generic(WebhookURL, secrets: [WebhookSecret])
    case email(MailTarget)

    package var channel: Channel {
        switch self {
        case .wecom: .wecom
        case .dingtalk: .dingtalk
        case .feishu: .feishu
        case .generic: .generic
        case .email: .email
        }
    }
}

/// One attempt as it is to be kept: what happened, and what becomes of the delivery.
package struct AttemptResult: Hashable, Sendable {
    /// The most bytes of an answer that are kept.
    package static let answerLimit = 4096

    package let delivery: DeliveryID
    package let endpoint: EndpointID
    package let channel: Channel
    /// Where it was sent, without anything secret.
    package let url: String
    package let startedAt: Moment
    package let finishedAt: Moment
    package let outcome: Outcome
    package let decision: DeliveryDecision
    package let status: Int?
    package let connectedAddress: String?
    package let timings: TransferTimings
    /// The beginning of the answer's body, as text.
    package let answer: String
}
