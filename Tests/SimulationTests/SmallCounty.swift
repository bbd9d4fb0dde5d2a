import RoostSchema
import RoostSync

/// A county small enough that its rules can be told twice: here in the product's language of declarations, and in
/// ``ReferenceModel`` in plain words.
///
/// It has one of each thing that has ever gone wrong: a link that is a register row, one that is authoritative, a subject
/// whose own field keeps it out of a scope, a narrower projection, a mask that consent lifts, a rank, two limits.
enum SmallCounty {
    /// Version 2 adds `student.nick`, which devices of version 1 must carry without knowing it; version 3 adds
    /// `student.motto`, which devices may send before the server has it.
    static func catalogue(version: Int) -> Catalogue {
        Catalogue(
            version: version,
            collections: [
                student(version), membership, liaison, touch, officer, chapter, appointment,
            ],
            scopes: [county, commons, care, chapterScope, mentoring, office],
            roles: [registrar, liaisonOfficer, coordinator, mentor],
            authority: Authority(
                "appointment", officer: "officer", role: "role", target: "target", when: .field("state", is: "active")),
            commons: "commons"
        ).withConflicts(about: "student")
    }

    private static func codes(_ values: String...) -> FieldKind { .code(values.map { Code($0, $0, $0) }) }

    private static func student(_ version: Int) -> RoostSchema.Collection {
        let fields = [
            Field("name", .text(max: 40), "姓名", "name", required: true),
            Field("shared", .boolean, "共享", "shared", initial: false),
            Field("minor", .boolean, "未成年", "minor", initial: false),
            Field(
                "progress", codes("open", "doing", "done"), "进度", "progress", initial: "open",
                merge: .rank(["open", "doing", "done"], reopens: "open")),
            Field("phone", .phone, "手机", "phone", group: "contact", mask: .phone),
            Field("wechat", .text(max: 64), "微信", "WeChat", group: "contact"),
            Field("note", .text(max: 200), "备注", "note", group: "inner"),
        ]
        let later = [
            Field("nick", .text(max: 40), "昵称", "nick"), Field("motto", .text(max: 40), "座右铭", "motto"),
        ]
        return Collection("student", .register, "学生", "student", fields: fields + later.prefix(version - 1))
    }

    private static let membership = Collection(
        "membership", .register, "成员", "membership", subject: "student", fixed: ["student", "chapter"],
        fields: [
            Field("student", .reference("student"), "学生", "student", required: true),
            Field("chapter", .reference("chapter"), "分部", "chapter", required: true),
            Field("state", codes("active", "left"), "状态", "state", initial: "active"),
            Field("post", .text(max: 40), "职务", "post"),
        ])

    private static let liaison = Collection(
        "liaison", .authoritative, "联络", "liaison", subject: "student",
        limits: [
            Limit(
                "one_liaison", per: "student",
                when: .all([.field("kind", is: "liaison"), .field("state", is: "active")]), maximum: .constant(1)),
            Limit(
                "capacity", per: "officer", when: .field("state", is: "active"), maximum: .field("capacity"),
                otherwise: ["state": "proposed"]),
        ],
        fixed: ["student", "officer", "kind"],
        fields: [
            Field("student", .reference("student"), "学生", "student", required: true),
            Field("officer", .reference("officer"), "人员", "officer", required: true),
            Field("kind", codes("liaison", "mentor"), "类型", "kind", required: true),
            Field("state", codes("active", "proposed", "ended"), "状态", "state", initial: "active"),
            Field("reason", .text(max: 100), "事由", "reason"),
        ])

    private static let touch = Collection(
        "touch", .appendOnly, "联系", "touch", subject: "student",
        fields: [
            Field("student", .reference("student"), "学生", "student", required: true),
            Field("officer", .reference("officer"), "人员", "officer", required: true),
            Field("private", .boolean, "不公开", "private", initial: false),
            Field("summary", .text(max: 200), "纪要", "summary"),
        ])

    private static let officer = Collection(
        "officer", .authoritative, "人员", "officer",
        fields: [
            Field("name", .text(max: 40), "姓名", "name", required: true),
            Field("capacity", .integer(0...100), "容量", "capacity"),
        ])

    private static let chapter = Collection(
        "chapter", .authoritative, "分部", "chapter",
        fields: [Field("name", .text(max: 40), "名称", "name", required: true)])

