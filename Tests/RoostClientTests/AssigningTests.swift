import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// Who answers for a student is said by a registrar and proposed by a liaison officer, on a device, offline.
@Suite struct AssigningTests {
    private func county() async throws -> ServedCounty {
        let county = try ServedCounty()
        for officer in ["li", "wu"] { try await county.appoint(officer, "liaison") }
        try await county.appoint("ren", "registrar")
        try await county.enter("tan", for: "li")
        return county
    }

    private func links(_ device: ServedDevice) throws -> [RowID: String] {
        let links = try #require(device.replica.rules.catalogue["liaison"])
        let (officer, state) = (try #require(links.position(of: "officer")), try #require(links.position(of: "state")))
        let rows = try device.desk.rows(of: "liaison", about: ServedCounty.id("tan"))
        return rows.reduce(into: [:]) { $0[$1.row.values[officer].id ?? RowID(bits: 0)] = $1.row.values[state].text }
    }

    @Test func `a registrar hands a student over in one step, and the student moves from one device to the other`()
        async throws
    {
        let county = try await county()
        let registrar = try await county.device(of: "ren", "registrar")
        let before = try await county.device(of: "li", "liaison")
        let after = try await county.device(of: "wu", "liaison")
        for device in [registrar, before, after] { try await device.sync() }
        let shown = try #require(try registrar.student("tan"))

        let assigning = try Assigning(try registrar.desk)
        #expect(try assigning.assign(shown, to: "wu", as: "liaison", reason: nil) == .assigned)
        let report = try await registrar.sync()
        #expect(report.verdicts == [.applied: 2])
        #expect(try links(registrar) == [ServedCounty.id("li"): "ended", ServedCounty.id("wu"): "active"])

        for device in [before, after] { try await device.sync() }
        #expect(try before.student("tan") == nil)
        #expect(try after.student("tan") != nil)
        #expect(throws: ClientError.nothingToChange) {
            try assigning.assign(shown, to: "wu", as: "liaison", reason: nil)
        }
    }

    @Test func `a liaison officer proposes, and the registrar's word takes the proposal up`() async throws {
        let county = try await county()
        let registrar = try await county.device(of: "ren", "registrar")
        let liaison = try await county.device(of: "li", "liaison")
        for device in [registrar, liaison] { try await device.sync() }

        let own = try #require(try liaison.student("tan"))
        let outcome = try Assigning(try liaison.desk).assign(own, to: "wu", as: "联络员", reason: "调岗")
        #expect(outcome == .proposed)
        #expect(try await liaison.sync().verdicts == [.applied: 1])
        try await registrar.sync()
        #expect(try links(registrar) == [ServedCounty.id("li"): "active", ServedCounty.id("wu"): "proposed"])

        let shown = try #require(try registrar.student("tan"))
        try Assigning(try registrar.desk).assign(shown, to: "wu", as: "liaison", reason: nil)
        try await registrar.sync()
        #expect(try links(registrar) == [ServedCounty.id("li"): "ended", ServedCounty.id("wu"): "active"])
        try await liaison.sync()
        #expect(try liaison.student("tan") == nil)
    }

    @Test func `whoever may neither decide nor propose is told at once`() async throws {
        let county = try await county()
        try await county.appoint("chen", "mentor")
        try await county.write(
            TrustedEdit(
                "liaison", ServedCounty.link("tan", "chen"), .create,
                [
                    "student": .id(ServedCounty.id("tan")), "officer": .id(ServedCounty.id("chen")),
                    "kind": "mentor", "state": "active",
                ]))
        let mentor = try await county.device(of: "chen", "mentor")
        try await mentor.sync()
        let shown = try #require(try mentor.student("tan"))
        #expect(throws: ClientError.notAllowed) {
            try Assigning(try mentor.desk).assign(shown, to: "wu", as: "liaison", reason: nil)
        }
        #expect(try mentor.replica.status().pending == 0)
    }
}
