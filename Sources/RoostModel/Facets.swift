import RoostSchema

/// The names an audience may use, and the fields of a student they stand for.
enum Facets {
    static let all = [
        own("cohort", "届别", "cohort", "cohort", phrase: Label("%届", "class of %")),
        own("level", "学历", "level", "level"),
        school("dfc", "双一流", "double first-class", "dfc_since"),
        school("school", "学校", "school", "name"),
        school("school_province", "学校省份", "school's province", "province"),
        school("school_region", "学校地区", "school's region", "region"),
        Facet(
            "chapter", "分部", "chapter", of: "membership", via: "student", field: "chapter", through: "name",
            when: .field("state", is: "active")),
        own("home_div", "生源地", "home division", "home_div", matchesPrefix: true),
        own("major", "专业", "major", "major"),
        own("major_prefix", "专业类", "field of study", "major", phrase: Label("%类", "majors of %"), matchesPrefix: true),
        own("stage", "状态", "stage", "stage"),
        own("tier", "级别", "tier", "tier"),
        own("intent", "回乡意向", "return intent", "return_intent"),
        own("tag", "标签", "tag", "tags"),
        own("gender", "性别", "gender", "gender"),
        Facet("shortage", "紧缺专业", "shortage major", of: "schooling", via: "student", field: "shortage"),
        Facet(
            "industry", "就业行业", "industry", of: "stage_event", via: "student", field: "industry", matchesPrefix: true),
    ]

    private static func own(
        _ name: String, _ zh: String, _ en: String, _ field: FieldName, phrase: Label? = nil,
        matchesPrefix: Bool = false
    ) -> Facet {
        Facet(name, zh, en, of: "student", via: nil, field: field, phrase: phrase, matchesPrefix: matchesPrefix)
    }

    private static func school(_ name: String, _ zh: String, _ en: String, _ field: FieldName) -> Facet {
        Facet(name, zh, en, of: "student", via: nil, field: "school", through: field)
    }
}
