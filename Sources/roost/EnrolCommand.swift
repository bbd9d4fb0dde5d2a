import ArgumentParser
import Curl
import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct EnrolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol", abstract: "用一次性登记码把本机接入服务器 · Bring this device in with a one-time code.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "服务器地址 · The server, such as https://roost.example.cn") var url: String
    @Argument(help: "登记码（10 分钟内有效）· The code, valid for 10 minutes.") var code: String
    @Option(help: "本机名称 · What to call this device.") var label: String?

    func run() async throws {
        try await Session.run(options) { session in
            let client = HTTPClient(idleConnections: 2)
            defer { client.shutdown() }
            let connection = try ServerConnection(
                base: url, token: nil, client: client, environment: session.environment,
                caFile: ProcessInfo.processInfo.environment["ROOST_CA_FILE"])
            // Opened before the code is spent, so that a folder that cannot be written costs no code.
            let replica = try Replica(
                directory: options.directory, catalogue: .client, names: NameKeys.programme, creating: true)
            let enrolment = try Enrolment(of: replica, at: connection.base, random: session.environment.random)
            let label = label ?? enrolment.former?.label ?? ProcessInfo.processInfo.hostName
            let answer = try await connection.enrol(enrolment.request(code: code, label: String(label.prefix(60))))
            try enrolment.keep(answer, label: label)
            let roles = answer.roles.map { Catalogue.client[role: RoleName($0)]?.label.text(options.language) ?? $0 }
            if let former = enrolment.former {
                session.output.say(
                    former.replica == enrolment.identity
                        ? "本机重新登记，数据和待发的修改都已保留。" : "本机已登记为一台新设备；本机保留的数据和待发的修改都在。",
                    former.replica == enrolment.identity
                        ? "Enrolled again; data and pending edits were kept."
                        : "Enrolled as a new device; what this device had kept, and its pending edits, are all here.")
            }
            session.output.say(
                "已登记：\(answer.name)（\(roles.joined(separator: "、"))）。接下来运行 roost sync。",
                "Enrolled as \(answer.name) (\(roles.joined(separator: ", "))). Run roost sync next.")
            session.output.result(
                .object([
                    .init("officer", .text(answer.officer)), .init("name", .text(answer.name)),
                    .init("roles", .list(answer.roles.map { .text($0) })),
                    .init("replica", .text(enrolment.identity.description)), .init("server", .text(connection.base)),
                ]))
        }
    }
}
