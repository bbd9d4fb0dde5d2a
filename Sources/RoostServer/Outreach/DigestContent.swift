import Crypto
import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync

/// What a digest says: its items looked up, checked and put in order.
struct DigestContent {
    let reader: RosterReader
    private let days: Int
    /// Today's date in China, `2026-11-21`.
    private let today: String

    init(reader: RosterReader, now: Milliseconds) {
        self.reader = reader
        days = ChinaTime(now).days
        today = ChinaTime.date(days: days)
    }

    /// The sorts of section, in the order in which a reader finds them.
    private static let kinds = [
        (kind: "industry", title: "产业动态"), (kind: "environment", title: "家乡环境"), (kind: "policy", title: "人才政策"),
        (kind: "jobs", title: "本地岗位"),
    ]

    static var sectionKinds: [String] { kinds.map(\.kind) }

    /// An item with what is said of it.
    struct Entry {
        let section: String
        let item: DigestRow.Item
        let version: Stamp
        let message: Message.Item

        /// A digest of what is said: equal where a reader would see nothing new; another picture is nothing new.
        var fingerprint: [UInt8] {
            let words = [message.title, message.text ?? "", message.url ?? "", message.deadline ?? ""]
            return Array(SHA256.hash(data: Array(words.joined(separator: "\u{1F}").utf8)))
        }
    }

    /// Looks items up; what a receiver is not shown is left out.
    /// - Throws: ``Refusal``: an item is unknown.
    func entries(_ items: [DigestRow.Item], for sight: OutwardSight? = nil) throws -> [Entry] {
        let policies = try rows("policy", items)
        let opportunities = try rows("opportunity", items)
        return try items.compactMap { item in
            guard let row = (item.collection == "policy" ? policies : opportunities)[item.id] else {
                throw Refusal.unknownItem(item.id.description)
            }
            return entry(item, row, for: sight)
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
                    Label(
                        "“\(title)”已过期、已撤销或未发布，不能推送；请去掉这一项。",
                        "“\(title)” is over, withdrawn or not published; leave it out"))
            }
        }
    }

    /// Those of the items that are there and may be told.
    func stillTellable(_ items: [DigestRow.Item]) throws -> [DigestRow.Item] {
        let (policies, opportunities) = (try rows("policy", items), try rows("opportunity", items))
        return items.filter { item in
            (item.collection == "policy" ? policies : opportunities)[item.id].map {
                isTellable(item.collection, Fields($0, reader.catalogue))
            } ?? false
        }
    }

    private func isTellable(_ collection: CollectionName, _ fields: Fields) -> Bool {
        if collection == "policy" {
            return fields.text("status") == "published" && (fields.text("valid_to").map { $0 >= today } ?? true)
        }
        let isOpen = fields.text("status") == "open" || fields.text("status") == "recognised"
        return isOpen && (fields.text("ends_on").map { $0 >= today } ?? true)
    }

    /// What may be told and some endpoint has not been told, or not as it now reads, the latest first; few enough for one
    /// message to a group.
    ///
    /// Without an endpoint to compare with, what was in no earlier digest.
    func news(for endpoints: [EndpointRecord], excluding digests: [DigestRow]) throws -> [DigestRow.Item] {
        let told = try reader.told(except: RowID(bits: 0))
        let earlier = Set(digests.filter(\.isPublished).flatMap { $0.sections ?? [] }.flatMap(\.items).map(\.id))
        let readers = Dictionary(grouping: endpoints, by: \.payloadRole).map { role, endpoints in
            (sight: OutwardSight(role, reader.catalogue), endpoints: endpoints)
        }
        return try tellable { item, row in
            guard !endpoints.isEmpty else { return !earlier.contains(item.id) }
            return readers.contains { sight, endpoints in
                guard let entry = entry(item, row, for: sight) else { return false }
                return endpoints.contains { endpoint in
                    endpoint.takes(entry.section) && told[endpoint.id]?[item.id] != entry.fingerprint
                }
            }
        }
    }

    /// What ends within so many days, told before or not.
    func endingSoon(within span: Int) throws -> [DigestRow.Item] {
        let last = ChinaTime.date(days: days + span)
        return try tellable { item, row in
            entry(item, row)?.message.deadline.map { $0 <= last } ?? false
        }
    }

    /// Items that may be told and that `admits` lets through, by sort, each the latest first.
    private func tellable(
        _ admits: (DigestRow.Item, RoostSync.Row) -> Bool
    ) throws -> [DigestRow.Item] {
        func latest(_ collection: CollectionName, by field: FieldName, where condition: Condition, _ limit: Int) throws
            -> [DigestRow.Item]
        {
            try reader.rows(collection, where: condition).compactMap { row -> (DigestRow.Item, String)? in
                let fields = Fields(row, reader.catalogue)
                let item = DigestRow.Item(collection: collection, id: row.key.id, text: nil)
                guard isTellable(collection, fields), admits(item, row) else { return nil }
                return (item, fields.text(field) ?? "")
            }
            .sorted { ($1.1, $0.0.id) < ($0.1, $1.0.id) }.prefix(limit).map(\.0)
        }
        let opportunities: [(kinds: [Value], limit: Int)] = [
            (["shortage"], 2), (["base"], 2), (["event", "training"], 4), (["job", "internship"], 10),
        ]
        return try latest("policy", by: "valid_from", where: .always, 8)
            + opportunities.flatMap { sort in
                try latest("opportunity", by: "starts_on", where: .field("kind", in: sort.kinds), sort.limit)
            }
    }

    /// The items by section, in the order of sections and of the items given.
    func sections(_ items: [DigestRow.Item]) throws -> [DigestRow.Section] {
        let entries = try entries(items)
        return Self.kinds.compactMap { kind, title in
            let own = entries.filter { $0.section == kind }.map(\.item)
            return own.isEmpty ? nil : DigestRow.Section(kind: kind, title: title, items: own)
        }
    }

    /// What is said of a row, as far as a receiver is shown it; nil if it is shown nothing.
    private func entry(_ item: DigestRow.Item, _ row: RoostSync.Row, for sight: OutwardSight? = nil) -> Entry? {
        guard let shown = sight.map({ $0.shown(row) }) ?? row else { return nil }
        let fields = Fields(shown, reader.catalogue)
        guard let title = fields.text("title") else { return nil }
        if item.collection == "policy" {
            return Entry(
                section: "policy", item: item, version: row.version,
                message: Message.Item(
                    title: title, text: item.text ?? fields.text("summary"), url: fields.text("url"),
                    deadline: fields.text("valid_to"), picture: item.picture))
        }
        let section =
            switch fields.text("kind") {
            case "shortage": "industry"
            case "event", "training", "base": "environment"
            default: "jobs"
            }
        let facts = ["employer", "place", "pay"].compactMap { fields.text(FieldName($0)) }.joined(separator: " · ")
        return Entry(
            section: section, item: item, version: row.version,
            message: Message.Item(
                title: title, text: item.text ?? (facts.isEmpty ? nil : facts), url: fields.text("url"),
                deadline: fields.text("ends_on"), picture: item.picture))
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

extension EndpointRecord {
    /// Whether it is to get sections of this sort.
    func takes(_ section: String) -> Bool { topics?.contains(section) ?? true }
}

extension Refusal {
    static func unknownItem(_ name: String, _ code: APIErrorCode = .invalidDigest) -> Refusal {
        Refusal(
            code, reason: "unknown_item",
            Label(
                "没有这项内容：\(name)。可写编号、标题或行号。",
                "there is no such item: \(name); name it by its code, its title or its row"))
    }
}