    private static let appointment = Collection(
        "appointment", .authoritative, "任命", "appointment", fixed: ["officer", "role", "target"],
        fields: [
            Field("officer", .reference("officer"), "人员", "officer", required: true),
            Field("role", codes("registrar", "liaison", "coordinator", "mentor"), "角色", "role", required: true),
            Field("target", .reference("chapter"), "分部", "target"),
            Field("state", codes("active", "ended"), "状态", "state", initial: "active"),
        ])

    private static let whole: [FieldGroup: Sight] = ["main": .full, "contact": .full, "inner": .full]

    private static let county = ScopeKind(
        "county", "全县", "county", relaysUnknown: true,
        views: [
            View("student", .everyRow, whole), View("membership", .everyRow), View("liaison", .everyRow),
            View("touch", .everyRow, admits: .field("private", .notEqual, true)),
            View("officer", .everyRow), View("chapter", .everyRow), View("appointment", .everyRow),
        ])

    private static let commons = ScopeKind(
        "commons", "公共", "commons", views: [View("officer", .everyRow), View("chapter", .everyRow)])

    private static func activeLink(_ kind: Value) -> Link {
        Link(
            "liaison", subject: "student", key: "officer",
            when: .all([.field("kind", is: kind), .field("state", is: "active")]))
    }

    private static let care = ScopeKind(
        "care", "联络对象", "care", key: "officer", link: activeLink("liaison"),
        views: [
            View("student", .subject, whole), View("membership", .subject), View("liaison", .subject),
            View("touch", .subject),
        ])

    private static let chapterScope = ScopeKind(
        "chapter", "分部", "chapter", key: "chapter",
        link: Link(
            "membership", subject: "student", key: "chapter", when: .field("state", is: "active"),
            admits: .field("minor", is: false)),
        views: [
            View(
                "student", .subject,
                ["main": .full, "contact": .when(.field("shared", is: true), then: .full, otherwise: .masked)]),
            View("membership", .subjectAndKey("chapter"), admits: .field("state", is: "active")),
            View("liaison", .subject, admits: .field("state", is: "active")),
            View("touch", .subject, admits: .field("private", .notEqual, true)),
        ])

    private static let mentoring = ScopeKind(
        "mentoring", "指导", "mentoring", key: "officer", link: activeLink("mentor"),
        views: [
            View("student", .subject), View("liaison", .subject),
            View("touch", .subject, admits: .field("private", is: true)),
        ])

    private static let office = ScopeKind(
        "office", "办公", "office", key: "officer", views: [View("appointment", .key("officer"))])

    private static func everything(in scope: ScopeKindName, _ collection: CollectionName) -> WriteRule {
        WriteRule(collection, in: scope, create: .always, edit: .always, delete: .always)
    }

    private static let lesser = Condition.field("role", .notEqual, "registrar")

    private static let registrar = Role(
        "registrar", "登记员", "registrar", holds: [.shared("county"), .own("office")],
        writes: [
            everything(in: "county", "student"), everything(in: "county", "membership"),
            everything(in: "county", "liaison"), WriteRule("touch", in: "county", create: .always),
            WriteRule("officer", in: "county", create: .always, edit: .always),
            WriteRule("chapter", in: "county", create: .always, edit: .always),
            WriteRule("appointment", in: "county", create: lesser, edit: lesser, delete: lesser),
        ])

    private static let liaisonOfficer = Role(
        "liaison", "联络员", "liaison", holds: [.own("care"), .own("office")],
        writes: [
            WriteRule("student", in: "care", create: .always, edit: .always),
            WriteRule("membership", in: "care", create: .always, edit: .always),
            WriteRule(
                "liaison", in: "care",
                create: .all([
                    .field("kind", is: "liaison"), .field("state", is: "active"), .field(isPrincipal: "officer"),
                ]), newSubjectOnly: true),
            WriteRule("touch", in: "care", create: .field(isPrincipal: "officer")),
        ])

    private static let coordinator = Role(
        "coordinator", "负责人", "coordinator", holds: [.target("chapter"), .own("office")],
        writes: [
            WriteRule("student", in: "chapter", create: .always, edit: .always, groups: ["main", "contact"]),
            WriteRule("membership", in: "chapter", create: .field("state", is: "active"), newSubjectOnly: true),
            WriteRule("membership", in: "chapter", edit: .always, delete: .always),
            WriteRule(
                "touch", in: "chapter",
                create: .all([.field(isPrincipal: "officer"), .field("private", .notEqual, true)])),
        ])

    private static let mentor = Role(
        "mentor", "导师", "mentor", holds: [.own("mentoring"), .own("office")],
        writes: [WriteRule("touch", in: "mentoring", create: .field(isPrincipal: "officer"))])
}
