import ArgumentParser
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync

struct StudentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "students", abstract: "学生名册 · The roster.",
        subcommands: [
            StudentsList.self, StudentsShow.self, StudentsAdd.self, StudentsEdit.self, StudentsDelete.self,
            StudentsRestore.self,
        ])
}

struct StudentsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "列出学生 · List students.")

    @OptionGroup var options: CommonOptions
    @Option(
        name: .long, parsing: .upToNextOption,
        help: "姓名、拼音、首字母、学校或届别，可多个 · Name, pinyin, initials, school or year; all must match.")
    var search: [String] = []
    @Option(name: .long, help: "最多列出几人 · At most so many.") var limit: Int?
    @Flag(name: .long, help: "列出已删除的 · List deleted ones.") var deleted = false

    func validate() throws {
        if let limit, !(0...1_000_000).contains(limit) { throw ValidationError("--limit: 0-1000000") }
    }

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let view = try StudentView(desk, language: options.language)
            // One more than asked for tells whether there are more.
            let matches = try desk.students(search, deleted: deleted, limit: limit.map { $0 + 1 })
            let found = limit.map { Array(matches.prefix($0)) } ?? matches
            session.output.table(view.headers, try found.map(view.line))
            if found.count < matches.count {
                session.output.say("列出 \(found.count) 人，还有更多。", "\(found.count) shown; there are more.")
            } else {
                session.output.say("共 \(found.count) 人。", "\(found.count) in all.")
            }
            session.output.result(.list(found.map { view.value($0) }))
        }
    }
}

struct StudentsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "查看一名学生 · Show a student.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号，或只对应一人的姓名、拼音等 · Id, or a search that finds one.") var student: String

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let view = try StudentView(desk, language: options.language)
            let shown = try desk.student(student)
            session.output.say(try view.page(shown))
            session.output.result(try view.whole(shown))
        }
    }
}

struct StudentsAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "新增学生 · Add a student.",
        discussion: "例 · For example: roost students add 姓名=陈家俊 手机=13900000000 学校=华南农业大学 层次=本科 毕业时间=2027-06")

    @OptionGroup var options: CommonOptions
    @Argument(help: "字段=值 … · field=value …; 也可写 集合.字段 · or collection.field.") var fields: [String]
    @Option(name: .long, help: "加入哪个分部 · Which chapter to join, if you coordinate several.") var chapter: String?

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let entry = StudentEntry(desk)
            let (row, note) = try entry.add(fields, chapter: chapter)
            session.warn(note)
            if !note.alike.isEmpty {
                let ids = note.alike.map(\.description).joined(separator: " ")
                session.output.warn(
                    "名册中已有同名且资料不相矛盾的人：\(ids)。如属同一人，请 roost students delete \(row)，改为修改原有的。",
                    "The roster has people of this name about whom nothing else differs: \(ids). If it is the same person, "
                        + "run roost students delete \(row) and edit the one there.")
            }
            session.output.say("已新增，待同步：\(row)", "Added, to be synchronised: \(row)")
            session.output.result(
                .object([
                    .init("id", .id(row)), .init("alike", .list(note.alike.map { .id($0) })),
                    .init("unlisted", .list(note.unlisted.map { .text($0) })),
                ]))
        }
    }
}

struct StudentsEdit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "修改学生 · Edit a student.",
        discussion: "例 · For example: roost students edit tzs 手机=13900000000 schooling.major=农学。字段= 清空 · field= clears."
    )

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号，或只对应一人的姓名、拼音等 · Id, or a search that finds one.") var student: String
    @Argument(help: "字段=值 … · field=value …") var fields: [String]

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let shown = try desk.student(student)
            session.edited(shown, try StudentEntry(desk).edit(shown, fields))
        }
    }
}

struct StudentsDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "删除学生（可恢复）· Delete a student; can be restored.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号，或只对应一人的姓名等 · Id, or a search that finds one.") var student: String

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let shown = try desk.student(student)
            try desk.delete(Programme.subject, shown)
            session.output.say(
                "已删除，待同步。恢复：roost students restore \(shown.row.key.id)",
                "Deleted, to be synchronised. To restore: roost students restore \(shown.row.key.id)")
            session.output.result(.object([.init("id", .id(shown.row.key.id))]))
        }
    }
}

struct StudentsRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "恢复已删除的学生 · Restore a deleted student.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号 · Id.") var student: String

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let shown = try desk.student(student, deleted: true)
            try desk.restore(Programme.subject, shown)
            session.output.say("已恢复，待同步。", "Restored, to be synchronised.")
            session.output.result(.object([.init("id", .id(shown.row.key.id))]))
        }
    }
}
