import RoostModel
import RoostSchema

extension DemoBuilder {
    mutating func addOutreach() {
        let policies = addPolicies()
        let jobs = addOpportunities()
        addDigests(policies: policies, jobs: jobs)
    }

    private struct PolicyPlan {
        let title: String
        let tier: String
        let topic: String
        let cap: String
        let words: String
        let audience: String
        /// Days until it ends; negative for one that is over.
        let daysLeft: Int

        init(
            _ title: String, _ tier: String, _ topic: String, cap: String = "", _ words: String, _ audience: String,
            daysLeft: Int
        ) {
            self.title = title
            self.tier = tier
            self.topic = topic
            self.cap = cap
            self.words = words
            self.audience = audience
            self.daysLeft = daysLeft
        }
    }

    private var policyPlans: [PolicyPlan] {
        let year = calendar.schoolYear
        return [
            PolicyPlan(
                "引进高层次人才安家补贴办法", "county", "housing", cap: "100", "博士研究生，或硕士且毕业于双一流高校",
                "level=博士 or (level=硕士 and dfc=yes)", daysLeft: 700),
            PolicyPlan(
                "青年人才生活补贴实施细则", "county", "subsidy", cap: "3.6", "近三届，本科及以上，在鹤山就业",
                "cohort>=\(year - 2) and level>=本科 and stage=employed_local", daysLeft: 600),
            PolicyPlan(
                "双一流高校毕业生来鹤就业奖励", "county", "subsidy", cap: "5", "双一流高校本科及以上毕业生", "dfc=yes and level>=本科",
                daysLeft: 380),
            PolicyPlan(
                "高校毕业生基层就业补贴", "province", "subsidy", cap: "0.5", "专科及以上，近两届", "level>=专科 and cohort>=\(year - 1)",
                daysLeft: 900),
            PolicyPlan("一次性创业资助", "province", "startup", cap: "1", "正在创业的毕业生", "stage=startup", daysLeft: 200),
            PolicyPlan("青年创业租金补贴", "prefecture", "startup", cap: "1.8", "正在创业的毕业生", "stage=startup", daysLeft: 500),
            PolicyPlan(
                "大学生实习生活补贴", "county", "internship", cap: "0.6", "在读专科及以上，到本市企业实习",
                "stage in (enrolled,interning) and level>=专科", daysLeft: 120),
            PolicyPlan(
                "人才公寓申请办法", "county", "housing", "本科及以上，在鹤就业", "level>=本科 and stage=employed_local", daysLeft: 650),
            PolicyPlan("青年驿站免费住宿7天", "county", "housing", "来鹤求职者", "stage=seeking", daysLeft: 90),
            PolicyPlan(
                "教师公开招聘（赴高校设点）", "county", "exam", "应届师范类本科及以上",
                "cohort=\(year + 1) and level>=本科 and major_prefix=汉语言文学", daysLeft: 150),
            PolicyPlan(
                "港澳青年来鹤创业支持", "county", "startup", cap: "30", "港澳高校学生和毕业生", "school_region in (HK,MO)", daysLeft: 240),
            PolicyPlan("就业见习补贴（旧版）", "prefecture", "internship", cap: "1.2", "未就业毕业生", "stage=seeking", daysLeft: -60),
        ]
    }

    private mutating func addPolicies() -> [RowID] {
        var added: [RowID] = []
        for (index, plan) in policyPlans.enumerated() {
            let code = "DEMO-\(DemoCalendar.two(index + 1))"
            let cap = plan.cap.isEmpty ? "按规定办理" : "最高\(plan.cap)万元"
            let issuer = ["province": "广东省人力资源和社会保障厅", "prefecture": "江门市人力资源和社会保障局"][plan.tier]
            let row = add(
                "policy", Programme.policyRow(code: code),
                [
                    "code": .text(code), "title": .text(plan.title), "summary": .text("面向\(plan.words)；\(cap)。"),
                    "url": .text("https://policy.example.invalid/demo/\(index + 1)"),
                    "issuer": .text(issuer ?? "鹤山市委人才工作领导小组办公室"), "tier": .text(plan.tier),
                    "topic": .text(plan.topic), "valid_from": calendar.date(daysAgo: 400 - index * 20),
                    "valid_to": calendar.date(daysAgo: -plan.daysLeft),
                    "amount_cap": plan.cap.isEmpty ? .null : .text(plan.cap), "audience_text": .text(plan.words),
                    "audience": .text(plan.audience), "version": 1, "status": "published",
                ])
            if plan.daysLeft > 0 { added.append(row) }
        }
        return added
    }

    private static let posts: [(title: String, level: String, majors: [String], industry: String, sector: String)] = [
        ("结构设计工程师", "21", ["机械设计制造及其自动化", "工业设计"], "C", "水暖卫浴"),
        ("压铸工艺员", "31", ["机电一体化技术", "数控技术"], "C", "新能源汽车零部件"),
        ("食品研发员", "21", ["食品科学与工程"], "C", "食品制造"), ("嵌入式工程师", "21", ["电子信息工程", "自动化"], "C", "电子信息"),
        ("电商运营", "31", ["电子商务", "市场营销"], "I", "数字经济与软件服务"), ("会计", "31", ["会计", "会计学"], "G", "现代物流与商贸服务"),
        ("护士", "31", ["护理", "护理学"], "Q", "医疗健康"), ("材料研发工程师", "14", ["材料科学与工程"], "C", "新材料"),
        ("包装设计师", "21", ["包装工程", "视觉传达设计"], "C", "印刷包装"), ("软件工程师", "21", ["软件工程", "计算机科学与技术"], "I", "数字经济与软件服务"),
    ]

