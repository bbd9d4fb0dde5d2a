import RoostSchema
import RoostSync
import Testing

/// Whoever knows an identity and does not see its row must not learn by creating it whether the row is there.
@Suite struct HiddenIdentityTests {
    private let ghost = RowID(bits: 0xDEAD)

    /// What Pia, who picks on the hill, is told of mutations that name a row; each of them refused.
    private func answers(
        about row: RowID, isErased: Bool = false, inOneGroup: Bool = false,
        _ mutations: [(action: Mutation.Action, collection: String, fields: [(String, Value)])]
    ) throws -> [Verdict] {
        let server = try ClubServer.founded()
        if isErased { server.erasedRows = [try key(row)] }
        let stored = server.stored
        var number: Int64 = 0
        let made = mutations.map { mutation in
            number += 1
            return Mutation(
                number: number, group: inOneGroup ? 1 : nil, collection: mutation.collection,
                row: mutation.collection == "tree" ? row : RowID(bits: UInt128(0x900 + number)),
                action: mutation.action, time: HybridTime(server.now), base: nil,
                changes: mutation.fields.map { name, value in
                    Mutation.Change(name, name == "tree" ? .text(row.description) : value)
                })
        }
        let verdicts = try server.push(made, from: Who.piasPhone, of: Who.pia).verdicts
        #expect(verdicts.allSatisfy { $0.outcome == .rejected })
        #expect(server.stored == stored)
        return verdicts
    }

    private func key(_ tree: RowID) throws -> RowKey {
        RowKey(try #require(OrchardClub.rules.catalogue.position(of: "tree" as String)), tree)
    }

    @Test(arguments: [false, true])
    func `who may not create a row gets the same answers whether its identity is free, hidden or erased`(
        inOneGroup: Bool
    ) throws {
        let create: (Mutation.Action, String, [(String, Value)]) = (.create, "tree", [("name", "mine")])
        let attempts: [[(Mutation.Action, String, [(String, Value)])]] = [
            [create],
            [(.create, "tree", [])],
            [(.create, "tree", [("name", .integer(7))])],
            [create, create],
            [create, (.edit, "tree", [("name", "still mine")])],
            [create, (.edit, "tree", [("name", .integer(7))])],
            [create, (.edit, "tree", [("tended_by", .text(Who.pia.description))])],
            [create, (.delete, "tree", []), (.restore, "tree", [])],
            [create, (.create, "harvest", [("tree", .null), ("weight", 3)])],
            [create, (.create, "harvest", [("tree", .null), ("weight", "heavy")])],
            [(.edit, "tree", [("name", "x")]), create],
            [(.edit, "tree", [("name", "x")]), (.create, "harvest", [("tree", .null), ("weight", "heavy")])],
            [(.edit, "tree", [("name", "x")]), (.edit, "planting", [("keeper", .null)])],
            [(.create, "planting", [("orchard", .text(Who.hill.description))]), (.edit, "tree", [("name", "x")])],
            [(.create, "harvest", [("tree", .null), ("weight", 3)]), (.create, "tree", [("name", .integer(7))])],
            [(.create, "planting", [("tree", .null), ("orchard", .text(Who.dale.description))]), create],
        ]
        for attempt in attempts {
            let free = try answers(about: ghost, inOneGroup: inOneGroup, attempt).map(\.json)
            #expect(try answers(about: Who.plum, inOneGroup: inOneGroup, attempt).map(\.json) == free)
            #expect(try answers(about: ghost, isErased: true, inOneGroup: inOneGroup, attempt).map(\.json) == free)
        }
    }

    @Test func `who may create a row is told that its identity is not free`() throws {
        let planted: [(Mutation.Action, String, [(String, Value)])] = [
            (.create, "tree", [("name", "mine")]),
            (.create, "planting", [("tree", .null), ("orchard", .text(Who.hill.description))]),
        ]
        func codes(_ row: RowID, isErased: Bool = false) throws -> [Refusal?] {
            try answers(about: row, isErased: isErased, inOneGroup: true, planted).map(\.refusal)
        }
        #expect(try codes(Who.plum) == [.duplicate, .dependsOn])
        #expect(try codes(ghost, isErased: true) == [.gone, .dependsOn])
        #expect(try codes(Who.pear).first == .duplicate)
    }

    @Test func `a row that was created at the second attempt is not held to have been refused`() throws {
        let server = try ClubServer.founded()
        func push(_ number: Int64, _ action: Mutation.Action, _ name: Value) throws -> Verdict? {
            let mutation = Mutation.make(number, action, "tree", ghost, at: server.now, ["name": name])
            return try server.push([mutation], from: Who.wandasLaptop, of: Who.wanda).verdicts.first
        }
        #expect(try push(1, .create, .null)?.refusal == .invalid)
        #expect(try push(2, .edit, "quince")?.refusal == .dependsOn)
        #expect(try push(3, .create, "quince")?.outcome == .applied)
        #expect(try server.refusedCreations([key(ghost)], by: Who.wandasLaptop).isEmpty)
        // A second creation of a row that one sees leaves nothing behind either.
        #expect(try push(4, .create, "quince")?.refusal == .duplicate)
        #expect(try server.refusedCreations([key(ghost)], by: Who.wandasLaptop).isEmpty)
    }

    @Test(arguments: [true, false])
    func `of a late edit only who still sees the row is told what it lost to`(_ stillSees: Bool) throws {
        let server = try ClubServer.founded()
        let day: Int64 = 86_400_000
        // Tom's tending ends after his edit; the warden edits later still. Who may pick on the hill goes on seeing the tree.
        let made = server.now + -4 * day
        server.now = server.now + -2 * day
        var changes = [Mutation.make(1, .edit, "tending", RowID(bits: 0x71), at: server.now, ["state": "ended"])]
        if stillSees {
            changes.append(
                .make(
                    2, .create, "role_grant", RowID(bits: 0x64), at: server.now,
                    ["keeper": .text(Who.tom.description), "role": "picker", "orchard": .text(Who.hill.description)]))
        }
        try server.write(changes)
        try server.write([.make(3, .edit, "tree", Who.apple, at: server.now, ["secret": "newer"])])
        server.now = server.now + 2 * day
        let edit = Mutation.make(1, .edit, "tree", Who.apple, at: made, ["secret": "older"])
        let verdict = try #require(try server.push([edit], from: Who.tomsPhone, of: Who.tom).verdicts.first)
        #expect(verdict.outcome == .late)
        #expect(verdict.lost == (stillSees ? ["secret"] : []))
        #expect(server.value("secret", of: "tree", Who.apple) == "newer")
    }
}
