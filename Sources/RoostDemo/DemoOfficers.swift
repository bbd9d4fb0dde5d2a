import RoostModel
import RoostSchema

extension DemoBuilder {
    private static let liaisonUnits =
        DemoWords.towns.map { $0.name + ($0.name.hasSuffix("街道") ? "办事处" : "人民政府") }
        + [
            "共青团鹤山市委员会", "共青团鹤山市委员会", "共青团鹤山市委员会", "共青团鹤山市委员会", "鹤山市人力资源和社会保障局", "鹤山市人力资源和社会保障局",
            "鹤山市人力资源和社会保障局", "鹤山市教育局", "鹤山市人才驿站", "鹤山市引才工作站（广东东莞站）",
        ]

    private static let mentors: [(unit: String, expertise: [String])] = [
        ("鹤山市铄岭新材料有限公司", ["新材料", "科研"]), ("鹤山市穗川机械制造有限公司", ["机械", "智能制造"]), ("鹤山市康禾生物医药有限公司", ["生物医药", "升学"]),
        ("鹤山市启航众创空间", ["创业", "财务"]), ("鹤山市云汇软件有限公司", ["计算机", "求职"]),
    ]

    /// Everybody in charge but the coordinators, who are students and come with their chapters.
    mutating func addOfficers() {
        let bureau = "鹤山市人力资源和社会保障局"
        addOfficer("admin", unit: bureau, post: "信息股工程师")
        addOfficer("registrar", unit: bureau, post: "人才股股长")
        addOfficer("registrar", unit: bureau, post: "人才股科员")
        addOfficer("collector", unit: "鹤山市教育局", post: "招生办科员")
        addOfficer("approver", unit: "中共鹤山市委组织部", post: "人才工作股股长")
        for mentor in Self.mentors {
            addOfficer(
                "mentor", unit: mentor.unit, post: "研发负责人", capacity: 6, degree: random.chance(60) ? "博士" : "硕士",
                expertise: mentor.expertise)
        }
        for unit in Self.liaisonUnits { addOfficer("liaison", unit: unit, post: "人才工作专员", capacity: 110) }
        for role in ["admin", "registrar", "collector", "liaison", "mentor", "approver"] as [RoleName] {
            guard let officer = officers(role).first else { continue }
            enrolments.append(
                DemoCounty.Enrolment(officer: officer.row, role: role, name: officer.name, chapter: nil))
        }
    }

    @discardableResult
    private mutating func addOfficer(
        _ role: RoleName, name: String? = nil, unit: String, post: String, capacity: Int? = nil, degree: String? = nil,
        expertise: [String] = [], chapter: DemoChapter? = nil
    ) -> DemoOfficer {
        let name = name ?? DemoWords.name(female: random.chance(50), &random)
        let line = random.number(100...999)
        let since = calendar.date(daysAgo: random.number(90...900))
        let isStudent = chapter.map { !$0.isSenior } ?? false
        let row = add(
            "officer", nil,
            [
                "name": .text(name), "unit": .text(unit), "unit_div": isStudent ? .null : "440784", "post": .text(post),
                // Invented: no subscriber line of the area begins with four zeros.
                "work_phone": isStudent ? .null : .text("+867500000\(line)"),
                "capacity": capacity.map { .integer(Int64($0)) } ?? .null, "degree": degree.map { .text($0) } ?? .null,
                "expertise": expertise.isEmpty ? .null : .list(expertise.map { .text($0) }), "term_from": since,
                "status": "serving",
            ])
        add(
            "authority_grant", nil,
            [
                "officer": .id(row), "role": .text(role.text), "target": chapter.map { .id($0.row) } ?? .null,
                "valid_from": since, "state": "active",
            ])
        let officer = DemoOfficer(row: row, name: name, role: role, capacity: capacity)
        officers.append(officer)
        return officer
    }

    /// One coordinator per chapter: its first student, or a teacher where the members are pupils.
    mutating func addCoordinators() {
        for chapter in chapters {
            let role: RoleName = chapter.isAbroad ? "coordinator_abroad" : "coordinator"
            let head = chapter.isSenior ? nil : students.first { $0.chapter == chapter.row }
            let officer = addOfficer(
                role, name: head?.name, unit: head?.school.name ?? chapter.schools[0].name,
                post: chapter.isSenior ? "团委老师" : "负责人", chapter: chapter)
            guard !enrolments.contains(where: { $0.role == role }) else { continue }
            enrolments.append(
                DemoCounty.Enrolment(officer: officer.row, role: role, name: officer.name, chapter: chapter.name))
        }
        let order = Catalogue.programme.roles.map(\.name)
        enrolments.sort { order.firstIndex(of: $0.role) ?? 0 < order.firstIndex(of: $1.role) ?? 0 }
    }
}
