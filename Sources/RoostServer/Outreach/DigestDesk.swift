package import RoostAPI
package import RoostSchema
package import RoostStore
import Crypto
package import RoostCourier
import RoostSync

/// Takes digests from draft to sent: compose, preview, submit, approve, release.
///
/// Each step reads, checks and writes in one transaction, and names the version that whoever asks has looked at.
package struct DigestDesk: Sendable {
    let store: ServerStore
    let vault: EndpointVault
    /// Makes the sender look at the queue.
    let wake: @Sendable () -> Void

    /// How long after its release a digest is still sent.
    static let lifetime: Int64 = 3 * 86_400_000

    package init(
        store: ServerStore, key: ServerKey, settings: CourierSettings, wake: @escaping @Sendable () -> Void
    ) {
        self.store = store
        vault = EndpointVault(key: key, settings: settings)
        self.wake = wake
    }

    func permissions(of officer: RowID) async throws -> DigestPermissions {
        DigestPermissions(try await store.principal(of: officer), at: store.clock(), store.rules)
    }

    // MARK: Compose

    /// Makes a draft.
    package func compose(_ draft: DigestDraft, by officer: RowID) async throws -> DigestReport {
        try await permissions(of: officer).mayCompose()
        guard draft.title?.isEmpty == false else {
            throw Refusal(.invalidDigest, reason: "title_missing", Label("请填写标题。", "a digest needs a title"))
        }
        let now = store.clock()
        let id = RowID(milliseconds: now.value, random: UInt128.random(in: .min ... .max))
        try await taking(id, by: officer) { reader in
            var fields = try Self.fields(of: draft, reader, now: now)
            fields["author"] = .id(officer)
            fields["editors"] = DigestRow.value(of: [officer])
            fields["status"] = "draft"
            if fields["channels"] == nil { fields["channels"] = .list(Channel.allCases.map { .text($0.rawValue) }) }
            return DigestStep(edits: [TrustedEdit("digest", id, .create, fields)], outcome: ())
        }
        return try await report(id, for: officer)
    }

    /// Changes a digest; one that is submitted or approved is a draft again, to be submitted and approved anew.
    package func edit(_ id: RowID, _ draft: DigestDraft, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            if let version = draft.version { try Self.check(version, is: digest) }
            guard ["draft", "review", "approved"].contains(digest.status) else { throw Self.wrongStatus(digest) }
            var fields = try Self.fields(of: draft, reader, now: now)
            fields["editors"] = digest.editors(with: officer)
            let voids = digest.status != "draft"
            if voids {
                fields["status"] = "draft"
                fields["approver"] = .null
                fields["snapshot_hash"] = .null
            }
            return DigestStep(
                edits: [TrustedEdit("digest", id, .edit, fields)], deliveries: voids ? .discard : .untouched,
                outcome: ())
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
                    Label("渠道只能是 wecom、generic、manual。", "channels are wecom, generic and manual"))
            }
            fields["channels"] = .list(channels.map(Value.text))
        }
        if let scheduledAt = draft.scheduledAt { fields["scheduled_at"] = .integer(scheduledAt) }
        let content = DigestContent(reader: reader, now: now)
        if draft.new == true {
            let earlier = try reader.rows("digest", where: .always).compactMap { DigestRow($0, reader.catalogue) }
            let news = try content.news(excluding: earlier)
            guard !news.isEmpty else {
                throw Refusal(
                    .invalidDigest, reason: "nothing_new",
                    Label("上期之后没有新内容。", "there is nothing new since the last digest"))
            }
            fields["sections"] = DigestRow.value(of: try content.sections(news))
        } else if let items = draft.items {
            let items = try items.map(Self.item)
            try content.check(items)
            fields["sections"] = DigestRow.value(of: try content.sections(items))
        }
        for (name, value) in fields where !value.isNull {
            if let problem = reader.catalogue["digest"]?[name]?.kind.problem(with: value) {
                throw Refusal(
                    .invalidDigest, reason: problem.rawValue,
                    Label("“\(name)”不合要求（\(problem.rawValue)）。", "\(name) does not fit: \(problem.rawValue)"))
            }
        }
        return fields
    }

    private static func item(_ item: DigestDraft.Item) throws -> DigestRow.Item {
        guard let id = RowID(item.id), ["policy", "opportunity"].contains(item.collection) else {
            throw Refusal(
                .invalidDigest, reason: "unknown_item",
                Label("有一项内容不存在：\(item.id)", "there is no such item: \(item.id)"))
        }
        return DigestRow.Item(collection: CollectionName(item.collection), id: id, text: item.text)
    }

    // MARK: Steps

    /// Hands a draft to the approvers.
    package func submit(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            try Self.check(version, is: digest)
            guard digest.status == "draft" else { throw Self.wrongStatus(digest) }
            _ = try Self.renderings(of: digest, reader, now: now)
            return DigestStep(
                edits: [
                    TrustedEdit(
                        "digest", id, .edit, ["status": "review", "editors": digest.editors(with: officer)])
                ], outcome: ())
        }
        return try await report(id, for: officer)
    }

    /// Approves a digest and freezes the bytes that will be sent.
    package func approve(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayApprove(digest, writtenBy: try reader.officers(of: digest.replicas))
            try Self.check(version, is: digest)
            guard digest.status == "review" else { throw Self.wrongStatus(digest) }
            let renderings = try Self.renderings(of: digest, reader, now: now)
            guard renderings.contains(where: { !$0.endpoints.isEmpty }) else {
                throw Refusal(
                    .invalidDigest, reason: "no_endpoint",
                    Label("没有可用的发送端点。", "no endpoint reaches this audience on these channels"))
            }
            let deliveries = renderings.flatMap { $0.frozen(now: now) }
            return DigestStep(
                edits: [
                    TrustedEdit(
                        "digest", id, .edit,
                        [
                            "status": "approved", "approver": .id(officer),
                            "snapshot_hash": .text(Self.hash(of: renderings)),
                        ])
                ], deliveries: .freeze(deliveries), outcome: ())
        }
        return try await report(id, for: officer)
    }

    private static func hash(of renderings: [DigestRendering]) -> String {
        var hash = SHA256()
        for part in renderings.flatMap(\.rendering.parts) { hash.update(data: part.body) }
        return hexadecimal(Array(hash.finalize()))
    }

    /// Gives a digest back to its author.
    package func reject(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let summary = try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayDecide()
            try Self.check(version, is: digest)
            guard ["review", "approved"].contains(digest.status) else { throw Self.wrongStatus(digest) }
            var summary = digest.summary
            summary.status = "draft"
            return DigestStep(
                edits: [
                    TrustedEdit(
                        "digest", id, .edit, ["status": "draft", "approver": .null, "snapshot_hash": .null])
                ], deliveries: .discard, outcome: summary)
        }
        // A draft is not the approver's to see any more.
        return DigestReport(digest: summary, deliveries: [])
    }

    /// Gives a digest up before it is sent.
    package func cancel(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            try Self.check(version, is: digest)
            guard ["draft", "review", "approved"].contains(digest.status) else { throw Self.wrongStatus(digest) }
            return DigestStep(
                edits: [TrustedEdit("digest", id, .edit, ["status": "cancelled"])], deliveries: .discard, outcome: ())
        }
        return try await report(id, for: officer)
    }

    /// Releases an approved digest, once: its frozen deliveries are due from now or from the scheduled moment.
    package func send(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            try Self.check(version, is: digest)
            guard digest.status == "approved" else { throw Self.wrongStatus(digest) }
            let deliveries = try reader.deliveries(of: id)
            guard !deliveries.isEmpty, deliveries.allSatisfy({ $0.version == digest.version }) else {
                throw Refusal(
                    .conflict, reason: "changed_since_approval",
                    Label("批准之后有改动，请重新提交审批。", "it was changed after its approval; submit it again"))
            }
            try DigestContent(reader: reader, now: now).check((digest.sections ?? []).flatMap(\.items))
            let from = max(now, Milliseconds(digest.scheduledAt ?? 0))
            return DigestStep(
                edits: [TrustedEdit("digest", id, .edit, ["status": "sending"])],
                deliveries: .release(from: from, until: from + Self.lifetime), outcome: ())
        }
        wake()
        return try await report(id, for: officer)
    }

    // MARK: Common

    private func taking<Outcome: Sendable>(
        _ id: RowID, by officer: RowID, _ step: @Sendable (RosterReader) throws -> DigestStep<Outcome>
    ) async throws -> Outcome {
        do {
            return try await store.take(id, by: officer, step: step)
        } catch let refused as RefusedWrite {
            throw Refusal(
                .invalidDigest, reason: refused.verdict.problem ?? refused.verdict.refusal?.rawValue ?? "invalid",
                Label(
                    "“\(refused.verdict.about ?? "")”不合要求。", "\(refused.verdict.about ?? "a value") does not fit"))
        }
    }

    /// The digest, if the officer is shown it.
    static func digest(
        _ id: RowID, _ reader: RosterReader, _ permissions: DigestPermissions
    ) throws -> DigestRow {
        guard let row = try reader.rows("digest", ids: [id]).first, let digest = DigestRow(row, reader.catalogue),
            permissions.sees(digest)
        else { throw Refusal(.notFound, "no such digest") }
        return digest
    }

    private static func check(_ version: String, is digest: DigestRow) throws {
        guard version == digest.version.description else {
            throw Refusal(
                .conflict, reason: "stale",
                Label("内容已有新的改动，请重新查看。", "it was changed since you looked at it"))
        }
    }

    private static func wrongStatus(_ digest: DigestRow) -> Refusal {
        Refusal(
            .conflict, reason: "wrong_status",
            Label("当前状态（\(digest.status)）不能这样操作。", "not possible while the digest is \(digest.status)"))
    }
}
