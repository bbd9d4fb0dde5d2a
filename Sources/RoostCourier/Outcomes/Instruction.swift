/// A sentence that tells the person who watches a delivery what to do, in both languages.
package struct Instruction: Hashable, Sendable {
    package let chinese: String
    package let english: String

    init(_ chinese: String, _ english: String) {
        self.chinese = chinese
        self.english = english
    }

    /// The instruction after an outcome, found again from what is stored of it.
    package init(after class: Outcome.Class, code: String, on channel: Channel) {
        if code == "certificate", channel == .email {
            // Of the mail server, which is the operator's; an endpoint's own authorities do not count there.
            self = Instruction(
                "邮件服务器的证书不受信任或已过期：请管理员更换证书，或把其签发机构的 PEM 文件填入服务器设置 mail.ca_file；将自动重试。",
                "The mail server's certificate is not trusted or has expired: have it renewed, or name a PEM file of its authority "
                    + "in the server's setting mail.ca_file; it is tried again by itself.")
            return
        }
        self = Self.byCode[code] ?? Self.ofClock(code) ?? Self.usual(for: `class`, code: code, on: channel)
    }

    /// The instruction after a test message, which nothing repeats.
    package init(afterTest class: Outcome.Class, code: String, on channel: Channel) {
        let usual = Instruction(after: `class`, code: code, on: channel)
        switch `class` {
        case .transient, .rateLimited, .quota, .deferred:
            self = Instruction(
                usual.chinese + "测试消息除外：请稍后再测试一次。", usual.english + " A test message is not: test again later.")
        case .uncertain:
            self = Instruction(
                "没有得到答复，测试消息不会自动重发：请看对方是否收到，查明原因后再测试一次。",
                "No answer came, and nothing sends a test message again: see whether it arrived, find out why, then test again."
            )
        case .sent, .config, .content, .unrecognised, .blocked: self = usual
        }
    }

    /// The instruction about an endpoint that fails; where nothing goes by itself any more, as it is paused or disabled, none
    /// of the words that something does.
    package init(after class: Outcome.Class, code: String, on channel: Channel, isStopped: Bool) {
        let passing: [Outcome.Class] = [.transient, .rateLimited, .quota, .deferred, .uncertain]
        guard isStopped, passing.contains(`class`) else {
            self = Instruction(after: `class`, code: code, on: channel)
            return
        }
        self = Instruction(
            "端点已停用或暂停，不再自动发送：请处理原因（\(code)），测试成功后恢复（roost endpoints test、resume）；不再使用就弃用（roost endpoints retire）。",
            "The endpoint is disabled or paused, and nothing goes there by itself: mend the cause (\(code)), then test and "
                + "resume it (roost endpoints test, resume), or give it up (roost endpoints retire).")
    }

    package func text(in language: MessageLanguage) -> String {
        language == .chinese ? chinese : english
    }
}

extension Instruction {
    /// The words for `clock_fast_SECONDS` and `clock_slow_SECONDS`.
    private static func ofClock(_ code: String) -> Instruction? {
        let words = code.split(separator: "_")
        guard words.count == 3, words[0] == "clock", let seconds = Int(words[2]) else { return nil }
        let isFast = words[1] == "fast"
        let minutes = max(1, (seconds + 30) / 60)
        return Instruction(
            "本服务器的时钟比对方\(isFast ? "快" : "慢")约 \(minutes) 分钟，签名被拒：请校准服务器时间（如启用 NTP），校准后自动重试。",
            "This server's clock is about \(minutes) min \(isFast ? "ahead of" : "behind") the receiver's, so that the "
                + "signature was refused: set the clock (for example by NTP); it is tried again by itself.")
    }

    private static func usual(for class: Outcome.Class, code: String, on channel: Channel) -> Instruction {
        switch `class` {
        case .sent:
            Instruction("已送达，无需处理。", "Delivered; nothing to do.")
        case .rateLimited:
            Instruction("对方限流，稍后自动继续，无需处理。", "The receiver limits the rate; sending goes on by itself.")
        case .quota:
            Instruction(
                "对方今日的额度已用完，次日自动继续；若常发生，请减少推送或提高额度。",
                "The receiver's quota for today is used up; it goes on tomorrow by itself. Send less or raise the quota if it happens often."
            )
        case .transient where Outcome.blamesMailServer(code: code, on: channel):
            Instruction(
                "连不上邮件服务器，或它暂时不收：请管理员核对 mail.host、mail.port、网络与证书；将自动重试。",
                "The mail server cannot be reached or takes nothing now: have mail.host, mail.port, the line and the certificate "
                    + "checked; it is tried again by itself.")
        case .transient where ["unreachable", "unresolved"].contains(code):
            Instruction(
                "连不上对方，将自动重试；若一直如此，请核对地址和本服务器的网络。",
                "It cannot be reached and is tried again by itself; if that lasts, check the address and this server's line."
            )
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
