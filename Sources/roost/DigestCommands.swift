import ArgumentParser
import Foundation
import RoostAPI
import RoostClient
import RoostSchema

struct DigestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest", abstract: "政策岗位推送 · Digests of policies and jobs.",
        discussion: """
            起草 → 预览 → 试发 → 提交 → 由他人审批 → 发送或排期。编号可只写开头几位。
            Compose, preview, try out, submit, let somebody else approve, send or schedule. The beginning of an id is enough.
            """,
        subcommands: [
            List.self, New.self, Edit.self, Preview.self, Test.self, Submit.self, Approve.self, Reject.self,
            Schedule.self, Send.self, Cancel.self, Status.self, Log.self, MarkSent.self, Redrive.self, Told.self,
            Plan.self,
        ], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "列出推送 · List digests.")
        @OptionGroup var options: CommonOptions

        func run() async throws {
            try await Session.online(options) { session, server in
                let list = try await server.digests()
                DigestView(session.output).tell(list)
                session.output.result(try encoded(list))
            }
        }
    }

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "起草 · Make a draft.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "标题 · The title.") var title: String
        @OptionGroup var content: DigestContentOptions

        func run() async throws {
            try await Session.online(options) { session, server in
                var draft = try await content.draft(server)
                draft.title = title
                try tell(try await server.compose(draft), session)
            }
        }
    }

    struct Edit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "修改；已批准的须重新审批 · Change it; an approved one has to be approved anew.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "推送编号 · The digest.") var digest: String
        @Option(help: "标题 · The title.") var title: String?
        @OptionGroup var content: DigestContentOptions

        func run() async throws {
            try await Session.online(options) { session, server in
                let summary = try await server.digest(matching: digest)
                var draft = try await content.draft(server)
                draft.title = title
                draft.version = summary.version
                try tell(try await server.edit(summary.id, draft), session)
            }
        }
    }

    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "逐字预览每个渠道将发出的内容 · Exactly what each channel would send.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "推送编号 · The digest.") var digest: String

        func run() async throws {
            try await Session.online(options) { session, server in
                let preview = try await server.preview(try await server.digest(matching: digest).id)
                let names = try preview.audience.sample.compactMap { row in
                    try RowID(row).flatMap { try session.name(ofStudent: $0) }
                }
                DigestView(session.output).tell(preview, sample: names)
                session.output.result(try encoded(preview))
            }
        }
    }

    struct Submit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "提交审批 · Hand it to the approvers.")
        @OptionGroup var step: DigestStepOptions
        func run() async throws { try await step.take(.submit) }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "批准并定稿 · Approve it and freeze what will be sent.")
        @OptionGroup var step: DigestStepOptions
        @Option(
            help: "所看预览末尾的校验码；此后内容有变则不批准 · The mark at the end of the preview; refused if that has changed since.")
        var preview: String?
        func run() async throws { try await step.take(.approve, preview: preview) }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "退回起草人 · Give it back to its author.")
        @OptionGroup var step: DigestStepOptions
        func run() async throws { try await step.take(.reject) }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "取消 · Give it up before it is sent.")
        @OptionGroup var step: DigestStepOptions
        func run() async throws { try await step.take(.cancel) }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "每个端点的送达情况 · Where it stands at every endpoint.")
        @OptionGroup var options: CommonOptions
        @Argument(help: "推送编号 · The digest.") var digest: String

        func run() async throws {
            try await Session.online(options) { session, server in
                try tell(try await server.digest(try await server.digest(matching: digest).id), session)
            }
        }
    }

    struct MarkSent: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "mark-sent", abstract: "标记已人工发送 · Note that a person posted it.",
            discussion: """
                一个群的各部分都已发出时：roost digest mark-sent 推送编号 --endpoint 群名 --reach 人数
                All parts for a group at once: roost digest mark-sent DIGEST --endpoint GROUP --reach N
                """)
        @OptionGroup var options: CommonOptions
        @Argument(help: "投递编号；有 --endpoint 时为推送编号 · The delivery; with --endpoint, the digest.")
        var entry: String
        @Option(help: "标记这期推送在该端点等待人工的所有部分 · All parts of the digest that wait for a person there.")
        var endpoint: String?
        @Option(help: "大约触达人数 · About how many people it reached.") var reach: Int?

        func run() async throws {
            try await Session.online(options) { session, server in
                guard let endpoint else {
                    return try tell(
                        try await server.markSent(server.delivery(matching: entry), reach: reach), session)
                }
                let digest = try await server.digest(matching: entry).id
                let place = try await server.endpoint(matching: endpoint).id
                try tell(try await server.markSent(digest: digest, at: place, reach: reach), session)
            }
        }
    }

    static func tell(_ report: DigestReport, _ session: Session) throws {
        DigestView(session.output).tell(report)
        session.output.result(try encoded(report))
    }
}

