import Foundation
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// Devices one version behind and one ahead of their server keep what they do not know, and lose nothing by it.
@Suite struct `Versions of the catalogue` {
    /// The programme, and what two later versions of it might add: a field each, and in the second a collection too.
    private static func catalogue(_ version: Int) -> Catalogue {
        let programme = Catalogue.programme
        let pet = Collection(
            "pet", .register, "宠物", "Pet", subject: "student",
            fields: [
                Field("student", .reference("student"), "学生", "Student", required: true),
                Field("name", .text(max: 20), "名字", "Name", required: true),
            ])
        let added = [
            Field("nickname", .text(max: 20), "昵称", "Nickname"), Field("motto", .text(max: 20), "座右铭", "Motto"),
        ].prefix(version - 1)
        let isLast = version == 3
        return Catalogue(
            version: programme.version + version - 1,
            collections: programme.collections.map { collection in
                guard collection.name == "student" else { return collection }
                return Collection(
                    collection.name, collection.syncClass, collection.label.zh, collection.label.en,
                    subject: collection.subject, limits: collection.limits, needsOneOf: collection.needsOneOf,
                    fixed: collection.fixed, fields: collection.fields + added)
            } + (isLast ? [pet] : []),
            scopes: programme.scopes.map { kind in
                guard kind.name == "county", isLast else { return kind }
                return ScopeKind(
                    kind.name, kind.label.zh, kind.label.en, key: kind.key, link: kind.link,
                    relaysUnknown: kind.relaysUnknown, views: kind.views + [View("pet", .everyRow)])
            },
            roles: programme.roles.map { role in
                guard role.name == "registrar", isLast else { return role }
                return Role(
                    role.name, role.label.zh, role.label.en, holds: role.holds,
                    writes: role.writes + [
                        WriteRule("pet", in: "county", create: .always, edit: .always, delete: .always)
                    ], rights: role.rights)
            },
            authority: programme.authority, commons: programme.commons, facets: programme.facets,
            templates: programme.templates
        ).withConflicts(about: Programme.subject)
    }

    private func pet(_ device: RecoveryDevice, _ action: Mutation.Action, _ id: RowID, _ values: [String: Value]) throws
    {
        device.world.bench.advance(1000)
        try device.world.replica.queue(
            [Edit("pet", id, action, values.sorted { $0.key < $1.key }.map { Mutation.Change($0.key, $0.value) })],
            grouped: false, at: device.world.moment)
    }

    @Test func `one version behind, the same and one ahead meet, and all are alike once all are upgraded`() async throws
    {
        let world = try RecoveryWorld(Self.catalogue(2))
        let (wang, wen) = (try await world.officer("王", "registrar"), try await world.officer("文", "registrar"))
        let old = try await world.device(1, of: wang, Self.catalogue(1))
        let same = try await world.device(2, of: wen, Self.catalogue(2))
        let new = try await world.device(3, of: wang, Self.catalogue(3))
        let other = try await world.device(4, of: wen, Self.catalogue(3))
        let twin = try await world.device(5, of: wang, Self.catalogue(3))
        let student = try new.add("谭梓森")
        let cat = RowID(naming: "test", "cat")
        try new.edit(student, ["nickname": "阿森", "motto": "归巢"])
        try pet(new, .create, cat, ["student": .id(student), "name": "咪咪"])
        let report = try await new.sync()
        #expect(report.verdicts == [.applied: 3])
        try pet(new, .edit, cat, ["name": "花花"])
        try await new.sync()
        // What the server does not know is back with its author, on every device of theirs, and with nobody else.
        for device in [new, twin] {
            try await device.sync()
            #expect(try device.world.value("pet", cat, "name") == "花花")
            #expect(try device.isAtRest())
        }
        for device in [old, same, other] { try await device.sync() }
        #expect(try other.world.replica.row("pet", cat) == nil)
        #expect(try other.world.value("student", student, "motto") == "归巢")
        // Edits of a device that does not know the fields leave them alone, and others are at rest through it all.
        try old.edit(student, ["name": "谭子森"])
        try same.edit(student, ["nickname": "小森"])
        for device in [old, same, new, other, twin, old] { try await device.sync() }
        #expect(try other.world.value("student", student, "motto") == "归巢")
        #expect(try new.world.value("student", student, "nickname") == "小森")

        try world.serve(Self.catalogue(3))
        for device in [old, same] {
            try await device.sync()
            try device.world.reopen(Self.catalogue(3))
        }
        for device in [old, same, new, other, twin] {
            try await device.sync()
            #expect(try device.world.value("pet", cat, "name") == "花花")
            #expect(try device.world.value("pet", cat, "student") == .id(student))
            #expect(try device.name(student) == "谭子森")
            #expect(try device.world.value("student", student, "nickname") == "小森")
            #expect(try device.world.value("student", student, "motto") == "归巢")
            #expect(try device.isAtRest())
            #expect(try device.world.replica.status().scopes.allSatisfy { $0.kind.text != "parked" })
        }
        let truth = try #require(try await world.store.rows("student", ids: [student]).first)
        #expect(truth.unknown.isEmpty)
        // Who wrote it when is known too: an older edit that arrives only now must not win.
        let motto = try #require(world.store.rules.catalogue["student"]?.position(of: "motto" as FieldName))
        #expect(truth.stamp(of: motto).replica == new.world.me)
        try pet(other, .edit, cat, ["name": "大花"])
        try await other.sync()
        try await old.sync()
        #expect(try old.world.value("pet", cat, "name") == "大花")
    }

