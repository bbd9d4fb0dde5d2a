import RoostCourier
import RoostSchema
import RoostStore

/// What a person is told to do about one delivery: by where it stands, and only then by what was answered last.
///
/// The words for an answer say of what passes that it is tried again by itself. That is true only of what waits, and only
/// as long as nothing but time keeps it.
struct DeliveryAdvice {
    var state: DeliveryState
    /// What keeps it from being sent; nil if nothing does.
    var heldBy: String?
    /// Class and code of the last outcome.
    var outcome: Outcome.Class?
    var code: String?
    var attempts: Int
    var channel: Channel
    /// Whether its endpoint was given up for good.
    var isRetired: Bool

    /// Codes that say by themselves what ended a delivery or keeps it, and promise nothing.
    private static let reasons: Set<String> = [
        "not_posted", "unsubscribed", "backlog_skipped", "digest_cancelled", "restored", "lacks_keyword",
    ]

    /// The words; nil where there is nothing to do or to know.
    var label: Label? {
        switch state {
        // Of what is under way, what is known is about an earlier attempt.
        case .leased: return nil
        case .sent, .manualDone: return code.map { _ in label(.sent, "sent") }
        case .uncertain: return uncertain
        case .frozen, .queued, .retryWait, .held, .failed, .expired, .cancelled, .manualPending: break
        }
        if isRetired { return label(.deferred, "endpoint_retired") }
        if let code, Self.reasons.contains(code) { return label(outcome ?? .deferred, code) }
        switch state {
        case .queued, .retryWait, .held: return waiting
        case .expired, .failed, .cancelled: return ended
        case .frozen, .manualPending, .leased, .sent, .manualDone, .uncertain: return nil
        }
    }

    private func label(_ outcome: Outcome.Class, _ code: String) -> Label {
        let words = Instruction(after: outcome, code: code, on: channel)
        return Label(words.chinese, words.english)
    }

    private var uncertain: Label {
        if isRetired {
            return Label(
                "无法确认是否送达，端点已弃用，不再发送：如看到已出现，请标记为已送达。",
                "It is unknown whether it arrived, and its endpoint was given up: if you see it there, mark it as delivered."
            )
        }
        if code == "restored" { return label(.uncertain, "restored") }
        return channel.isRobot
            ? label(.uncertain, "")
            : Label(
                "无法确认是否送达，不会自动重发：请向对方核实，已收到则标记为已送达，未收到再用 roost digest redrive --state uncertain 重发。",
                """
                It is unknown whether it arrived, and it is not sent again by itself: ask the receiver, then mark it as delivered \
                or send it again by roost digest redrive --state uncertain.
                """)
    }

    private var waiting: Label? {
        switch heldBy {
        case "untested":
            Label(
                "端点尚未测试：先运行 roost endpoints test，测试消息送达后才发送。",
                "The endpoint is not tested: nothing goes there before a test message has arrived (roost endpoints test)."
            )
        case "paused":
            Label(
                "端点已暂停：恢复（roost endpoints resume）后才发送。",
                "The endpoint is paused: nothing goes there until somebody resumes it (roost endpoints resume).")
        case "disabled":
            Label(
                "端点已停用：请按 roost endpoints list 所示原因处理，测试成功并恢复后才发送；不再使用就弃用（roost endpoints retire）。",
                """
                The endpoint is disabled: mend what roost endpoints list names, then test and resume it, before which nothing goes \
                there; or give it up (roost endpoints retire).
                """)
        case "sending_paused":
            Label(
                "全部发送已暂停：请管理员用 roostd sending resume 恢复。",
                "All sending is paused: have it resumed on the server (roostd sending resume).")
        case "earlier_part":
            Label(
                "在等待同一推送前面的部分：先处理前面的。",
                "It waits for an earlier part of the same digest: see to that one first.")
        default: code.map { label(outcome ?? .deferred, $0) }
        }
    }

    /// Of one that came to its end by something else than what was answered last, if that would pass.
    private var ended: Label? {
        let passing: [Outcome.Class?] = [nil, .transient, .rateLimited, .quota, .deferred, .uncertain]
        guard passing.contains(outcome) else {
            return label(outcome ?? .unrecognised, code ?? "")
        }
        let reason = Label(code.map { "（\($0)）" } ?? "", code.map { " (\($0))" } ?? "")
        switch state {
        case .expired where attempts == 0 && code == nil:
            return Label(
                "端点在期限内一直不能发送：请先用 roost endpoints list 查看其状态并处理，再用 roost digest redrive 重发。",
                """
                Nothing could go to the endpoint in time: see its state by roost endpoints list and mend it, then send again by \
                roost digest redrive.
                """)
        case .expired:
            return Label(
                "在期限内未能送达\(reason.zh)，不再自动重试：处理原因后用 roost digest redrive 重发。",
                """
                It did not arrive in time\(reason.en) and is not tried again by itself: mend the cause, then send it again by \
                roost digest redrive.
                """)
        case .failed:
            return Label(
                "多次重试仍未送达\(reason.zh)，不再自动重试：处理原因后用 roost digest redrive 重发。",
                """
                It did not arrive, however often it was tried\(reason.en), and is not tried again by itself: mend the cause, \
                then send it again by roost digest redrive.
                """)
        default:
            return Label(
                "已放弃，没有送达；需要时用 roost digest redrive --state cancelled 重发。",
                "Given up before it arrived; roost digest redrive --state cancelled sends it after all.")
        }
    }
}
