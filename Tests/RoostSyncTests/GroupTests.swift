import RoostSchema
import RoostSync
import Testing

/// Groups apply together or not at all; what hangs on a refused creation is told so.
@Suite struct GroupTests {
    private let quince = RowID(bits: 0xA009)
    private let planting = RowID(bits: 0x59)

    private func newTree(_ server: ClubServer, from number: Int64, group: Int64?) -> [Mutation] {
        [
            .make(number, .create, "tree", quince, at: server.now, group: group, ["name": "quince"]),
            .make(
                number + 1, .create, "planting", planting, at: server.now, group: group,
                ["tree": .text(quince.description), "orchard": .text(Who.hill.description)]),
        ]
    }

    @Test func `a creation is judged on what its whole group makes`() throws {
        let server = try ClubServer.founded()
        let plan = try server.push(newTree(server, from: 1, group: 1), from: Who.piasPhone, of: Who.pia)
        #expect(plan.verdicts.map(\.outcome) == [.applied, .applied])
        #expect(server.isMember("tree", quince, of: Scope("orchard", Who.hill)))
        #expect(!server.isMember("tree", quince, of: Scope("orchard", Who.dale)))
    }

    @Test func `a creation that lands in none of the author's scopes is refused, and what hangs on it too`() throws {
        let server = try ClubServer.founded()
        let edit = Mutation.make(3, .edit, "tree", quince, at: server.now, ["name": "x"])
        let plan = try server.push(
            newTree(server, from: 1, group: nil) + [edit], from: Who.piasPhone, of: Who.pia)
        #expect(plan.verdicts.map(\.refusal) == [.outOfScope, .dependsOn, .dependsOn])
        #expect(server.row("tree", quince) == nil)
        // In a later changeset as well, and until it is created under a new number.
        let later = Mutation.make(4, .edit, "tree", quince, at: server.now, ["name": "x"])
        #expect(try server.push([later], from: Who.piasPhone, of: Who.pia).verdicts.map(\.refusal) == [.dependsOn])
        let again = try server.push(newTree(server, from: 5, group: 1), from: Who.piasPhone, of: Who.pia)
        #expect(again.verdicts.map(\.outcome) == [.applied, .applied])
    }

    @Test func `another replica is not told of somebody's refused creation`() throws {
        let server = try ClubServer.founded()
        try server.push(newTree(server, from: 1, group: nil), from: Who.piasPhone, of: Who.pia)
        let edit = Mutation.make(1, .edit, "tree", quince, at: server.now, ["name": "x"])
        #expect(try server.push([edit], from: Who.tomsPhone, of: Who.tom).verdicts.map(\.refusal) == [.outOfScope])
    }

    @Test(arguments: 0..<3)
    func `one refused mutation takes its group with it and nothing else`(_ culprit: Int) throws {
        let server = try ClubServer.founded()
        let before = server.stored
        var group = [
            Mutation.make(2, .edit, "tree", Who.apple, at: server.now, group: 5, ["name": "a"]),
            Mutation.make(3, .edit, "tree", Who.pear, at: server.now, group: 5, ["name": "b"]),
            Mutation.make(4, .edit, "planting", RowID(bits: 0x51), at: server.now, group: 5, ["row_number": 3]),
        ]
        group[culprit] = .make(
            Int64(2 + culprit), .edit, "tree", Who.plum, at: server.now, group: 5, ["name": "not hers"])
        let plan = try server.push(
            [.make(1, .edit, "tree", Who.apple, at: server.now, ["variety": "first"])] + group
                + [.make(5, .edit, "tree", Who.pear, at: server.now, ["variety": "last"])],
            from: Who.piasPhone, of: Who.pia)
        var expected: [Refusal?] = [nil, .dependsOn, .dependsOn, .dependsOn, nil]
        expected[1 + culprit] = .outOfScope
        #expect(plan.verdicts.map(\.refusal) == expected)
        #expect(plan.verdicts.map(\.number) == [1, 2, 3, 4, 5])
        #expect(server.value("variety", of: "tree", Who.apple) == "first")
        #expect(server.value("variety", of: "tree", Who.pear) == "last")
        for key in before.keys {
            #expect(server.stored[key]?.values[0] == before[key]?.values[0], "no name changed")
        }
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }

    @Test func `groups of the same name that do not touch are two`() throws {
        let server = try ClubServer.founded()
        let plan = try server.push(
            [
                .make(1, .edit, "tree", Who.apple, at: server.now, group: 1, ["name": "a"]),
                .make(2, .edit, "tree", Who.apple, at: server.now, ["variety": "v"]),
                .make(3, .edit, "tree", Who.plum, at: server.now, group: 1, ["name": "b"]),
            ], from: Who.piasPhone, of: Who.pia)
        #expect(plan.verdicts.map(\.refusal) == [nil, nil, .outOfScope])
    }
}
