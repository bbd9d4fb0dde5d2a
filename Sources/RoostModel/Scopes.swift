import RoostSchema

/// Which rows the sorts of scope hold and what they show of them: the matrix of who sees what, as data.
///
/// A group that a view does not name is hidden there, so a new field, whose group is `main` unless said otherwise, shows
/// to registrars and responsible liaison officers only until somebody decides. No view names `identity`.
enum Scopes {
    static let kinds = [
        county, commons, liaison, proposed, chapter, chapterAbroad, mentor, office, approval, administration,
    ]

    /// Everything the registrar keeps; what mentors note for themselves and what liaison officers note is not part of it.
    static let county = ScopeKind(
        "county", "全县", "county", relaysUnknown: true,
        views: Programme.collections.map { collection in
            View(
                collection.name, .everyRow, allGroups(of: collection),
                admits: collection.name == "touch" ? .field("visibility", is: "team") : .always)
        })

    /// What everybody holds: nothing in it is about a student.
    static let commons = ScopeKind(
        "commons", "公共", "commons",
        views: [
            View("officer", .everyRow),
            View("school", .everyRow),
            View("chapter", .everyRow),
            View("contact_group", .everyRow),
            View("policy", .everyRow, admits: .field("status", is: "published")),
            View("opportunity", .everyRow, admits: .field("status", .notEqual, "draft")),
            View("digest", .everyRow, admits: .field("status", in: Outreach.released)),
        ])

    /// An officer's active caseload, minors included: the responsible officer has a standing approval for them.
    static let liaison = ScopeKind(
        "liaison", "联络对象", "caseload", key: "officer",
        link: Link(
            "liaison", subject: "student", key: "officer",
            when: .all([.field("kind", is: "liaison"), .field("state", is: "active")])),
        views: caseViews)

    /// Students whom an officer entered while having no room for them: theirs to see until somebody decides.
    static let proposed = ScopeKind(
        "proposed", "待批准", "own proposals", key: "officer",
        link: Link(
            "liaison", subject: "student", key: "arranged_by",
            when: .all([
                .field("kind", is: "liaison"), .field("state", is: "proposed"), .field("occasion", is: "entry"),
            ])),
        views: caseViews)

    /// The adult members of a chapter, as a fellow student may see them.
    static let chapter = ScopeKind(
        "chapter", "分部", "chapter", key: "chapter", link: memberLink(admits: isAdult), views: chapterViews)

    /// The same outside the mainland, where only those are sent who agreed to their data leaving it.
    static let chapterAbroad = ScopeKind(
        "chapter_abroad", "境外分部", "chapter outside the mainland", key: "chapter",
        link: memberLink(admits: .all([isAdult, .field("consent_cross_border", is: "granted")])), views: chapterViews)

    /// A mentor's students of age.
    static let mentor = ScopeKind(
        "mentor", "指导对象", "mentees", key: "officer",
        link: Link(
            "liaison", subject: "student", key: "officer",
            when: .all([.field("kind", is: "mentor"), .field("state", is: "active")]), admits: isAdult),
        views: [
            View(
                "student", .subject,
                [
                    "name": .full, "birth": .masked, "profile": .full, "schooling": .full, "stage": .full,
                    "intent": .full,
                    "contact": .when(.field("consent_mentor_share", is: "granted"), then: .full, otherwise: .hidden),
                ]),
            View("schooling", .subject, ["schooling": .full]),
            View("stage_event", .subject, ["stage": .full]),
            View("liaison", .subject, admits: .field("state", is: "active")),
            // One's own only, whatever their visibility: a student may have two mentors, and neither reads the other.
            View(
                "touch", .subjectAndKey("officer"), ["main": .full, "notes": .full],
                admits: .field("visibility", in: ["team", "mentor"])),
            View("task", .subject, ["main": .full, "answer": .full], admits: .field("kind", is: "order")),
        ])

    /// What concerns an officer as such: own grants, own drafts, duties that are about no student.
    static let office = ScopeKind(
        "office", "本人事务", "own office", key: "officer",
        views: [
            View("authority_grant", .key("officer")),
            View("task", .key("assignee"), ["main": .full, "answer": .full], admits: .field("student", is: .null)),
            View("contact_group", .key("keeper"), ["main": .full, "keeper": .full]),
            View("policy", .key("author"), admits: .field("status", is: "draft")),
            View(
                "opportunity", .key("author"), ["main": .full, "internal": .full], admits: .field("status", is: "draft")
            ),
            View("digest", .key("author")),
        ])

    /// Digests that wait for a decision, and those decided.
    static let approval = ScopeKind(
        "approval", "审批", "approval",
        views: [View("digest", .everyRow, admits: .field("status", .notEqual, "draft"))])

    /// Officers and what they may do; nothing about students.
    static let administration = ScopeKind(
        "administration", "系统管理", "administration",
        views: [
            View("officer", .everyRow, ["main": .full, "internal": .full]), View("authority_grant", .everyRow),
            View("school", .everyRow), View("chapter", .everyRow, ["main": .full, "internal": .full]),
        ])

    /// Not `minor != yes`: whose age the server has not yet judged is no adult.
    private static let isAdult = Condition.field("minor", is: false)

    private static func memberLink(admits: Condition) -> Link {
        Link("membership", subject: "student", key: "chapter", when: .field("state", is: "active"), admits: admits)
    }

    private static func allGroups(of collection: Collection) -> [FieldGroup: Sight] {
        Dictionary(
            (["main"] + collection.fields.map(\.group)).filter { $0 != "identity" }.map { ($0, .full) },
            uniquingKeysWith: { first, _ in first })
    }

    private static let caseViews = [
        View("student", .subject, allGroups(of: People.student)),
        View("guardian", .subject, ["guardian": .full]),
        View("schooling", .subject, ["schooling": .full]),
        View("stage_event", .subject, ["stage": .full]),
        View("consent", .subject, ["consent": .full]),
        View("membership", .subject, ["main": .full, "standing": .full]),
        View("liaison", .subject, ["main": .full, "arrangement": .full]),
        View(
            "touch", .subject, ["main": .full, "notes": .full],
            admits: .field("visibility", in: ["team", "liaison"])),
        View("task", .subject, ["main": .full, "answer": .full]),
    ]

    /// Coordinators are students: no liaison notes, intent, tier, guardian or identity of their peers.
    private static let chapterViews = [
        View(
            "student", .subject,
            [
                "name": .full, "birth": .masked, "home": .full, "profile": .full, "schooling": .full, "stage": .full,
                "consent": .full,
                "contact": .when(.field("consent_chapter_share", is: "granted"), then: .full, otherwise: .masked),
            ]),
        View("schooling", .subject, ["schooling": .full]),
        View("stage_event", .subject, ["stage": .full]),
        View("consent", .subject, ["consent": .full]),
        // Only this chapter's memberships, so that no rule can reach those of another.
        View(
            "membership", .subjectAndKey("chapter"), ["main": .full, "standing": .full],
            admits: .field("state", is: "active")),
        View("liaison", .subject, admits: .field("state", is: "active")),
        // All that is written for the team, not a coordinator's own alone: the key is the chapter, whose coordinators
        // follow one another, and whoever writes for the team chooses to share it.
        View("touch", .subject, ["main": .full, "notes": .full], admits: .field("visibility", is: "team")),
        View(
            "task", .subject,
            admits: .any([
                .all([.field("kind", is: "order"), .field("origin", is: "chapter")]), .field("kind", is: "verify"),
            ])),
        View("contact_group", .key("chapter"), ["main": .full, "keeper": .full]),
    ]
}
