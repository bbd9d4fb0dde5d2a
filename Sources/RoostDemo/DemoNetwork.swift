import RoostModel
import RoostSchema

struct DemoChapter {
    let row: RowID
    let name: String
    let schools: [DemoSchool]
    let size: Int
    let kind: String

    /// Chapters of senior and vocational schools: teachers answer for them, and most members are minors.
    var isSenior: Bool { kind == "senior" || kind == "vocational" }
    var isAbroad: Bool { kind == "overseas" }
}

struct DemoOfficer {
    let row: RowID
    let name: String
    let role: RoleName
    let capacity: Int?
}

private struct ChapterPlan {
    let name: String
    let kind: String
    let schools: [DemoSchool]
    let city: String
    let division: String
    let size: Int

    init(_ name: String, _ kind: String, _ schools: [DemoSchool], _ city: String, _ division: String, _ size: Int) {
        self.name = name
        self.kind = kind
        self.schools = schools
        self.city = city
        self.division = division
        self.size = size
    }
}

extension DemoBuilder {
    private static let chapterPlans = [
        ChapterPlan("粤港联分部", "overseas", DemoSchools.abroad, "香港", "810000", 64),
        ChapterPlan("华工分部", "university", [DemoSchools.southChina], "广州市", "440100", 58),
        ChapterPlan("中大分部", "university", [DemoSchools.sunYatSen], "广州市", "440100", 52),
        ChapterPlan("暨大分部", "university", [DemoSchools.jinan], "广州市", "440100", 40),
        ChapterPlan("华师分部", "university", [DemoSchools.normal], "广州市", "440100", 48),
        ChapterPlan("华农分部", "university", [DemoSchools.agricultural], "广州市", "440100", 55),
        ChapterPlan("广工分部", "university", [DemoSchools.technology], "广州市", "440100", 66),
        ChapterPlan("广外分部", "university", [DemoSchools.foreignStudies], "广州市", "440100", 38),
        ChapterPlan("五邑大学分部", "university", [DemoSchools.wuyi], "江门市", "440700", 88),
        ChapterPlan("江门职院分部", "university", [DemoSchools.jiangmenPolytechnic], "江门市", "440700", 96),
        ChapterPlan("深圳分部", "city", DemoSchools.shenzhen, "深圳市", "440300", 58),
        ChapterPlan("珠海分部", "city", DemoSchools.zhuhai, "珠海市", "440400", 52),
        ChapterPlan("北京分部", "city", DemoSchools.beijing, "北京市", "110000", 28),
        ChapterPlan("上海分部", "city", DemoSchools.shanghai, "上海市", "310000", 26),
        ChapterPlan("武汉分部", "city", DemoSchools.wuhan, "武汉市", "420100", 34),
        ChapterPlan("鹤山一中分部", "senior", [DemoSchools.firstSenior], "鹤山市", "440784", 72),
        ChapterPlan("鹤华中学分部", "senior", [DemoSchools.hehuaSenior], "鹤山市", "440784", 62),
        ChapterPlan("鹤山职中分部", "vocational", [DemoSchools.vocationalSenior], "鹤山市", "440784", 63),
    ]

    mutating func addChapters() {
        for (index, plan) in Self.chapterPlans.enumerated() {
            let school: Value = plan.schools.count == 1 ? .id(plan.schools[0].row) : .null
            let row = add(
                "chapter", RowID(naming: "chapter", plan.name),
                [
                    "name": .text(plan.name), "kind": .text(plan.kind), "school": school, "city": .text(plan.city),
                    "div": .text(plan.division), "jurisdiction": plan.kind == "overseas" ? "HK" : "CN",
                    "founded_on": calendar.date(daysAgo: 1900 - index * 55), "status": "active",
                ])
            chapters.append(
                DemoChapter(row: row, name: plan.name, schools: plan.schools, size: plan.size, kind: plan.kind))
        }
    }

    /// 62 groups: one per chapter, two years each for six chapters, school years and classes, and two for officers.
    mutating func addContactGroups() {
        let keepers = officers("liaison")
        let year = calendar.schoolYear
        for chapter in chapters {
            addGroup("青鹤·\(chapter.name)总群", chapter: chapter, keeper: random.pick(keepers))
        }
        for chapter in chapters where ["粤港联分部", "华工分部", "华农分部", "广工分部", "五邑大学分部", "江门职院分部"].contains(chapter.name) {
            for entry in [year - 2, year - 1] {
                addGroup("\(chapter.name)\(entry)级群", chapter: chapter, cohort: entry, keeper: random.pick(keepers))
            }
        }
        for school in DemoSchools.senior {
            for cohort in year - 2...year {
                addGroup(
                    "\(school.name)\(cohort)届鹤山籍大学生群", school: school, cohort: cohort, keeper: random.pick(keepers))
            }
        }
        for index in 0..<18 {
            let school = DemoSchools.senior[index % DemoSchools.senior.count]
            let className = "高三（\(index / DemoSchools.senior.count + 1)）班"
            addGroup(
                "\(school.name)\(year)届\(className)群", school: school, cohort: year, className: className,
                keeper: random.pick(keepers))
        }
        addGroup("人才政策答疑群", platform: "feishu", keeper: keepers[0])
        addGroup("镇街人才专员工作群", platform: "feishu", keeper: keepers[1])
    }

    private mutating func addGroup(
        _ name: String, platform: String? = nil, chapter: DemoChapter? = nil, school: DemoSchool? = nil,
        cohort: Int? = nil, className: String? = nil, keeper: DemoOfficer
    ) {
        let own = chapter.flatMap { $0.schools.count == 1 ? $0.schools[0] : nil }
        let platform = platform ?? random.pick([("wechat", 50), ("wecom", 6), ("dingtalk", 4), ("feishu", 2)])
        add(
            "contact_group", RowID(naming: "contact_group", name),
            [
                "name": .text(name), "platform": .text(platform), "chapter": chapter.map { .id($0.row) } ?? .null,
                "school": (school ?? own).map { .id($0.row) } ?? .null,
                "cohort": cohort.map { .integer(Int64($0)) } ?? .null,
                "class_name": className.map { .text($0) } ?? .null,
                "headcount": .integer(Int64(chapter.map { $0.size - 3 } ?? random.number(18...46))),
                "counted_on": calendar.date(daysAgo: random.number(20...150)), "keeper": .id(keeper.row),
                "keeper_name": .text(keeper.name), "note": platform == "wechat" ? "手动发送" : .null,
            ])
    }
}
