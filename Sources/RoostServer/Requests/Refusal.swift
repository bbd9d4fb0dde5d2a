package import RoostAPI
import RoostSchema
import RoostStore
import RoostSync

/// A request refused as a whole, with a code and words that its sender may read.
package struct Refusal: Error, Hashable, Sendable {
    package let code: APIErrorCode
    /// English, for whoever sent the request and for no log.
    ///
    /// It may repeat what they sent, and holds nothing about a person that they did not send.
    package let message: String
    /// The same in Chinese, where a person is likely to read it.
    package let messageZH: String?
    /// A finer stable code.
    package let reason: String?
    /// Seconds after which trying again makes sense.
    package let retryAfter: Int?

    package init(
        _ code: APIErrorCode, _ message: String, messageZH: String? = nil, reason: String? = nil,
        retryAfter: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.messageZH = messageZH
        self.reason = reason
        self.retryAfter = retryAfter
    }
}

extension Refusal {
    /// A refusal in both languages with a code of its own.
    init(_ code: APIErrorCode, reason: String, _ message: Label, retryAfter: Int? = nil) {
        self.init(code, message.en, messageZH: message.zh, reason: reason, retryAfter: retryAfter)
    }

    /// What none of the officer's roles allows, with whose work it is.
    static func role(_ message: Label) -> Refusal { Refusal(.forbidden, message.en, messageZH: message.zh) }

    /// What the sender is told of an error, or nil for one that is nobody's business but the operator's.
    init?(_ error: any Error) {
        switch error {
        case let refusal as Refusal: self = refusal
        case let problem as WireProblem: self.init(problem)
        case let error as ExchangeError: self.init(error)
        case let error as AccountError: self.init(error)
        default: return nil
        }
    }

    private init(_ problem: WireProblem) {
        let place = problem.member.map { " in member \($0)" } ?? ""
        self.init(
            problem.code == .unsupportedVersion ? .unsupportedVersion : .malformedRequest,
            "\(problem.code.rawValue) at byte \(problem.position)\(place)")
    }

    private init(_ error: ExchangeError) {
        switch error {
        case .wrongReplica: self.init(.forbidden, "the token belongs to another replica")
        case .oldIncarnation:
            self.init(.conflict, "the replica has begun a newer incarnation", reason: ReplicaCopied.reason)
        case .verdictsForgotten:
            // Whoever had not received them would still find them: they are kept for that.
            self.init(
                .conflict, "these mutations were decided and their verdicts received long ago",
                reason: ReplicaCopied.reason)
        case .tooManyMutations(let limit): self.init(.tooManyMutations, "a changeset holds at most \(limit) mutations")
        case .lostHistory:
            self.init(
                .conflict, reason: "history_lost",
                Label("服务器缺少本机已得到答复的内容，请联系管理员", "the server lacks what it told this device; ask the administrator"))
        }
    }

    private init(_ error: AccountError) {
        switch error {
        case .codeInvalid: self.init(.codeInvalid, "the code is unknown, used or expired")
        case .unknownOfficer: self.init(.notFound, "no such officer")
        case .unknownReplica: self.init(.notFound, "no such device")
        case .otherOfficer:
            self.init(
                .conflict, reason: "other_officer",
                Label(
                    "登记码是另一个人的。本机目录里是您的数据：请索取自己的登记码，或用 --data 指定另一个目录",
                    "the code is another person's, and this folder holds your data: ask for a code of your own, or name "
                        + "another folder with --data"))
        case .replicaTaken: self.init(.conflict, "the replica identity is taken; draw a new one")
        }
    }
}
