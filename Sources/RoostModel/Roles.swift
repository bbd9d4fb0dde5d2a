import RoostSchema

/// What each role holds and may write: the other half of the matrix, as data.
enum Roles {
    static let all = [admin, registrar, collector, liaison, coordinator, coordinatorAbroad, mentor, approver]

    static let admin = Role(
        "admin", "管理员", "administrator", holds: [.shared("administration"), .own("office")],
        writes: ["officer", "authority_grant", "school", "chapter"].map { everything(in: "administration", $0) },
        rights: [.manageAccounts, .manageEndpoints])

    static let registrar = Role(
        "registrar", "登记员", "registrar", holds: [.shared("county"), .own("office")],
        writes: [
            WriteRule(
                "student", in: "county", create: .always, edit: .always, delete: .always, groups: studentGroups),
            everything(in: "county", "guardian"), everything(in: "county", "schooling"),
            WriteRule("stage_event", in: "county", create: .always),
            WriteRule("consent", in: "county", create: .always),
            everything(in: "county", "school"), everything(in: "county", "chapter"),
            everything(in: "county", "membership"), everything(in: "county", "contact_group"),
            everything(in: "county", "officer"), everything(in: "county", "liaison"),
            // Nobody grants more than they have: administrators, registrars and approvers are made by an administrator.
            WriteRule(
                "authority_grant", in: "county", create: grantable, edit: grantable, delete: grantable),
            WriteRule(
                "touch", in: "county",
                create: .all([.field(isPrincipal: "officer"), .field("visibility", is: "team")])),
            everything(in: "county", "task"), everything(in: "county", "policy"),
            everything(in: "county", "opportunity"),
            WriteRule("digest", in: "county", create: ownDraft, edit: undecided, delete: undecided),
        ],
        rights: [.importSheets, .undoImports, .composeDigests])

    /// The education bureau's clerk supplies sheets and keeps nothing of the roster.
    static let collector = Role(
        "collector", "采集员", "collector", holds: [.own("office")], rights: [.importSheets])

    static let liaison = Role(
        "liaison", "联络员", "liaison officer",
        holds: [.own("liaison"), .own("proposed"), .own("office")],
        writes: caseWrites(in: "liaison") + caseWrites(in: "proposed") + [
            // Somebody entered offline is linked to whoever entered them, or proposed where there is no room.
            WriteRule("liaison", in: "liaison", create: entry("active"), newSubjectOnly: true),
            WriteRule("liaison", in: "proposed", create: entry("proposed"), newSubjectOnly: true),
            // A hand-over is proposed for one's own students only; the registrar decides.
            WriteRule(
                "liaison", in: "liaison",
                create: .all([
                    .field("occasion", is: "hand_over"), .field("state", is: "proposed"),
                    .field(isPrincipal: "arranged_by"),
                ])),
            WriteRule(
                "touch", in: "liaison",
                create: .all([.field(isPrincipal: "officer"), .field("visibility", in: ["team", "liaison"])])),
            WriteRule(
                "task", in: "liaison", create: .field(isPrincipal: "raised_by"), edit: .always,
                delete: .field(isPrincipal: "raised_by")),
            WriteRule("task", in: "office", edit: .field(isPrincipal: "assignee")),
            WriteRule(
                "contact_group", in: "office", create: .field(isPrincipal: "keeper"),
                edit: .field(isPrincipal: "keeper"), groups: groupGroups),
            WriteRule("policy", in: "office", create: ownDraft, edit: ownDraft, delete: ownDraft),
            WriteRule("opportunity", in: "office", create: ownDraft, edit: ownDraft, delete: ownDraft),
            WriteRule("digest", in: "office", create: ownDraft, edit: undecided, delete: ownDraft),
        ],
        rights: [.composeDigests])

    static let coordinator = Role(
        "coordinator", "分部负责人", "chapter coordinator", holds: [.target("chapter"), .own("office")],
        writes: chapterWrites(in: "chapter"))

