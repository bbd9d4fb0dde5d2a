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
}
