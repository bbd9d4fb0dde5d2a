import RoostSchema
import RoostSync
import Testing

/// A masked field is read-only for reading, not for knowing better.
@Suite struct MaskTests {
    private let mask: Value = "138****0001"

    private func push(_ server: ClubServer, _ fields: KeyValuePairs<String, Value>) throws -> Verdict {
        let mutation = Mutation.make(1, .edit, "tree", Who.apple, at: server.now, fields)
        return try #require(try server.push([mutation], from: Who.piasPhone, of: Who.pia).verdicts.first)
    }

    @Test func `the projection masks, and says which fields`() throws {
        let server = try ClubServer.founded()
        let shown = try #require(try server.shown("tree", Who.apple, in: "orchard"))
        #expect(shown["fields"]?["phone"] == mask)
        #expect(shown["fields"]?["planted"] == "2001")
        #expect(shown["masked"] == .list(["phone", "planted"]))
        let full = try #require(try server.shown("tree", Who.apple, in: "tender"))
        #expect(full["fields"]?["phone"] == "+8613800000001")
        #expect(full["masked"] == nil)
    }

    @Test func `a value equal to the mask is no change`() throws {
        let server = try ClubServer.founded()
        let verdict = try push(server, ["phone": mask, "planted": "2001", "variety": "fuji"])
        #expect(verdict.outcome == .applied)
        #expect(server.value("phone", of: "tree", Who.apple) == "+8613800000001")
        #expect(server.value("planted", of: "tree", Who.apple) == "2001-05-06")
        #expect(server.value("variety", of: "tree", Who.apple) == "fuji")
        #expect(server.quarantine.isEmpty)
    }

    @Test func `another value waits for somebody who sees the field, and the rest is merged`() throws {
        let server = try ClubServer.founded()
        let verdict = try push(server, ["phone": "+8613900000009", "variety": "fuji"])
        #expect(verdict.outcome == .quarantined)
        #expect(verdict.about == "phone")
        #expect(server.value("phone", of: "tree", Who.apple) == "+8613800000001")
        #expect(server.value("variety", of: "tree", Who.apple) == "fuji")
        #expect(
            server.quarantine.map { $0.values[Quarantine.Position.values] } == [
                .object([.init("phone", "+8613900000009")])
            ])
        #expect(server.quarantine.map { $0.values[Quarantine.Position.reason] } == ["masked"])
    }

    @Test func `a value that is neither the mask nor a phone is invalid`() throws {
        let verdict = try push(try ClubServer.founded(), ["phone": "139****0009"])
        #expect(verdict.refusal == .invalid)
        #expect(verdict.about == "phone")
    }

    @Test func `who sees the field in another scope writes it`() throws {
        let server = try ClubServer.founded()
        let mutation = Mutation.make(1, .edit, "tree", Who.apple, at: server.now, ["phone": "+8613900000009"])
        #expect(try server.push([mutation], from: Who.tomsPhone, of: Who.tom).verdicts.map(\.outcome) == [.applied])
        #expect(server.value("phone", of: "tree", Who.apple) == "+8613900000009")
    }
}
