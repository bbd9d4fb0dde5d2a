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
        if digest.kind == "correction" { output.say(output.text("更正一期已发送的推送", "corrects a digest that went out")) }
        if let note = digest.note { output.say(note) }
        if let students = report.students { output.say("受众 \(students) 人", "audience: \(students) students") }
        if !digest.audience.isEmpty { output.say(output.text("受众：", "audience: ") + digest.audience) }
        if let moment = digest.scheduledAt { output.say(output.text("计划：", "scheduled: ") + self.moment(moment)) }
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
                    state(delivery.state, delivery.heldBy), "\(delivery.attempts)", delivery.code ?? "",
                ]
            })
        // Every endpoint with the same trouble is named once, before what to do about it.
        var troubled: [(instruction: String, endpoints: [String])] = []
        for delivery in report.deliveries where !["sent", "manual_done"].contains(delivery.state) {
            guard let zh = delivery.instructionZH, let en = delivery.instructionEN else { continue }
            let instruction = output.text(zh, en)
            let place = troubled.firstIndex { $0.instruction == instruction } ?? troubled.count
            if place == troubled.count { troubled.append((instruction, [])) }
            if !troubled[place].endpoints.contains(delivery.endpoint) {
                troubled[place].endpoints.append(delivery.endpoint)
            }
        }
        for (instruction, endpoints) in troubled {
            output.say("  \(endpoints.joined(separator: output.text("、", ", "))): \(instruction)")
        }
        if let zh = report.instructionZH, let en = report.instructionEN { output.say(zh, en) }
    }

    func tell(_ log: DeliveryLog) {
        let delivery = log.delivery
        output.say(
            "\(delivery.endpoint) · \(delivery.channel) · \(delivery.address) · \(state(delivery.state, delivery.heldBy))"
        )
        AttemptView(output).tell(log.attempts)
        if let zh = delivery.instructionZH, let en = delivery.instructionEN { output.say(zh, en) }
    }

    func tell(_ list: TellingList) {
        if !list.digests.isEmpty { tell(DigestList(digests: list.digests)) }
        guard !list.tellings.isEmpty else {
            if list.digests.isEmpty { output.say("没有推送记录。", "Nothing was told.") }
            return
        }
        output.table(
            [
                output.text("推送", "digest"), output.text("端点", "endpoint"), output.text("内容", "item"),
                output.text("版本", "version"), output.text("状态", "state"), output.text("时间", "sent"),
            ],
            list.tellings.map { telling in
                [
                    telling.title, telling.endpoint, telling.itemTitle, telling.version, state(telling.state, nil),
                    telling.sentAt.map(moment) ?? "",
                ]
            })
    }

    func tell(_ preview: DigestPreview, sample: [String]) {
        let audience = preview.audience
        if let note = preview.digest.note { output.say(note) }
        output.say(
            "受众：\(audience.sentenceZH) → \(audience.students) 人，\(audience.groups) 个群"
                + "（其中 \(audience.groupsWithoutEndpoint) 个没有端点）",
            "Audience: \(audience.sentenceEN): \(audience.students) students in \(audience.groups) groups "
                + "(\(audience.groupsWithoutEndpoint) of them without endpoint)")
        if !sample.isEmpty { output.say(output.text("例如：", "For example: ") + sample.joined(separator: ", ")) }
        list(
            "没有机器人的群（选用 manual 渠道则由人工发送）", "Groups no machine speaks to; by hand if manual is among the channels",
            audience.namesWithoutEndpoint)
        list("没有新内容、不会收到的端点", "Endpoints that get nothing, having been told all of it", audience.unaffected)
        list("未测试、暂停或停用、将等待的端点", "Endpoints at which it will wait, not tested, paused or disabled", audience.waiting)
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
        if let mark = preview.mark, preview.digest.status == "review" {
            output.say("")
            output.say(
                "审批人：roost digest approve \(preview.digest.id) --preview \(mark)（此后内容、端点或受众有变则不批准）",
                "To approve exactly this: roost digest approve \(preview.digest.id) --preview \(mark)")
        }
    }

    private func list(_ zh: String, _ en: String, _ names: [String]) {
        guard !names.isEmpty else { return }
        output.say(zh + "：" + names.joined(separator: "、"), en + ": " + names.joined(separator: ", "))
    }

    private func status(_ status: String) -> String {
        switch status {
        case "draft": output.text("草稿", "draft")
        case "review": output.text("待审批", "in review")
        case "approved": output.text("已批准", "approved")
        case "scheduled": output.text("已排期", "scheduled")
        case "sending": output.text("发送中", "sending")
        case "partly_sent": output.text("部分送达", "partly sent")
        case "failed": output.text("未送达", "failed")
        case "sent": output.text("已发送", "sent")
        case "cancelled": output.text("已取消", "cancelled")
        default: status
        }
    }

    private func state(_ state: String, _ heldBy: String?) -> String {
        switch heldBy ?? state {
        case "earlier_part": output.text("等待前面的部分", "held: an earlier part has not arrived")
        case "rate": output.text("限流等待", "held: rate limit")
        case "suspended": output.text("多次失败，稍后再试", "held: failing, tried again later")
        case "untested": output.text("等待端点测试", "held: endpoint not tested")
        case "paused": output.text("端点已暂停", "held: endpoint paused")
        case "disabled": output.text("端点已停用", "held: endpoint disabled")
        case "quiet": output.text("免打扰时段", "held: quiet hours")
        case "sending_paused": output.text("全部发送已暂停", "held: all sending is paused")
        case "cancelled": output.text("已放弃", "given up")
        case "frozen": output.text("已定稿", "frozen")
        case "queued": output.text("排队中", "queued")
        case "leased": output.text("发送中", "under way")
        case "retry_wait": output.text("等待重试", "waiting to retry")
        case "uncertain": output.text("无法确认", "uncertain")
        case "sent": output.text("已送达", "sent")
        case "failed": output.text("失败", "failed")
        case "expired": output.text("已过期", "expired")
        case "manual_pending": output.text("待人工发送", "to be posted by hand")
        case "manual_done": output.text("已人工发送", "posted by hand")
        default: state
        }
    }

    private func moment(_ milliseconds: Int64) -> String { output.moment(milliseconds) }
}
