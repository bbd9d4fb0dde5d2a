import RoostSchema

/// Who the students are: the person, guardians, schoolings, what became of them, and what they agreed to.
enum People {
    static let collections = [student, guardian, schooling, stageEvent, consent]

    private static let unfinishedSchool: Condition = .any([
        .field("stage", is: "senior"), .field("level", in: ["71", "61", "41", "44", "47"]),
    ])

    static let student = Collection(
        "student", .register, "学生", "student", leased: ["contact"],
        fields: [
            Field(
                "name", .personName, "姓名", "name", headers: ["学生姓名", "名字", "学员姓名", "考生姓名"], group: "name",
                required: true),
            Field("pinyin", .text(max: 100), "拼音", "pinyin", headers: ["姓名拼音"], group: "name"),
            Field(
                "other_name", .personName, "曾用名/英文名", "other name", headers: ["曾用名", "英文名", "别名"], group: "name"),
            Field("gender", .code(Codes.gender), "性别", "gender", group: "name"),
            Field(
                "birth", .partialDate, "出生年月", "birth", headers: ["出生日期", "出生年月日", "生日"], group: "birth", mask: .year),
            Field("home_div", .openCode(max: 12), "生源地", "home division", headers: homeHeaders, group: "home"),
            // The words as written, while no division of that name is known.
            Field("home_name", .text(max: 60), "生源地原文", "home as written", group: "home"),
            Field("mobile", .phone, "手机号码", "mobile", headers: mobileHeaders, group: "contact", mask: .phone),
            Field(
                "mobile_state", .code(Codes.mobileState), "号码状态", "mobile state", group: "contact", initial: "unknown"),
            Field("wechat", .text(max: 64), "微信号", "WeChat", headers: ["微信", "微信账号"], group: "contact"),
            Field("email", .email, "电子邮箱", "e-mail", headers: ["邮箱", "邮件", "email"], group: "contact"),
            Field(
                "return_intent", .code(Codes.intent), "回乡意向", "return intent", headers: ["回鹤意向", "返乡意向"],
                group: "intent", initial: "unknown"),
            Field("tier", .code(Codes.tier), "跟踪级别", "tier", headers: ["跟踪等级"], group: "intent", initial: "normal"),
            Field("tags", .tags(count: 20, max: 20), "标签", "tags", group: "intent"),
            Field("skills", .tags(count: 20, max: 30), "特长", "skills", headers: ["技能"], group: "profile"),
            Field(
                "wish_city", .tags(count: 10, max: 30), "意向城市", "wished cities", headers: ["期望就业地"],
                group: "profile"),
            Field("note_public", .text(max: 500), "备注", "note", headers: ["说明"], group: "profile"),
            Field("verified_at", .instant, "最近核实时间", "verified at", group: "profile"),
            Field(
                "id_digest", .identityDigest, "证件号码", "identity number", headers: identityHeaders, group: "identity"),

            // What the server derives. Where a person studies now is kept here too, so that an audience speaks about
            // one schooling ("2026届·本科") and a list needs no join.
            Field(
                "school", .reference("school"), "现就读学校", "current school", group: "schooling",
                derivation: current("school")),
            Field(
                "level", .code(Codes.level), "现就读层次", "current level", group: "schooling", derivation: current("level")),
            Field("major", .text(max: 80), "现学专业", "current major", group: "schooling", derivation: current("major")),
            Field(
                "cohort", .integer(1950...2100), "现届别", "current cohort", group: "schooling",
                derivation: current("cohort")),
            Field(
                "stage", .code(Codes.stage), "当前状态", "stage", group: "stage",
                derivation: .latest(
                    of: "stage_event", via: "student", when: .always, order: ["occurred_on"], take: "kind")),
            consentField("consent_contact", "contact", "联系同意", "consent to contact"),
            consentField("consent_digest", "digest", "推送同意", "consent to digests"),
            consentField("consent_chapter_share", "chapter_share", "分部共享同意", "consent to share with chapter"),
            consentField("consent_mentor_share", "mentor_share", "导师共享同意", "consent to share with mentor"),
            consentField("consent_cross_border", "cross_border", "跨境同意", "consent to cross-border transfer"),
            Field(
                "minor", .boolean, "未成年", "minor", group: "safeguard",
                derivation: .younger(than: 18, birth: "birth", presumedWhen: unfinishedSchool)),
        ])

    private static let homeHeaders = ["籍贯", "户籍", "户籍地", "户籍所在镇", "户籍所在地", "户籍镇街", "镇街", "家庭所在镇"]
    private static let mobileHeaders = ["手机", "手机号", "联系电话", "本人电话", "学生电话", "联系方式", "电话", "移动电话"]
    private static let identityHeaders = ["身份证", "身份证号", "身份证号码", "证件号", "公民身份号码"]

    private static func current(_ field: FieldName) -> Derivation {
        .latest(of: "schooling", via: "student", when: .always, order: ["entry", "cohort"], take: field)
    }

    private static func consentField(_ name: FieldName, _ purpose: Value, _ zh: String, _ en: String) -> Field {
        Field(
            name, .code(Codes.consentState), zh, en, group: "consent",
            derivation: .latest(
                of: "consent", via: "student", when: .field("purpose", is: purpose), order: ["at"], take: "state"))
    }

