/// A sentence that tells the person who watches a delivery what to do, in both languages.
package struct Instruction: Hashable, Sendable {
    package let chinese: String
    package let english: String

    private init(_ chinese: String, _ english: String) {
        self.chinese = chinese
        self.english = english
    }

    /// The instruction after an outcome, found again from what is stored of it.
    package init(after class: Outcome.Class, code: String, on channel: Channel) {
        self = Self.byCode[code] ?? Self.usual(for: `class`, on: channel)
    }

    package func text(in language: MessageLanguage) -> String {
        language == .chinese ? chinese : english
    }
}

extension Instruction {
    private static let byCode: [String: Instruction] = {
        let table: [(codes: [String], instruction: Instruction)] = [
            (
                ["wecom_93000", "wecom_93008"],
                Instruction(
                    "机器人地址失效或机器人已被移出群：请在群里重新添加机器人并更新地址。",
                    "The robot's address is not valid or the robot was removed: add a robot to the group and enter its address."
                )
            ),
            (
                ["wecom_93004"],
                Instruction(
                    "机器人已被停用：请群主或管理员在群设置里启用它。",
                    "The robot is switched off: the group's owner must switch it on again.")
            ),
            (
                ["wecom_60020"],
                Instruction(
                    "服务器的 IP 不在对方允许的名单里：请把日志中的 IP 加入名单。",
                    "The server's IP is not on the receiver's list: add the IP named in the log.")
            ),
            (
                ["wecom_40058", "wecom_45002", "http_413"],
                Instruction(
                    "内容超过对方的长度限制：请缩短后重新发布。",
                    "The content exceeds the receiver's limit: shorten it and publish it anew.")
            ),
            (
                ["http_410"],
                Instruction(
                    "对方声明该地址已永久停用：请向对方索取新地址。",
                    "The receiver says this address is gone for good: ask for a new one.")
            ),
            (
                ["http_301", "http_302", "http_303", "http_307", "http_308"],
                Instruction(
                    "对方要求跳转到别处，跳转不会被跟随：请填写最终地址。",
                    "The receiver redirects, which is not followed: enter the final address.")
            ),
            (
                ["http_401", "http_403", "http_404", "http_405"],
                Instruction(
                    "对方拒绝了请求：请核对地址与签名密钥。",
                    "The receiver refused the request: compare address and signing secret with theirs.")
            ),
            (
                ["certificate"],
                Instruction(
                    "对方的证书不受信任或已过期：请联系对方更换证书；将自动重试。",
                    "The receiver's certificate is not trusted or has expired: ask them to renew it; it is tried again by itself."
                )
            ),
            (
                ["invalid_url", "invalid_header", "policy_behind_proxy", "unsupported_protocol"],
                Instruction(
                    "端点地址或设置不合法：请重新填写。",
                    "The endpoint's address or settings are not valid: enter them again.")
            ),
        ]
        let pairs = table.flatMap { entry in entry.codes.map { ($0, entry.instruction) } }
        return Dictionary(uniqueKeysWithValues: pairs)
    }()

    private static func usual(for class: Outcome.Class, on channel: Channel) -> Instruction {
        switch `class` {
        case .sent:
            Instruction("已送达，无需处理。", "Delivered; nothing to do.")
        case .rateLimited:
            Instruction("对方限流，稍后自动继续，无需处理。", "The receiver limits the rate; sending goes on by itself.")
        case .transient:
            Instruction("暂时失败，将自动重试。", "A passing failure; it is tried again by itself.")
        case .config:
            Instruction(
                "请检查并修正该端点的设置，测试发送成功后再启用。",
                "Mend the endpoint's settings, then enable it after a test send.")
        case .content:
            Instruction(
                "对方拒收此内容，请修改后重新发布。", "The receiver refuses this content; change it and publish it anew.")
        case .uncertain where channel.isRobot:
            Instruction(
                "无法确认是否送达：请到群里查看，已出现则标记为已送达，未出现再重发。",
                "It is unknown whether it arrived: look in the group, then mark it as delivered or send it again.")
        case .uncertain:
            Instruction(
                "未得到答复，将以同一编号自动重发，对方可据此去重。",
                "No answer came; it is sent again under the same id, by which the receiver can tell.")
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
}
