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
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            try Self.check(version, is: digest)
            guard digest.status == "draft" else { throw Self.wrongStatus(digest) }
            _ = try DigestRenderings(of: digest, for: DigestAudience(of: digest, reader), reader, now: now)
            return DigestStep(
                edits: [
                    TrustedEdit(
                        "digest", id, .edit, ["status": "review", "editors": digest.editors(with: officer)])
                ], outcome: ())
        }
        return try await report(id, for: officer)
    }

    /// Approves a digest and freezes whom it is for and the bytes that will be sent.
    package func approve(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayApprove(digest, writtenBy: try reader.officers(of: digest.replicas))
            try Self.check(version, is: digest)
            guard digest.status == "review" else { throw Self.wrongStatus(digest) }
            let audience = try DigestAudience(of: digest, reader)
            let all = try DigestRenderings(of: digest, for: audience, reader, now: now)
            guard all.deliveries > 0 else {
                throw all.unaffected.isEmpty
                    ? Refusal(
                        .invalidDigest, reason: "no_endpoint",
                        Label("没有可用的发送端点。", "no endpoint reaches this audience on these channels"))
                    : Refusal(
                        .invalidDigest, reason: "nothing_new",
                        Label(
                            "这些内容都已推送过且没有变化，不再重复发送。",
                            "every endpoint was told all of this before, and nothing has changed"))
            }
            let frozen = FrozenDigest(
                deliveries: all.renderings.flatMap { $0.frozen(now: now) }, audience: audience.record(now: now),
                told: all.renderings.flatMap(\.told))
            return DigestStep(
                edits: [
                    TrustedEdit(
                        "digest", id, .edit,
                        [
                            "status": "approved", "approver": .id(officer), "note": .null,
                            "snapshot_hash": .text(Self.hash(of: all.renderings)),
                        ])
                ], deliveries: .freeze(frozen), outcome: ())
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
            guard ["review", "approved", "scheduled"].contains(digest.status) else { throw Self.wrongStatus(digest) }
            var summary = digest.summary
            summary.status = "draft"
            return DigestStep(
                edits: [
                    TrustedEdit(
                        "digest", id, .edit,
                        ["status": "draft", "approver": .null, "snapshot_hash": .null, "scheduled_at": .null])
                ], deliveries: .discard, outcome: summary)
        }
        // A draft is not the approver's to see any more.
        return DigestReport(digest: summary, deliveries: [])
    }

    /// Gives a digest up; one that is being sent stops where it is.
    package func cancel(_ id: RowID, version: String, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            if digest.status == "sending" { return DigestStep(deliveries: .cancel, outcome: ()) }
            try Self.check(version, is: digest)
            guard ["draft", "review", "approved", "scheduled"].contains(digest.status) else {
                throw Self.wrongStatus(digest)
            }
            return DigestStep(
                edits: [TrustedEdit("digest", id, .edit, ["status": "cancelled"])], deliveries: .discard, outcome: ())
        }
        return try await report(id, for: officer)
    }

    /// Releases an approved or scheduled digest now, once.
    ///
    /// `students` is the number in the frozen audience, typed back by whoever sends it: nothing goes out by accident.
    package func send(
        _ id: RowID, version: String, students: Int?, by officer: RowID
    ) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            try Self.check(version, is: digest)
            guard ["approved", "scheduled"].contains(digest.status) else { throw Self.wrongStatus(digest) }
            try Self.check(students, isAudienceOf: id, reader)
            try Self.checkFrozen(digest, reader, now: now)
            return DigestStep(
                edits: [TrustedEdit("digest", id, .edit, ["status": "sending", "note": .null])],
                deliveries: .release(from: now, later: [:], until: now + Self.lifetime), outcome: ())
        }
        wake()
        return try await report(id, for: officer)
    }

    /// Sets the moment at which an approved digest is released by itself: the one chosen, or that its draft proposes.
    package func schedule(
        _ id: RowID, version: String, students: Int?, at chosen: Milliseconds?, missed: String?, by officer: RowID
    ) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        try await taking(id, by: officer) { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            try Self.check(version, is: digest)
            guard ["approved", "scheduled"].contains(digest.status) else { throw Self.wrongStatus(digest) }
            try Self.check(students, isAudienceOf: id, reader)
            try Self.checkFrozen(digest, reader, now: now)
            guard let moment = chosen ?? digest.scheduledAt.map({ Milliseconds($0) }), moment > now,
                moment < now + Self.farthest
            else {
                throw Refusal(
                    .invalidDigest, reason: "time_out_of_range",
                    Label("计划时间须在将来一年以内。", "the moment has to be within the coming year"))
            }
            return DigestStep(
                edits: [
                    TrustedEdit(
                        "digest", id, .edit,
                        [
                            "status": "scheduled", "scheduled_at": .integer(moment.value),
                            "missed": .text(missed ?? digest.missed), "note": .null,
                        ])
                ], deliveries: .confirm, outcome: ())
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
                "受众为“\(audience.sentence.zh)”，共 \(audience.students) 人；请输入这个人数以确认发送。",
                "the audience is \(audience.sentence.en): \(audience.students) students; give that number to confirm"))
    }

    // MARK: Common

    func taking<Outcome: Sendable>(
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