    static let guardian = Collection(
        "guardian", .register, "监护人", "guardian", subject: "student", needsOneOf: [["name", "phone"]],
        fixed: ["student"], leased: ["guardian"],
        fields: [
            Field("student", .reference("student"), "被监护学生", "ward", group: "guardian", required: true),
            Field(
                "name", .personName, "监护人姓名", "guardian name", headers: ["家长姓名", "监护人", "家长"], group: "guardian"),
            Field("relation", .code(Codes.relation), "监护人关系", "relation", headers: ["与学生关系"], group: "guardian"),
            Field(
                "phone", .phone, "监护人电话", "guardian phone", headers: ["家长电话", "家长手机", "家长联系电话"],
                group: "guardian", mask: .phone),
        ])

    static let schooling = Collection(
        "schooling", .register, "学历经历", "schooling", subject: "student",
        needsOneOf: [["school", "school_name", "level"]],
        fixed: ["student"],
        fields: [
            Field("student", .reference("student"), "就读学生", "student of schooling", group: "schooling", required: true),
            Field(
                "school", .reference("school"), "就读学校", "school",
                headers: ["学校", "院校", "就读院校", "录取院校", "高校", "毕业学校", "毕业院校"], group: "schooling"),
            // The name as written, while the list and its aliases do not know the school.
            Field("school_name", .text(max: 100), "学校原文", "school as written", group: "schooling"),
            Field("faculty", .text(max: 80), "学院", "faculty", headers: ["院系", "系别", "所在学院"], group: "schooling"),
            Field(
                "level", .code(Codes.level), "培养层次", "level", headers: ["学历", "层次", "学历层次", "录取层次"],
                group: "schooling"),
            Field("degree", .code(Codes.degree), "学位", "degree", group: "schooling"),
            Field("major", .text(max: 80), "所学专业", "major", headers: ["专业", "录取专业", "就读专业"], group: "schooling"),
            Field("major_code", .openCode(max: 10), "专业代码", "major code", group: "schooling"),
            Field("major_scheme", .code(Codes.majorScheme), "专业目录", "major catalogue", group: "schooling"),
            Field(
                "shortage", .boolean, "紧缺专业", "shortage major", headers: ["是否紧缺专业"], group: "schooling"),
            Field(
                "entry", .partialDate, "入学年份", "entry", headers: ["入学时间", "入学年月", "年级", "入学日期"],
                group: "schooling"),
            Field(
                "exit", .partialDate, "毕业时间", "exit", headers: ["毕业年月", "预计毕业时间", "离校时间"], group: "schooling"),
            Field(
                "cohort", .integer(1950...2100), "届别", "cohort", headers: ["届", "毕业年份", "毕业届别"],
                group: "schooling"),
            Field("class_name", .text(max: 40), "班级", "class", headers: ["班别", "班"], group: "schooling"),
            Field(
                "status", .code(Codes.schoolingStatus), "学籍状态", "schooling status", group: "schooling",
                initial: "enrolled"),
            Field(
                "verified", .code(Codes.schoolingVerified), "学历核实", "verified", group: "schooling", initial: "no"),
        ])

    static let stageEvent = Collection(
        "stage_event", .appendOnly, "状态记录", "stage event", subject: "student",
        fields: [
            Field("student", .reference("student"), "记录对象", "student of event", group: "stage", required: true),
            Field(
                "kind", .code(Codes.stage), "去向", "stage", headers: ["毕业去向", "去向类别", "状态"], group: "stage",
                required: true),
            Field(
                "occurred_on", .partialDate, "去向时间", "on", headers: ["发生时间", "变动时间"], group: "stage"),
            Field(
                "where_div", .openCode(max: 12), "所在地", "where", headers: ["单位所在地", "就业地"], group: "stage"),
            Field(
                "org_name", .text(max: 100), "去向单位", "organisation", headers: ["就业单位", "单位名称", "工作单位"],
                group: "stage"),
            Field("industry", .openCode(max: 4), "单位行业门类", "industry", group: "stage"),
            Field("post", .text(max: 60), "岗位", "post", headers: ["职位", "工作岗位"], group: "stage"),
            Field("source", .code(Codes.stageSource), "信息来源", "source", group: "stage", initial: "self"),
            Field("corrects", .reference("stage_event"), "更正记录", "corrects", group: "stage"),
        ])

    static let consent = Collection(
        "consent", .appendOnly, "知情同意", "consent", subject: "student",
        expiry: Expiry(
            after: "expires_on", when: .field("state", is: "granted"), set: "state", to: "expired",
            same: ["student", "purpose"], order: "at"),
        fields: [
            Field("student", .reference("student"), "同意主体", "student of consent", group: "consent", required: true),
            Field("purpose", .code(Codes.purpose), "用途", "purpose", group: "consent", required: true),
            Field(
                "state", .code(Codes.consentState), "已签知情同意书", "consent state", headers: ["知情同意", "同意书", "是否同意"],
                group: "consent", required: true),
            Field("basis", .code(Codes.consentBasis), "处理依据", "basis", group: "consent", initial: "consent"),
            Field("given_by", .code(Codes.consentBy), "签署人", "given by", group: "consent", initial: "self"),
            Field("method", .code(Codes.consentMethod), "签署方式", "method", group: "consent", initial: "paper"),
            Field("form_ref", .text(max: 60), "表格编号", "form reference", headers: ["同意书编号"], group: "consent"),
            Field("text_version", .text(max: 20), "文本版本", "text version", group: "consent"),
            Field("at", .instant, "签署时间", "at", headers: ["签署日期"], group: "consent", required: true),
            Field("expires_on", .date, "有效期至", "expires on", group: "consent"),
        ])
}
