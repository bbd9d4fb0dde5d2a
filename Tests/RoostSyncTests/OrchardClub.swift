import RoostSchema
import RoostSync

/// A programme that is not ours, to show that the engine knows nothing of students: a club keeps fruit trees.
///
/// Wardens see everything. Pickers see the trees planted in their orchard, with the owner's phone and the year of
/// planting masked. Tenders see the trees they tend.
enum OrchardClub {
    static let keeper = RoostSchema.Collection(
        "keeper", .authoritative, "守园人", "keeper",
        fields: [
            Field("name", .personName, "姓名", "name", required: true),
            Field("capacity", .integer(0...100), "容量", "capacity"),
        ])

    static let orchard = RoostSchema.Collection(
        "orchard", .authoritative, "果园", "orchard",
        fields: [Field("name", .text(max: 40), "名称", "name", required: true)])

    static let roleGrant = RoostSchema.Collection(
        "role_grant", .authoritative, "授权", "grant", fixed: ["keeper", "role", "orchard"],
        fields: [
            Field("keeper", .reference("keeper"), "守园人", "keeper", required: true),
            Field(
                "role",
                .code([
                    Code("warden", "园长", "warden"), Code("picker", "采摘人", "picker"), Code("tender", "养护人", "tender"),
                ]), "角色", "role", required: true),
            Field("orchard", .reference("orchard"), "果园", "orchard"),
            Field("state", .code(states), "状态", "state", initial: "active"),
        ])

    static let tree = RoostSchema.Collection(
        "tree", .register, "果树", "tree", needsOneOf: [["name", "variety"]],
        fields: [
            Field("name", .text(max: 20), "名称", "name"),
            Field("variety", .text(max: 20), "品种", "variety"),
            Field("phone", .phone, "电话", "phone", group: "contact", mask: .phone),
            Field("planted", .partialDate, "种植日期", "planted", group: "age", mask: .year),
            Field("secret", .text(max: 100), "内部备注", "secret", group: "internal"),
            Field("rare", .boolean, "珍稀", "rare", initial: false),
            Field(
                "pruning",
                .code([Code("open", "待办", "open"), Code("doing", "进行", "doing"), Code("done", "完成", "done")]), "修剪",
                "pruning", merge: .rank(["open", "doing", "done"], reopens: "open")),
            Field(
                "tended_by", .reference("keeper"), "养护人", "tended by",
                derivation: .latest(
                    of: "tending", via: "tree", when: .field("state", is: "active"), order: [], take: "keeper")),
        ])

    static let planting = RoostSchema.Collection(
        "planting", .register, "种植", "planting", subject: "tree",
        fields: [
            Field("tree", .reference("tree"), "果树", "tree", required: true),
            Field("orchard", .reference("orchard"), "果园", "orchard", required: true),
            Field("state", .code(states), "状态", "state", initial: "active"),
            Field("row_number", .integer(1...99), "行号", "row number"),
        ])

    static let tending = RoostSchema.Collection(
        "tending", .authoritative, "养护", "tending", subject: "tree",
        limits: [
            Limit("one_tender", per: "tree", when: .field("state", is: "active"), maximum: .constant(1)),
            Limit(
                "keeper_capacity", per: "keeper", when: .field("state", is: "active"), maximum: .field("capacity"),
                otherwise: ["state": "proposed"]),
        ],
        fixed: ["tree", "keeper"],
        fields: [
            Field("tree", .reference("tree"), "果树", "tree", required: true),
            Field("keeper", .reference("keeper"), "守园人", "keeper", required: true),
            Field("state", .code(states), "状态", "state", initial: "active"),
            Field("note", .text(max: 100), "备注", "note", group: "internal"),
        ])

    static let harvest = RoostSchema.Collection(
        "harvest", .appendOnly, "采收", "harvest", subject: "tree",
        fields: [
            Field("tree", .reference("tree"), "果树", "tree", required: true),
            Field("weight", .integer(0...10_000), "重量", "weight", required: true),
        ])

    static let ledger = RoostSchema.Collection(
        "ledger", .serverOnly, "账本", "ledger", fields: [Field("sum", .integer(0...9), "金额", "sum")])

    private static let states = [
        Code("active", "有效", "active"), Code("proposed", "待批准", "proposed"), Code("ended", "结束", "ended"),
    ]

    private static let treeGroups: [FieldGroup: Sight] = [
        "main": .full, "contact": .full, "age": .full, "internal": .full,
    ]

    private static func everything(_ collection: CollectionName) -> WriteRule {
        WriteRule(collection, in: "club", create: .always, edit: .always, delete: .always)
    }

    static let catalogue = Catalogue(
        version: 1, collections: [keeper, orchard, roleGrant, tree, planting, tending, harvest, ledger],
        scopes: [
            ScopeKind("commons", "公共", "commons", views: [View("keeper", .everyRow), View("orchard", .everyRow)]),
            ScopeKind(
                "club", "全会", "club", relaysUnknown: true,
                views: [
                    View("keeper", .everyRow), View("orchard", .everyRow), View("role_grant", .everyRow),
                    View("tree", .everyRow, treeGroups), View("planting", .everyRow),
                    View("tending", .everyRow, ["main": .full, "internal": .full]), View("harvest", .everyRow),
                ]),
            ScopeKind(
                "orchard", "果园", "orchard", key: "orchard",
                link: Link("planting", subject: "tree", key: "orchard", when: .field("state", is: "active")),
                views: [
                    View("tree", .subject, ["main": .full, "contact": .masked, "age": .masked]),
                    View("planting", .key("orchard"), admits: .field("state", is: "active")),
                    View("tending", .subject), View("harvest", .subject),
                ]),
            ScopeKind(
                "tender", "养护", "tender", key: "keeper",
                link: Link(
                    "tending", subject: "tree", key: "keeper", when: .field("state", is: "active"),
                    admits: .field("rare", is: false)),
                views: [
                    View(
                        "tree", .subject,
                        [
                            "main": .full, "age": .full,
                            "contact": .when(.field("name", is: "unlisted"), then: .masked, otherwise: .full),
                        ]), View("tending", .subject), View("harvest", .subject, admits: .field("weight", .less, 100)),
                ]),
        ],
        roles: [
            Role(
                "warden", "园长", "warden", holds: [.shared("club")],
                writes: ["keeper", "orchard", "role_grant", "tree", "planting", "tending", "harvest"].map(everything)),
            Role(
                "picker", "采摘人", "picker", holds: [.target("orchard")],
                writes: [
                    WriteRule(
                        "tree", in: "orchard", create: .always, edit: .always, delete: .always,
                        groups: ["main", "contact", "age"]),
                    WriteRule("planting", in: "orchard", create: .always, newSubjectOnly: true),
                    WriteRule("planting", in: "orchard", edit: .always),
                    WriteRule("harvest", in: "orchard", create: .always),
                ]),
            Role(
                "tender", "养护人", "tender", holds: [.own("tender")],
                writes: [
                    WriteRule("tree", in: "tender", create: .always, edit: .always),
                    WriteRule("tending", in: "tender", create: .field(isPrincipal: "keeper"), newSubjectOnly: true),
                    WriteRule("harvest", in: "tender", create: .always),
                ]),
        ],
        authority: Authority(
            "role_grant", officer: "keeper", role: "role", target: "orchard", when: .field("state", is: "active")),
        commons: "commons")

    /// With the built-in conflicts, as a server serves it.
    static let rules = Rules(catalogue.withConflicts(about: "tree"))
}
