package import RoostAPI
import RoostCourier
package import RoostSchema
import RoostStore
package import RoostSync

/// Making and changing drafts.
extension DigestDesk {
    /// Makes a draft; of one that is to go out later, what is over by then is left out.
    package func compose(
        _ draft: DigestDraft, by officer: RowID, goingOut: Milliseconds? = nil
    ) async throws -> DigestReport {
        try await permissions(of: officer).mayCompose()
        guard draft.title?.isEmpty == false else {
            throw Refusal(.invalidDigest, reason: "title_missing", Label("请填写标题。", "a digest needs a title"))
        }
        let now = store.clock()
        let id = RowID(milliseconds: now.value, random: UInt128.random(in: .min ... .max))
        try await taking { reader in
            var fields = try Self.fields(of: draft, reader, now: goingOut ?? now)
            fields["author"] = .id(officer)
            fields["editors"] = DigestRow.value(of: [officer])
            fields["status"] = "draft"
            if fields["channels"] == nil { fields["channels"] = .list(Channel.allCases.map { .text($0.rawValue) }) }
            return DigestStep(id, by: officer, .create, fields, outcome: ())
        }
        return try await report(id, for: officer)
    }

    /// Changes a digest; one that is submitted or approved is a draft again, to be submitted and approved anew.
    package func edit(_ id: RowID, _ draft: DigestDraft, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            if let version = draft.version { try Self.check(version, is: digest) }
            guard ["draft", "review", "approved", "scheduled"].contains(digest.status) else {
                throw Self.wrongStatus(digest)
            }
            var fields = try Self.fields(of: draft, reader, now: now)
            fields["editors"] = digest.editors(with: officer)
            let voids = digest.status != "draft"
            if voids {
                fields["status"] = "draft"
                fields["approver"] = .null
                fields["snapshot_hash"] = .null
                fields["scheduled_at"] = .null
                if try Self.mayHaveGoneOut(id, reader) { fields["note"] = DigestRow.doubtNote }
            }
            return DigestStep(
                id, by: officer, .edit, fields, deliveries: voids ? .discard : .untouched, outcome: ())
        }
        return try await report(id, for: officer)
    }

    private static func fields(
        of draft: DigestDraft, _ reader: RosterReader, now: Milliseconds
    ) throws -> [FieldName: Value] {
        var fields: [FieldName: Value] = [:]
        if let title = draft.title { fields["title"] = .text(title) }
        if let period = draft.period { fields["period"] = .text(period) }
        if let intro = draft.intro { fields["intro"] = .text(intro) }
        if let audience = draft.audience {
            _ = try DigestAudience.condition(audience, reader.catalogue)
            fields["audience"] = audience.allSatisfy(\.isWhitespace) ? .null : .text(audience)
        }
        if let channels = draft.channels {
            guard channels.allSatisfy({ Channel(rawValue: $0) != nil }), !channels.isEmpty else {
                throw Refusal(
                    .invalidDigest, reason: "unknown_channel",
                    Label("渠道只能是 \(Channel.names)。", "the channels are \(Channel.names)"))
            }
            fields["channels"] = .list(channels.map(Value.text))
        }
        try Self.fill(&fields, from: draft, reader, now: now)
        for (name, value) in fields where !value.isNull {
            guard let field = reader.catalogue["digest"]?[name], let problem = field.kind.problem(with: value) else {
                continue
            }
            let words =
                if problem == .tooLong, case .text(let most) = field.kind {
                    Label("太长，至多 \(most) 字", "too long, at most \(most) characters")
                } else {
                    Label("不合要求（\(problem.rawValue)）", "not fitting (\(problem.rawValue))")
                }
            throw Refusal(
                .invalidDigest, reason: problem.rawValue,
                Label("“\(field.label.zh)”\(words.zh)。", "the \(field.label.en) is \(words.en)"))
        }
        return fields
    }

    /// Puts the items in: those named, what is new, what ends soon, or those of the digest that is corrected.
    private static func fill(
        _ fields: inout [FieldName: Value], from draft: DigestDraft, _ reader: RosterReader, now: Milliseconds
    ) throws {
        let content = DigestContent(reader: reader, now: now)
        var items = try draft.items?.map { try Self.item($0, reader) }
        if let corrects = draft.corrects {
            guard let id = RowID(corrects), let row = try reader.rows("digest", ids: [id]).first,
                let corrected = DigestRow(row, reader.catalogue), corrected.isReleased
            else {
                throw Refusal(
                    .invalidDigest, reason: "not_correctable",
                    Label("只能更正已经发送的推送。", "only a digest that went out can be corrected"))
            }
            fields["kind"] = "correction"
            fields["corrects"] = .id(id)
            fields["audience"] = corrected.audience.isEmpty ? .null : .text(corrected.audience)
            if draft.channels == nil { fields["channels"] = .list(corrected.channels.map(Value.text)) }
            // What is over or withdrawn may be the very thing to be corrected: the introduction says so.
            items = try items ?? content.stillTellable((corrected.sections ?? []).flatMap(\.items))
            guard items?.isEmpty == false || draft.intro?.allSatisfy(\.isWhitespace) == false else {
                throw Refusal.emptyCorrection
            }
        }
        if let days = draft.endingWithin {
            fields["kind"] = "reminder"
            items = try content.endingSoon(within: min(max(days, 0), 60))
            guard items?.isEmpty == false else {
                throw Refusal(
                    .invalidDigest, reason: "nothing_ending",
                    Label("没有即将截止的内容。", "nothing ends within these days"))
            }
        } else if draft.new == true {
            let audience = try DigestAudience(
                draft.audience ?? "", channels: draft.channels ?? Channel.allCases.map(\.rawValue), reader)
            let earlier = try reader.rows("digest", where: .always).compactMap { DigestRow($0, reader.catalogue) }
            items = try content.news(for: audience.endpoints, excluding: earlier)
            guard items?.isEmpty == false else {
                throw Refusal(
                    .invalidDigest, reason: "nothing_new",
                    Label("上期之后没有新内容。", "there is nothing new since the last digest"))
            }
        }
        guard let items else { return }
        try content.check(items)
        fields["sections"] = DigestRow.value(of: try content.sections(items))
    }

    private static func item(_ item: DigestDraft.Item, _ reader: RosterReader) throws -> DigestRow.Item {
        let collection = CollectionName(item.collection)
        guard ["policy", "opportunity"].contains(collection),
            let row = try reader.item(called: item.id, among: [collection]),
            try !reader.rows(collection, ids: [row]).isEmpty
        else { throw Refusal.unknownItem(item.id) }
        if let picture = item.picture {
            // Vendors show no picture that is not encrypted on its way.
            guard picture.lowercased().hasPrefix("https://"), picture.count <= 500,
                (try? WebhookURL(picture, settings: .production()).checkHost(settings: .production())) != nil
            else {
                throw Refusal(
                    .invalidDigest, reason: "invalid_picture",
                    Label(
                        "配图须是 https:// 开头的公网地址，至多 500 字符。",
                        "a picture is a public https:// address of at most 500 characters"))
            }
        }
        return DigestRow.Item(
            collection: CollectionName(item.collection), id: row, text: item.text, picture: item.picture)
    }
}

extension Channel {
    /// All of them, as a person is told.
    static var names: String { allCases.map(\.rawValue).joined(separator: "、") }
}
