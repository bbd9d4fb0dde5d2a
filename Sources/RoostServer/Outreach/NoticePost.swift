import RoostCourier
import RoostSchema
package import RoostStore
import RoostSync
import Synchronization

/// Tells the endpoints that are for notices which others fail, what to do about it, and which recovered.
package final class NoticePost: Sendable {
    private let store: ServerStore
    private let wake: @Sendable () -> Void
    /// What fails without anybody who could be told, as far as ``unheard()`` has returned it.
    private let reported = Mutex<Set<RowID>>([])

    /// For how long after a notice about an endpoint no other failure of it is told.
    static let window: Int64 = 6 * 3_600_000
    /// How long a notice is worth sending.
    static let lifetime: Int64 = 86_400_000

    package init(store: ServerStore, wake: @escaping @Sendable () -> Void) {
        self.store = store
        self.wake = wake
    }

    /// Puts what nobody was told yet into the outbox; to be called every few seconds.
    /// - Returns: How many notices were told.
    package func post() async throws -> Int {
        let now = Moment(milliseconds: store.clock().value)
        let told = try await store.announce(window: Self.window, lifetime: Self.lifetime) { announcement, receiver in
            guard let channel = Channel(rawValue: receiver.channel), channel != .manual else { return [] }
            var context = RenderingContext(
                keyword: receiver.keyword, form: receiver.form.flatMap(MessageForm.init(rawValue:)),
                eventType: announcement.isRecovery ? "endpoint.recovered" : "endpoint.failing",
                digest: announcement.id.description, frozenAt: now)
            let message = announcement.message
            // Forms that show links only cannot show this.
            if (try? message.rendered(for: channel, in: context)) == nil { context.form = nil }
            let rendering = try message.rendered(for: channel, in: context)
            return rendering.parts.map { AnnouncedPart(contentType: rendering.contentType, body: $0.body) }
        }
        if !told.isEmpty { wake() }
        return told.count
    }

    /// What fails, and no endpoint for notices is there that could be told of it; each failure once, for the log.
    package func unheard() async throws -> [FailingEndpoint] {
        let failing = try await store.reading { try $0.failingEndpoints() }.filter { !$0.isTold && !$0.canBeTold }
        return reported.withLock { reported in
            defer { reported = Set(failing.map(\.id)) }
            return failing.filter { !reported.contains($0.id) }
        }
    }
}

extension Announcement {
    /// What is said, in both languages: nobody knows who reads it.
    fileprivate var message: Message {
        let time = ChinaTime(since)
        let since = "\(time.date) \(two(time.minute / 60)):\(two(time.minute % 60))"
        let (name, channel) = (endpoint.name, endpoint.channel)
        guard !isRecovery else {
            let next =
                endpoint.state == .active
                ? Label("等待中的推送自动继续，无需处理。", "What waits goes on by itself.")
                : Label(
                    "测试已通过，请恢复该端点（roost endpoints resume）以发出等待中的推送。",
                    "A test arrived: resume it (roost endpoints resume) to let what waits go.")
            guard !isOfMailServer else {
                return Message(
                    headline: "邮件服务器已恢复",
                    summary: """
                        邮件服务器已恢复，此前自 \(since) 起无法使用（\(code)）。\(next.zh)
                        The mail server works again; it could not be used since \(since) (\(code)). \(next.en)
                        """)
            }
            return Message(
                headline: "端点已恢复：\(name)",
                summary: """
                    端点“\(name)”（\(channel)）已恢复接收，此前自 \(since) 起失败（\(code)）。\(next.zh)
                    The endpoint \(name) (\(channel)) takes messages again; it had failed since \(since) (\(code)). \(next.en)
                    """)
        }
        let instruction = Instruction(
            after: Outcome.Class(rawValue: outcome) ?? .unrecognised, code: code,
            on: Channel(rawValue: channel) ?? .generic, isStopped: endpoint.state != .active)
        guard !isOfMailServer else {
            return Message(
                headline: "邮件服务器故障",
                summary: """
                    邮件服务器自 \(since) 起无法使用（\(code)），有 \(waiting) 封邮件在等待。\(instruction.chinese)
                    The mail server could not be used since \(since) (\(code)); \(waiting) letters wait. \(instruction.english)
                    """)
        }
        return Message(
            headline: "端点故障：\(name)",
            summary: """
                端点“\(name)”（\(channel)）自 \(since) 起失败（\(code)），有 \(waiting) 条在等待。\(instruction.chinese)
                The endpoint \(name) (\(channel)) has failed since \(since) (\(code)); \(waiting) wait. \(instruction.english)
                """)
    }

    private var isOfMailServer: Bool { endpoint.id == EndpointRecord.mailServer.id }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
