import RoostSchema

/// The places where students are: schools, chapters of the alliance, who is in them, and their contact groups.
enum Network {
    static let collections = [school, chapter, membership, contactGroup]

    /// A school's row is named by its public code, and by its name where it has none (Hong Kong, Macau, senior schools).
    static let school = Collection(
        "school", .authoritative, "学校", "school",
        fields: [
            Field("code", .openCode(max: 12), "学校标识码", "code", headers: ["院校代码", "学校代码"]),
            Field("name", .text(max: 100), "学校名称", "name", headers: ["名称", "标准名称"], required: true),
            Field("aliases", .tags(count: 30, max: 60), "别称", "aliases", headers: ["别名"]),
            Field("kind", .code(Codes.schoolKind), "学校类型", "kind", headers: ["类型"]),
            Field("department", .text(max: 60), "主管部门", "department"),
            Field("city", .text(max: 30), "城市", "city", headers: ["所在城市"]),
            Field("div", .openCode(max: 12), "行政区划代码", "division", headers: ["行政区划"]),
            Field("province", .openCode(max: 2), "省份代码", "province"),
            Field("region", .code(Codes.region), "地区", "region", initial: "CN"),
            // The list round a school first appears in (2017 or 2022); what a policy counts depends on the round.
            Field("dfc_since", .integer(2017...2100), "双一流批次", "double first-class since", headers: ["双一流"]),
        ])

    static let chapter = Collection(
        "chapter", .authoritative, "分部", "chapter",
        fields: [
            Field("name", .text(max: 60), "分部名称", "name", headers: ["名称", "分部"], required: true),
            Field("kind", .code(Codes.chapterKind), "类型", "kind", required: true),
            Field("parent", .reference("chapter"), "上级", "parent", headers: ["上级分部"]),
            Field("school", .reference("school"), "对应学校", "school", headers: ["学校"]),
            Field("city", .text(max: 30), "所在城市", "city", headers: ["城市"]),
            Field("div", .openCode(max: 12), "行政区划代码", "division"),
            Field("jurisdiction", .code(Codes.region), "管辖地", "jurisdiction", initial: "CN"),
            Field("founded_on", .partialDate, "成立日期", "founded on", headers: ["成立时间"]),
            Field("status", .code(Codes.chapterStatus), "状态", "status", initial: "active"),
            // Apart, because everybody holds the chapter.
            Field("note", .text(max: 500), "备注", "note", group: "internal"),
        ])

    static let membership = Collection(
        "membership", .register, "分部成员", "membership", subject: "student", fixed: ["chapter", "student"],
        fields: [
            Field("chapter", .reference("chapter"), "所属分部", "chapter", headers: ["分部"], required: true),
            Field("student", .reference("student"), "成员学生", "student of membership", required: true),
            // Describes the member; authority comes from grants alone.
            Field("role", .code(Codes.memberRole), "分部职务", "role in chapter", headers: ["职务"], initial: "member"),
            Field("joined_on", .partialDate, "加入日期", "joined on", headers: ["入会时间", "加入时间"]),
            Field("left_on", .partialDate, "退出日期", "left on"),
            Field("term_year", .integer(2000...2100), "任期年度", "term year"),
            // Apart, because a coordinator may enter and remove members but not take back who left.
            Field(
                "state", .code(Codes.membershipState), "成员状态", "membership state", group: "standing",
                initial: "active"),
        ])

    static let contactGroup = Collection(
        "contact_group", .register, "联络群组", "contact group",
        fields: [
            Field("name", .text(max: 60), "群名称", "name", headers: ["群组名称", "群名"], required: true),
            Field("platform", .code(Codes.platform), "平台", "platform", required: true),
            Field("chapter", .reference("chapter"), "所属分部", "chapter", headers: ["分部"]),
            Field("school", .reference("school"), "学校", "school"),
            Field("cohort", .integer(1950...2100), "届别/年级", "cohort", headers: ["届别", "届", "年级"]),
            Field("class_name", .text(max: 40), "班级", "class"),
            Field("headcount", .integer(0...100_000), "人数", "headcount"),
            Field("counted_on", .date, "统计日期", "counted on"),
            // Apart, because everybody holds the group.
            Field("note", .text(max: 500), "备注", "note", group: "internal"),
            Field("keeper", .reference("officer"), "负责联络员", "keeper", group: "keeper"),
            Field("keeper_name", .personName, "群主", "keeper's name", headers: ["群管理员"], group: "keeper"),
        ])
}
