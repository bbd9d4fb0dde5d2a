import ArgumentParser
import Foundation
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct RejectedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejected", abstract: "被服务器退回的修改 · Edits the server refused.",
        subcommands: [
            RejectedList.self, RejectedShow.self, RejectedEdit.self, RejectedDiscard.self, RejectedExport.self,
        ], defaultSubcommand: RejectedList.self)
}

/// Refused and quarantined edits in words and for programs.
private struct RefusedWords {
    let desk: Desk
    let wording: Wording
    let language: Language

    init(_ session: Session) throws {
        desk = try session.desk()
        language = session.options.language
        wording = Wording(desk.replica, lists: ReferenceLists(), language: language)
    }

    func collection(_ entry: AnsweredMutation) -> String {
        desk.catalogue[CollectionName(entry.collection)]?.label.text(language) ?? entry.collection
    }

    func action(_ action: Mutation.Action?) -> String {
        let label =
            switch action {
            case .create: Label("新增", "add")
            case .edit: Label("修改", "edit")
            case .delete: Label("删除", "delete")
            case .restore: Label("恢复", "restore")
            case nil: Label("已移交服务器", "moved to the server")
            }
        return label.text(language)
    }

    func changes(_ entry: AnsweredMutation) -> [String] {
        let declaration = desk.catalogue[CollectionName(entry.collection)]
        return (entry.mutation?.changes ?? []).map { change in
            guard let field = declaration?[FieldName(change.field)] else {
                return change.field + "=" + String(decoding: change.value.json, as: UTF8.self)
            }
            return field.label.text(language) + "=" + wording.text(field.kind.adopted(change.value), of: field)
        }
            + entry.locked.map { name in
                (declaration?[FieldName(name)]?.label.text(language) ?? name) + "=" + wording.locked
            }
    }

    func reason(_ entry: AnsweredMutation) -> String {
        entry.verdict.outcome == .quarantined
            ? Label("待能处理的人决定", "waits for somebody to decide").text(language)
            : wording.refusal(entry.verdict, in: entry.collection)
    }

    func line(_ entry: AnsweredMutation) -> [String] {
        // A creation that was refused is nowhere but here.
        let own = entry.mutation?.changes.first { $0.field == "name" }?.value.text
        let name = own ?? wording.name(of: entry.row, in: CollectionName(entry.collection))
        return [
            entry.id.map { "\($0)" } ?? "–", collection(entry), name, action(entry.mutation?.action),
            changes(entry).joined(separator: " "), reason(entry), wording.moment(entry.answeredAt),
        ]
    }

    /// An edit that was never sent.
    func value(_ unsent: Mutation) -> Value {
        let (mutation, locked) = desk.replica.veiled(unsent) ?? (unsent, [])
        return .object([
            .init("number", .integer(mutation.number)), .init("group", mutation.group.map { .integer($0) } ?? .null),
            .init("collection", .text(mutation.collection)), .init("row", .id(mutation.row)),
            .init("action", .text(mutation.action.rawValue)),
            .init("fields", .object(mutation.changes.map { .init($0.field, $0.value) })),
            .init("locked", .list(locked.map { .text($0) })), .init("verdict", .null),
            .init("made_at_ms", .integer(mutation.time.moment.value)),
        ])
    }

    func value(_ entry: AnsweredMutation) -> Value {
        .object([
            .init("id", entry.id.map { .integer($0) } ?? .null), .init("number", .integer(entry.number)),
            .init("group", entry.mutation?.group.map { .integer($0) } ?? .null),
            .init("collection", .text(entry.collection)), .init("row", .id(entry.row)),
            .init("action", entry.mutation.map { .text($0.action.rawValue) } ?? .null),
            .init("fields", .object((entry.mutation?.changes ?? []).map { .init($0.field, $0.value) })),
            .init("locked", .list(entry.locked.map { .text($0) })),
            .init("verdict", .text(entry.verdict.outcome.rawValue)),
            .init("code", entry.verdict.refusal.map { .text($0.rawValue) } ?? .null),
            .init("about", entry.verdict.about.map { .text($0) } ?? .null),
            .init("problem", entry.verdict.problem.map { .text($0) } ?? .null),
            .init("message", .text(reason(entry))), .init("answered_at_ms", .integer(entry.answeredAt.value)),
        ])
    }
}

struct RejectedList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "列出被退回和待处理的修改 · List refused and quarantined edits.")

    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await Session.run(options) { session in
            let words = try RefusedWords(session)
            let output = session.output
            let refused = try words.desk.replica.refused()
            let waiting = try words.desk.replica.quarantined()
            output.table(
                [
                    output.text("编号", "id"), output.text("类别", "kind"), output.text("对象", "about"),
                    output.text("操作", "action"), output.text("内容", "content"), output.text("原因", "reason"),
                    output.text("时间", "at"),
                ], (refused + waiting).map(words.line))
            output.say(
                "被退回 \(refused.count) 条，待人处理 \(waiting.count) 条。",
                "\(refused.count) refused, \(waiting.count) waiting for somebody to decide.")
            output.result(
                .object([
                    .init("rejected", .list(refused.map(words.value))),
                    .init("quarantined", .list(waiting.map(words.value))),
                ]))
        }
    }
}

struct RejectedShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "查看一条 · Show one.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号 · Id.") var id: String

    func run() async throws {
        try await Session.run(options) { session in
            let words = try RefusedWords(session)
            let entry = try words.desk.refused(id)
            let together = try words.desk.hanging(on: entry)
            for member in together {
                session.output.say(
                    "\(words.collection(member)) · \(words.action(member.mutation?.action)) — \(words.reason(member))")
                for change in words.changes(member) { session.output.say("  " + change) }
            }
            session.output.say(
                "改正后重发：roost rejected edit \(id) 字段=值；放弃：roost rejected discard \(id)",
                "To correct and send again: roost rejected edit \(id) field=value; to give up: roost rejected discard \(id)"
            )
            session.output.result(.list(together.map(words.value)))
        }
    }
}

struct RejectedEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "改正后重发，相关的一并重发 · Correct and send again, with what hangs together with it.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号 · Id.") var id: String
    @Argument(help: "字段=值 … · field=value …; 可不填 · may be left out.") var fields: [String] = []

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let count = try desk.resubmit(try desk.refused(id), replacing: fields)
            session.output.say(
                "已重新提交 \(count) 条，待同步。", "\(count.of("edit")) queued again; to be synchronised.")
            session.output.result(.object([.init("id", .text(id)), .init("count", .integer(Int64(count)))]))
        }
    }
}

struct RejectedDiscard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard", abstract: "放弃，同组的一并放弃 · Give up, its whole group.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号 · Id.") var id: String

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            try desk.discard(try desk.refused(id))
            session.output.say("已放弃。", "Discarded.")
            session.output.result(.object([.init("id", .text(id))]))
        }
    }
}

struct RejectedExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "导出为 JSON 文件 · Write them to a JSON file.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "文件名 · File.") var file: String

    func run() async throws {
        try await Session.run(options) { session in
            let words = try RefusedWords(session)
            let replica = words.desk.replica
            // On a revoked device the edits that never went out are in nobody else's hands either.
            let unsent = try replica.revokedDevice() == nil ? [] : try replica.unsent()
            let entries = try replica.refused().map(words.value) + unsent.map(words.value)
            try session.write(Value.list(entries).json + [0x0A], to: file)
            session.output.say("已导出 \(entries.count) 条到 \(file)。", "\(entries.count) written to \(file).")
            session.output.result(
                .object([.init("file", .text(file)), .init("count", .integer(Int64(entries.count)))]))
        }
    }
}