private func tell(_ report: DigestReport, _ session: Session) throws { try DigestCommand.tell(report, session) }

/// What a digest says and to whom.
struct DigestContentOptions: ParsableArguments {
    @Option(help: "期次 · The period, such as 2026-11.") var period: String?
    @Option(help: "导语 · The introduction.") var intro: String?
    @Option(help: "受众条件，如 cohort>=2026 and level>=本科 · The audience.") var audience: String?
    @Option(help: "政策的编号、标题或行号，可多次 · A policy by code, title or id; repeatable.") var policy: [String] = []
    @Option(help: "岗位、活动的编号、标题或行号，可多次 · An opportunity by code, title or id; repeatable.")
    var opportunity: [String] = []
    @Option(
        name: .customLong("picture"),
        help: "配图：所列政策或岗位=https 图片地址，可多次 · A picture for a listed item: its code or id=https://…; repeatable.")
    var pictures: [String] = []
    @Flag(name: .customLong("new"), help: "收入各端点尚未收到的新内容 · Take what is new to the endpoints.") var takesNew = false
    @Option(help: "做成截止提醒：几天内截止的内容 · Make a reminder of what ends within so many days.")
    var endingWithin: Int?
    @Option(help: "更正哪一期已发送的推送 · Make a correction of a digest that went out.") var corrects: String?
    @Option(
        name: .customLong("channel"),
        help: "渠道 wecom|dingtalk|feishu|generic|email|manual，可多次 · A channel; repeatable.")
    var channels: [String] = []

    func validate() throws {
        for picture in pictures {
            guard let name = picture.split(separator: "=", maxSplits: 1).first.map(String.init),
                picture.count > name.count + 1, (policy + opportunity).contains(name)
            else {
                throw ValidationError(
                    "--picture 写作“编号=https://…”，编号须是 --policy 或 --opportunity 所列 · "
                        + "--picture is CODE=https://…, of an item that --policy or --opportunity names")
            }
        }
    }

    private func picture(of item: String) -> String? {
        pictures.last { $0.hasPrefix(item + "=") }.map { String($0.dropFirst(item.count + 1)) }
    }

    var draft: DigestDraft {
        let items =
            policy.map { DigestDraft.Item(collection: "policy", id: $0, picture: picture(of: $0)) }
            + opportunity.map { DigestDraft.Item(collection: "opportunity", id: $0, picture: picture(of: $0)) }
        return DigestDraft(
            period: period, intro: intro, items: items.isEmpty ? nil : items, new: takesNew ? true : nil,
            endingWithin: endingWithin, audience: audience, channels: channels.isEmpty ? nil : channels)
    }

    /// The draft, the digest it corrects looked up.
    func draft(_ server: ServerConnection) async throws -> DigestDraft {
        var draft = draft
        if let corrects { draft.corrects = try await server.digest(matching: corrects).id }
        return draft
    }
}

/// A step that moves a digest on.
struct DigestStepOptions: ParsableArguments {
    @OptionGroup var options: CommonOptions
    @Argument(help: "推送编号 · The digest.") var digest: String
    @Option(help: "所查看的版本，默认为当前版本 · The version you looked at; the current one otherwise.") var version: String?

    func take(_ move: ServerConnection.DigestMove, preview: String? = nil) async throws {
        try await Session.online(options) { session, server in
            let summary = try await server.digest(matching: digest)
            let report = try await server.move(
                summary.id, move, DigestStepRequest(version: version ?? summary.version, preview: preview))
            try tell(report, session)
        }
    }
}
