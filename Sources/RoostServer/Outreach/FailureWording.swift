import RoostCourier
package import RoostSchema
package import RoostStore

/// What an operator is told of an endpoint that fails, and what to do about it.
extension FailingEndpoint {
    package var message: Label {
        guard !isOfMailServer else {
            return Label("邮件服务器无法使用（\(code)）", "the mail server cannot be used (\(code))")
        }
        return Label("端点“\(name)”失败（\(code)）", "the endpoint \(name) fails (\(code))")
    }

    /// How to mend it; where nobody is told by itself, also how to be told.
    package var advice: Label {
        let mending = Instruction(
            after: Outcome.Class(rawValue: outcome) ?? .unrecognised, code: code,
            on: Channel(rawValue: channel) ?? .generic, isStopped: isStopped)
        guard !isTold, !canBeTold else { return Label(mending.chinese, mending.english) }
        let (zh, en) =
            isOfMailServer
            ? ("没有群机器人或网址端点接收故障通知，因此没有通知任何人", "no robot or webhook gets notices, so nobody was told")
            : ("没有其他端点接收故障通知，因此没有通知任何人", "no other endpoint gets notices, so nobody was told")
        return Label(
            "\(mending.chinese)\(zh)；可用 roost endpoints add … --for-notices 新增一个。",
            "\(mending.english) Also, \(en): add one with roost endpoints add … --for-notices.")
    }

    private var isOfMailServer: Bool { id == EndpointRecord.mailServer.id }
}
