import RoostModel
import RoostSchema
import Testing

/// Facts of the programme's matrix, read off the declaration.
struct ProgrammeTests {
    private let programme = Catalogue.programme

    private func view(_ collection: CollectionName, in kind: ScopeKindName) throws -> View {
        let scope = try #require(programme[scope: kind])
        return try #require(scope.views.first { $0.collection == collection }, "\(kind): \(collection)")
    }

    private func sight(_ group: FieldGroup, in kind: ScopeKindName) throws -> Sight {
        try view("student", in: kind).sights[group] ?? .hidden
    }

    /// Whether a role has a rule that lets it do something to rows of a scope.
    private func writes(_ role: RoleName, _ collection: CollectionName) throws -> [WriteRule] {
        try #require(programme[role: role]).writes.filter { $0.collection == collection }
    }

    @Test func `the programme's declaration has no problems`() { #expect(programme.problems == []) }

    @Test func `everything that people read is there in both languages`() {
        for collection in programme.collections {
            #expect(!collection.label.zh.isEmpty && !collection.label.en.isEmpty)
            for field in collection.fields {
                #expect(field.label.zh.unicodeScalars.contains { $0.value > 0x7F }, "\(collection.name).\(field.name)")
                #expect(
                    field.label.en.unicodeScalars.allSatisfy { $0.value < 0x80 }, "\(collection.name).\(field.name)")
            }
        }
    }

