import ArgumentParser
import Foundation
import RoostAPI
import RoostClient
import RoostSchema

/// The commands about a digest's way out.
extension DigestCommand {
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "试发到测试端点 · Try it out at an endpoint for tests.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "推送编号 · The digest.") var digest: String
        @Option(help: "测试端点 · The endpoint for tests.") var endpoint: String

        func run() async throws {
            try await Session.online(options) { session, server in
                let test = try await server.test(
                    try await server.digest(matching: digest).id,
                    at: try await server.endpoint(matching: endpoint).id)
                let output = session.output
                output.say(
                    (test.sent ? "✓ " : "✗ ") + test.code + " · " + output.text(test.instructionZH, test.instructionEN))
                output.result(try encoded(test))
                if !test.sent { throw ExitCode(4) }
            }
        }
    }

    struct Send: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "立即发送 · Release it now.",
            discussion: "须输入受众人数确认。 The number of students in its audience is typed back.")
        @OptionGroup var release: ReleaseOptions
        func run() async throws { try await release.take(.send, at: nil, missed: nil) }
    }

    struct Schedule: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "到时自动发送 · Let it be released at a moment.",
            discussion: "须输入受众人数确认。 The number of students in its audience is typed back.")
        @OptionGroup var release: ReleaseOptions
        @Option(help: "北京时间，如 2026-11-27T19:10；缺省按计划 · When, in China's time; as its plan proposes otherwise.")
        var at: String?
        @Option(help: "错过时 ask|send|skip · What is done if the server was down then.") var missed: String?
        func run() async throws { try await release.take(.schedule, at: try at.map(Self.moment), missed: missed) }

        private static func moment(_ text: String) throws -> Int64 {
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = TimeZone(identifier: "Asia/Shanghai")
            formatter.dateFormat = "yyyy-MM-dd'T'HH:mm"
            guard let date = formatter.date(from: text) else {
                throw ValidationError("--at: 请写成 2026-11-27T19:10 · is written 2026-11-27T19:10")
            }
            return Int64(date.timeIntervalSince1970 * 1000)
        }
    }

    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "一条投递的每次尝试 · Every attempt at a delivery.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "投递编号 · The delivery.") var delivery: String

        func run() async throws {
            try await Session.online(options) { session, server in
                let log = try await server.log(of: server.delivery(matching: delivery))
                DigestView(session.output).tell(log)
                session.output.result(try encoded(log))
            }
        }
    }

    struct Redrive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "重发未送达或无法确认的 · Send once more what failed or is uncertain.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "推送编号 · The digest.") var digest: String
        @Option(name: .customLong("delivery"), help: "只重发这些投递，可多次 · Only these; repeatable.")
        var deliveries: [String] = []
        @Option(
            name: .customLong("state"),
            help: "failed|expired|cancelled|uncertain|retry_wait，可多次 · Only those in these states; repeatable.")
        var states: [String] = []
        @Option(help: "只重发到这个端点 · Only to this endpoint.") var endpoint: String?
        @Flag(help: "明白可能重复仍要重发 · Send even what may have arrived.") var acceptDuplicates = false

        func run() async throws {
            try await Session.online(options) { session, server in
                var named: [String] = []
                for delivery in deliveries { named.append(try await server.delivery(matching: delivery)) }
                var place: String?
                if let endpoint { place = try await server.endpoint(matching: endpoint).id }
                let report = try await server.redrive(
                    try await server.digest(matching: digest).id,
                    RedriveRequest(
                        deliveries: named.isEmpty ? nil : named, states: states.isEmpty ? nil : states,
                        endpoint: place, acceptsDuplicates: acceptDuplicates))
                try DigestCommand.tell(report, session)
            }
        }
    }

    struct Told: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "谁收到了什么 · Who was told what, when, in which version.")
        @OptionGroup var options: CommonOptions
        @Option(help: "政策、岗位或活动的编号、标题或行号 · A policy, job or event by code, title or id.") var item: String?
        @Option(help: "端点 · An endpoint.") var endpoint: String?
        @Option(help: "学生、群组或人员的行号 · A student, group or officer.") var member: String?

        func run() async throws {
            try await Session.online(options) { session, server in
                let list: TellingList
                switch (item, endpoint, member) {
                case (let item?, nil, nil): list = try await server.tellings("item", item)
                case (nil, let endpoint?, nil):
                    list = try await server.tellings("endpoint", try await server.endpoint(matching: endpoint).id)
                case (nil, nil, let member?): list = try await server.tellings("member", member)
                default: throw ValidationError("--item | --endpoint | --member")
                }
                DigestView(session.output).tell(list)
                session.output.result(try encoded(list))
            }
        }
    }
}

/// A step that hands a digest to the sender, confirmed by the size of its audience.
struct ReleaseOptions: ParsableArguments {
    @OptionGroup var options: CommonOptions
    @Argument(help: "推送编号 · The digest.") var digest: String
    @Option(help: "受众人数，用于确认 · The number of students in its audience, to confirm.") var students: Int?
    @Option(help: "所查看的版本，默认为当前版本 · The version you looked at; the current one otherwise.") var version: String?

    func take(_ move: ServerConnection.DigestMove, at: Int64?, missed: String?) async throws {
        try await Session.online(options) { session, server in
            let summary = try await server.digest(matching: digest)
            var count = students
            // At a terminal the number is asked for; elsewhere the server's refusal tells it.
            if count == nil, !session.output.json, isatty(STDIN_FILENO) == 1,
                let expected = try await server.digest(summary.id).students
            {
                session.output.say(
                    "“\(summary.title)”受众 \(expected) 人。请输入这个人数以确认：",
                    "“\(summary.title)” is for \(expected) students. Type that number to confirm:")
                count = readLine().flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
            }
            let report = try await server.move(
                summary.id, move,
                DigestStepRequest(version: version ?? summary.version, students: count, at: at, missed: missed))
            try DigestCommand.tell(report, session)
        }
    }
}
