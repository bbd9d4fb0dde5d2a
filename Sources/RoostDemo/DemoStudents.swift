import RoostModel
import RoostSchema

struct DemoStudent {
    let row: RowID
    let name: String
    let town: String
    let school: DemoSchool
    let chapter: RowID?
    let isMinor: Bool
    let isEnrolled: Bool
    let isKey: Bool
    var officer: RowID?
}

/// What is decided about somebody before any row is written.
private struct StudentPlan {
    let school: DemoSchool
    /// The school year in which they entered it.
    let entry: Int
    let level: String
    var chapter: DemoChapter?
    var chapterRole = "member"

    var years: Int { level == "21" ? 4 : 3 }
    var exit: Int { entry + years }
    var isPupil: Bool { level == "61" || level == "41" }
}

extension DemoBuilder {
    /// How many people the county keeps, members of chapters included.
    private static let population = 2000

    mutating func addStudents() {
        for chapter in chapters {
            for position in 0..<chapter.size {
                var plan = memberPlan(of: chapter, position: position)
                plan.chapter = chapter
                if !chapter.isSenior {
                    plan.chapterRole =
                        position == 0 ? "coordinator" : position == 1 && chapter.size >= 58 ? "deputy" : "member"
                }
                if position == 2, !chapter.isSenior { plan.chapterRole = "ambassador" }
                addStudent(plan)
            }
        }
        while students.count < Self.population { addStudent(freePlan()) }
    }

    private mutating func memberPlan(of chapter: DemoChapter, position: Int) -> StudentPlan {
        let school = random.pick(chapter.schools)
        let years = school.level == "21" ? 4 : 3
        // A coordinator is in the third year and of age.
        let entry = calendar.schoolYear - (position == 0 && !chapter.isSenior ? 2 : random.number(0...years - 1))
        return StudentPlan(school: school, entry: entry, level: school.level)
    }

    /// Somebody in no chapter: a pupil, a student, or a leaver of the last years.
    private mutating func freePlan() -> StudentPlan {
        if random.chance(8) {
            let school = random.pick(DemoSchools.senior)
            return StudentPlan(school: school, entry: calendar.schoolYear - random.number(0...2), level: school.level)
        }
        let school = random.pick(DemoSchools.elsewhere)
        let years = school.level == "21" ? 4 : 3
        return StudentPlan(
            school: school, entry: calendar.schoolYear - random.number(0...years + 2), level: school.level)
    }

    private mutating func addStudent(_ plan: StudentPlan) {
        let isFemale = random.chance(49)
        let name = DemoWords.name(female: isFemale, &random)
        let birth = birth(of: plan)
        let isMinor = birth.map { $0.latestDay(addingYears: 18) > calendar.today } ?? plan.isPupil
        let isKey = !plan.isPupil && random.chance(6)
        let town = DemoWords.town(&random)
        let isAbroad = plan.chapter?.isAbroad ?? false
        let mobile: Value =
            random.chance(88)
            ? isAbroad && random.chance(75) ? mobileAbroad(macau: plan.school.name.hasPrefix("澳门")) : self.mobile()
            : .null
        let id = add(
            "student", nil,
            [
                "name": .text(name), "gender": isFemale ? "2" : "1", "birth": birth.map { .text($0.text) } ?? .null,
                "home_div": .text(town), "mobile": mobile,
                "mobile_state": mobile.isNull
                    ? .null : random.chance(4) ? "wrong" : random.chance(60) ? "ok" : "unknown",
                "wechat": random.chance(62) ? .text("zz00_" + handle()) : .null,
                "email": random.chance(12) ? .text(handle() + "@mail.invalid") : .null,
                "return_intent": plan.isPupil ? "unknown" : .text(random.pick(Self.intents)),
                "tier": isKey ? "key" : "normal",
                "skills": random.chance(35) ? .list([.text(random.pick(DemoWords.skills))]) : .null,
                "wish_city": random.chance(30) ? .list([.text(random.pick(DemoWords.cities))]) : .null,
                "verified_at": .integer(calendar.instant(daysAgo: random.number(3...420), hour: 10)),
            ])
        if isMinor { addGuardian(of: id, surname: String(name.prefix(1))) }
        addSchoolings(of: id, plan)
        addStageEvents(of: id, plan, town: town)
        addConsents(of: id, plan, isMinor: isMinor)
        if let chapter = plan.chapter {
            add(
                "membership", nil,
                [
                    "chapter": .id(chapter.row), "student": .id(id), "role": .text(plan.chapterRole),
                    "joined_on": calendar.month(min(plan.entry, calendar.schoolYear), 9), "state": "active",
                    "term_year": plan.chapterRole == "member" ? .null : .integer(Int64(calendar.schoolYear)),
                ])
        }
        students.append(
            DemoStudent(
                row: id, name: name, town: town, school: plan.school, chapter: plan.chapter?.row, isMinor: isMinor,
                isEnrolled: !plan.isPupil && plan.exit > calendar.schoolYear, isKey: isKey))
    }

    private static let intents = [("unknown", 45), ("maybe", 25), ("yes", 17), ("no", 10), ("returned", 3)]

    /// Most by month, as the sheets have it; a few by day or year, and a few unknown.
    private mutating func birth(of plan: StudentPlan) -> PartialDate? {
        if plan.chapterRole == "member", random.chance(4) { return nil }
        let year = plan.entry - (plan.isPupil ? 15 : 18) - (random.chance(25) ? 1 : 0)
        let month = random.number(1...12)
        switch random.number(0...9) {
        case 0: return PartialDate(year: year)
        case 1, 2: return PartialDate(year: year, month: month, day: random.number(1...28))
        default: return PartialDate(year: year, month: month)
        }
    }

