import ArgumentParser
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct ConflictsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conflicts",
        abstract: "两人同时修改：未采用的值，和并行修改 · Concurrent edits: values that lost, and parallel edits.",
        subcommands: [ConflictsList.self, ConflictsShow.self, ConflictsRestore.self, ConflictsKeep.self],
        defaultSubcommand: ConflictsList.self)
}

/// Conflicts in words and for programs.
struct ConflictWords {
    let desk: Desk
    let wording: Wording
    let language: Language

    init(_ session: Session) throws {
        desk = try session.desk()
        language = session.options.language
        wording = Wording(desk.replica, lists: ReferenceLists(), language: language)
    }

    func field(_ conflict: ConflictCase) -> String {
        let collection = desk.catalogue[conflict.collection]?.label.text(language) ?? conflict.collection.text
        return collection + " · " + label(conflict.field, in: conflict.collection)
    }

    func label(_ field: String, in collection: CollectionName) -> String {
        desk.catalogue[collection]?[FieldName(field)]?.label.text(language) ?? field
    }

    func text(_ value: Value, _ conflict: ConflictCase) -> String {
        if conflict.isLocked { return wording.locked }
        guard let field = desk.catalogue[conflict.collection]?[FieldName(conflict.field)] else {
            return String(decoding: value.json, as: UTF8.self)
        }
        return wording.text(value, of: field)
    }

    /// Whom a row is about: its subject, or the row itself.
    func subject(of row: RowID, in name: CollectionName) throws -> String {
        guard let collection = desk.catalogue[name] else { return "" }
        if let subject = collection.subject, let position = collection.position(of: subject),
            let target = collection.fields[position].target,
            let id = try desk.replica.row(name, row)?.row.values[position].id
        {
            return wording.name(of: id, in: target)
        }
        return wording.name(of: row, in: name)
    }

    func subject(_ conflict: ConflictCase) throws -> String {
        try subject(of: conflict.row, in: conflict.collection)
    }

    func author(_ officer: RowID?, on device: String?) -> String {
        let name = officer.map { wording.name(of: $0, in: "officer") } ?? ""
        return device.map { name + " (" + $0 + ")" } ?? name
    }

    /// Who wrote what the row holds now: the winner, unless somebody wrote since.
    func holder(_ conflict: ConflictCase) -> String { author(conflict.currentAuthor, on: conflict.currentDevice) }
    func loser(_ conflict: ConflictCase) -> String { author(conflict.losingAuthor, on: conflict.losingDevice) }

    func moment(_ stamp: Stamp?) -> String { stamp.map { wording.moment($0.time.moment) } ?? "" }

    func line(_ conflict: ConflictCase) throws -> [String] {
        [
            String(conflict.id.description.prefix(13)), try subject(conflict), field(conflict),
            text(conflict.current, conflict), holder(conflict),
            text(conflict.losing, conflict),
            loser(conflict), moment(conflict.losingStamp),
        ]
    }

    func value(_ conflict: ConflictCase) -> Value {
        .object([
            .init("id", .id(conflict.id)), .init("kind", "hard"),
            .init("collection", .text(conflict.collection.text)),
            .init("row", .id(conflict.row)), .init("field", .text(conflict.field)),
            .init("current", conflict.current),
            .init("current_author", conflict.currentAuthor.map { .id($0) } ?? .null),
            .init("current_device", conflict.currentDevice.map { .text($0) } ?? .null),
            .init("current_stamp", conflict.currentStamp.map { .text($0.description) } ?? .null),
            .init("losing", conflict.losing),
            .init("losing_author", conflict.losingAuthor.map { .id($0) } ?? .null),
            .init("losing_stamp", conflict.losingStamp.map { .text($0.description) } ?? .null),
            .init("losing_device", conflict.losingDevice.map { .text($0) } ?? .null),
            .init("winning_device", conflict.winningDevice.map { .text($0) } ?? .null),
            .init("winning_author", conflict.winningAuthor.map { .id($0) } ?? .null),
            .init("winning_stamp", conflict.winningStamp.map { .text($0.description) } ?? .null),
            .init("state", .text(conflict.isOpen ? "open" : "settled")),
            .init("pending", .boolean(conflict.isPending)), .init("locked", .boolean(conflict.isLocked)),
        ])
    }
}

struct ConflictsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "列出冲突 · List conflicts.")

    @OptionGroup var options: CommonOptions
    @Flag(name: .long, help: "包括已处理的和较早的 · Settled and old ones too.") var all = false

    func run() async throws {
        try await Session.run(options) { session in
            let words = try ConflictWords(session)
            let found = try words.desk.conflicts(all: all)
            let output = session.output
            output.table(
                [
                    output.text("编号", "id"), output.text("对象", "about"), output.text("字段", "field"),
                    output.text("现值", "now"), output.text("作者", "by"), output.text("未采用的值", "lost"),
                    output.text("作者", "by"), output.text("时间", "at"),
                ], try found.map(words.line))
            output.say("共 \(found.count) 处冲突。", "\(found.count.of("conflict")).")
            let parallels = try words.desk.parallelEdits(all: all)
            try words.list(parallels, to: output)
            output.result(.list(found.map(words.value) + parallels.map(words.value)))
        }
    }
}

struct ConflictsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "查看一处冲突 · Show a conflict.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号或其开头 · Id or its beginning.") var id: String

    func run() async throws {
        try await Session.run(options) { session in
            let words = try ConflictWords(session)
            let conflict = try words.desk.conflict(named: id)
            let output = session.output
            output.say("\(try words.subject(conflict)) · \(words.field(conflict))")
            let known = [words.holder(conflict), words.moment(conflict.currentStamp)].filter { !$0.isEmpty }
            output.say(
                "现值：\(words.text(conflict.current, conflict))"
                    + (known.isEmpty ? "" : "（\(known.joined(separator: "，"))）"),
                "now: \(words.text(conflict.current, conflict))"
                    + (known.isEmpty ? "" : " (\(known.joined(separator: ", ")))"))
            output.say(
                "未采用：\(words.text(conflict.losing, conflict))（\(words.loser(conflict))，\(words.moment(conflict.losingStamp))）",
                "lost: \(words.text(conflict.losing, conflict)) (\(words.loser(conflict)), \(words.moment(conflict.losingStamp)))"
            )
            output.say(
                "改用未采用的值：roost conflicts restore \(conflict.id)；保留现值：roost conflicts keep \(conflict.id)",
                "To take it back: roost conflicts restore \(conflict.id); to keep what is: roost conflicts keep \(conflict.id)"
            )
            output.result(words.value(conflict))
        }
    }
}

struct ConflictsRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "改用未采用的值 · Take the losing value back.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号或其开头 · Id or its beginning.") var id: String

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let conflict = try desk.conflict(named: id)
            try desk.restore(conflict)
            session.output.say("已改用未采用的值，待同步。", "The losing value is taken back; to be synchronised.")
            session.output.result(.object([.init("id", .id(conflict.id))]))
        }
    }
}

struct ConflictsKeep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "keep", abstract: "保留现值 · Keep the winning value.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号或其开头 · Id or its beginning.") var id: String

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let conflict = try desk.conflict(named: id)
            try desk.keep(conflict)
            session.output.say("已保留现值，待同步。", "Kept; to be synchronised.")
            session.output.result(.object([.init("id", .id(conflict.id))]))
        }
    }
}
