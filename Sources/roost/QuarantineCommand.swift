import ArgumentParser
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "待人决定的修改，离线也可处理 · Edits set aside for a decision; works offline.",
        subcommands: [QuarantineList.self, QuarantineShow.self, QuarantineAccept.self, QuarantineDecline.self],
        defaultSubcommand: QuarantineList.self)
}

/// Edits set aside, in words and for programs.
private struct QuarantineWords {
    let desk: Desk
    private let wording: Wording
    private let language: Language

    init(_ session: Session) throws {
        desk = try session.desk()
        language = session.options.language
        wording = Wording(desk.replica, lists: ReferenceLists(), language: language)
    }

    func line(_ entry: QuarantineCase) -> [String] {
        [
            String(entry.id.description.prefix(13)), author(entry), moment(entry), collection(entry), name(of: entry),
            action(entry), changes(entry).joined(separator: " "),
            entry.state == .pending ? reason(entry) : state(entry),
        ]
    }

    func collection(_ entry: QuarantineCase) -> String {
        desk.catalogue[entry.collection]?.label.text(language) ?? entry.collection.text
    }

    func moment(_ entry: QuarantineCase) -> String { wording.moment(entry.madeAt) }

    func author(_ entry: QuarantineCase) -> String {
        let name = entry.author.map { wording.name(of: $0, in: "officer") } ?? ""
        return entry.device.map { "\(name) (\($0))" } ?? name
    }

    /// The row's name; of a row that was to be made, the name it was to have.
    func name(of entry: QuarantineCase) -> String {
        let given = entry.action == .create ? entry.changes.first { $0.field == "name" }?.value.text : nil
        if let given { return given }
        if let subject = desk.catalogue[entry.collection]?.subject,
            let target = desk.catalogue[entry.collection]?[subject]?.target
        {
            let own = try? desk.replica.row(entry.collection, entry.row)?.row.values
            let position = desk.catalogue[entry.collection]?.position(of: subject)
            let id = position.flatMap { own?[$0].id } ?? entry.changes.first { $0.field == subject.text }?.value.id
            if let id { return wording.name(of: id, in: target) }
        }
        return wording.name(of: entry.row, in: entry.collection)
    }

    func action(_ entry: QuarantineCase) -> String { builtIn("action", entry.action.rawValue) }
    func reason(_ entry: QuarantineCase) -> String { builtIn("reason", entry.reason) }
    func state(_ entry: QuarantineCase) -> String { builtIn("state", entry.state.rawValue) }

    private func builtIn(_ field: FieldName, _ code: String) -> String {
        desk.catalogue[Quarantine.collection]?[field]?.codes.first { $0.value == code }?.label.text(language) ?? code
    }

    /// `label=new (now old)` for each field.
    func changes(_ entry: QuarantineCase) -> [String] {
        let declaration = desk.catalogue[entry.collection]
        let open = entry.changes.map { change in
            guard let field = declaration?[FieldName(change.field)] else {
                return change.field + "=" + String(decoding: change.value.json, as: UTF8.self)
            }
            return field.label.text(language) + "=" + wording.text(change.value, of: field)
        }
        return entry.isLocked ? open + [wording.locked] : open
    }

    /// What the row holds now in the fields concerned.
    func current(_ entry: QuarantineCase) throws -> [String] {
        guard let declaration = desk.catalogue[entry.collection],
            let shown = try desk.replica.row(entry.collection, entry.row)
        else { return [] }
        return entry.changes.compactMap { change in
            guard let position = declaration.position(of: change.field) else { return nil }
            let field = declaration.fields[position]
            return field.label.text(language) + "=" + wording.text(shown.row.values[position], of: field)
        }
    }

    func value(_ entry: QuarantineCase) -> Value {
        .object([
            .init("id", .id(entry.id)), .init("collection", .text(entry.collection.text)), .init("row", .id(entry.row)),
            .init("action", .text(entry.action.rawValue)),
            .init("fields", .object(entry.changes.map { .init($0.field, $0.value) })),
            .init("officer", entry.author.map { .id($0) } ?? .null),
            .init("device", entry.device.map { .text($0) } ?? .null), .init("made_at_ms", .integer(entry.madeAt.value)),
            .init("reason", .text(entry.reason)), .init("state", .text(entry.state.rawValue)),
            .init("unit", .text(entry.unit)), .init("pending", .boolean(entry.isPending)),
            .init("locked", .boolean(entry.isLocked)),
        ])
    }
}

struct QuarantineList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "列出 · List.")

    @OptionGroup var options: CommonOptions
    @Flag(name: .long, help: "包括已处理的 · Decided ones too.") var all = false

    func run() async throws {
        try await Session.run(options) { session in
            let words = try QuarantineWords(session)
            let entries = try words.desk.quarantine(all: all)
            let output = session.output
            output.table(
                [
                    output.text("编号", "id"), output.text("修改人", "author"), output.text("时间", "at"),
                    output.text("类别", "kind"), output.text("对象", "about"), output.text("操作", "action"),
                    output.text("内容", "content"), output.text("原因", "reason"),
                ], entries.map(words.line))
            output.say("共 \(entries.count) 条。", "\(entries.count.of("edit")).")
            output.result(.object([.init("quarantine", .list(entries.map(words.value)))]))
        }
    }
}

struct QuarantineShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "查看一条 · Show one.")

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号或其开头 · Id or its beginning.") var id: String

    func run() async throws {
        try await Session.run(options) { session in
            let words = try QuarantineWords(session)
            let entry = try words.desk.quarantined(named: id)
            let unit = try words.desk.unit(of: entry)
            let output = session.output
            for member in unit {
                output.say("\(words.action(member)) · \(words.collection(member)) · \(words.name(of: member))")
                for change in words.changes(member) { output.say("  " + change) }
                let current = try words.current(member)
                if !current.isEmpty {
                    output.say("  现值：" + current.joined(separator: " "), "  now: " + current.joined(separator: " "))
                }
                output.say(
                    "  \(words.author(member)) · \(words.moment(member)) · \(words.reason(member)) · \(words.state(member))"
                )
            }
            output.say(
                "采用：roost quarantine accept \(entry.id)；不采用：roost quarantine decline \(entry.id)",
                "To make it yours: roost quarantine accept \(entry.id); to leave things as they are: roost quarantine decline \(entry.id)"
            )
            output.result(.list(unit.map(words.value)))
        }
    }
}

/// Which edit set aside is decided about, and the deciding.
struct QuarantineDecision: ParsableArguments {
    @OptionGroup var options: CommonOptions
    @Argument(help: "编号或其开头 · Id or its beginning.") var id: String

    func settle(_ decide: (Desk, QuarantineCase) throws -> Void, saying zh: String, _ en: String) async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let entry = try desk.quarantined(named: id)
            try decide(desk, entry)
            session.output.say(zh, en)
            session.output.result(.object([.init("id", .id(entry.id))]))
        }
    }
}

struct QuarantineAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "采用，同组的一并采用 · Make it your own edit, and all made as one with it.")

    @OptionGroup var decision: QuarantineDecision

    func run() async throws {
        try await decision.settle({ try $0.accept($1) }, saying: "已采用，待同步。", "Accepted; to be synchronised.")
    }
}

struct QuarantineDecline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decline", abstract: "不采用，同组的一并不采用 · Leave things as they are.")

    @OptionGroup var decision: QuarantineDecision

    func run() async throws {
        try await decision.settle({ try $0.decline($1) }, saying: "已不予采用，待同步。", "Declined; to be synchronised.")
    }
}