    @Test func `every collection of the domain is declared`() {
        let expected: [CollectionName: SyncClass] = [
            "student": .register, "guardian": .register, "schooling": .register, "stage_event": .appendOnly,
            "consent": .appendOnly, "school": .authoritative, "chapter": .authoritative, "membership": .register,
            "contact_group": .register, "officer": .authoritative, "authority_grant": .authoritative,
            "liaison": .authoritative, "touch": .appendOnly, "task": .register, "policy": .authoritative,
            "opportunity": .authoritative, "digest": .authoritative,
        ]
        #expect(
            Dictionary(uniqueKeysWithValues: programme.collections.map { ($0.name, $0.syncClass) }) == expected)
    }

    @Test(arguments: ["chapter", "chapter_abroad"] as [ScopeKindName])
    func `coordinators never receive intent, tier, identity, guardians or liaison notes`(kind: ScopeKindName) throws {
        for group in ["intent", "identity", "safeguard"] as [FieldGroup] {
            #expect(try sight(group, in: kind) == .hidden)
        }
        let student = try #require(programme["student"])
        for name in ["return_intent", "tier", "tags"] as [FieldName] { #expect(student[name]?.group == "intent") }
        let scope = try #require(programme[scope: kind])
        #expect(!scope.views.contains { $0.collection == "guardian" })
        let touch = try #require(programme["touch"])
        let admits = try view("touch", in: kind).admits
        for (visibility, isShown) in [("team", true), ("liaison", false), ("mentor", false)] {
            let row = touch.fields.map { $0.name == "visibility" ? Value.text(visibility) : .null }
            #expect(admits.holds(in: touch, row) == isShown, "\(visibility)")
        }
        #expect(try view("liaison", in: kind).sights["arrangement"] == nil)
        #expect(try view("task", in: kind).sights["answer"] == nil)
    }

    @Test(arguments: ["officer", "contact_group"] as [CollectionName])
    func `notes on officers and groups are the county's own`(collection: CollectionName) throws {
        #expect(try #require(programme[collection])["note"]?.group == "internal")
        let shown = programme.scopes.filter { kind in
            kind.views.contains { $0.collection == collection && $0.sights["internal"] ?? .hidden != .hidden }
        }
        let allowed: Set<ScopeKindName> = collection == "officer" ? ["county", "administration"] : ["county"]
        #expect(Set(shown.map(\.name)) == allowed)
        for role in programme.roles {
            for rule in role.writes where rule.collection == collection && !allowed.contains(rule.scope) {
                #expect(rule.groups?.contains("internal") == false, "\(role.name) writes what is hidden there")
            }
        }
    }

    @Test(arguments: ["chapter", "chapter_abroad", "mentor"] as [ScopeKindName])
    func `minors and people of unknown age are in no scope of fellow students and mentors`(kind: ScopeKindName) throws {
        let student = try #require(programme["student"])
        let link = try #require(programme[scope: kind]?.link)
        for (minor, isAdmitted) in [(Value.boolean(true), false), (.null, false), (.boolean(false), true)] {
            let row = student.fields.map { field -> Value in
                field.name == "minor" ? minor : field.name == "consent_cross_border" ? "granted" : .null
            }
            #expect(link.admits.holds(in: student, row) == isAdmitted)
        }
    }

    @Test func `nobody is sent outside the mainland without having agreed`() throws {
        let student = try #require(programme["student"])
        let link = try #require(programme[scope: "chapter_abroad"]?.link)
        for state in ["refused", "withdrawn", "expired", nil] as [String?] {
            let row = student.fields.map { field -> Value in
                field.name == "minor"
                    ? false : field.name == "consent_cross_border" ? state.map { .text($0) } ?? .null : .null
            }
            #expect(!link.admits.holds(in: student, row))
        }
    }

    @Test func `contacts are masked from chapters and hidden from mentors until shared`() throws {
        func contact(_ kind: ScopeKindName, _ field: String, _ state: Value) throws -> Sight {
            try sight("contact", in: kind).resolved { $0.holds { $0 == field ? [state] : [.null] } }
        }
        for state in ["refused", "withdrawn", .null] as [Value] {
            #expect(try contact("chapter", "consent_chapter_share", state) == .masked)
            #expect(try contact("mentor", "consent_mentor_share", state) == .hidden)
        }
        #expect(try contact("chapter", "consent_chapter_share", "granted") == .full)
        #expect(try contact("mentor", "consent_mentor_share", "granted") == .full)
        #expect(try contact("mentor", "consent_chapter_share", "granted") == .hidden)
        #expect(try sight("birth", in: "chapter") == .masked)
        #expect(try sight("birth", in: "mentor") == .masked)
        let student = try #require(programme["student"])
        #expect(student["mobile"]?.mask == .phone)
        #expect(student["birth"]?.mask == .year)
        #expect(student["wechat"]?.mask == .hidden)
    }

    @Test func `the identity digest is in nobody's view and nobody's hands`() throws {
        for scope in programme.scopes {
            for view in scope.views { #expect(view.sights["identity"] == nil, "\(scope.name)") }
        }
        for role in programme.roles {
            for rule in role.writes where rule.collection == "student" {
                #expect(rule.groups?.contains("identity") == false, "\(role.name)")
            }
        }
    }

    @Test(arguments: ["admin", "collector", "approver"] as [RoleName])
    func `technical and deciding roles hold nothing about students`(name: RoleName) throws {
        let role = try #require(programme[role: name])
        let about = Set(programme.collections.filter { $0.subject != nil }.map(\.name) + ["student"]).subtracting([
            "task"
        ])
        for holding in role.holds + [.shared(programme.commons)] {
            let scope = try #require(programme[scope: holding.kind])
            #expect(!scope.views.contains { about.contains($0.collection) }, "\(holding.kind)")
        }
    }

    @Test func `only tasks about no student are in an officer's own office`() throws {
        let task = try #require(programme["task"])
        let admits = try view("task", in: "office").admits
        let about = task.fields.map { $0.name == "student" ? Value.id(RowID(bits: 1)) : .null }
        #expect(!admits.holds(in: task, about))
        #expect(admits.holds(in: task, task.fields.map { _ in .null }))
    }

    @Test func `links to students come from the registrar, or with somebody new`() throws {
        for rule in try writes("coordinator", "membership") where rule.create != .never {
            #expect(rule.newSubjectOnly)
        }
        let liaison = try #require(programme["liaison"])
        let officer = RowID(bits: 9)
        let active: [FieldName: Value] = [
            "kind": "liaison", "state": "active", "occasion": "entry", "officer": .id(officer),
            "arranged_by": .id(officer),
        ]
        let row = liaison.fields.map { active[$0.name] ?? .null }
        for rule in try writes("liaison", "liaison") {
            #expect(rule.edit == .never && rule.delete == .never)
            #expect(!rule.create.holds(in: liaison, row, principal: officer) || rule.newSubjectOnly)
            #expect(!rule.create.holds(in: liaison, row, principal: RowID(bits: 10)))
        }
        #expect(try writes("mentor", "liaison").isEmpty)
        #expect(try writes("coordinator", "liaison").isEmpty)
    }

    @Test func `what is entered together with a new student is what keeps them in view of whoever enters them`() {
        let (student, officer, chapter) = (RowID(bits: 1), RowID(bits: 2), RowID(bits: 3))
        func entered(as role: RoleName) -> [NewSubject.Companion]? {
            NewSubject(catalogue: programme, officer: officer, grants: [HeldGrant(role: role, target: chapter)])
                .companions(of: student, in: Programme.subject)
        }
        let link: [FieldName: Value] = [
            "student": .id(student), "officer": .id(officer), "kind": "liaison", "state": "active",
            "occasion": "entry", "arranged_by": .id(officer),
        ]
        let membership: [FieldName: Value] = ["chapter": .id(chapter), "student": .id(student), "state": "active"]
        #expect(entered(as: "liaison")?.map(\.values) == [link])
        for role in ["coordinator", "coordinator_abroad"] as [RoleName] {
            #expect(entered(as: role)?.map(\.collection) == ["membership"])
            #expect(entered(as: role)?.map(\.values) == [membership])
        }
        #expect(entered(as: "registrar")?.isEmpty == true)
        for role in ["mentor", "approver", "collector", "admin"] as [RoleName] { #expect(entered(as: role) == nil) }
    }

    @Test func `nobody grants more than they have`() throws {
        let grant = try #require(programme["authority_grant"])
        for (role, isAllowed) in [
            ("liaison", true), ("coordinator", true), ("registrar", false), ("admin", false), ("approver", false),
        ] {
            let row = grant.fields.map { $0.name == "role" ? Value.text(role) : .null }
            let allowed = try writes("registrar", "authority_grant").contains { $0.create.holds(in: grant, row) }
            #expect(allowed == isAllowed, "\(role)")
        }
    }

    @Test func `who writes digests does not approve them`() {
        for role in programme.roles {
            #expect(!role.rights.isSuperset(of: [.composeDigests, .approveDigests]), "\(role.name)")
        }
    }

    @Test func `a student has one liaison officer and two mentors at most, and an officer has room`() throws {
        let limits = try #require(programme["liaison"]).limits
        #expect(limits.map(\.name) == ["one_active_liaison", "two_active_mentors", "officer_capacity"])
        #expect(limits.map(\.maximum) == [.constant(1), .constant(2), .field("capacity")])
        #expect(limits.map(\.otherwise) == [[:], [:], ["state": "proposed"]])
    }

    @Test func `a new field is one line, and shows to those responsible only until somebody decides`() throws {
        let student = try #require(programme["student"])
        let shoe = Field("shoe", .text(max: 9), "鞋码", "shoe")
        let wider = programme.replacing(
            Collection("student", .register, "学生", "student", fields: student.fields + [shoe]))
        #expect(wider.problems == [])
        let shown = wider.scopes.filter { scope in
            scope.views.contains { $0.collection == "student" && $0.sights[shoe.group] == .full }
        }
        #expect(shown.map(\.name) == ["county", "liaison", "proposed"])
        #expect(try writes("registrar", "student").allSatisfy { $0.groups?.contains(shoe.group) ?? true })
    }
}