    /// Jobs, internships, bases, two events and the catalogue of shortages; answers the open jobs.
    private mutating func addOpportunities() -> [RowID] {
        var open: [RowID] = []
        for index in 0..<60 {
            let post = Self.posts[index % Self.posts.count]
            let isInternship = index % 5 == 4
            let age = random.number(3...120)
            let isOpen = age < 75
            let row = addOpportunity(
                isInternship ? "internship" : "job", code: "DEMO-\(1000 + index)",
                title: isInternship ? "\(post.title)（实习）" : post.title,
                [
                    "employer": .text(random.pick(DemoWords.employers)), "industry": .text(post.industry),
                    "sector": .text(post.sector), "headcount": .integer(Int64(random.number(1...6))),
                    "level_min": .text(post.level), "majors": .list(post.majors.map { .text($0) }),
                    "place": .text("鹤山市" + random.pick(DemoWords.towns.map(\.name))),
                    "pay": .text(
                        isInternship ? "120元/天" : "\(random.number(9...14) * 500)-\(random.number(15...20) * 500)元/月"),
                    "starts_on": calendar.date(daysAgo: age), "ends_on": calendar.date(daysAgo: age - 75),
                    "contact_phone": .text("+867500000\(random.number(100...999))"),
                    "url": .text("https://jobs.example.invalid/demo/\(index + 1)"),
                    "status": isOpen ? "open" : "closed",
                ])
            if isOpen, !isInternship { open.append(row) }
        }
        for employer in DemoWords.employers {
            addOpportunity(
                "base", code: nil, title: "大学生就业实习基地",
                ["employer": .text(employer), "starts_on": calendar.date(daysAgo: 500), "status": "recognised"])
        }
        for (index, title) in ["鹤才翱翔·寒假返乡座谈会", "走进鹤山重点企业"].enumerated() {
            addOpportunity(
                "event", code: nil, title: title,
                [
                    "place": "鹤山市人才驿站", "headcount": 80, "starts_on": calendar.date(daysAgo: -40 - index * 20),
                    "ends_on": calendar.date(daysAgo: -40 - index * 20), "status": "open",
                ])
        }
        for major in DemoWords.shortMajors.sorted() {
            addOpportunity(
                "shortage", code: nil, title: major,
                [
                    "majors": .list([.text(major)]), "catalogue_year": .integer(Int64(calendar.year)),
                    "heat": .text("\(random.number(1...3))"), "status": "open",
                ])
        }
        return open
    }

    @discardableResult
    private mutating func addOpportunity(
        _ kind: String, code: String?, title: String, _ values: [FieldName: Value]
    ) -> RowID {
        let common: [FieldName: Value] = [
            "kind": .text(kind), "title": .text(title), "code": code.map { .text($0) } ?? .null,
        ]
        return add("opportunity", nil, common.merging(values) { _, new in new })
    }

    /// Last month's digest, sent, and this month's, being written.
    private mutating func addDigests(policies: [RowID], jobs: [RowID]) {
        let author = officers("liaison")[10]
        let approver = officers("approver")[0]
        let audience = "cohort>=\(calendar.schoolYear) and level>=专科"
        addDigest(
            "政策与岗位（上期）", daysAgo: 30, sections(policies.prefix(3), jobs.prefix(5)), audience: audience,
            author: author, approver: approver)
        addDigest(
            "政策与岗位（本期）", daysAgo: 0, sections(policies.dropFirst(3).prefix(3), jobs.dropFirst(5).prefix(6)),
            audience: audience, author: author, approver: nil)
    }

    private func sections(_ policies: ArraySlice<RowID>, _ jobs: ArraySlice<RowID>) -> Value {
        func items(_ collection: String, _ rows: ArraySlice<RowID>) -> Value {
            .list(
                rows.map { .object([.init("collection", .text(collection)), .init("id", .id($0))]) })
        }
        return .list([
            .object([
                .init("kind", "policy"), .init("title", "人才政策"), .init("items", items("policy", policies)),
            ]),
            .object([
                .init("kind", "jobs"), .init("title", "本地岗位"), .init("items", items("opportunity", jobs)),
            ]),
        ])
    }

    private mutating func addDigest(
        _ title: String, daysAgo: Int, _ sections: Value, audience: String, author: DemoOfficer, approver: DemoOfficer?
    ) {
        let (year, month, _) = PartialDate.civil(daysSinceEpoch: calendar.today - daysAgo)
        let sentAt = approver == nil ? Value.null : .integer(calendar.instant(daysAgo: daysAgo, hour: 19))
        add(
            "digest", nil,
            [
                "title": .text(title), "period": .text("\(year)-\(DemoCalendar.two(month))"),
                "intro": "各位乡亲同学，家乡近期的政策和岗位如下。", "sections": sections, "audience": .text(audience),
                "channels": .list(["wecom", "generic", "manual"]), "status": approver == nil ? "draft" : "sent",
                "scheduled_at": sentAt, "sent_at": sentAt, "author": .id(author.row),
                "approver": approver.map { .id($0.row) } ?? .null,
            ])
    }
}
