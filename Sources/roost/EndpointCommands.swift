import ArgumentParser
import Foundation
import RoostAPI
import RoostClient
import RoostSchema

struct EndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints", abstract: "推送端点：机器人、网址、人工 · Where digests go.",
        subcommands: [
            List.self, Add.self, Edit.self, Rotate.self, Test.self, Log.self, Pause.self, Resume.self, Retire.self,
            Notices.self,
        ], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "列出端点 · List endpoints.")
        @OptionGroup var options: CommonOptions
        @Flag(help: "连同已弃用的 · Those that were given up too.") var all = false

        func run() async throws {
            try await Session.online(options) { session, server in
                var list = try await server.endpoints()
                if !all { list.endpoints.removeAll { $0.state == "retired" } }
                EndpointsCommand.tell(list.endpoints, session.output)
                let failing = try await server.endpointNotices().notices.count { $0.closedAt == nil }
                if failing > 0 {
                    session.output.say(
                        "✗ \(failing) 处故障，处理办法见 roost endpoints notices",
                        "✗ \(failing) failing; what to do: roost endpoints notices")
                }
                session.output.result(try encoded(list))
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "新增端点 · Add an endpoint.",
            discussion: """
                地址和密钥从标准输入读取更安全：写“-”时各读一行标准输入，先地址后密钥。
                An address or secret of “-” is read from a line of standard input each, the address first, which keeps it \
                out of the shell's history.
                """)
        @OptionGroup var options: CommonOptions
        @Argument(help: "名称 · The name.") var name: String
        @Option(help: "wecom|dingtalk|feishu|generic|email|manual") var channel: String
        @OptionGroup var details: EndpointDetailOptions

        func run() async throws {
            try await Session.online(options) { session, server in
                var draft = try details.draft
                (draft.name, draft.channel) = (name, channel)
                let added = try await server.add(draft)
                try EndpointsCommand.tell(added, session)
                guard added.endpoint.state == "untested" else { return }
                session.output.say(
                    "先运行 roost endpoints test \(name)，收到测试消息后才会发送推送。",
                    "Run roost endpoints test \(name) first: digests go there once a test message has arrived.")
            }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "修改端点；换地址后须重新测试 · Change an endpoint; a new address has to be tested.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "端点名称或编号 · The endpoint.") var endpoint: String
        @Option(help: "新名称 · A new name.") var name: String?
        @OptionGroup var details: EndpointDetailOptions

        func run() async throws {
            try await Session.online(options) { session, server in
                var draft = try details.draft
                draft.name = name
                let id = try await server.endpoint(matching: endpoint).id
                try EndpointsCommand.tell(try await server.edit(endpoint: id, draft), session)
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "更换签名密钥，新旧并用一段时间 · Give a webhook a new signing secret, old ones used beside it.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "端点名称或编号 · The endpoint.") var endpoint: String
        @Option(help: "新旧并用的小时数，0–168，默认 24 · Hours for which the old ones are used too.") var overlapHours: Int?
        @Option(help: "新密钥 whsec_…；“-”读标准输入；缺省由服务器生成 · The new secret; “-” reads a line of input.")
        var secret: String?

        func run() async throws {
            try await Session.online(options) { session, server in
                let id = try await server.endpoint(matching: endpoint).id
                let rotation = EndpointRotation(
                    secret: secret == "-" ? readLine() : secret, overlapHours: overlapHours)
                try EndpointsCommand.tell(try await server.rotate(endpoint: id, rotation), session)
            }
        }
    }

    struct Notices: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "失败与恢复的端点 · Endpoints that fail, or did and recovered.")
        @OptionGroup var options: CommonOptions

        func run() async throws {
            try await Session.online(options) { session, server in
                let list = try await server.endpointNotices()
                let output = session.output
                for notice in list.notices {
                    output.say(
                        notice.closedAt == nil
                            ? "✗ \(notice.endpoint)：连续失败 \(notice.failures) 次（\(notice.code)）。\(notice.instructionZH)"
                            : "✓ \(notice.endpoint)：已恢复（此前 \(notice.code)）。",
                        notice.closedAt == nil
                            ? "✗ \(notice.endpoint): failed \(notice.failures) times (\(notice.code)). \(notice.instructionEN)"
                            : "✓ \(notice.endpoint): recovered (\(notice.code) before).")
                }
                if list.notices.isEmpty { output.say("没有失败的端点。", "No endpoint fails.") }
                output.result(try encoded(list))
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "发送测试消息 · Send a test message.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "端点名称或编号 · The endpoint.") var endpoint: String

        func run() async throws {
            try await Session.online(options) { session, server in
                let test = try await server.testEndpoint(try await server.endpoint(matching: endpoint).id)
                let output = session.output
                output.say(
                    (test.sent ? "✓ " : "✗ ") + test.code + " · "
                        + output.text(test.instructionZH, test.instructionEN))
                output.result(try encoded(test))
                if !test.sent { throw ExitCode(4) }
            }
        }
    }

    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "最近的每次发送，含测试 · The latest attempts there, test messages included.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "端点名称或编号 · The endpoint.") var endpoint: String

        func run() async throws {
            try await Session.online(options) { session, server in
                let log = try await server.log(ofEndpoint: try await server.endpoint(matching: endpoint).id)
                EndpointsCommand.tell([log.endpoint], session.output)
                AttemptView(session.output).tell(log.attempts)
                session.output.result(try encoded(log))
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "暂停发送 · Keep deliveries back.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "端点名称或编号 · The endpoint.") var endpoint: String

        func run() async throws {
            try await Session.online(options) { session, server in
                let summary = try await server.pauseEndpoint(try await server.endpoint(matching: endpoint).id)
                EndpointsCommand.tell([summary], session.output)
                session.output.result(try encoded(summary))
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "恢复发送 · Let deliveries go again.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "端点名称或编号 · The endpoint.") var endpoint: String
        @Flag(help: "放弃积压的投递 · Give up what gathered meanwhile.") var skipBacklog = false

        func run() async throws {
            try await Session.online(options) { session, server in
                let summary = try await server.resumeEndpoint(
                    try await server.endpoint(matching: endpoint).id, backlog: skipBacklog ? "skip" : "send")
                EndpointsCommand.tell([summary], session.output)
                session.output.result(try encoded(summary))
            }
        }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "永久弃用端点 · Give an endpoint up for good.",
            discussion: """
                等待中的投递随之放弃，密钥清除，名称与机器人可另建端点；已发送的记录保留。不能撤销，须输入端点名称或用 --yes 确认。
                What waits for it is given up, its secrets are wiped, its name and its robot are free for another endpoint; what \
                was sent there stays known. It cannot be undone: type its name to confirm, or give --yes.
                """)
        @OptionGroup var options: CommonOptions
        @Argument(help: "端点名称或编号 · The endpoint.") var endpoint: String
        @Flag(help: "不再询问 · Confirms it without being asked.") var yes = false

        func run() async throws {
            try await Session.online(options) { session, server in
                let output = session.output
                let found = try await server.endpoint(matching: endpoint)
                if !yes {
                    guard !output.json, isatty(STDIN_FILENO) == 1 else {
                        throw ValidationError("弃用不能撤销，请用 --yes 确认 · it cannot be undone: confirm by --yes")
                    }
                    output.say(
                        "“\(found.name)”将永久弃用，\(found.waiting) 条等待中的投递随之放弃，不能撤销。请输入端点名称以确认：",
                        "\(found.name) will be given up for good, and what waits for it (\(found.waiting)). Type its name to confirm:"
                    )
                    guard readLine()?.trimmingCharacters(in: .whitespaces) == found.name else {
                        output.say("名称不符，未作改动。", "That is not its name; nothing was changed.")
                        throw ExitCode(4)
                    }
                }
                let summary = try await server.retireEndpoint(found.id)
                EndpointsCommand.tell([summary], output)
                output.result(try encoded(summary))
            }
        }
    }

    fileprivate static func tell(_ added: EndpointAdded, _ session: Session) throws {
        let output = session.output
        tell([added.endpoint], output)
        if let secret = added.secret {
            output.say("签名密钥（只显示这一次）：\(secret)", "Signing secret, shown this once: \(secret)")
        }
        output.result(try encoded(added))
    }

    fileprivate static func tell(_ endpoints: [EndpointSummary], _ output: Output) {
        output.table(
            [
                output.text("编号", "id"), output.text("名称", "name"), output.text("渠道", "channel"),
                output.text("地址", "address"), output.text("状态", "state"), output.text("等待", "waiting"),
            ],
            endpoints.map { endpoint in
                let state =
                    switch endpoint.state {
                    case "untested": output.text("待测试", "to be tested")
                    case "active":
                        output.text("启用", "active") + (endpoint.forTests ? output.text("（测试用）", " (for tests)") : "")
                            + (endpoint.forNotices ? output.text("（接收故障通知）", " (for notices)") : "")
                    case "paused" where endpoint.note == "unsubscribed": output.text("收件人已退订", "unsubscribed")
                    case "paused": output.text("暂停", "paused")
                    case "disabled": output.text("停用", "disabled") + (endpoint.note.map { " (\($0))" } ?? "")
                    case "retired": output.text("已弃用", "given up")
                    default: endpoint.state
                    }
                return [
                    endpoint.id, endpoint.name, endpoint.channel, endpoint.address, state, "\(endpoint.waiting)",
                ]
            })
    }
}

/// What an endpoint has besides its name and channel.
struct EndpointDetailOptions: ParsableArguments {
    @Option(help: "机器人密钥、网址或邮箱；“-”读标准输入 · Robot key, URL or mailbox; “-” reads a line of input.") var address: String?
    @Option(
        help: "签名密钥；“-”读标准输入（在地址之后）；网址缺省由服务器生成 · Signing secret; “-” reads a line of input, after the address.")
    var secret: String?
    @Option(help: "消息形式，如 markdown_v2 · The kind of message, such as markdown_v2.") var form: String?
    @Option(help: "机器人要求的关键词 · The word that the robot demands.") var keyword: String?
    @Option(help: "所对应的联络群组编号 · The contact group it speaks to.") var group: String?
    @Option(
        name: .customLong("topic"),
        help:
            "只收这些栏目 industry|environment|policy|jobs，可多次；all 为全部 · Only these sorts of section; repeatable; all for every sort."
    )
    var topics: [String] = []
    @Option(help: "免打扰时段，如 22:00-08:00 · Quiet hours in China.") var quiet: String?
    @Option(help: "对方证书的签发机构 PEM 文件 · PEM file of the authority of its certificate.") var authority: String?
    @Flag(inversion: .prefixedNo, help: "仅用于试发 · Only for trying out drafts.") var forTests: Bool?
    @Flag(
        inversion: .prefixedNo,
        help: "只接收其他端点的故障与恢复通知 · Only for notices that other endpoints fail or recovered.")
    var forNotices: Bool?
    @Option(help: "网址端点按此角色可见的内容发送 · The role whose sight a webhook's payload has.") var role: String?

    var draft: EndpointDraft {
        get throws {
            let address = address == "-" ? readLine() : address
            let secret = secret == "-" ? readLine() : secret
            return EndpointDraft(
                form: form, address: address, secret: secret, keyword: keyword,
                contactGroup: group, topics: topics.isEmpty ? nil : topics == ["all"] ? [] : topics, quiet: quiet,
                authority: try authority.map { try String(contentsOfFile: $0, encoding: .utf8) },
                forTests: forTests, forNotices: forNotices, payloadRole: role)
        }
    }
}
