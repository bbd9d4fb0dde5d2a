import ArgumentParser
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct RowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rows",
        abstract: "各类记录：联系记录、任务、群组、政策等 · Records of every kind: contacts, tasks, groups, policies.",
        discussion: "例 · For example: roost rows add touch 学生=谭子朗 联系方式=电话 联系结果=通",
        subcommands: [
            RowsKinds.self, RowsList.self, RowsShow.self, RowsAdd.self, RowsEdit.self, RowsDelete.self,
            RowsRestore.self,
        ])
}

/// A kind of record, and one of it.
private struct KindArgument: ParsableArguments {
    @Argument(help: "记录种类，见 roost rows kinds · The kind of record; see roost rows kinds.") var kind: String
}

struct RowsKinds: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kinds", abstract: "有哪些记录和字段 · The kinds of records and their fields.")

    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            session.output.table(
                [
                    session.output.text("种类", "kind"), session.output.text("名称", "called"),
                    session.output.text("字段", "fields"),
                ],
                desk.catalogue.collections.map { collection in
                    [
                        collection.name.text, collection.label.text(options.language),
                        collection.fields.filter { $0.derivation == nil }.map { $0.label.text(options.language) }
                            .joined(separator: options.language == .zh ? "、" : ", "),
                    ]
                })
            session.output.result(
                .list(
                    desk.catalogue.collections.map { collection in
                        .object([
                            .init("kind", .text(collection.name.text)),
                            .init("fields", .list(collection.fields.map { .text($0.name.text) })),
                        ])
                    }))
        }
    }
}

struct RowsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "列出记录 · List records.")

    @OptionGroup var options: CommonOptions
    @OptionGroup fileprivate var subject: KindArgument
    @Option(name: .long, help: "关于哪名学生 · About which student.") var about: String?
    @Option(
        name: .long, parsing: .upToNextOption, help: "字段=值，须全部符合 · field=value; all must hold.")
    var `where`: [String] = []
    @Option(name: .long, help: "最多列出几条 · At most so many.") var limit: Int?
    @Flag(name: .long, help: "列出已删除的 · List deleted ones.") var deleted = false

    func validate() throws {
        if let limit, !(0...1_000_000).contains(limit) { throw ValidationError("--limit: 0-1000000") }
    }

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let collection = try desk.collection(called: subject.kind)
            let found = try desk.rows(
                of: collection, about: about.map { try desk.student($0) }, where: `where`, deleted: deleted,
                limit: limit)
            let view = RowView(desk, language: options.language)
            session.output.table(view.headers(collection), found.map { view.line($0, collection) })
            session.output.say("共 \(found.count) 条。", "\(found.count) in all.")
            session.output.result(.list(found.map { view.value($0, collection.name) }))
        }
    }
}

struct RowsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "查看一条记录 · Show a record.")

    @OptionGroup var options: CommonOptions
    @OptionGroup fileprivate var subject: KindArgument
    @Argument(help: "编号、编号的开头，或名称 · Id, its beginning, or a name.") var row: String

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let collection = try desk.collection(called: subject.kind)
            let shown = try desk.row(of: collection, row)
            let view = RowView(desk, language: options.language)
            session.output.say(view.page(shown, collection).joined(separator: "\n"))
            session.output.result(view.value(shown, collection.name))
        }
    }
}

struct RowsAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "新增一条记录 · Add a record.",
        discussion: "您的角色必填的（如联络人为本人）会自动填上 · What your role asks for, such as yourself as officer, is filled in.")

    @OptionGroup var options: CommonOptions
    @OptionGroup fileprivate var subject: KindArgument
    @Argument(help: "字段=值 … · field=value …") var fields: [String]

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let row = try RowEntry(desk, try desk.collection(called: subject.kind)).add(fields)
            session.output.say("已新增，待同步：\(row)", "Added, to be synchronised: \(row)")
            session.output.result(.object([.init("id", .id(row))]))
        }
    }
}

struct RowsEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "修改一条记录 · Edit a record.", discussion: "字段= 清空 · field= clears.")

    @OptionGroup var options: CommonOptions
    @OptionGroup fileprivate var subject: KindArgument
    @Argument(help: "编号、编号的开头，或名称 · Id, its beginning, or a name.") var row: String
    @Argument(help: "字段=值 … · field=value …") var fields: [String]

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let collection = try desk.collection(called: subject.kind)
            let shown = try desk.row(of: collection, row)
            session.edited(shown, try RowEntry(desk, collection).edit(shown, fields))
        }
    }
}

/// One record, to be deleted or restored.
private struct RowArguments: ParsableArguments {
    @OptionGroup var options: CommonOptions
    @OptionGroup var subject: KindArgument
    @Argument(help: "编号、编号的开头，或名称 · Id, its beginning, or a name.") var row: String

    /// Finds the record, has something done to it, and says so.
    func run(deleted: Bool, _ act: (Desk, CollectionName, ShownRow) throws -> (zh: String, en: String)) async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let collection = try desk.collection(called: subject.kind)
            let shown = try desk.row(of: collection, row, deleted: deleted)
            let (zh, en) = try act(desk, collection.name, shown)
            session.output.say(zh, en)
            session.output.result(.object([.init("id", .id(shown.row.key.id))]))
        }
    }
}

struct RowsDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "删除一条记录（可恢复）· Delete a record; can be restored.")

    @OptionGroup fileprivate var arguments: RowArguments

    func run() async throws {
        try await arguments.run(deleted: false) { desk, collection, shown in
            try desk.delete(collection, shown)
            let restore = "roost rows restore \(collection) \(shown.row.key.id)"
            return ("已删除，待同步。恢复：\(restore)", "Deleted, to be synchronised. To restore: \(restore)")
        }
    }
}

struct RowsRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "恢复已删除的记录 · Restore a deleted record.")

    @OptionGroup fileprivate var arguments: RowArguments

    func run() async throws {
        try await arguments.run(deleted: true) { desk, collection, shown in
            try desk.restore(collection, shown)
            return ("已恢复，待同步。", "Restored, to be synchronised.")
        }
    }
}
