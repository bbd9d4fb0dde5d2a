import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync

/// What a digest says: its items looked up, checked and put in order.
struct DigestContent {
    let reader: RosterReader
    /// Today's date in China, `2026-11-21`.
    let today: String

    init(reader: RosterReader, now: Milliseconds) {
        self.reader = reader
        // China has one time zone: the day changes at 16:00 UTC.
        let days = Int((now.value + 8 * 3_600_000) / 86_400_000)
        let (year, month, day) = PartialDate.civil(daysSinceEpoch: days)
        today = PartialDate(year: year, month: month, day: day)?.text ?? ""
    }

    /// The sorts of section, in the order in which a reader finds them.
    private static let kinds = [
        (kind: "industry", title: "产业动态"), (kind: "environment", title: "家乡环境"), (kind: "policy", title: "人才政策"),
        (kind: "jobs", title: "本地岗位"),
    ]

    /// An item with what is said of it.
    struct Entry {
        let section: String
        let item: DigestRow.Item
        let message: Message.Item
    }

    /// Looks items up.
    /// - Throws: ``Refusal``: an item is unknown, not published, or over.
    func entries(_ items: [DigestRow.Item]) throws -> [Entry] {
        let policies = try rows("policy", items)
        let opportunities = try rows("opportunity", items)
        return try items.map { item in
            let row = item.collection == "policy" ? policies[item.id] : opportunities[item.id]
            guard let row, let entry = entry(item, Fields(row, reader.catalogue)) else {
                throw Refusal(
                    .invalidDigest, reason: "unknown_item",
                    Label("有一项内容不存在：\(item.id)", "there is no such item: \(item.id)"))
            }
            return entry
        }
    }

    private func rows(_ collection: CollectionName, _ items: [DigestRow.Item]) throws -> [RowID: RoostSync.Row] {
        let ids = items.filter { $0.collection == collection }.map(\.id)
        return Dictionary(
            try reader.rows(collection, ids: ids).map { ($0.key.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Refuses what may not be told any more, or not yet.
    func check(_ items: [DigestRow.Item]) throws {
        for collection in ["policy", "opportunity"] as [CollectionName] {
            for row in try rows(collection, items).values {
                let fields = Fields(row, reader.catalogue)
                guard !isTellable(collection, fields) else { continue }
                let title = fields.text("title") ?? ""
                throw Refusal(
                    .invalidDigest, reason: "expired_item",
                    Label("“\(title)”已过期、已撤销或未发布，不能推送。", "an item is over, withdrawn or not published: \(row.key.id)"))
            }
        }
    }

    private func isTellable(_ collection: CollectionName, _ fields: Fields) -> Bool {
        if collection == "policy" {
            return fields.text("status") == "published" && (fields.text("valid_to").map { $0 >= today } ?? true)
        }
        let isOpen = fields.text("status") == "open" || fields.text("status") == "recognised"
        return isOpen && (fields.text("ends_on").map { $0 >= today } ?? true)
    }

    /// What may be told and was in no digest yet, the latest first; few enough for one message to a group.
    func news(excluding digests: [DigestRow]) throws -> [DigestRow.Item] {
        let told = Set(digests.filter(\.isPublished).flatMap { $0.sections ?? [] }.flatMap(\.items).map(\.id))
        func latest(_ collection: CollectionName, by field: FieldName, where condition: Condition, _ limit: Int) throws
            -> [DigestRow.Item]
        {
            try reader.rows(collection, where: condition)
                .filter { !told.contains($0.key.id) && isTellable(collection, Fields($0, reader.catalogue)) }
                .map { ($0.key.id, Fields($0, reader.catalogue).text(field) ?? "") }
                .sorted { ($1.1, $0.0) < ($0.1, $1.0) }
                .prefix(limit).map { DigestRow.Item(collection: collection, id: $0.0, text: nil) }
        }
        return try latest("policy", by: "valid_from", where: .always, 8)
            + latest("opportunity", by: "starts_on", where: .field("kind", in: ["event", "training"]), 4)
            + latest("opportunity", by: "starts_on", where: .field("kind", in: ["job", "internship"]), 12)
    }

    /// The items by section, in the order of sections and of the items given.
    func sections(_ items: [DigestRow.Item]) throws -> [DigestRow.Section] {
        let entries = try entries(items)
        return Self.kinds.compactMap { kind, title in
            let own = entries.filter { $0.section == kind }.map(\.item)
            return own.isEmpty ? nil : DigestRow.Section(kind: kind, title: title, items: own)
        }
    }

    /// The message a digest is rendered from.
    func message(of digest: DigestRow, _ sections: [DigestRow.Section]) throws -> Message {
        Message(
            headline: digest.title, summary: digest.intro,
            sections: try sections.map { section in
                Message.Section(title: section.title, items: try entries(section.items).map(\.message))
            })
    }

    private func entry(_ item: DigestRow.Item, _ fields: Fields) -> Entry? {
        guard let title = fields.text("title") else { return nil }
        if item.collection == "policy" {
            return Entry(
                section: "policy", item: item,
                message: Message.Item(
                    title: title, text: item.text ?? fields.text("summary"), url: fields.text("url"),
                    deadline: fields.text("valid_to")))
        }
        let section =
            switch fields.text("kind") {
            case "shortage": "industry"
            case "event", "training", "base": "environment"
            default: "jobs"
            }
        let facts = ["employer", "place", "pay"].compactMap { fields.text(FieldName($0)) }.joined(separator: " · ")
        return Entry(
            section: section, item: item,
            message: Message.Item(
                title: title, text: item.text ?? (facts.isEmpty ? nil : facts), url: fields.text("url"),
                deadline: fields.text("ends_on")))
    }

    /// A row's values by name.
    private struct Fields {
        private let row: RoostSync.Row
        private let declaration: RoostSchema.Collection?

        init(_ row: RoostSync.Row, _ catalogue: Catalogue) {
            self.row = row
            declaration = catalogue.collections[row.key.collection]
        }

        func text(_ field: FieldName) -> String? { declaration?.position(of: field).flatMap { row.values[$0].text } }
    }
}
