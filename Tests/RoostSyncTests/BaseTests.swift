import RoostSchema
import RoostSync
import Testing

/// A base says what an author saw; it must not be a way to win.
@Suite struct BaseTests {
    private func edit(_ number: Int64, _ server: ClubServer, _ name: Value, base: Stamp?) -> Mutation {
        .make(number, .edit, "tree", Who.apple, at: server.now, base: base, ["name": name])
    }

    private let future = HybridTime(bits: 0xFFFF_FFFF_FFFF_0000)

    @Test func `a base that was never issued is refused and moves nothing`() throws {
        let server = try ClubServer.founded()
        let plan = try server.push(
            [
                edit(1, server, "forged", base: Stamp(future, ClubServer.writer)),
                edit(2, server, "unknown", base: Stamp(HybridTime(server.now), ReplicaID(0x99))),
                edit(3, server, "honest", base: server.stamp("name", of: "tree", Who.apple)),
            ], from: Who.tomsPhone, of: Who.tom)
        #expect(plan.verdicts.map(\.refusal) == [.invalidBase, .invalidBase, nil])
        let last = try #require(plan.lastEffective)
        #expect(last.moment <= server.now, "a forged base did not push the replica's time")
        let beaten = edit(1, server, "later", base: server.stamp("name", of: "tree", Who.apple))
        #expect(try server.push([beaten], from: Who.piasPhone, of: Who.pia).verdicts.map(\.outcome) == [.applied])
    }

    @Test func `a base of one's own means one's last edit at most`() throws {
        let server = try ClubServer.founded()
        let own = Stamp(future, Who.tomsPhone)
        let first = try server.push([edit(1, server, "one", base: own)], from: Who.tomsPhone, of: Who.tom)
        #expect(first.verdicts.map(\.refusal) == [.invalidBase], "nothing of this replica was ever issued")
        let plan = try server.push(
            [edit(2, server, "two", base: nil), edit(3, server, "three", base: own)], from: Who.tomsPhone, of: Who.tom)
        #expect(plan.verdicts.map(\.outcome) == [.applied, .applied])
        #expect(try #require(plan.lastEffective).moment <= server.now)
        #expect(server.value("name", of: "tree", Who.apple) == "three")
    }

    @Test func `what was edited after seeing a value beats it even from a slow clock`() throws {
        let server = try ClubServer.founded()
        let first = edit(1, server, "first", base: server.stamp("name", of: "tree", Who.apple))
        let plan = try server.push([first], from: Who.tomsPhone, of: Who.tom)
        let seen = try #require(plan.verdicts.first?.stamp)
        let slow = Mutation.make(
            1, .edit, "tree", Who.apple, at: server.now + -1500, base: seen, ["name": "second"])
        let verdict = try #require(
            try server.push([slow], from: Who.piasPhone, of: Who.pia, device: server.now + -1500).verdicts.first)
        #expect(verdict.outcome == .applied)
        #expect(verdict.stamp == Stamp(seen.time.next, Who.piasPhone))
        #expect(server.conflicts.isEmpty)
    }
}
