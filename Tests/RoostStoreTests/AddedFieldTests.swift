import RoostModel
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

@Suite struct `Adding a field is adding one line` {
    /// The programme, with one more field of the student in the group that coordinators see.
    private static var catalogue: Catalogue {
        get throws {
            let student = try #require(Catalogue.programme["student"])
            let grown = Collection(
                student.name, student.syncClass, student.label.zh, student.label.en, subject: student.subject,
                limits: student.limits, needsOneOf: student.needsOneOf, fixed: student.fixed,
                fields: student.fields + [Field("nickname", .text(max: 20), "昵称", "nickname", group: "name")])
            return Catalogue.programme.replacing(grown).withConflicts(about: Programme.subject)
        }
    }

    @Test func `a stored database gains the column, and the field is written, pushed, shown and merged`() async throws {
        // First a database of the programme as it is, with a person in it.
        let before = try StoreWorld(Catalogue.programme.withConflicts(about: Programme.subject))
        let (registrar, student) = (before.id("registrar"), before.id("student"))
        _ = try await before.store.write(
            [
                TrustedEdit("officer", registrar, .create, ["name": "Registrar"]),
                TrustedEdit(
                    "authority_grant", before.id("grant"), .create, ["officer": .id(registrar), "role": "registrar"]),
                TrustedEdit("student", student, .create, ["name": "谭梓森"]),
            ], by: registrar)
        try before.store.close()

        let world = try StoreWorld(try Self.catalogue, in: before.directory)
        let first = try await world.device("desk", of: "registrar")
        let second = try await world.device("laptop", of: "registrar")
        try await first.sync()
        try await second.sync()
        #expect(first.row("student", student)?["name"] == "谭梓森")
        let number = first.edit("student", student, .edit, ["nickname": "阿森"])
        let tooLong = first.edit("student", student, .edit, ["nickname": .text(String(repeating: "森", count: 21))])
        try await first.sync()
        try await second.sync()
        #expect(first.verdicts[number]?.outcome == .applied)
        #expect(first.verdicts[tooLong]?.problem == "too_long")
        #expect(second.row("student", student)?["nickname"] == "阿森")
        withExtendedLifetime(before) {}
    }

    @Test func `an edit set aside, and a conflict, of a field that nobody knew go to who may see it once it is known`()
        async throws
    {
        let grown = Orchard.catalogue(
            extraTreeFields: [Field("nickname", .text(max: 40), "昵称", "Nickname")], version: 2)
        let before = try StoreWorld()
        try await before.appoint("Wen", "warden")
        try await before.appoint("Tan", "tender")
        let apple = before.id("apple")
        try await before.write(
            TrustedEdit("tree", apple, .create, ["name": "Apple"]),
            TrustedEdit("tending", before.id("t1"), .create, ["tree": .id(apple), "picker": .id(before.id("Tan"))]))
        let desk = try await before.device("desk", of: "Wen")
        let laptop = try await before.device("laptop", of: "Wen")
        let phone = try await before.device("phone", of: "Tan")
        for device in [desk, laptop, phone] { try await device.sync() }
        // Two who do not know of each other's value.
        desk.edit("tree", apple, .edit, ["nickname": "Rosy"])
        laptop.edit("tree", apple, .edit, ["nickname": "Cheeks"])
        // One whose authority ends, longer ago than the days of grace.
        phone.edit("tree", apple, .edit, ["nickname": "Bonny"])
        try await desk.sync()
        before.clock.advance(1000)
        try await laptop.sync()
        try await before.write(TrustedEdit("tending", before.id("t1"), .edit, ["state": "ended"]))
        try await before.appoint("Ute", "tender")
        try await before.write(
            TrustedEdit("tending", before.id("t2"), .create, ["tree": .id(apple), "picker": .id(before.id("Ute"))]))
        before.clock.advance(40 * 86_400_000)
        try await phone.sync()
        #expect(phone.verdicts.values.map(\.outcome) == [.quarantined])
        let tablet = try await before.device("tablet", of: "Ute")
        try await tablet.sync()
        #expect(tablet.rows("quarantine").isEmpty && tablet.rows("conflict").isEmpty)
        try before.store.close()

        let world = try StoreWorld(grown, in: before.directory)
        world.clock.advance(41 * 86_400_000)
        let utes = try await world.device("new tablet", of: "Ute")
        let wens = try await world.device("new desk", of: "Wen")
        try await utes.sync()
        try await wens.sync()
        #expect(utes.rows("quarantine").count == 1 && utes.rows("conflict").count == 1)
        #expect(wens.rows("quarantine") == utes.rows("quarantine"))
        withExtendedLifetime(before) {}
    }
}
