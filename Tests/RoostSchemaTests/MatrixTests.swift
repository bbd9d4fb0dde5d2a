import RoostModel
import RoostSchema
import RoostSync
import Testing

/// The matrix at work: the engine decides about the demo county by the programme's declaration.
struct MatrixTests {
    private let world: CountyWorld
    private let newcomer = RowID(naming: "test", "newcomer")

    init() throws { world = try CountyWorld() }

    private func principal(_ role: RoleName) throws -> Principal { try #require(world.principal(role)) }

    /// The chapter of the coordinator who has the first code.
    private func chapter() throws -> RowID { try #require(try principal("coordinator").grants.first?.target) }

    /// One verdict per mutation, refused ones by their reason.
    private func outcomes(_ mutations: [Mutation], as role: RoleName) throws -> [String] {
        try world.decide(mutations, as: principal(role)).map { $0.refusal?.rawValue ?? $0.outcome.rawValue }
    }

    private func entering(_ values: [FieldName: Value], as role: RoleName) throws -> [Mutation] {
        let principal = try principal(role)
        let companions =
            NewSubject(
                catalogue: .programme, officer: principal.officer,
                grants: [HeldGrant(role: role, target: principal.grants.first?.target)]
            ).companions(of: newcomer, in: Programme.subject) ?? []
        return [world.mutation(.create, "student", newcomer, values, group: 1)]
            + companions.enumerated().map { index, companion in
                world.mutation(
                    .create, companion.collection, RowID(naming: "test", "companion \(index)"), companion.values,
                    group: 1)
            }
    }

    @Test func `the demo county loads as it is, with nothing refused and nobody put off`() {
        #expect(world.refusals.isEmpty)
        #expect(world.live("student").count == 2000)
        #expect(world.live("liaison").count { world.value("state", of: $0) == "proposed" } == 3)
    }

    @Test func `what is derived follows from schoolings, events and consents`() {
        for student in world.live("student") {
            #expect(world.value("stage", of: student).text != nil)
            #expect(world.value("school", of: student).id != nil)
            #expect(world.value("minor", of: student).boolean != nil)
        }
        let graduates = world.live("student").filter { world.value("cohort", of: $0).integer ?? 0 <= 2026 }
        #expect(graduates.count > 100)
        #expect(!graduates.contains { world.value("stage", of: $0) == "enrolled" })
    }

    @Test func `every mentor has six students, and a coordinator no minors`() {
        for officer in world.live("officer") {
            let mentees = world.live("student", in: "mentor", officer.key.id)
            #expect(mentees.isEmpty || mentees.count == 6)
        }
        for chapter in world.live("chapter") {
            for member in world.live("student", in: "chapter", chapter.key.id) {
                #expect(world.value("minor", of: member) == false)
            }
        }
    }

    @Test func `outside the mainland are only those who agreed`() throws {
        let abroad = try #require(try principal("coordinator_abroad").grants.first?.target)
        let sent = world.live("student", in: "chapter_abroad", abroad)
        #expect((30...64).contains(sent.count))
        #expect(sent.allSatisfy { world.value("consent_cross_border", of: $0) == "granted" })
    }

    @Test func `a coordinator enters somebody of age and sees them`() throws {
        let verdicts = try outcomes(
            entering(["name": "谭新生", "birth": "2006-03", "mobile": "+8619900009999"], as: "coordinator"),
            as: "coordinator")
        #expect(verdicts == ["applied", "applied"])
        #expect(world.live("student", in: "chapter", try chapter()).contains { $0.key.id == newcomer })
    }

    @Test func `a minor is not the coordinator's to enter`() throws {
        let verdicts = try outcomes(
            entering(["name": "谭小生", "birth": "2009-03"], as: "coordinator"), as: "coordinator")
        #expect(verdicts == ["out_of_scope", "depends_on"])
    }

    @Test func `nobody brings a known student into view by a membership`() throws {
        let known = Set(world.live("student", in: "chapter", try chapter()).map(\.key.id))
        let stranger = try #require(
            world.live("student").first { !known.contains($0.key.id) && world.value("minor", of: $0) == false })
        let pull = world.mutation(
            .create, "membership", RowID(naming: "test", "pull"),
            ["chapter": .id(try chapter()), "student": .id(stranger.key.id), "state": "active"])
        let refused = try outcomes([pull], as: "coordinator")
        #expect(refused == ["out_of_scope"], "the answer must not tell that there is such a student")
        #expect(!world.live("student", in: "chapter", try chapter()).contains { $0.key.id == stranger.key.id })
    }

    @Test func `a coordinator removes a member but cannot take back who left`() throws {
        let chapter = try chapter()
        let member = try #require(world.live("membership", in: "chapter", chapter).first)
        let student = try #require(world.value("student", of: member).id)
        let ends = world.mutation(.edit, "membership", member.key.id, ["state": "left"])
        #expect(try outcomes([ends], as: "coordinator") == ["forbidden"])
        #expect(
            try outcomes([world.mutation(.edit, "membership", member.key.id, ["state": "left"])], as: "registrar") == [
                "applied"
            ])
        #expect(!world.live("student", in: "chapter", chapter).contains { $0.key.id == student })
        let again = world.mutation(.edit, "membership", member.key.id, ["state": "active"])
        #expect(try outcomes([again], as: "coordinator") == ["out_of_scope"])

        let other = try #require(world.live("membership", in: "chapter", chapter).first)
        let removed = try #require(world.value("student", of: other).id)
        #expect(try outcomes([world.mutation(.delete, "membership", other.key.id)], as: "coordinator") == ["applied"])
        #expect(!world.live("student", in: "chapter", chapter).contains { $0.key.id == removed })
    }

