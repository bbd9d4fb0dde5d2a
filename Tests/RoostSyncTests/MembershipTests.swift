import RoostSchema
import RoostSync
import Testing

/// Rows enter and leave scopes in the transaction that moves them, from before- and after-images.
@Suite struct MembershipTests {
    private let tending = RowID(bits: 0x71)
    private let hill = Scope("orchard", Who.hill)
    private let dale = Scope("orchard", Who.dale)
    private let toms = Scope("tender", Who.tom)

    private func push(_ server: ClubServer, _ mutations: [Mutation]) throws -> Plan {
        let plan = try server.push(mutations, from: Who.wandasLaptop, of: Who.wanda)
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
        return plan
    }

    @Test func `the founded club is in its scopes`() throws {
        let server = try ClubServer.founded()
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
        #expect(server.isMember("tree", Who.apple, of: hill))
        #expect(server.isMember("tree", Who.apple, of: toms))
        #expect(!server.isMember("tree", Who.plum, of: hill))
        #expect(server.isMember("harvest", RowID(bits: 0x81), of: hill))
    }

    @Test(arguments: [[0, 1], [1, 0]])
    func `a link and its tree made in one changeset, in either order of a group`(_ order: [Int]) throws {
        let server = try ClubServer.founded()
        let quince = RowID(bits: 0xA009)
        let parts: [(Mutation.Action, String, RowID, KeyValuePairs<String, Value>)] = [
            (.create, "tree", quince, ["name": "quince"]),
            (
                .create, "harvest", RowID(bits: 0x89),
                ["tree": .text(Who.apple.description), "weight": 1]
            ),
        ]
        let mutations = order.enumerated().map { number, part in
            Mutation.make(
                Int64(number + 1), parts[part].0, parts[part].1, parts[part].2, at: server.now, group: 1, parts[part].3)
        }
        #expect(try push(server, mutations).verdicts.map(\.outcome) == [.applied, .applied])
        #expect(server.isMember("harvest", RowID(bits: 0x89), of: hill))
    }

    @Test(arguments: [true, false])
    func `a revocation and an edit in one changeset, in either order`(_ revokeFirst: Bool) throws {
        let server = try ClubServer.founded()
        let base = try #require(server.row("tending", tending)?.version)
        func revoke(_ number: Int64) -> Mutation {
            .make(number, .edit, "tending", tending, at: server.now, base: base, ["state": "ended"])
        }
        func edit(_ number: Int64) -> Mutation {
            .make(number, .edit, "tree", Who.apple, at: server.now, ["variety": "fuji"])
        }
        let plan = try push(server, revokeFirst ? [revoke(1), edit(2)] : [edit(1), revoke(2)])
        #expect(plan.verdicts.map(\.outcome) == [.applied, .applied])
        #expect(!server.isMember("tree", Who.apple, of: toms))
        #expect(!server.isMember("harvest", RowID(bits: 0x81), of: toms))
        #expect(server.isMember("tree", Who.apple, of: hill))
        #expect(server.value("variety", of: "tree", Who.apple) == "fuji")
        #expect(server.value("tended_by", of: "tree", Who.apple) == .null)
    }

    @Test(arguments: [true, false])
    func `a move and an edit in one changeset, in either order`(_ moveFirst: Bool) throws {
        let server = try ClubServer.founded()
        func move(_ number: Int64) -> Mutation {
            .make(
                number, .edit, "planting", RowID(bits: 0x51), at: server.now,
                [
                    "orchard": .text(Who.dale.description)
                ])
        }
        func edit(_ number: Int64) -> Mutation {
            .make(number, .edit, "tree", Who.apple, at: server.now, ["variety": "fuji"])
        }
        _ = try push(server, moveFirst ? [move(1), edit(2)] : [edit(1), move(2)])
        for (collection, row) in [("tree", Who.apple), ("harvest", RowID(bits: 0x81)), ("tending", tending)] {
            #expect(!server.isMember(CollectionName(collection), row, of: hill))
            #expect(server.isMember(CollectionName(collection), row, of: dale))
        }
    }

    @Test(arguments: [true, false])
    func `a revocation and a deletion in one changeset, in either order`(_ revokeFirst: Bool) throws {
        let server = try ClubServer.founded()
        let base = try #require(server.row("tending", tending)?.version)
        func revoke(_ number: Int64) -> Mutation {
            .make(number, .edit, "tending", tending, at: server.now, base: base, ["state": "ended"])
        }
        func delete(_ number: Int64) -> Mutation {
            .make(number, .delete, "tree", Who.apple, at: server.now, base: server.row("tree", Who.apple)?.deletion)
        }
        let plan = try push(server, revokeFirst ? [revoke(1), delete(2)] : [delete(1), revoke(2)])
        #expect(plan.verdicts.map(\.outcome) == [.applied, .applied])
        // Who loses the tree in the transaction that deletes it must hear that it is gone.
        let news = plan.memberships.filter { $0.row.id == Who.apple && server.rules.scope($0.scope) == toms }
        #expect(news.last?.isMember == false)
        #expect(!server.isMember("tree", Who.apple, of: toms))
        #expect(server.isMember("tree", Who.apple, of: hill) && server.row("tree", Who.apple)?.isDeleted == true)
    }