    /// For chapters outside the mainland: members who did not agree to it are not sent there at all.
    static let coordinatorAbroad = Role(
        "coordinator_abroad", "境外分部负责人", "coordinator outside the mainland",
        holds: [.target("chapter_abroad"), .own("office")], writes: chapterWrites(in: "chapter_abroad"))

    static let mentor = Role(
        "mentor", "导师", "mentor", holds: [.own("mentor"), .own("office")],
        writes: [
            WriteRule("stage_event", in: "mentor", create: .always),
            WriteRule(
                "touch", in: "mentor",
                create: .all([.field(isPrincipal: "officer"), .field("visibility", in: ["team", "mentor"])])),
            WriteRule(
                "task", in: "mentor",
                edit: .all([.field("kind", is: "order"), .field(isPrincipal: "assignee")])),
        ])

    /// Decides about digests; sees no student.
    static let approver = Role(
        "approver", "审批人", "approver", holds: [.shared("approval"), .own("office")], rights: [.approveDigests])

    /// Everything of a student but the identity digest, which is matched on the server and written by imports alone.
    private static let studentGroups = Set(["main"] + People.student.fields.map(\.group)).subtracting(["identity"])

    /// Of a contact group what keepers and coordinators see; nobody writes over a note that is hidden from them.
    private static let groupGroups: Set<FieldGroup> = ["main", "keeper"]

    private static let grantable = Condition.field(
        "role", in: ["collector", "liaison", "coordinator", "coordinator_abroad", "mentor"])
    private static let ownDraft = Condition.all([.field("status", is: "draft"), .field(isPrincipal: "author")])
    private static let undecided = Condition.field("status", in: ["draft", "review"])

    private static func entry(_ state: Value) -> Condition {
        .all([
            .field("kind", is: "liaison"), .field("occasion", is: "entry"), .field("state", is: state),
            .field(isPrincipal: "officer"), .field(isPrincipal: "arranged_by"),
        ])
    }

    private static func everything(in scope: ScopeKindName, _ collection: CollectionName) -> WriteRule {
        WriteRule(collection, in: scope, create: .always, edit: .always, delete: .always)
    }

    /// What a liaison officer may write about the people of a scope.
    private static func caseWrites(in scope: ScopeKindName) -> [WriteRule] {
        [
            WriteRule("student", in: scope, create: .always, edit: .always, groups: studentGroups),
            everything(in: scope, "guardian"), everything(in: scope, "schooling"),
            WriteRule("stage_event", in: scope, create: .always),
            WriteRule("consent", in: scope, create: .always),
            WriteRule("membership", in: scope, create: .always, edit: .always),
        ]
    }

    /// What a coordinator may write about the members of a chapter.
    private static func chapterWrites(in scope: ScopeKindName) -> [WriteRule] {
        [
            // Birth and unshared contacts are masked to a coordinator: what they type there waits for somebody who sees.
            WriteRule(
                "student", in: scope, create: .always, edit: .always,
                groups: ["name", "birth", "home", "contact", "profile"]),
            WriteRule("schooling", in: scope, create: .always, edit: .always),
            WriteRule("stage_event", in: scope, create: .always),
            // A consent counts only with the number of the form that was signed.
            WriteRule("consent", in: scope, create: .not(.field("form_ref", is: .null))),
            // Newcomers only: a membership for somebody known elsewhere would pull that person into view.
            WriteRule("membership", in: scope, create: .field("state", is: "active"), newSubjectOnly: true),
            WriteRule("membership", in: scope, edit: .always, delete: .always, groups: ["main"]),
            WriteRule(
                "touch", in: scope,
                create: .all([.field(isPrincipal: "officer"), .field("visibility", is: "team")])),
            WriteRule(
                "task", in: scope,
                create: .all([
                    .field("kind", is: "order"), .field("origin", is: "chapter"), .field("status", is: "open"),
                    .field(isPrincipal: "raised_by"), .field("assignee", is: .null),
                ]),
                edit: .field("kind", is: "verify"), groups: ["main"]),
            WriteRule("contact_group", in: scope, create: .always, edit: .always, groups: groupGroups),
        ]
    }
}
