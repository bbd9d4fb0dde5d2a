import ArgumentParser
import Foundation
import RoostAPI
import RoostClient
import RoostSchema

struct EndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints", abstract: "推送端点：机器人、网址、人工 · Where digests go.",
        subcommands: [List.self, Add.self, Test.self, Pause.self, Resume.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "列出端点 · List endpoints.")
        @OptionGroup var options: CommonOptions

        func run() async throws {
            try await Session.online(options) { session, server in
                let list = try await server.endpoints()
                EndpointsCommand.tell(list.endpoints, session.output)
                session.output.result(try encoded(list))
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "新增端点 · Add an endpoint.",
            discussion: """
                地址和密钥从标准输入或环境变量读取更安全：地址写“-”时读一行标准输入。
                An address of “-” is read from standard input, which keeps it out of the shell's history.
                """)
        @OptionGroup var options: CommonOptions
        @Argument(help: "名称 · The name.") var name: String
        @Option(help: "wecom|dingtalk|feishu|generic|email|manual") var channel: String
        @Option(help: "机器人密钥或网址；“-”读标准输入 · Robot key or URL; “-” reads a line of input.") var address: String?
        @Option(help: "签名密钥 whsec_…，缺省由服务器生成 · Signing secret; drawn by the server otherwise.") var secret: String?
        @Option(help: "机器人要求的关键词 · The word that the robot demands.") var keyword: String?
        @Option(help: "所对应的联络群组编号 · The contact group it speaks to.") var group: String?

        func run() async throws {
            try await Session.online(options) { session, server in
                let entered = address == "-" ? readLine() : address
                let added = try await server.add(
                    EndpointDraft(
                        name: name, channel: channel, address: entered, secret: secret, keyword: keyword,
                        contactGroup: group))
                let output = session.output
                EndpointsCommand.tell([added.endpoint], output)
                if let secret = added.secret {
                    output.say("签名密钥（只显示这一次）：\(secret)", "Signing secret, shown this once: \(secret)")
                }
                output.result(try encoded(added))
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

        func run() async throws {
            try await Session.online(options) { session, server in
                let summary = try await server.resumeEndpoint(try await server.endpoint(matching: endpoint).id)
                EndpointsCommand.tell([summary], session.output)
                session.output.result(try encoded(summary))
            }
        }
    }

    fileprivate static func tell(_ endpoints: [EndpointSummary], _ output: Output) {
        output.table(
            [
                output.text("编号", "id"), output.text("名称", "name"), output.text("渠道", "channel"),
                output.text("地址", "address"), output.text("状态", "state"),
            ],
            endpoints.map { endpoint in
                let state =
                    switch endpoint.state {
                    case "active": output.text("启用", "active")
                    case "paused": output.text("暂停", "paused")
                    case "disabled": output.text("停用", "disabled") + (endpoint.note.map { " (\($0))" } ?? "")
                    default: endpoint.state
                    }
                return [endpoint.id, endpoint.name, endpoint.channel, endpoint.address, state]
            })
    }
}
