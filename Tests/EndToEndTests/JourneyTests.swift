import Testing

/// The journey of the product's own description, through the programs as they are installed.
@Suite(.timeLimit(.minutes(10)))
struct JourneyTests {
    @Test func `a county's season goes from the bureau's sheet to a digest and back`() async throws {
        let journey = try await Journey.begun(settings: ["ROOST_COURIER_TEST_BASE": "http://127.0.0.1:9"])
        let county = journey.county
        let (batch, imported) = try await journey.importTheBureauSheet()

        let grown = imported.filter { $0["fields"]["minor"] == false }.prefix(24)
        let students = try grown.map {
            County.Student(row: try #require($0["id"].text), name: try #require($0["fields"]["name"].text))
        }
        try await county.admit(students)
        let rows = students.map(\.row)
        try await journey.sync(journey.editors)
        for device in journey.editors.dropFirst() {
            #expect(try await journey.students(on: device) == Set(rows), "\(device.name)")
        }
        try await journey.editInEveryOrder(rows)
        try await journey.expectOneWinner(rows)
        try await journey.expectLosersListed(rows)
        try await journey.restoreALoser(of: rows[0])

        try await journey.reassignAMentee(Array(students.prefix(3)))
        try await journey.refuseAnEdit(of: rows[1])
        let secret = try await journey.sendADigestThroughAPowerFailure()
        try await journey.undoTheImport(batch, keeping: Set(rows))
        try await county.server.stop()
        try journey.expectDiscretion(about: imported, secret: secret)
    }
}