    @Test func `what a coordinator types over a mask waits for a person`() throws {
        let student = try #require(
            world.live("student", in: "chapter", try chapter()).first { world.value("birth", of: $0).text != nil })
        let year = try #require(world.value("birth", of: student).text).prefix(4)
        let same = world.mutation(.edit, "student", student.key.id, ["birth": .text(String(year))])
        #expect(try outcomes([same], as: "coordinator") == ["applied"])
        let other = world.mutation(.edit, "student", student.key.id, ["birth": "2001-01"])
        #expect(try outcomes([other], as: "coordinator") == ["quarantined"])
        #expect(
            world.row("student", student.key.id).map { world.value("birth", of: $0) }
                == world.value("birth", of: student))
        for field in ["tier", "return_intent", "id_digest"] as [FieldName] {
            let value: Value =
                field == "tier" ? "key" : field == "id_digest" ? .text(String(repeating: "0", count: 64)) : "yes"
            #expect(
                try outcomes([world.mutation(.edit, "student", student.key.id, [field: value])], as: "coordinator") == [
                    "forbidden"
                ])
        }
    }

    @Test func `somebody new is linked to the officer who enters them, or proposed where there is no room`() throws {
        let officer = try principal("liaison").officer
        #expect(try outcomes(entering(["name": "谭新生"], as: "liaison"), as: "liaison") == ["applied", "applied"])
        #expect(world.live("student", in: "liaison", officer).contains { $0.key.id == newcomer })

        let full = try CountyWorld()
        let registrar = try #require(full.principal("registrar"))
        _ = try full.decide([full.mutation(.edit, "officer", officer, ["capacity": 1])], as: registrar)
        let liaison = try #require(full.principal("liaison"))
        let companions = try #require(
            NewSubject(
                catalogue: .programme, officer: officer, grants: [HeldGrant(role: "liaison", target: nil)]
            ).companions(of: newcomer, in: Programme.subject))
        let verdicts = try full.decide(
            [full.mutation(.create, "student", newcomer, ["name": "谭新生"], group: 1)]
                + companions.map {
                    full.mutation(.create, $0.collection, RowID(naming: "test", "link"), $0.values, group: 1)
                },
            as: liaison)
        #expect(verdicts.map(\.outcome) == [.applied, .applied])
        #expect(full.row("liaison", RowID(naming: "test", "link")).map { full.value("state", of: $0) } == "proposed")
        #expect(full.live("student", in: "proposed", officer).map(\.key.id) == [newcomer])
        #expect(!full.live("student", in: "liaison", officer).contains { $0.key.id == newcomer })
    }

    @Test func `an officer proposes to hand over own students only, and keeps no view of them by it`() throws {
        let officer = try principal("liaison").officer
        let colleague = try #require(
            world.live("officer").first { $0.key.id != officer && world.value("capacity", of: $0) == 110 })
        let own = try #require(world.live("student", in: "liaison", officer).first)
        let foreign = try #require(world.live("student", in: "liaison", colleague.key.id).first)
        func proposal(_ student: Row) -> Mutation {
            world.mutation(
                .create, "liaison", RowID(naming: "test", "proposal \(student.key.id)"),
                [
                    "student": .id(student.key.id), "officer": .id(colleague.key.id), "kind": "liaison",
                    "state": "proposed", "occasion": "hand_over", "arranged_by": .id(officer),
                ])
        }
        #expect(try outcomes([proposal(own), proposal(foreign)], as: "liaison") == ["applied", "out_of_scope"])
        #expect(!world.live("student", in: "proposed", officer).contains { $0.key.id == own.key.id })
    }

    @Test func `a registrar moves a student in one group, and nobody gets a second officer`() throws {
        let officer = try principal("liaison").officer
        let link = try #require(
            world.live("liaison", in: "liaison", officer).first { world.value("officer", of: $0) == .id(officer) })
        let student = try #require(world.value("student", of: link).id)
        let colleague = try #require(
            world.live("officer").first { $0.key.id != officer && world.value("capacity", of: $0) == 110 })
        func begin(_ name: String, group: Int64?) -> Mutation {
            world.mutation(
                .create, "liaison", RowID(naming: "test", name),
                ["student": .id(student), "officer": .id(colleague.key.id), "kind": "liaison", "state": "active"],
                group: group)
        }
        #expect(try outcomes([begin("second", group: nil)], as: "registrar") == ["limit"])
        let moved = try outcomes(
            [
                world.mutation(.edit, "liaison", link.key.id, ["state": "ended", "end_reason": "transfer"], group: 1),
                begin("next", group: 1),
            ], as: "registrar")
        #expect(moved == ["applied", "applied"])
        #expect(!world.live("student", in: "liaison", officer).contains { $0.key.id == student })
        #expect(world.live("student", in: "liaison", colleague.key.id).contains { $0.key.id == student })
    }

    @Test func `a mentor notes for themselves or the team and changes nothing else`() throws {
        let officer = try principal("mentor").officer
        let mentee = try #require(world.live("student", in: "mentor", officer).first)
        func note(_ visibility: String) -> Mutation {
            world.mutation(
                .create, "touch", RowID(naming: "test", visibility),
                [
                    "student": .id(mentee.key.id), "officer": .id(officer), "at": .integer(CountyWorld.now.value),
                    "channel": "video", "visibility": .text(visibility), "summary": "聊了实习",
                ])
        }
        let noted = try outcomes([note("mentor"), note("team"), note("liaison")], as: "mentor")
        #expect(noted.prefix(2) == ["applied", "applied"])
        #expect(world.row("touch", RowID(naming: "test", "liaison")) == nil)
        let rename = world.mutation(.edit, "student", mentee.key.id, ["name": "改名"])
        #expect(try outcomes([rename], as: "mentor") == ["forbidden"])
        #expect(world.live("touch", in: "county").allSatisfy { world.value("visibility", of: $0) == "team" })
    }

    @Test func `of two mentors of one student neither reads what the other noted`() throws {
        let first = try principal("mentor").officer
        let mentee = try #require(world.live("student", in: "mentor", first).first)
        let second = try #require(
            world.live("officer").map(\.key.id).first {
                $0 != first && !world.live("student", in: "mentor", $0).isEmpty
            })
        let loader = Principal(officer: RowID(bits: 0), grants: [], isTrusted: true)
        let links = try world.decide(
            [
                world.mutation(.edit, "officer", second, ["capacity": 100]),
                world.mutation(
                    .create, "liaison", RowID(naming: "test", "second mentor"),
                    [
                        "student": .id(mentee.key.id), "officer": .id(second), "kind": "mentor", "state": "active",
                    ]),
            ], as: loader)
        #expect(links.map(\.outcome) == [.applied, .applied])
        #expect(world.live("student", in: "mentor", second).contains { $0.key.id == mentee.key.id })
        let notes = ["mentor", "team"].map { visibility in
            world.mutation(
                .create, "touch", RowID(naming: "test", "first's \(visibility)"),
                [
                    "student": .id(mentee.key.id), "officer": .id(first), "at": .integer(CountyWorld.now.value),
                    "channel": "video", "visibility": .text(visibility), "summary": "只给自己看",
                ])
        }
        #expect(try outcomes(notes, as: "mentor") == ["applied", "applied"])
        let seenByFirst = Set(world.live("touch", in: "mentor", first).map(\.key.id))
        let seenBySecond = world.live("touch", in: "mentor", second)
        #expect(notes.allSatisfy { seenByFirst.contains($0.row) })
        #expect(seenBySecond.allSatisfy { world.value("officer", of: $0) == .id(second) })
        #expect(!seenBySecond.contains { touch in notes.contains { $0.row == touch.key.id } })
    }

    @Test func `a conflict about a contact group reaches its keeper, and not everybody`() throws {
        let keeper = try principal("liaison").officer
        let group = RowID(naming: "test", "group")
        let begun = world.mutation(
            .create, "contact_group", group, ["name": "共用群", "platform": "wechat", "keeper": .id(keeper)])
        #expect(try outcomes([begun], as: "registrar") == ["applied"])
        let mine = world.mutation(.edit, "contact_group", group, ["headcount": 120])
        let theirs = world.mutation(.edit, "contact_group", group, ["headcount": 130])
        _ = try outcomes([theirs], as: "registrar")
        _ = try outcomes([mine], as: "liaison")
        let conflicts = world.live(Conflict.collection, in: "office", keeper)
        #expect(conflicts.map { $0.values[Conflict.Position.row] } == [.text(group.description)])
        #expect(world.live(Conflict.collection, in: "county").map(\.key) == conflicts.map(\.key))
        #expect(world.live(Conflict.collection, in: "commons").isEmpty)
    }

    @Test(arguments: ["admin", "collector", "approver"] as [RoleName])
    func `who has no part in care touches no student`(role: RoleName) throws {
        let student = try #require(world.live("student").first)
        #expect(
            try outcomes([world.mutation(.edit, "student", student.key.id, ["name": "改名"])], as: role) == [
                "out_of_scope"
            ])
    }
}
