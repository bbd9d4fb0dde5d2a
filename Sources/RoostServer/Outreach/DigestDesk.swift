package import RoostAPI
package import RoostSchema
package import RoostStore
import Crypto
package import RoostCourier
package import RoostSync

/// Takes digests from draft to sent: compose, preview, submit, approve, release.
///
/// Each step reads, checks and writes in one transaction, and names the version that whoever asks has looked at.
package struct DigestDesk: Sendable {
    let store: ServerStore
    let vault: EndpointVault
    let transport: any HTTPTransport
    /// Makes the sender look at the queue.
    let wake: @Sendable () -> Void

    /// How long after its release a digest is still sent.
    static let lifetime: Int64 = 3 * 86_400_000
    /// How far ahead one may be scheduled.
    static let farthest: Int64 = 366 * 86_400_000

    package init(
        store: ServerStore, key: ServerKey, settings: CourierSettings, transport: any HTTPTransport,
        wake: @escaping @Sendable () -> Void
    ) {
        self.store = store
        vault = EndpointVault(key: key, settings: settings)
        self.transport = transport
        self.wake = wake
    }

    func permissions(of officer: RowID) async throws -> DigestPermissions {
        DigestPermissions(try await store.principal(of: officer), at: store.clock(), store.rules)
    }

    // MARK: Steps

    /// Hands a draft to the approvers.
    package func submit(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        try await step(id, version, from: ["draft"], by: officer) { digest, reader, now in
            _ = try DigestRenderings(of: digest, for: DigestAudience(of: digest, reader), reader, now: now)
            return (["status": "review", "editors": digest.editors(with: officer)], .untouched)
        }
        return try await report(id, for: officer)
    }

    /// Approves a digest and freezes whom it is for and the bytes that will be sent.
    ///
    /// `preview` is the mark of the preview that was looked at; it has to be what would be sent now: items, endpoints and
    /// audience may have changed since, though the digest did not. Nobody approves without having looked.
    package func approve(
        _ id: RowID, version: String, preview: String?, by officer: RowID
    ) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        try await step(id, version, from: ["review"], by: officer, may: { _ in try permissions.mayDecide() }) {
            digest, reader, now in
            try permissions.mayApprove(digest, writtenBy: try reader.officers(of: digest.replicas))
            let audience = try DigestAudience(of: digest, reader)
            let all = try DigestRenderings(of: digest, for: audience, reader, now: now)
            guard all.deliveries > 0 else { throw Self.nobodyToTell(all) }
            guard let preview else {
                throw Refusal(
                    .conflict, reason: "preview_unconfirmed",
                    Label(
                        "请先预览（roost digest preview），再按预览末尾给出的校验码批准（--preview）。",
                        "read the preview (roost digest preview), then approve with the mark at its end (--preview)"))
            }
            guard preview == all.mark(of: audience) else {
                throw Refusal(
                    .conflict, reason: "stale",
                    Label(
                        "预览之后内容、端点或受众有变化，请重新预览。",
                        "items, endpoints or audience have changed since the preview; look at it again"))
            }
            let frozen = FrozenDigest(
                deliveries: all.renderings.flatMap { $0.frozen(now: now) }, audience: audience.record(now: now),
                told: all.renderings.flatMap(\.told), people: audience.people)
            let hash = Self.hash(of: all.renderings)
            return (
                [
                    "status": "approved", "approver": .id(officer), "note": digest.doubt, "snapshot_hash": .text(hash),
                ], .freeze(frozen)
            )
        }
        return try await report(id, for: officer)
    }

    private static func nobodyToTell(_ renderings: DigestRenderings) -> Refusal {
        renderings.unaffected.isEmpty
            ? Refusal(
                .invalidDigest, reason: "no_endpoint",
                Label("没有可用的发送端点。", "no endpoint reaches this audience on these channels"))
            : Refusal(
                .invalidDigest, reason: "nothing_new",
                Label(
                    "这些内容都已推送过且没有变化，不再重复发送。", "every endpoint was told all of this before, and nothing has changed"))
    }

    private static func hash(of renderings: [DigestRendering]) -> String {
        var hash = SHA256()
        for part in renderings.flatMap(\.rendering.parts) { hash.update(data: part.body) }
        return hexadecimal(Array(hash.finalize()))
    }

    /// Gives a digest back to its author.
    package func reject(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let before = try await step(
            id, version, from: ["review", "approved", "scheduled"], by: officer,
            may: { _ in try permissions.mayDecide() }
        ) { _, reader, _ in
            var fields: [FieldName: Value] = [
                "status": "draft", "approver": .null, "snapshot_hash": .null, "scheduled_at": .null,
            ]
            if try Self.mayHaveGoneOut(id, reader) { fields["note"] = DigestRow.doubtNote }
            return (fields, .discard)
        }
        // A draft is not the approver's to see any more.
        var summary = before.summary
        summary.status = "draft"
        return DigestReport(digest: summary, deliveries: [])
    }

    /// Gives a digest up; one that is being sent stops where it is, whatever happened to it since somebody looked.
    package func cancel(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let unsent = ["draft", "review", "approved", "scheduled"]
        try await step(id, nil, from: unsent + ["sending"], by: officer) { digest, _, _ in
            if digest.status == "sending" { return ([:], .cancel) }
            try Self.check(version, is: digest)
            return (["status": "cancelled"], .discard)
        }
        // What was taken of it and not begun goes back.
        wake()
        return try await report(id, for: officer)
    }

    /// Releases an approved or scheduled digest now, once.
    ///
    /// `students` is the number in the frozen audience, typed back by whoever sends it: nothing goes out by accident.
    package func send(
        _ id: RowID, version: String, students: Int?, by officer: RowID
    ) async throws -> DigestReport {
        try await step(id, version, from: ["approved", "scheduled"], by: officer) { digest, reader, now in
            try Self.check(students, isAudienceOf: id, reader)
            try Self.checkFrozen(digest, reader, now: now)
            return (
                ["status": "sending", "scheduled_at": .null, "note": .null],
                .release(from: now, later: [:], until: now + Self.lifetime)
            )
        }
        wake()
        return try await report(id, for: officer)
    }

    /// Sets the moment at which an approved digest is released by itself: the one chosen, or that its draft proposes.
    package func schedule(
        _ id: RowID, version: String, students: Int?, at chosen: Milliseconds?, missed: String?, by officer: RowID
    ) async throws -> DigestReport {
        try await step(id, version, from: ["approved", "scheduled"], by: officer) { digest, reader, now in
            try Self.check(students, isAudienceOf: id, reader)
            try Self.checkFrozen(digest, reader, now: now)
            guard let moment = chosen ?? digest.scheduledAt.map({ Milliseconds($0) }), moment > now,
                moment < now + Self.farthest
            else {
                throw Refusal(
                    .invalidDigest, reason: "time_out_of_range",
                    Label("计划时间须在将来一年以内。", "the moment has to be within the coming year"))
            }
            return (
                [
                    "status": "scheduled", "scheduled_at": .integer(moment.value),
                    "missed": .text(missed ?? digest.missed), "note": digest.doubt,
                ], .confirm
            )
        }
        return try await report(id, for: officer)
    }

    /// Throws unless what was approved is what would be sent, and may still be told.
    static func checkFrozen(_ digest: DigestRow, _ reader: RosterReader, now: Milliseconds) throws {
        let deliveries = try reader.deliveries(of: digest.id)
        guard !deliveries.isEmpty, deliveries.allSatisfy({ $0.version == digest.version }) else {
            throw Refusal(
                .conflict, reason: "changed_since_approval",
                Label("批准之后有改动，请重新提交审批。", "it was changed after its approval; submit it again"))
        }
        try DigestContent(reader: reader, now: now).check((digest.sections ?? []).flatMap(\.items))
    }

    private static func check(_ students: Int?, isAudienceOf digest: RowID, _ reader: RosterReader) throws {
        guard let audience = try reader.audience(of: digest), students != audience.students else { return }
        throw Refusal(
            .conflict, reason: "audience_unconfirmed",
            Label(
                "受众为“\(audience.sentence.zh)”，共 \(audience.students) 人；请输入这个人数以确认发送（--students \(audience.students)）。",
                "the audience is \(audience.sentence.en): \(audience.students) students; give that number to confirm (--students \(audience.students))"
            ))
    }

    /// Whether what was approved may have gone out in a history that was lost: with the approval that is forgotten of each
    /// delivery, and has to be said of the digest.
    static func mayHaveGoneOut(_ digest: RowID, _ reader: RosterReader) throws -> Bool {
        try reader.deliveries(of: digest).contains(where: reader.mayHaveGoneOut)
    }

    // MARK: Common

    /// Takes a digest on from one of these statuses, if it is the version that was looked at and the officer may: `decide`
    /// says which fields to write and what becomes of its deliveries.
    /// - Returns: The digest as it was before.
    @discardableResult
    private func step(
        _ id: RowID, _ version: String?, from statuses: [String], by officer: RowID,
        may: (@Sendable (DigestRow) throws -> Void)? = nil,
        _ decide:
            @Sendable (DigestRow, RosterReader, Milliseconds) throws -> (
                [FieldName: Value], DigestStep<DigestRow>.Deliveries
            )
    ) async throws -> DigestRow {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        return try await taking { reader in
            let digest = try Self.digest(id, reader, permissions)
            if let may { try may(digest) } else { try permissions.mayEdit(digest) }
            if let version { try Self.check(version, is: digest) }
            guard statuses.contains(digest.status) else { throw Self.wrongStatus(digest) }
            let (fields, deliveries) = try decide(digest, reader, now)
            return DigestStep(id, by: officer, .edit, fields, deliveries: deliveries, outcome: digest)
        }
    }

    func taking<Outcome: Sendable>(
        _ step: @Sendable (RosterReader) throws -> DigestStep<Outcome>
    ) async throws -> Outcome {
        do {
            return try await store.take(step)
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

    static func check(_ version: String, is digest: DigestRow) throws {
        guard version == digest.version.description else {
            throw Refusal(
                .conflict, reason: "stale",
                Label("内容已有新的改动，请重新查看。", "it was changed since you looked at it"))
        }
    }

    static func wrongStatus(_ digest: DigestRow) -> Refusal {
        Refusal(
            .conflict, reason: "wrong_status",
            Label("当前状态（\(digest.status)）不能这样操作。", "not possible while the digest is \(digest.status)"))
    }
}
