import Foundation
import RoostAPI
import RoostClient
import RoostSchema

/// Digests as people read them.
struct DigestView {
    let output: Output

    init(_ output: Output) { self.output = output }

    func tell(_ list: DigestList) {
        output.table(
            [
                output.text("编号", "id"), output.text("标题", "title"), output.text("状态", "status"),
                output.text("条数", "items"),
            ],
            list.digests.map { [$0.id, $0.title, status($0.status), "\($0.items)"] })
    }

    func tell(_ report: DigestReport) {
        let digest = report.digest
        output.say("\(digest.title) · \(status(digest.status)) · \(digest.id)")
        if !digest.audience.isEmpty { output.say(output.text("受众：", "audience: ") + digest.audience) }
        if let moment = digest.scheduledAt { output.say(output.text("计划：", "not before: ") + self.moment(moment)) }
        if let moment = digest.sentAt { output.say(output.text("发送：", "sent: ") + self.moment(moment)) }
        guard !report.deliveries.isEmpty else { return }
        output.table(
            [
                output.text("投递", "delivery"), output.text("端点", "endpoint"), output.text("渠道", "channel"),
                output.text("部分", "part"), output.text("状态", "state"), output.text("次数", "attempts"),
                output.text("结果码", "code"),
            ],
            report.deliveries.map { delivery in
                [
                    delivery.id, delivery.endpoint, delivery.channel, "\(delivery.part)/\(delivery.parts)",
                    state(delivery.state), "\(delivery.attempts)", delivery.code ?? "",
                ]
            })
        for delivery in report.deliveries where delivery.state != "sent" {
            guard let zh = delivery.instructionZH, let en = delivery.instructionEN else { continue }
            output.say("  \(delivery.endpoint): " + output.text(zh, en))
        }
    }

    func tell(_ preview: DigestPreview) {
        let audience = preview.audience
        output.say(
            "受众：\(audience.sentenceZH) → \(audience.students) 人，\(audience.groups) 个群"
                + "（其中 \(audience.groupsWithoutEndpoint) 个没有端点）",
            "Audience: \(audience.sentenceEN): \(audience.students) students in \(audience.groups) groups "
                + "(\(audience.groupsWithoutEndpoint) of them without endpoint)")
        if preview.isFrozen { output.say("内容已定稿。", "What follows is frozen.") }
        for rendering in preview.renderings {
            let endpoints = rendering.endpoints.isEmpty ? "—" : rendering.endpoints.joined(separator: ", ")
            for (index, part) in rendering.parts.enumerated() {
                output.say("")
                output.say(
                    "── \(rendering.channel) \(index + 1)/\(rendering.parts.count) · \(part.bytes)/\(rendering.byteLimit) B"
                        + " → \(endpoints)")
                output.say(part.content)
            }
        }
    }

    private func status(_ status: String) -> String {
        switch status {
        case "draft": output.text("草稿", "draft")
        case "review": output.text("待审批", "in review")
        case "approved": output.text("已批准", "approved")
        case "sending": output.text("发送中", "sending")
        case "sent": output.text("已发送", "sent")
        case "cancelled": output.text("已取消", "cancelled")
        default: status
        }
    }

    private func state(_ state: String) -> String {
        switch state {
        case "frozen": output.text("已定稿", "frozen")
        case "queued": output.text("排队中", "queued")
        case "leased": output.text("发送中", "under way")
        case "retry_wait": output.text("等待重试", "waiting to retry")
        case "held": output.text("限流等待", "held: rate limit")
        case "uncertain": output.text("无法确认", "uncertain")
        case "sent": output.text("已送达", "sent")
        case "failed": output.text("失败", "failed")
        case "expired": output.text("已过期", "expired")
        case "manual_pending": output.text("待人工发送", "to be posted by hand")
        case "manual_done": output.text("已人工发送", "posted by hand")
        default: state
        }
    }

    private func moment(_ milliseconds: Int64) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1000))
    }
}
