import RoostAPI
import RoostSchema
import RoostSync

/// A digest as stored, read by name.
struct DigestRow: Sendable {
    /// One policy or opportunity in a section.
    struct Item: Hashable, Sendable {
        let collection: CollectionName
        let id: RowID
        let text: String?
        /// The address of a picture, for messages that show one beside each item.
        var picture: String?
    }

    struct Section: Hashable, Sendable {
        let kind: String
        let title: String
        let items: [Item]
    }

    let id: RowID
    let version: Stamp
    /// The replicas that last wrote one of its fields; what goes through the server's routes is written by the server's.
    let replicas: Set<ReplicaID>
    private let values: [Value]
    private let declaration: RoostSchema.Collection

    /// - Returns: nil if the catalogue declares no digests.
    init?(_ row: RoostSync.Row, _ catalogue: Catalogue) {
        guard let declaration = catalogue["digest"] else { return nil }
        self.declaration = declaration
        id = row.key.id
        version = row.version
        replicas = Set([row.stamp.replica] + row.overrides.map(\.stamp.replica))
        values = row.values
    }

    private subscript(_ field: FieldName) -> Value { declaration.position(of: field).map { values[$0] } ?? .null }

    var title: String { self["title"].text ?? "" }
    var period: String? { self["period"].text }
    var intro: String? { self["intro"].text }
    var audience: String { self["audience"].text ?? "" }
    var channels: [String] { self["channels"].list?.compactMap(\.text) ?? [] }
    var status: String { self["status"].text ?? "draft" }
    var author: RowID? { self["author"].id }
    var approver: RowID? { self["approver"].id }
    /// Who composed, changed or submitted it by the server's routes.
    var editors: Set<RowID> { Set(self["editors"].list?.compactMap { $0.text.flatMap { RowID($0) } } ?? []) }
    var kind: String { self["kind"].text ?? "regular" }
    var corrects: RowID? { self["corrects"].id }
    var missed: String { self["missed"].text ?? "ask" }
    var note: String? { self["note"].text }
    var scheduledAt: Int64? { self["scheduled_at"].integer }
    var sentAt: Int64? { self["sent_at"].integer }

    /// What is noted of a digest whose approval was taken back, if that may have gone out before.
    static let doubtNote: Value =
        """
        此前批准的一版可能在服务器恢复备份之前已发出：请先到群里查看，再决定是否发送。\
        What was approved of it before may have gone out before the server was restored: look in the groups before it is sent.
        """
    /// The note as long as it says so: whoever previews, approves or plans it is to know.
    var doubt: Value { self["note"] == Self.doubtNote ? Self.doubtNote : .null }

    /// Whether it says again, on purpose, what its readers were told before.
    var isRepetition: Bool { kind != "regular" }

    /// Whether its introduction alone is worth sending: a correction mostly says that something is withdrawn.
    var speaksWithoutItems: Bool { kind == "correction" && !(intro ?? "").allSatisfy(\.isWhitespace) }

    /// The title as a reader sees it: what was sent cannot be called back, so that a correction says that it is one.
    var headline: String {
        switch kind {
        case "correction": "【更正】" + title
        case "reminder": "【截止提醒】" + title
        default: title
        }
    }

    /// Whether it was handed to the sender, whatever came of it.
    var isReleased: Bool { ["sending", "sent", "partly_sent", "failed"].contains(status) }
    /// Whether its items have been told to anybody, or are about to be.
    var isPublished: Bool { isReleased || ["approved", "scheduled"].contains(status) }

    /// The sections; nil if what is stored has another shape.
    var sections: [Section]? {
        guard !self["sections"].isNull else { return [] }
        var sections: [Section] = []
        for section in self["sections"].list ?? [.null] {
            guard let kind = section["kind"]?.text, let title = section["title"]?.text,
                let entries = section["items"]?.list
            else { return nil }
            var items: [Item] = []
            for entry in entries {
                guard let collection = entry["collection"]?.text,
                    let id = entry["id"].flatMap({ $0.id ?? $0.text.flatMap { RowID($0) } })
                else { return nil }
                items.append(
                    Item(
                        collection: CollectionName(collection), id: id, text: entry["text"]?.text,
                        picture: entry["picture"]?.text))
            }
            sections.append(Section(kind: kind, title: title, items: items))
        }
        return sections
    }

    /// What ``editors`` reads, with one more.
    func editors(with officer: RowID) -> Value { Self.value(of: editors.union([officer])) }
    static func value(of editors: Set<RowID>) -> Value { .list(editors.sorted().map { .text($0.description) }) }

    static func value(of sections: [Section]) -> Value {
        .list(
            sections.map { section in
                .object([
                    .init("kind", .text(section.kind)), .init("title", .text(section.title)),
                    .init(
                        "items",
                        .list(
                            section.items.map { item in
                                .object(
                                    [
                                        .init("collection", .text(item.collection.text)),
                                        .init("id", .text(item.id.description)),
                                    ] + (item.text.map { [.init("text", .text($0))] } ?? [])
                                        + (item.picture.map { [.init("picture", .text($0))] } ?? []))
                            })),
                ])
            })
    }

    var summary: DigestSummary {
        DigestSummary(
            id: id.description, version: version.description, title: title, period: period, status: status,
            audience: audience, channels: channels, items: sections?.reduce(0) { $0 + $1.items.count } ?? 0,
            author: author?.description ?? "", approver: approver?.description, scheduledAt: scheduledAt,
            sentAt: sentAt, kind: kind, corrects: corrects?.description,
            missed: scheduledAt == nil ? nil : missed, note: note)
    }
}
