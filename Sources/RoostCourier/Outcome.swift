/// What one attempt came to, and what to do about it.
package struct Outcome: Hashable, Sendable {
    /// The kinds of outcome that are treated differently.
    package enum Class: String, CaseIterable, Hashable, Sendable {
        /// The receiver has it.
        case sent
        /// The receiver wants fewer; its endpoint waits, and the attempt does not count.
        case rateLimited = "rate_limited"
        /// The receiver does not have it, and the next attempt may succeed.
        case transient
        /// A person must mend the endpoint first.
        case config
        /// The receiver will never take this message.
        case content
        /// The receiver may or may not have it.
        case uncertain
        /// The receiver refused for a reason we have no name for; tried once more at most.
        case unrecognised
        /// The endpoint leads to an address that deliveries must not go to.
        case blocked
        /// The attempt never started; it does not count.
        case deferred
    }

    package let `class`: Class
    /// The stable code: `sent`, `wecom_93000`, `http_503`, or that of a transfer's failure such as `timed_out`.
    package let code: String
    /// What the vendor's answer says in its own code and words, for the log.
    package let vendor: VendorAnswer?
    /// How long the receiver asks to be left alone.
    package let retryAfter: Duration?
    /// What a person should do now.
    package let instruction: Instruction

    init(
        _ class: Class, code: String, vendor: VendorAnswer? = nil, retryAfter: Duration? = nil,
        instruction: Instruction? = nil
    ) {
        self.class = `class`
        self.code = code
        self.vendor = vendor
        self.retryAfter = retryAfter
        self.instruction = instruction ?? .usual(for: `class`)
    }
}

/// The code and the words in a robot's answer.
package struct VendorAnswer: Hashable, Sendable {
    package let code: Int
    /// Cut to 300 characters.
    package let message: String

    init(code: Int, message: String) {
        self.code = code
        self.message = String(message.prefix(300))
    }
}

/// A sentence for the person who watches the delivery, in both languages.
package struct Instruction: Hashable, Sendable {
    package let chinese: String
    package let english: String

    init(_ chinese: String, _ english: String) {
        self.chinese = chinese
        self.english = english
    }

    package func text(in language: MessageLanguage) -> String {
        language == .chinese ? chinese : english
    }
}

extension Instruction {
    /// What to do about an outcome of this class when nothing more exact is known.
    static func usual(for class: Outcome.Class) -> Instruction {
        switch `class` {
        case .sent:
            Instruction("已送达，无需处理。", "Delivered; nothing to do.")
        case .rateLimited:
            Instruction("对方限流，稍后自动继续，无需处理。", "The receiver limits the rate; sending goes on by itself.")
        case .transient:
            Instruction("暂时失败，将自动重试。", "A passing failure; it is tried again by itself.")
        case .config:
            Instruction("请检查并修正该端点的设置，测试发送成功后再启用。", "Mend the endpoint's settings, then enable it after a test send.")
        case .content:
            Instruction("对方拒收此内容，请修改后重新发布。", "The receiver refuses this content; change it and publish it anew.")
        case .uncertain:
            Instruction(
                "无法确认是否送达：请到群里查看，已出现则标记为已送达，未出现再重发。",
                "It is unknown whether it arrived: look in the group, then mark it as delivered or send it again.")
        case .unrecognised:
            Instruction(
                "对方返回未知错误，请把日志中的错误码交给管理员。",
                "The receiver gave an unknown error; show its code in the log to an administrator.")
        case .blocked:
            Instruction(
                "该地址指向内部网络，已被拒绝；请改用公网地址。",
                "The address leads into an internal network and was refused; use a public one.")
        case .deferred:
            Instruction("尚未发送，将自动继续，无需处理。", "Not sent yet; it goes on by itself.")
        }
    }

    static let keyIsInvalid = Instruction(
        "机器人地址失效或机器人已被移出群：请在群里重新添加机器人并更新地址。",
        "The robot's address is not valid or the robot was removed: add a robot to the group and enter its new address."
    )
    static let robotIsStopped = Instruction(
        "机器人已被停用：请群主或管理员在群设置里启用它。", "The robot is switched off: the group's owner must switch it on again.")
    static let addressNotAllowed = Instruction(
        "服务器的 IP 不在对方允许的名单里：请把日志中的 IP 加入名单。",
        "The server's IP is not on the receiver's list: add the IP named in the log.")
    static let tooLong = Instruction(
        "内容超过对方的长度限制：请缩短后重新发布。", "The content exceeds the receiver's limit: shorten it and publish it anew.")
    static let gone = Instruction(
        "对方声明该地址已永久停用：请向对方索取新地址。", "The receiver says this address is gone for good: ask for a new one.")
    static let redirected = Instruction(
        "对方要求跳转到别处，跳转不会被跟随：请填写最终地址。", "The receiver redirects, which is not followed: enter the final address.")
    static let notAuthorised = Instruction(
        "对方拒绝了请求：请核对地址与签名密钥。", "The receiver refused the request: compare address and signing secret with theirs.")
    static let certificateIsInvalid = Instruction(
        "对方的证书不受信任或已过期：请联系对方更换证书；将自动重试。",
        "The receiver's certificate is not trusted or has expired: ask them to renew it; it is tried again by itself.")
    static let addressIsMalformed = Instruction(
        "端点地址或设置不合法：请重新填写。", "The endpoint's address or settings are not valid: enter them again.")
    static let willRepeat = Instruction(
        "未得到答复，将以同一编号自动重发，对方可据此去重。",
        "No answer came; it is sent again under the same id, by which the receiver can tell.")
}
