import Foundation
import RoostAPI

/// Attempts as people read them: what came of each, and where its time went.
struct AttemptView {
    let output: Output

    init(_ output: Output) { self.output = output }

    func tell(_ attempts: [AttemptReport]) {
        guard !attempts.isEmpty else { return output.say("还没有发送过。", "Nothing was sent yet.") }
        output.table(
            [
                output.text("时间", "at"), output.text("毫秒", "ms"), output.text("结果", "outcome"),
                output.text("结果码", "code"), output.text("状态码", "status"), output.text("连接地址", "address"),
                output.text("对方说明", "vendor"),
            ],
            attempts.map { attempt in
                [
                    output.moment(attempt.startedAt), "\(attempt.finishedAt - attempt.startedAt)",
                    outcome(attempt.outcome) + (attempt.delivery == nil ? output.text("（测试）", " (test)") : ""),
                    attempt.code,
                    attempt.status.map { "\($0)" } ?? "", attempt.address ?? "",
                    [attempt.vendorCode.map { "\($0)" }, attempt.vendorMessage].compactMap(\.self)
                        .joined(separator: " "),
                ]
            })
        for attempt in attempts {
            let phases = phases(of: attempt)
            guard attempt.url != nil || !phases.isEmpty else { continue }
            output.say(
                "  "
                    + ([output.moment(attempt.startedAt), attempt.url] + [phases.isEmpty ? nil : phases])
                    .compactMap(\.self).joined(separator: " · "))
        }
    }

    private func outcome(_ outcome: String) -> String {
        switch outcome {
        case "sent": output.text("已送达", "sent")
        case "rate_limited": output.text("限流", "rate limited")
        case "quota": output.text("额度用完", "quota used up")
        case "transient": output.text("暂时失败", "passing failure")
        case "config": output.text("设置有误", "settings refused")
        case "content": output.text("内容被拒", "content refused")
        case "uncertain": output.text("无法确认", "uncertain")
        case "unrecognised": output.text("未知错误", "unknown error")
        case "blocked": output.text("地址被禁", "address blocked")
        default: outcome
        }
    }

    /// How long after its beginning each phase ended, of those that were reached.
    private func phases(of attempt: AttemptReport) -> String {
        let phases = [
            (output.text("解析", "resolved"), attempt.resolved), (output.text("连接", "connected"), attempt.connected),
            (output.text("加密", "secured"), attempt.secured), (output.text("首字节", "first byte"), attempt.firstByte),
        ]
        return phases.compactMap { name, microseconds in
            microseconds.map { "\(name) \(String(format: "%.1f", Double($0) / 1000)) ms" }
        }.joined(separator: output.text("，", ", "))
    }
}

extension Output {
    /// A moment as it is entered: in China's time, wherever the reader is.
    func moment(_ milliseconds: Int64) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "Asia/Shanghai")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1000))
    }
}