    private mutating func handle() -> String {
        let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
        return String((0..<7).map { _ in random.pick(letters) })
    }

    private mutating func addGuardian(of student: RowID, surname: String) {
        let isMother = random.chance(55)
        add(
            "guardian", nil,
            [
                "student": .id(student),
                "name": .text(
                    isMother ? DemoWords.name(female: true, &random) : surname + random.pick(["国强", "志坚", "锦华", "伟文"])),
                "relation": isMother ? "mother" : "father", "phone": mobile(),
            ])
    }

    private mutating func addSchoolings(of student: RowID, _ plan: StudentPlan) {
        if !plan.isPupil, random.chance(90) {
            let senior = random.pick(plan.level == "31" ? DemoSchools.senior : Array(DemoSchools.senior.dropLast()))
            add(
                "schooling", nil,
                [
                    "student": .id(student), "school": .id(senior.row), "level": .text(senior.level),
                    "entry": calendar.month(plan.entry - 3, 9), "exit": calendar.month(plan.entry, 6),
                    "cohort": .integer(Int64(plan.entry)), "class_name": .text("高三（\(random.number(1...16))）班"),
                    "status": "graduated", "verified": "school",
                ])
        }
        let major =
            plan.isPupil ? nil : random.pick(plan.level == "31" ? DemoWords.associateMajors : DemoWords.bachelorMajors)
        add(
            "schooling", nil,
            [
                "student": .id(student), "school": .id(plan.school.row), "level": .text(plan.level),
                "major": major.map { .text($0) } ?? .null,
                "shortage": major.map { .boolean(DemoWords.shortMajors.contains($0)) } ?? .null,
                "entry": calendar.month(plan.entry, 9), "exit": calendar.month(plan.exit, 6),
                "cohort": .integer(Int64(plan.exit)),
                "class_name": plan.isPupil ? .text("（\(random.number(1...16))）班") : .null,
                "status": plan.exit > calendar.schoolYear ? "enrolled" : "graduated", "verified": "self",
            ])
    }

    private mutating func addStageEvents(of student: RowID, _ plan: StudentPlan, town: String) {
        func event(_ kind: String, _ on: Value, _ more: [FieldName: Value] = [:]) -> [FieldName: Value] {
            let values: [FieldName: Value] = ["student": .id(student), "kind": .text(kind), "occurred_on": on]
            return values.merging(more) { _, new in new }
        }
        if plan.isPupil {
            add("stage_event", nil, event("senior", calendar.month(plan.entry, 9), ["source": "school"]))
            return
        }
        add("stage_event", nil, event("enrolled", calendar.month(plan.entry, 9), ["source": "bureau"]))
        if plan.exit == calendar.schoolYear + 1, random.chance(20) {
            add("stage_event", nil, event("interning", calendar.month(calendar.schoolYear, 9), ["source": "self"]))
        }
        guard plan.exit <= calendar.schoolYear else { return }
        add("stage_event", nil, event("graduated", calendar.month(plan.exit, 6), ["source": "school"]))
        let kind = random.pick(Self.destinations)
        var more: [FieldName: Value] = ["source": "bureau"]
        if kind == "employed_local" || kind == "startup" {
            more["where_div"] = .text(town)
            more["org_name"] = .text(random.pick(DemoWords.employers))
            more["industry"] = "C"
        } else if kind == "employed_away" {
            more["where_div"] = .text(random.pick(["440100", "440300", "440600", "440400"]))
            more["org_name"] = .text(random.pick(DemoWords.employersAway))
            more["industry"] = random.chance(60) ? "C" : "I"
        }
        add("stage_event", nil, event(kind, calendar.month(plan.exit, 8), more))
    }

    private static let destinations = [
        ("employed_local", 20), ("employed_away", 40), ("further_study", 12), ("startup", 3), ("civil_exam", 6),
        ("seeking", 12), ("abroad", 3), ("military", 2), ("returned", 2),
    ]

    private mutating func addConsents(of student: RowID, _ plan: StudentPlan, isMinor: Bool) {
        func consent(_ purpose: String, _ state: String) -> [FieldName: Value] {
            [
                "student": .id(student), "purpose": .text(purpose), "state": .text(state), "basis": "consent",
                "given_by": isMinor ? "guardian" : "self", "method": "paper", "text_version": "2025-1",
            ]
        }
        var given: [[FieldName: Value]] = []
        if random.chance(60) { given.append(consent("contact", "granted")) }
        if let chapter = plan.chapter {
            let share = random.pick([("granted", 82), ("refused", 10), ("", 8)])
            if !share.isEmpty { given.append(consent("chapter_share", share)) }
            if random.chance(70) { given.append(consent("digest", "granted")) }
            if chapter.isAbroad {
                let crosses = plan.chapterRole != "member" || random.chance(85)
                given.append(consent("cross_border", crosses ? "granted" : "refused"))
            }
        }
        let daysAgo = random.number(20...400)
        for (index, var values) in given.enumerated() {
            values["at"] = .integer(calendar.instant(daysAgo: daysAgo, hour: 15, minute: index))
            values["form_ref"] = .text("纸质表 #\(students.count + 1)")
            add("consent", nil, values)
        }
    }
}