    @Test(arguments: [true, false])
    func `a grant and a row for it in one changeset, in either order`(_ grantFirst: Bool) throws {
        let server = try ClubServer.founded()
        let quince = RowID(bits: 0xA009)
        func grant(_ number: Int64) -> Mutation {
            .make(
                number, .create, "role_grant", RowID(bits: 0x69), at: server.now,
                ["keeper": .text(Who.tom.description), "role": "picker", "orchard": .text(Who.dale.description)])
        }
        func row(_ number: Int64) -> [Mutation] {
            [
                .make(number, .create, "tree", quince, at: server.now, group: 1, ["name": "quince"]),
                .make(
                    number + 1, .create, "planting", RowID(bits: 0x59), at: server.now, group: 1,
                    ["tree": .text(quince.description), "orchard": .text(Who.dale.description)]),
            ]
        }
        let plan = try push(server, grantFirst ? [grant(1)] + row(2) : row(1) + [grant(3)])
        #expect(plan.verdicts.allSatisfy { $0.outcome == .applied })
        #expect(server.isMember("tree", quince, of: dale))
        #expect(server.principal(Who.tom).scopes(at: server.now, server.rules).map(server.rules.scope).contains(dale))
    }

    @Test func `a tenure ends with a gap and not with the next grant`() throws {
        let rules = OrchardClub.rules
        let key = try #require(rules.key(of: hill))
        func returns(_ spans: [(Int64, Int64?)]) -> Int64 {
            let grants = spans.map { from, until in
                Grant(
                    role: "picker", target: Who.hill, from: Milliseconds(from), until: until.map { Milliseconds($0) })
            }
            return Principal(officer: Who.pia, grants: grants).returns(to: key, rules)
        }
        #expect(returns([]) == 0 && returns([(1, nil)]) == 0 && returns([(1, 5)]) == 0)
        #expect(returns([(1, 5), (5, nil)]) == 0)
        #expect(returns([(1, 5), (2, 3), (4, nil)]) == 0)
        #expect(returns([(1, nil), (6, 7), (8, nil)]) == 0)
        #expect(returns([(6, nil), (1, 5)]) == 1)
        #expect(returns([(1, 2), (3, 4), (5, nil)]) == 2)
    }

    @Test func `a grant given in one changeset counts in the next`() throws {
        let server = try ClubServer.founded()
        let grant = Mutation.make(
            1, .create, "role_grant", RowID(bits: 0x69), at: server.now,
            [
                "keeper": .text(Who.tom.description), "role": "picker", "orchard": .text(Who.dale.description),
            ])
        _ = try push(server, [grant])
        #expect(server.principal(Who.tom).scopes(at: server.now, server.rules).map(server.rules.scope).contains(dale))
        let edit = Mutation.make(1, .edit, "tree", Who.plum, at: server.now, ["variety": "damson"])
        #expect(try server.push([edit], from: Who.tomsPhone, of: Who.tom).verdicts.map(\.outcome) == [.applied])
    }

    @Test func `a value of the tree moves what is about it`() throws {
        let server = try ClubServer.founded()
        _ = try push(server, [.make(1, .edit, "tree", Who.apple, at: server.now, ["rare": true])])
        #expect(!server.isMember("tree", Who.apple, of: toms))
        #expect(!server.isMember("harvest", RowID(bits: 0x81), of: toms))
        #expect(!server.isMember("tending", tending, of: toms))
        _ = try push(server, [.make(2, .edit, "tree", Who.apple, at: server.now, ["rare": false])])
        #expect(server.isMember("tree", Who.apple, of: toms))
        #expect(server.isMember("harvest", RowID(bits: 0x81), of: toms))
    }

    @Test func `a row in two scopes leaves one of them`() throws {
        let server = try ClubServer.founded()
        _ = try push(
            server,
            [
                .make(
                    1, .create, "planting", RowID(bits: 0x59), at: server.now,
                    [
                        "tree": .text(Who.apple.description), "orchard": .text(Who.dale.description),
                    ]),
                .make(2, .delete, "planting", RowID(bits: 0x51), at: server.now),
            ])
        #expect(!server.isMember("tree", Who.apple, of: hill))
        #expect(server.isMember("tree", Who.apple, of: dale))
        _ = try push(server, [.make(3, .restore, "planting", RowID(bits: 0x51), at: server.now)])
        #expect(server.isMember("tree", Who.apple, of: hill))
    }

    @Test func `a deleted row stays in its scopes as a tombstone`() throws {
        let server = try ClubServer.founded()
        _ = try push(server, [.make(1, .delete, "tree", Who.pear, at: server.now)])
        #expect(server.isMember("tree", Who.pear, of: hill))
        let shown = try #require(try server.shown("tree", Who.pear, in: "orchard"))
        #expect(shown["deleted"] != nil)
        #expect(shown["fields"] == nil)
    }
}
