import RoostSchema
import RoostSync
import Testing

/// Who may write what, judged on the row before and after, and what an author who may not is told.
@Suite struct PermissionTests {
    private let ghost = RowID(bits: 0xDEAD)

    @Test func `the club's declaration has no problems`() {
        #expect(OrchardClub.catalogue.problems.isEmpty)
    }

    private func verdict(
        _ server: ClubServer, _ number: Int64, _ action: Mutation.Action, _ collection: String, _ row: RowID,
        _ fields: KeyValuePairs<String, Value> = [:]
    ) throws -> Verdict {
        let mutation = Mutation.make(number, action, collection, row, at: server.now, fields)
        return try #require(try server.push([mutation], from: Who.piasPhone, of: Who.pia).verdicts.first)
    }

    @Test func `a picker edits a tree of her orchard`() throws {
        let server = try ClubServer.founded()
        let verdict = try verdict(server, 1, .edit, "tree", Who.pear, ["name": "old pear"])
        #expect(verdict.outcome == .applied)
        #expect(server.value("name", of: "tree", Who.pear) == "old pear")
    }

    @Test func `a field group that is not hers is forbidden, not hidden`() throws {
        let server = try ClubServer.founded()
        #expect(try verdict(server, 1, .edit, "tree", Who.pear, ["secret": "x"]).refusal == .forbidden)
        #expect(server.value("secret", of: "tree", Who.pear) == .null)
    }

    @Test(arguments: [
        (Mutation.Action.edit, "tree", Who.plum), (.delete, "tree", Who.plum), (.restore, "tree", Who.plum),
        (.edit, "planting", RowID(bits: 0x53)), (.edit, "harvest", RowID(bits: 0x82)),
        (.delete, "harvest", RowID(bits: 0x82)), (.edit, "role_grant", RowID(bits: 0x61)),
    ])
    func `a hidden row and a missing one get the same answer`(
        _ action: Mutation.Action, _ collection: String, _ hidden: RowID
    ) throws {
        let server = try ClubServer.founded()
        let before = server.stored
        // A fixed field, a subject, an append-only collection, a value that does not fit: none of them may tell them apart.
        let fields: KeyValuePairs<String, Value> = ["tree": .text(Who.pear.description), "keeper": .null]
        let unfit: KeyValuePairs<String, Value> = [
            "name": .integer(7), "weight": "heavy", "state": "no such", "role": 7,
        ]
        for fields in [[:], fields, unfit] {
            let known =
                action != .edit || collection != "planting" && fields.contains { $0.key == "keeper" } ? [:] : fields
            let one = try verdict(try ClubServer.founded(), 1, action, collection, hidden, known)
            let other = try verdict(try ClubServer.founded(), 1, action, collection, ghost, known)
            #expect(one.json == other.json)
        }
        #expect(try verdict(server, 1, action, collection, hidden).refusal == .outOfScope)
        #expect(server.stored == before)
    }

    @Test(arguments: ["planting", "harvest"])
    func `a creation about a hidden tree looks like one about a missing tree`(_ collection: String) throws {
        func attempt(_ tree: RowID) throws -> Verdict {
            let extra: (String, Value) =
                collection == "planting" ? ("orchard", .text(Who.hill.description)) : ("weight", 1)
            return try verdict(
                try ClubServer.founded(), 1, .create, collection, RowID(bits: 0x99),
                ["tree": .text(tree.description), extra.0: extra.1])
        }
        #expect(try attempt(Who.plum).refusal == .outOfScope)
        #expect(try attempt(Who.plum).json == attempt(ghost).json)
    }

    @Test func `planting a known tree again is forbidden to who may plant new ones only`() throws {
        let verdict = try verdict(
            try ClubServer.founded(), 1, .create, "planting", RowID(bits: 0x99),
            ["tree": .text(Who.pear.description), "orchard": .text(Who.hill.description)])
        #expect(verdict.refusal == .forbidden)
    }

    @Test func `an edit may take a tree out of the author's sight but not into another's`() throws {
        let server = try ClubServer.founded()
        let planting = RowID(bits: 0x52)
        let away = try verdict(server, 1, .edit, "planting", planting, ["orchard": .text(Who.dale.description)])
        #expect(away.refusal == .forbidden)
        let ended = try verdict(server, 2, .edit, "planting", planting, ["state": "ended"])
        #expect(ended.outcome == .applied)
        #expect(!server.isMember("tree", Who.pear, of: Scope("orchard", Who.hill)))
    }

    @Test func `nobody but the server writes what never leaves it`() throws {
        let server = try ClubServer.founded()
        for action in [Mutation.Action.create, .edit, .delete] {
            let mutation = Mutation.make(1, action, "ledger", RowID(bits: 7), at: server.now, ["sum": 1])
            let plan = try ClubServer.founded().push([mutation], from: Who.wandasLaptop, of: Who.wanda)
            #expect(plan.verdicts.first?.refusal == .outOfScope)
        }
    }

    @Test func `a stranger without grants sees only what everybody sees`() throws {
        let server = try ClubServer.founded()
        let stranger = RowID(bits: 0xEEEE)
        let edits = [
            Mutation.make(1, .edit, "keeper", Who.tom, at: server.now, ["name": "Tim"]),
            Mutation.make(2, .edit, "tree", Who.apple, at: server.now, ["name": "x"]),
            Mutation.make(3, .create, "tree", RowID(bits: 0x99), at: server.now, ["name": "x"]),
        ]
        let verdicts = try server.push(edits, from: ReplicaID(0xE1), of: stranger).verdicts
        #expect(verdicts.map(\.refusal) == [.forbidden, .outOfScope, .outOfScope])
    }

    @Test func `existing, erased and derived are told apart for who may know`() throws {
        let server = try ClubServer.founded()
        server.erasedRows = [RowKey(try #require(server.rules.catalogue.position(of: "tree" as String)), ghost)]
        let edits = [
            Mutation.make(1, .create, "tree", Who.apple, at: server.now, ["name": "x"]),
            Mutation.make(2, .create, "tree", ghost, at: server.now, ["name": "x"]),
            Mutation.make(3, .edit, "tree", ghost, at: server.now, ["name": "x"]),
            Mutation.make(4, .edit, "tree", Who.apple, at: server.now, ["tended_by": .text(Who.pia.description)]),
            Mutation.make(5, .create, "tree", RowID(bits: 0x98), at: server.now, ["rare": true]),
            Mutation.make(6, .edit, "Bush!", Who.apple, at: server.now, ["name": "x"]),
        ]
        let verdicts = try server.push(edits, from: Who.wandasLaptop, of: Who.wanda).verdicts
        #expect(verdicts.map(\.refusal) == [.duplicate, .gone, .dependsOn, .invalid, .invalid, .invalid])
        #expect(verdicts.map(\.problem) == [nil, nil, nil, "derived", "required", "unknown_code"])
        #expect(verdicts.map(\.about) == [nil, nil, nil, "tended_by", "name", "Bush!"])
    }
}
