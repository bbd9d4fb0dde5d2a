import RoostAPI
import RoostSchema
import RoostStore
import RoostSync

/// What an officer may do with digests.
struct DigestPermissions: Sendable {
    let officer: RowID
    private let composes: Bool
    private let approves: Bool
    /// Whether the officer keeps the whole county, other people's drafts included.
    private let keepsCounty: Bool

    init(_ principal: Principal, at now: Milliseconds, _ rules: Rules) {
        officer = principal.officer
        composes = principal.has(.composeDigests, at: now, rules.catalogue)
        approves = principal.has(.approveDigests, at: now, rules.catalogue)
        keepsCounty = principal.scopes(at: now, rules).contains { rules.scope($0) == Scope("county") }
    }

    func mayCompose() throws {
        guard composes else {
            throw Refusal.role(
                Label("起草推送须是联络员或登记员。", "composing digests takes the role of a liaison officer or registrar"))
        }
    }

    func mayList() throws {
        guard composes || approves else {
            throw Refusal.role(Label("只有起草或审批推送的人能看推送。", "digests are shown to those who write or approve them"))
        }
    }

    /// Whether the officer is shown a digest before it went out; afterwards everybody who deals with digests is.
    func sees(_ digest: DigestRow) -> Bool {
        if digest.author == officer || composes && keepsCounty { return true }
        if approves && digest.status != "draft" { return true }
        return composes && digest.isReleased
    }

    func mayEdit(_ digest: DigestRow) throws {
        guard composes, digest.author == officer || keepsCounty else {
            throw Refusal.role(
                Label("推送只能由起草人或登记员修改。", "a digest is changed by its author or a registrar"))
        }
    }

    func mayDecide() throws {
        guard approves else {
            throw Refusal.role(Label("审批推送须是审批人。", "approving digests takes the role of an approver"))
        }
    }

    /// Approving takes somebody who had no hand in it: neither its author, nor who changed or submitted it, nor one of
    /// `writers`, the officers of the devices that wrote to the row.
    func mayApprove(_ digest: DigestRow, writtenBy writers: Set<RowID>) throws {
        try mayDecide()
        guard digest.author != officer, !digest.editors.contains(officer), !writers.contains(officer) else {
            throw Refusal(
                .forbidden, reason: "own_digest",
                Label("不能审批自己起草或修改过的推送。", "nobody approves a digest they wrote, changed or submitted"))
        }
    }
}
