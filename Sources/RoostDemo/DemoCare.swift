import RoostModel
import RoostSchema

extension DemoBuilder {
    /// Liaison officers take students of their town first and then whoever is left; about one in twelve has nobody.
    mutating func addCaseloads() {
        let liaisons = officers("liaison")
        let registrar = officers("registrar")[0]
        let ofTown = Dictionary(
            zip(DemoWords.towns.map(\.code), liaisons).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
        var load: [RowID: Int] = [:]
        // Nobody is full, so that whoever tries the demo can enter somebody new.
        func hasRoom(_ officer: DemoOfficer) -> Bool { load[officer.row, default: 0] < (officer.capacity ?? .max) - 10 }
        for index in students.indices where !random.chance(8) {
            var officer = random.chance(70) ? ofTown[students[index].town] ?? liaisons[0] : random.pick(liaisons)
            while !hasRoom(officer) { officer = random.pick(liaisons) }
            load[officer.row, default: 0] += 1
            students[index].officer = officer.row
            add(
                "liaison", nil,
                [
                    "student": .id(students[index].row), "officer": .id(officer.row), "kind": "liaison",
                    "state": "active", "begins_on": calendar.date(daysAgo: random.number(30...500)),
                    "arranged_by": .id(registrar.row),
                ])
        }
        addHandOvers(between: liaisons)
    }

    /// Some hand-overs that wait for the registrar.
    private mutating func addHandOvers(between liaisons: [DemoOfficer]) {
        let waiting = students.filter { $0.officer == liaisons[2].row }.prefix(3)
        for student in waiting {
            add(
                "liaison", nil,
                [
                    "student": .id(student.row), "officer": .id(liaisons[12].row), "kind": "liaison",
                    "state": "proposed", "begins_on": calendar.date(daysAgo: 2), "occasion": "hand_over",
                    "arranged_by": .id(liaisons[2].row),
                    "reason": "休假期间请同事代管",
                ])
        }
    }

    /// Six students of age for each mentor; four of them let the mentor see how to reach them.
    mutating func addMentees() {
        let registrar = officers("registrar")[0]
        var candidates = students.filter { $0.isEnrolled && !$0.isMinor && $0.officer != nil }
        candidates.shuffle(using: &random)
        for mentor in officers("mentor") {
            for position in 0..<6 {
                guard let student = candidates.popLast() else { return }
                add(
                    "liaison", nil,
                    [
                        "student": .id(student.row), "officer": .id(mentor.row), "kind": "mentor", "state": "active",
                        "begins_on": calendar.date(daysAgo: random.number(60...300)), "arranged_by": .id(registrar.row),
                    ])
                if position < 4 {
                    add(
                        "consent", nil,
                        [
                            "student": .id(student.row), "purpose": "mentor_share", "state": "granted",
                            "basis": "consent", "given_by": "self", "method": "wechat_form", "text_version": "2025-1",
                            "at": .integer(calendar.instant(daysAgo: 59, hour: 20)),
                        ])
                }
                addMentorNote(mentor, student)
                if position == 0 { addMentorOrder(mentor, student) }
            }
        }
    }

    private mutating func addMentorNote(_ mentor: DemoOfficer, _ student: DemoStudent) {
        add(
            "touch", nil,
            [
                "student": .id(student.row), "officer": .id(mentor.row),
                "at": .integer(calendar.instant(daysAgo: random.number(2...50), hour: 20)), "channel": "video",
                "result": "reached", "visibility": random.chance(60) ? "mentor" : "team",
                "summary": .text(random.pick(["讨论毕业设计选题", "修改简历", "介绍行业情况", "建议参加暑期实习"])),
            ])
    }

    private mutating func addMentorOrder(_ mentor: DemoOfficer, _ student: DemoStudent) {
        add(
            "task", nil,
            [
                "student": .id(student.row), "kind": "order", "origin": "liaison", "topic": "job",
                "title": "想了解研发岗位的要求",
                "due_on": calendar.date(daysAgo: -10), "status": "open",
                "raised_by": student.officer.map { .id($0) } ?? .null, "assignee": .id(mentor.row),
            ])
    }

    /// What liaison officers wrote down: most for themselves, some for the team.
    mutating func addTouches() {
        for student in students where random.chance(55) {
            guard let officer = student.officer else { continue }
            let cadence = student.isKey ? 30 : 90
            let last = random.number(1...cadence + 30)
            for age in random.chance(40) ? [last + cadence, last] : [last] {
                let result = random.pick(Self.results)
                add(
                    "touch", nil,
                    [
                        "student": .id(student.row), "officer": .id(officer),
                        "at": .integer(
                            calendar.instant(daysAgo: age, hour: random.number(9...17), minute: random.number(0...59))),
                        "channel": .text(random.pick(Self.channels)), "result": .text(result),
                        "visibility": random.chance(70) ? "liaison" : "team",
                        "summary": result == "reached" ? .text(random.pick(Self.summaries)) : .null,
                        "next_on": calendar.date(daysAgo: age - cadence),
                    ])
            }
        }
    }

    private static let results = [
        ("reached", 72), ("no_answer", 18), ("wrong_number", 4), ("left_message", 5), ("refused", 1),
    ]
    private static let channels = [("phone", 55), ("wechat", 35), ("visit", 5), ("event", 5)]
    private static let summaries = [
        "近况良好，学业正常", "询问实习补贴政策，已发链接", "打算考研，暂不考虑就业", "有意回鹤就业，关注机械类岗位", "已更新联系方式", "春节返乡，愿意参加座谈会", "想了解人才公寓", "准备参加秋招",
    ]

    /// Orders of chapters and of caseloads, and facts to verify.
    mutating func addTasks() {
        let orders: [(topic: String, title: String)] = [
            ("startup", "咨询创业租金补贴"), ("housing", "申请人才公寓"), ("internship", "寻找寒假实习"), ("subsidy", "生活补贴办理进度"),
            ("job", "推荐本地机械类岗位"),
            ("household", "户口迁回手续"), ("exam", "事业单位招考时间"),
        ]
        let adults = students.filter { !$0.isMinor && $0.officer != nil }
        for _ in 0..<90 {
            let student = random.pick(adults)
            let order = random.pick(orders)
            let status = random.pick([("open", 35), ("doing", 25), ("waiting", 10), ("done", 30)])
            let officer: Value = student.officer.map { .id($0) } ?? .null
            add(
                "task", nil,
                [
                    "student": .id(student.row), "kind": "order",
                    "origin": student.chapter != nil && random.chance(50) ? "chapter" : "liaison",
                    "topic": .text(order.topic), "title": .text(order.title),
                    "due_on": calendar.date(daysAgo: random.number(-20...25)), "status": .text(status),
                    "raised_by": officer, "assignee": officer, "result": status == "done" ? "已答复并附办理指引" : .null,
                    "rating": status == "done" ? .integer(Int64(random.number(3...5))) : .null,
                ])
        }
        for _ in 0..<40 {
            let student = random.pick(adults)
            add(
                "task", nil,
                [
                    "student": .id(student.row), "kind": "verify", "origin": "season", "topic": "other",
                    "title": "资料超过180天未核实", "due_on": calendar.date(daysAgo: random.number(-14...5)), "status": "open",
                    "assignee": student.officer.map { .id($0) } ?? .null,
                ])
        }
    }
}
