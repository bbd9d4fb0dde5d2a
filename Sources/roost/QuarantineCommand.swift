import ArgumentParser
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "服务器上待人处理的修改（联网）· Edits set aside on the server (online).",
        subcommands: [QuarantineListCommand.self], defaultSubcommand: QuarantineListCommand.self)
}

struct QuarantineListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "列出您有权看到的 · List those you may see.")

    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await Session.online(options) { session, connection in
            let words = QuarantineWords(try session.desk(), options.language)
            let entries = try await connection.quarantine()
            let output = session.output
            output.table(
                [
                    output.text("收到", "received"), output.text("修改人", "author"), output.text("设备", "device"),
                    output.text("类别", "kind"), output.text("对象", "about"), output.text("操作", "action"),
                    output.text("内容", "content"), output.text("原因", "reason"),
                ], entries.map(words.line))
            output.say("待人处理 \(entries.count) 条。", "\(entries.count) waiting for somebody to decide.")
            output.result(.object([.init("quarantine", .list(entries.map(\.value)))]))
        }
    }
}

/// Entries of the quarantine in words.
private struct QuarantineWords {
    private let catalogue: Catalogue
    private let wording: Wording
    private let language: Language

    init(_ desk: Desk, _ language: Language) {
        catalogue = desk.catalogue
        wording = Wording(desk.replica, lists: ReferenceLists(), language: language)
        self.language = language
    }

    func line(_ entry: QuarantineList.Entry) -> [String] {
        let collection = CollectionName(entry.collection)
        let content = entry.fields.map { member in
            guard let field = catalogue[collection]?[FieldName(member.name)] else {
                return member.name + "=" + String(decoding: member.value.json, as: UTF8.self)
            }
            return field.label.text(language) + "=" + wording.text(field.kind.adopted(member.value), of: field)
        }
        return [
            wording.moment(Milliseconds(entry.receivedAt)), wording.name(of: entry.officer, in: "officer"),
            entry.device, catalogue[collection]?.label.text(language) ?? entry.collection,
            name(of: entry, in: collection), action(entry.action), content.joined(separator: " "),
            reason(entry.reason),
        ]
    }

    /// The row's name; of a row that was to be made, the name it was to have.
    private func name(of entry: QuarantineList.Entry, in collection: CollectionName) -> String {
        let given = entry.action == .create ? entry.fields.first { $0.name == "name" }?.value.text : nil
        return given ?? wording.name(of: entry.row, in: collection)
    }

    private func action(_ action: Mutation.Action) -> String {
        let label =
            switch action {
            case .create: Label("新增", "add")
            case .edit: Label("修改", "edit")
            case .delete: Label("删除", "delete")
            case .restore: Label("恢复", "restore")
            }
        return label.text(language)
    }

    private func reason(_ code: String) -> String {
        switch code {
        case "masked": Label("修改人看不到原值", "its author does not see the value it replaces").text(language)
        case "authority_ended": Label("修改人的权限已结束", "its author's authority has ended").text(language)
        default: code
        }
    }
}
