import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

private typealias World = ReplicaWorld

@Suite struct DeskTests {
    private func student(_ world: ReplicaWorld, _ scope: Scope, masked: [String] = []) throws -> ShownRow {
        try world.receive(
            World.page(
                scope, cursor: 5,
                [
                    World.row(
                        "student", "li", at: 5, ["name": "李明", "mobile": "138****0000", "birth": "2005"], masked: masked
                    )
                ]))
        return try #require(try world.replica.row("student", World.id("li")))
    }

    @Test func `what does not fit is refused before it is queued`() throws {
        let world = try World()
        let shown = try student(world, World.county)
        let desk = try world.desk
        #expect(throws: ClientError.unknownField("shoe")) { try desk.edit("student", shown, ["shoe": 1]) }
        #expect(throws: ClientError.nothingToChange) { try desk.edit("student", shown, ["name": "李明"]) }
        #expect(throws: ClientError.self) { try desk.edit("student", shown, ["gender": "7"]) }
        #expect(throws: ClientError.self) { try desk.edit("student", shown, ["name": .null]) }
        #expect(throws: ClientError.self) { try desk.edit("student", shown, ["cohort": 2026]) }
        #expect(throws: ClientError.self) { try desk.add(["gender": "1"]) }
        #expect(throws: ClientError.self) {
            try desk.add(["name": "甲"], parts: [.init("guardian", ["relation": "other"])])
        }
        #expect(try world.replica.status().pending == 0)
    }

    @Test func `the subject of a row cannot be changed, nor what nobody of one's scopes shows`() throws {
        let world = try World("coordinator")
        let shown = try student(world, World.chapter("south"))
        let desk = try world.desk
        let tier = try #require(world.catalogue["student"]?[FieldName("tier")])
        #expect(throws: ClientError.hiddenField(tier.label)) { try desk.edit("student", shown, ["tier": "key"]) }
        try world.receive(
            World.page(
                World.chapter("south"), cursor: 6,
                [World.row("schooling", "one", at: 6, ["student": .text(World.id("li").description), "level": "21"])]))
        let schooling = try #require(try world.replica.row("schooling", World.id("one")))
        let fixed = try #require(world.catalogue["schooling"]?[FieldName("student")])
        #expect(throws: ClientError.fixedField(fixed.label)) {
            try desk.edit("schooling", schooling, ["student": .id(World.id("wu"))])
        }
    }

    @Test func `the mask typed back is no change, another value is queued with a word about it`() throws {
        let world = try World("coordinator")
        let shown = try student(world, World.chapter("south"), masked: ["mobile", "birth"])
        let entry = StudentEntry(try world.desk)
        #expect(throws: ClientError.nothingToChange) { try entry.edit(shown, ["手机=138****0000"]) }
        let note = try entry.edit(shown, ["手机=13800001111"])
        #expect(note.masked.map(\.zh) == ["手机号码"])
        #expect(try world.request().mutations.first?.changes == [.init("mobile", "+8613800001111")])
    }

    @Test func `what is said of a student's studies is written where they study today, not where they were before`()
        async throws
    {
        let county = try ServedCounty()
        try await county.appoint("li", "liaison")
        try await county.enter("tan", for: "li")
        // The senior school was entered last.
        let (university, school) = (RowID(bits: 1 << 64 | 1), RowID(bits: 2 << 64 | 1))
        for (row, level, entry) in [(university, "21", "2023-09"), (school, "61", "2020-09")] {
            try await county.write(
                TrustedEdit(
                    "schooling", row, .create,
                    [
                        "student": .id(ServedCounty.id("tan")), "level": .text(level), "entry": .text(entry),
                        "major": "农学",
                    ]))
        }
        let device = try await county.device(of: "li", "liaison")
        try await device.sync()
        for major in ["林学", "园艺"] {
            let shown = try #require(try device.student("tan"))
            _ = try StudentEntry(try device.desk).edit(shown, ["专业=\(major)"])
        }
        #expect(try device.world.value("schooling", university, "major") == "园艺")
        #expect(try device.world.value("schooling", school, "major") == "农学")
        try await device.sync()
        #expect(try device.world.value("student", ServedCounty.id("tan"), "major") == "园艺")
    }

    @Test(arguments: [
        ("registrar", [String]()), ("liaison", ["liaison"]), ("coordinator", ["membership"]),
    ])
    func `a newcomer comes with the link that the author's role asks for, as one group`(
        role: String, links: [String]
    ) throws {
        let world = try World(RoleName(role))
        let chapter = World.id("south")
        if role == "coordinator" {
            try world.receive(
                World.page(
                    Scope(ScopeKindName("office"), world.officer), cursor: 5,
                    [
                        World.row(
                            "authority_grant", "g", at: 5,
                            [
                                "officer": .text(world.officer.description), "role": .text(role),
                                "target": .text(chapter.description), "state": "active",
                            ])
                    ]))
        }
        let row = try world.desk.add(["name": "陈家俊"], parts: [.init("schooling", ["level": "21"])])
        let mutations = try world.request().mutations
        #expect(mutations.map(\.collection) == ["student", "schooling"] + links)
        #expect(mutations.allSatisfy { $0.action == .create && $0.group == mutations[0].group && $0.group != nil })
        #expect(mutations[0].row == row)
        for link in mutations.dropFirst(2) {
            let fields = Dictionary(uniqueKeysWithValues: link.changes.map { ($0.field, $0.value) })
            #expect(fields["student"]?.text == row.description || fields["student"]?.id == row)
            if role == "liaison" {
                #expect(fields["officer"]?.text == world.officer.description)
                #expect(fields["state"] == "active")
                #expect(fields["kind"] == "liaison")
            } else {
                #expect(fields["chapter"]?.text == chapter.description)
            }
        }
    }

    @Test func `roles that cannot add students are told so`() throws {
        for role in ["mentor", "approver", "collector", "admin"] {
            let world = try World(RoleName(role))
            #expect(throws: ClientError.cannotCreate) { try world.desk.add(["name": "陈家俊"]) }
        }
    }

    @Test func `a refused edit is kept until it is corrected or given up`() throws {
        let world = try World("liaison")
        _ = try world.desk.add(["name": "陈家俊"], parts: [.init("schooling", ["level": "21"])])
        _ = try world.desk.add(["name": "梁思齐"])
        let invalid = Verdict(number: 1, outcome: .rejected, refusal: .invalid, about: "name", problem: "too_long")
        let dependent = [2, 3, 5].map { Verdict(number: $0, outcome: .rejected, refusal: .dependsOn) }
        let forbidden = Verdict(number: 4, outcome: .rejected, refusal: .forbidden)
        let refused = ([invalid, forbidden] + dependent).sorted { $0.number < $1.number }
        try world.receive(verdicts: refused, expected: 6)
        #expect(try world.replica.rows(of: "student").isEmpty)
        try world.reopen()
        let box = try world.replica.refused()
        #expect(box.map(\.number) == [1, 2, 3, 4, 5])

        let desk = try world.desk
        try desk.resubmit(box[0], replacing: ["姓名=陈佳俊"])
        #expect(try world.replica.refused().map(\.number) == [4, 5])
        #expect(try desk.students(["陈佳俊"]).count == 1)
        let sent = try world.request().mutations
        #expect(sent.map(\.number) == [6, 7, 8])
        #expect(sent.map(\.row) == box.prefix(3).map(\.row))
        try desk.discard(try desk.refused("\(try #require(box[4].id))"))
        #expect(try world.replica.refused().isEmpty)
    }

    @Test func `what hangs on a refused creation goes out again with it, each group as it was`() throws {
        let world = try World("liaison")
        let student = try world.desk.add(["name": "陈家俊"])
        let moment = world.bench.environment.moment
        func schooling(_ level: Value) throws {
            try world.replica.queue(
                [
                    Edit(
                        "schooling", world.bench.environment.newRow(), .create,
                        [Mutation.Change("student", .id(student)), Mutation.Change("level", level)])
                ], grouped: false, at: moment)
        }
        try schooling("21")
        try schooling("31")
        _ = try world.desk.add(["name": "梁思齐"])
        var verdicts = [Verdict(number: 1, outcome: .rejected, refusal: .invalid, about: "name", problem: "too_long")]
        verdicts += [2, 3, 4].map { Verdict(number: $0, outcome: .rejected, refusal: .dependsOn) }
        verdicts += [5, 6].map { Verdict(number: $0, outcome: .rejected, refusal: .forbidden) }
        try world.receive(verdicts: verdicts, expected: 7)
        // From either end.
        let box = try world.replica.refused()
        #expect(try world.desk.hanging(on: box[0]).map(\.number) == [1, 2, 3, 4])
        #expect(try world.desk.hanging(on: box[3]).map(\.number) == [1, 2, 3, 4])
        #expect(try world.desk.hanging(on: box[4]).map(\.number) == [5, 6])
        #expect(try world.desk.resubmit(box[0], replacing: ["姓名=陈佳俊"]) == 4)
        #expect(try world.replica.refused().map(\.number) == [5, 6])
        let sent = try world.request().mutations
        #expect(sent.map(\.number) == [7, 8, 9, 10])
        #expect(sent.map(\.collection) == ["student", "liaison", "schooling", "schooling"])
        #expect(sent[0].group != nil && sent[0].group == sent[1].group)
        #expect(sent[2].group == nil && sent[3].group == nil)
        #expect(try world.desk.rows(of: "schooling", about: student).count == 2)
    }

    @Test func `somebody who may be known already, an unknown school and an edit beyond one's role are pointed out`()
        throws
    {
        let world = try World("liaison")
        let entry = StudentEntry(try world.desk)
        let first = try entry.add(["姓名=陈家俊", "出生年月=2005-03"], chapter: nil)
        #expect(first.note.alike.isEmpty && first.note.unlisted.isEmpty)
        let second = try entry.add(["姓名=陳家俊", "出生年月=2005-03-09", "学校=火星大学"], chapter: nil)
        #expect(second.note.alike == [first.row])
        #expect(second.note.unlisted == ["火星大学"])
        #expect(try entry.add(["姓名=陈家俊", "出生年月=2006"], chapter: nil).note.alike.isEmpty)
        let mentor = try World("mentor")
        let shown = try student(mentor, World.liaison("me"))
        let note = try StudentEntry(mentor.desk).edit(shown, ["特长=书法"])
        #expect(note.notTheirs.map(\.en) == ["skills"])
    }

    @Test func `a losing value is taken back as a group based on the winner`() throws {
        let world = try World()
        let (losing, winning) = (World.stamp(3), World.stamp(9))
        try world.receive(
            World.page(
                World.county, cursor: 9,
                [
                    World.row("student", "li", at: 9, ["name": "李明", "mobile": "+8613800000002"]),
                    World.row(
                        "conflict", "c", at: 9,
                        [
                            "subject": .text(World.id("li").description), "concerned_collection": "student",
                            "concerned_row": .text(World.id("li").description), "concerned_field": "mobile",
                            "losing_value": .list(["+8613800000001"]), "losing_stamp": .text(losing.description),
                            "winning_stamp": .text(winning.description), "state": "open",
                        ]),
                ]))
        let desk = try world.desk
        let conflict = try #require(try desk.conflicts().first)
        #expect(conflict.losing == "+8613800000001")
        #expect(conflict.current == "+8613800000002")
        try desk.restore(conflict)
        #expect(try world.value("student", "li", "mobile") == "+8613800000001")
        #expect(try desk.conflicts().isEmpty)
        #expect(try desk.conflicts(all: true).count == 1)
        let mutations = try world.request().mutations
        #expect(mutations.map(\.collection) == ["student", "conflict"])
        #expect(mutations[0].base == winning)
        #expect(mutations[0].group != nil)
        #expect(mutations[0].group == mutations[1].group)
        #expect(mutations[1].changes == [.init("state", "settled")])
    }

    @Test func `keeping the winner only closes the conflict`() throws {
        let world = try World()
        try world.receive(
            World.page(
                World.county, cursor: 9,
                [
                    World.row(
                        "conflict", "c", at: 9,
                        [
                            "concerned_collection": "student", "concerned_row": .text(World.id("li").description),
                            "concerned_field": "mobile", "losing_value": .list([.null]), "state": "open",
                        ])
                ]))
        let desk = try world.desk
        try desk.keep(try desk.conflict(named: World.id("c").description))
        #expect(try world.request().mutations.map(\.collection) == ["conflict"])
        #expect(throws: ClientError.noSuchEntry("")) { try desk.conflict(named: "") }
    }
}
