import RoostClient
import RoostSchema
import RoostSheets
import RoostStore
import RoostSync
import Testing

private typealias World = ReplicaWorld

@Suite struct OfflineImportTests {
    private let sheet = "姓名,性别,手机号码,身份证号,就读院校,培养层次,毕业时间\n陈家俊,男,13900001234,,华南农业大学,本科,2027-06\n梁思齐,女,,,,,\n"

    private func draft(_ world: ReplicaWorld) throws -> SheetImport.Draft {
        try SheetImport(try world.desk).draft(Array(sheet.utf8), template: nil, year: nil)
    }

    @Test func `a sheet becomes one group for each new student and says that identity numbers stay out`() throws {
        let world = try World("liaison")
        let draft = try draft(world)
        #expect(draft.plan.counts[.new] == 2)
        #expect(draft.plan.warnings == [.identityColumnDropped])
        #expect(try world.replica.status().pending == 0)
        _ = try #require(try SheetImport(try world.desk).commit(draft, source: "a.csv"))
        let groups = Dictionary(grouping: try world.request().mutations) { $0.group ?? 0 }
        #expect(groups.count == 2)
        #expect(
            groups.values.allSatisfy {
                $0.map(\.collection).first == "student" && $0.contains { $0.collection == "liaison" }
            })
        #expect(try world.desk.students(["cjj"]).count == 1)
    }

    @Test func `a sheet imported again changes nothing`() throws {
        let world = try World("liaison")
        _ = try SheetImport(try world.desk).commit(try draft(world), source: "a.csv")
        let again = try draft(world)
        #expect(again.plan.counts[.unchanged] == 2)
    }

    @Test func `undoing an import that was not sent forgets it and closes the gap in the numbers`() throws {
        let world = try World("liaison")
        _ = try world.desk.add(["name": "甲"])
        let batch = try #require(try SheetImport(try world.desk).commit(try draft(world), source: "a.csv"))
        _ = try world.desk.add(["name": "乙"])
        let desk = try world.desk
        #expect(try desk.undo(try #require(try world.replica.batches().first { $0.id == batch })))
        let mutations = try world.request().mutations
        #expect(mutations.map(\.number) == [1, 2, 3, 4])
        #expect(mutations.filter { $0.collection == "student" }.map { $0.changes.first?.value } == ["甲", "乙"])
        #expect(try desk.students(["陈家俊"]).isEmpty)
        _ = try world.desk.add(["name": "丙"])
        #expect(try world.request().mutations.map(\.number) == [1, 2, 3, 4, 5, 6])
        let undone = try #require(try world.replica.batches().first)
        #expect(throws: ClientError.nothingToChange) { try desk.undo(undone) }
    }

    @Test func `undoing an import that was sent writes back what it replaced`() throws {
        let world = try World("registrar")
        try world.receive(
            World.page(
                World.county, cursor: 5,
                [World.row("student", "chen", at: 5, ["name": "陈家俊", "mobile": "+8613900001234", "gender": "2"])]))
        let batch = try #require(try SheetImport(try world.desk).commit(try draft(world), source: "a.csv"))
        #expect(try world.value("student", "chen", "gender") == "1")
        let sent = try world.request().mutations
        let desk = try world.desk
        #expect(try !desk.undo(try #require(try world.replica.batches().first { $0.id == batch })))
        #expect(try world.value("student", "chen", "gender") == "2")
        #expect(try desk.students(["梁思齐"]).isEmpty)
        #expect(try world.request().mutations.count > sent.count)
    }

    @Test func `what a batch replaced goes with the row it was in, and the rest of the batch stays`() throws {
        let world = try World("registrar")
        let canary = "金丝雀六十六"
        func student(at sequence: Int64, note: String) -> WireRow {
            World.row(
                "student", "chen", at: sequence,
                ["name": "陈家俊", "mobile": "+8613900001234", "note_public": .text(note)])
        }
        try world.receive(World.page(World.county, cursor: 5, [student(at: 5, note: canary)]))
        let row = World.id("chen")
        let batch = OfflineBatch(
            id: World.id("batch"), source: "a.csv", madeAt: world.moment.now,
            entries: [
                OfflineBatch.Entry(
                    "student", row, created: false,
                    changes: [OfflineBatch.Change("note_public", old: .text(canary), new: .text("新"))]),
                OfflineBatch.Entry(
                    "student", World.id("liang"), created: true,
                    changes: [OfflineBatch.Change("name", old: .null, new: "梁思齐")]),
            ])
        try world.replica.commit(batch, groups: [], at: world.moment)
        #expect(try world.diskHolds(canary))
        try world.receive(World.page(World.county, cursor: 6, left: [("student", "chen")]))
        #expect(try world.replica.batches().first?.entries.map(\.row) == [World.id("liang")])
        #expect(try !world.diskHolds(canary))
    }

    @Test func `what a batch replaced goes with the field that is shown no more, and the rest of the row stays`() throws
    {
        let world = try World("mentor")
        let scope = Scope("mentor", world.officer)
        let canary = "+8619966660066"
        func page(at sequence: Int64, _ fields: KeyValuePairs<String, Value>) -> ScopePage {
            World.page(scope, cursor: sequence, [World.row("student", "chen", at: sequence, fields)])
        }
        try world.receive(page(at: 5, ["name": "陈家俊", "mobile": .text(canary), "note_public": "旧"]))
        let entry = OfflineBatch.Entry(
            "student", World.id("chen"), created: false,
            changes: [
                OfflineBatch.Change("mobile", old: .text(canary), new: "+8619900000000"),
                OfflineBatch.Change("note_public", old: "旧", new: "新"),
            ])
        let batch = OfflineBatch(
            id: World.id("batch"), source: "a.csv", madeAt: world.moment.now, entries: [entry])
        try world.replica.commit(batch, groups: [], at: world.moment)
        #expect(try world.diskHolds(canary))
        // The student no longer agrees to their mentor's knowing the number.
        let applied = try world.receive(page(at: 6, ["name": "陈家俊", "note_public": "旧"]))
        #expect(applied.owesConfirmation)
        let kept = try #require(try world.replica.batches().first).entries
        #expect(kept.map { $0.changes.map(\.field) } == [["note_public"]])
        #expect(try !world.diskHolds(canary))
        // Shown again it says nothing of the batch; and what stays in full elsewhere loses nothing.
        try world.receive(
            World.page(
                World.liaison("other"), cursor: 7,
                [World.row("student", "chen", at: 6, ["name": "陈家俊", "note_public": "旧"])]))
        try world.receive(lost: [World.liaison("other")])
        #expect(try world.replica.batches().first?.entries == kept)
    }

    @Test func `what the role may not write is left out and counted`() throws {
        let world = try World("coordinator")
        try world.receive(
            World.page(
                Scope(ScopeKindName("office"), world.officer), cursor: 5,
                [
                    World.row(
                        "authority_grant", "g", at: 5,
                        [
                            "officer": .text(world.officer.description), "role": "coordinator",
                            "target": .text(World.id("south").description), "state": "active",
                        ])
                ]))
        let bytes = Array("姓名,家长姓名,家长电话,回乡意向\n陈家俊,陈父,13900005678,\n".utf8)
        let draft = try SheetImport(try world.desk).draft(bytes, template: nil, year: nil)
        #expect(!draft.withheld.isEmpty)
        _ = try SheetImport(try world.desk).commit(draft, source: "b.csv")
        #expect(Set(try world.request().mutations.map(\.collection)) == ["student", "membership"])
    }
}
