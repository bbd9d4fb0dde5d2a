import RoostSchema
import RoostSync

/// A programme that is not ours: an orchard club whose pickers tend trees.
///
/// Nothing but this declaration makes it work.
enum Orchard {
    /// What who tends a tree sees of it.
    static let tended = [
        View(
            "tree", .subject,
            ["main": .full, "contact": .when(.field("shy", is: true), then: .masked, otherwise: .full)]),
        View("picture", .subject), View("tending", .subject),
    ]

    static func catalogue(
        extraTreeFields: [Field] = [], tended: [View] = tended, version: Int = 1
    ) -> Catalogue {
        Catalogue(
            version: version,
            collections: [
                Collection(
                    "tree", .register, "果树", "Tree",
                    fields: [
                        Field("name", .text(max: 40), "树名", "Name", required: true),
                        Field(
                            "fruit", .code([Code("apple", "苹果", "Apple"), Code("pear", "梨", "Pear")]), "果实", "Fruit"),
                        Field("owner_phone", .phone, "电话", "Phone", group: "contact", mask: .phone),
                        Field("shy", .boolean, "不公开", "Keeps to itself"),
                        Field("secret", .text(max: 100), "秘密", "Secret", group: "secret"),
                        Field("crop", .integer(0...10_000), "收成", "Crop"),
                    ] + extraTreeFields),
                Collection(
                    "picture", .appendOnly, "照片", "Picture", subject: "tree",
                    fields: [
                        Field("tree", .reference("tree"), "果树", "Tree", required: true),
                        Field("caption", .text(max: 100), "说明", "Caption"),
                    ]),
                Collection(
                    "tending", .authoritative, "照看", "Tending", subject: "tree",
                    limits: [
                        Limit(
                            "one_tender", per: "tree", when: .field("state", is: "active"), maximum: .constant(1))
                    ],
                    fields: [
                        Field("tree", .reference("tree"), "果树", "Tree", required: true),
                        Field("picker", .reference("picker"), "采摘人", "Picker", required: true),
                        Field(
                            "state", .code([Code("active", "在任", "Active"), Code("ended", "结束", "Ended")]), "状态",
                            "State", required: true, initial: "active"),
                    ]),
                Collection(
                    "picker", .authoritative, "采摘人", "Picker",
                    fields: [Field("name", .text(max: 40), "姓名", "Name", required: true)]),
                Collection(
                    "appointment", .authoritative, "任命", "Appointment",
                    fields: [
                        Field("picker", .reference("picker"), "采摘人", "Picker", required: true),
                        Field("role", .text(max: 20), "角色", "Role", required: true),
                        Field("place", .reference("tree"), "地点", "Place"),
                        Field("active", .boolean, "有效", "Active", initial: true),
                    ]),
            ],
            scopes: [
                ScopeKind(
                    "orchard", "果园", "Orchard", relaysUnknown: true,
                    views: [
                        View("tree", .everyRow, ["main": .full, "contact": .full, "secret": .full]),
                        View("picture", .everyRow), View("tending", .everyRow), View("appointment", .everyRow),
                    ]),
                ScopeKind("yard", "院子", "Yard", views: [View("picker", .everyRow)]),
                ScopeKind(
                    "tended", "照看的树", "Tended trees", key: "picker",
                    link: Link("tending", subject: "tree", key: "picker", when: .field("state", is: "active")),
                    views: tended),
            ],
            roles: [
                Role(
                    "warden", "园长", "Warden", holds: [.shared("orchard")],
                    writes: [
                        WriteRule("tree", in: "orchard", create: .always, edit: .always, delete: .always),
                        WriteRule("tending", in: "orchard", create: .always, edit: .always),
                        WriteRule("appointment", in: "orchard", create: .always, edit: .always),
                    ]),
                Role(
                    "tender", "照看人", "Tender", holds: [.own("tended")],
                    writes: [
                        WriteRule("tree", in: "tended", edit: .always, groups: ["main", "contact"]),
                        WriteRule("picture", in: "tended", create: .always),
                    ]),
            ],
            authority: Authority(
                "appointment", officer: "picker", role: "role", target: "place", when: .field("active", is: true)),
            commons: "yard"
        ).withConflicts(about: "tree")
    }
}