    @Test func `what is kept of the unknown has a limit for each officer, and what is beyond it stays with its author`()
        async throws
    {
        let world = try RecoveryWorld(Self.catalogue(2))
        world.store.adopt(Leniency(parkedMutations: 3))
        let (wang, wen) = (try await world.officer("王", "registrar"), try await world.officer("文", "registrar"))
        let new = try await world.device(1, of: wang, Self.catalogue(3))
        for name in ["a", "b", "c", "d"] { try pet(new, .create, RowID(naming: "test", name), ["name": .text(name)]) }
        #expect(try await new.sync().verdicts == [.applied: 3, .rejected: 1])
        let refused = try #require(try new.world.replica.refused().first)
        #expect(refused.verdict.refusal == .limit && refused.verdict.about == "parked")
        try pet(new, .edit, RowID(naming: "test", "a"), ["name": "e"])
        #expect(try await new.sync().verdicts == [.rejected: 1])
        let other = try await world.device(2, of: wen, Self.catalogue(3))
        try pet(other, .create, RowID(naming: "test", "f"), ["name": "f"])
        #expect(try await other.sync().verdicts == [.applied: 1])
    }

    @Test func `a new field that nobody used costs nothing`() async throws {
        let world = try RecoveryWorld(Self.catalogue(1))
        let officer = try await world.officer("王", "registrar")
        let device = try await world.device(1, of: officer, Self.catalogue(1))
        for number in 0..<30 { _ = try device.add("学生\(number)") }
        try await device.sync()
        try world.serve(Self.catalogue(3))
        let report = try await device.sync()
        #expect(report.rowsReceived == 0)
        try device.world.reopen(Self.catalogue(3))
        #expect(try await device.sync().rowsReceived == 0)
        #expect(try device.world.replica.rows(of: "student").count == 30)
    }

    @Test func `an edit of what this version does not declare fails at once and queues nothing`() async throws {
        let world = try RecoveryWorld(Self.catalogue(1))
        let device = try await world.device(1, of: world.officer("王", "registrar"), Self.catalogue(1))
        let student = try device.add("谭梓森")
        let pending = try device.world.replica.status().pending
        #expect(throws: ReplicaError.undeclared("pet")) {
            try pet(device, .create, RowID(naming: "test", "cat"), ["name": "咪咪"])
        }
        #expect(throws: ReplicaError.undeclared("student.motto")) {
            try device.world.replica.queue(
                [Edit("student", student, .edit, [Mutation.Change("motto", "归巢")])], grouped: false,
                at: device.world.moment)
        }
        #expect(throws: ClientError.self) { try device.edit(student, ["motto": "归巢"]) }
        #expect(try device.world.replica.status().pending == pending)
    }

    @Test func `what turns out not to be allowed once it is known waits for a person`() async throws {
        let world = try RecoveryWorld(Self.catalogue(2))
        let wang = try await world.officer("王", "registrar")
        let new = try await world.device(1, of: wang, Self.catalogue(3))
        let student = try new.add("谭梓森")
        try pet(new, .create, RowID(naming: "test", "cat"), ["student": .id(student)])
        #expect(try await new.sync().verdicts == [.applied: 2])
        // A name is required, as it turns out.
        try world.serve(Self.catalogue(3))
        try await new.sync()
        #expect(try new.world.replica.row("pet", RowID(naming: "test", "cat")) == nil)
        #expect(try await world.store.count(of: "pet") == 0)
    }
}
