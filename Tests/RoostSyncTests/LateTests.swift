import RoostSchema
import RoostSync
import Testing

/// Edits made before their author's authority ended are judged at the time they were made.
@Suite struct LateTests {
    private static let day: Int64 = 86_400_000
    private let tending = RowID(bits: 0x71)

    /// Ends Tom's tending of the apple tree so many days ago.
    private func endTending(_ server: ClubServer, daysAgo days: Int64) throws {
        let now = server.now
        server.now = now + -days * Self.day
        try server.write([.make(1, .edit, "tending", tending, at: server.now, ["state": "ended"])])
        server.now = now
        #expect(!server.isMember("tree", Who.apple, of: Scope("tender", Who.tom)))
    }

    private func edit(
        _ server: ClubServer, daysAgo days: Int64, _ fields: KeyValuePairs<String, Value> = ["variety": "fuji"]
    ) throws -> Verdict {
        let mutation = Mutation.make(
            1, .edit, "tree", Who.apple, at: server.now + -days * Self.day,
            base: server.stamp("variety", of: "tree", Who.apple), fields)
        return try #require(try server.push([mutation], from: Who.tomsPhone, of: Who.tom).verdicts.first)
    }

    @Test func `made before a link ended, within the grace: late`() throws {
        let server = try ClubServer.founded()
        try endTending(server, daysAgo: 3)
        #expect(try edit(server, daysAgo: 4).outcome == .late)
        #expect(server.value("variety", of: "tree", Who.apple) == "fuji")
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }

    @Test func `made before a link ended, beyond the grace: a person decides`() throws {
        let server = try ClubServer.founded()
        try endTending(server, daysAgo: 18)
        let verdict = try edit(server, daysAgo: 20)
        #expect(verdict.outcome == .quarantined)
        #expect(verdict.about == nil)
        #expect(server.value("variety", of: "tree", Who.apple) == .null)
        #expect(server.quarantine.map { $0.values[Quarantine.Position.reason] } == ["authority_ended"])
        #expect(
            server.quarantine.map { $0.values[Quarantine.Position.values] } == [.object([.init("variety", "fuji")])])
    }

    @Test func `made after the link ended: there is no such tree`() throws {
        let server = try ClubServer.founded()
        try endTending(server, daysAgo: 3)
        #expect(try edit(server, daysAgo: 2).refusal == .outOfScope)
    }

    @Test func `made before the link began: there was no such tree`() throws {
        let server = try ClubServer.founded()
        try endTending(server, daysAgo: 3)
        #expect(try edit(server, daysAgo: 40).refusal == .outOfScope)
    }

    @Test func `made before a grant ended: late, for creations too`() throws {
        let server = try ClubServer.founded()
        let now = server.now
        server.now = now + -2 * Self.day
        try server.write([.make(1, .edit, "role_grant", RowID(bits: 0x62), at: server.now, ["state": "ended"])])
        server.now = now
        let made = now + -3 * Self.day
        let quince = RowID(bits: 0xA009)
        let verdicts = try server.push(
            [
                .make(1, .edit, "tree", Who.pear, at: made, ["variety": "old"]),
                .make(2, .create, "tree", quince, at: made, group: 1, ["name": "quince"]),
                .make(
                    3, .create, "planting", RowID(bits: 0x59), at: made, group: 1,
                    ["tree": .text(quince.description), "orchard": .text(Who.hill.description)]),
                .make(4, .edit, "tree", Who.pear, at: now + -Self.day, ["variety": "new"]),
            ], from: Who.piasPhone, of: Who.pia
        ).verdicts
        #expect(verdicts.map(\.outcome) == [.late, .late, .late, .rejected])
        #expect(verdicts.last?.refusal == .outOfScope)
        #expect(server.value("variety", of: "tree", Who.pear) == "old")
    }

    @Test func `a device whose clock is years off is judged at the corrected time`() throws {
        let server = try ClubServer.founded()
        try endTending(server, daysAgo: 3)
        let skew = 730 * Self.day
        let mutation = Mutation.make(
            1, .edit, "tree", Who.apple, at: server.now + (skew - 4 * Self.day), ["variety": "fuji"])
        let plan = try server.push(
            [mutation], from: Who.tomsPhone, of: Who.tom, device: server.now + skew)
        #expect(plan.verdicts.map(\.outcome) == [.late])
        #expect(plan.verdicts.first?.stamp?.time.moment == server.now + -4 * Self.day)
    }

    @Test func `what a link never admitted was never seen, so nothing of it is late`() throws {
        let server = try ClubServer.founded()
        let now = server.now
        // A rare tree is not shown to its tender, though the link is active.
        server.now = now + -10 * Self.day
        try server.write([.make(1, .edit, "tree", Who.apple, at: server.now, ["rare": true])])
        server.now = now
        #expect(try edit(server, daysAgo: 1).refusal == .outOfScope)
        try endTending(server, daysAgo: 3)
        let again = Mutation.make(2, .edit, "tree", Who.apple, at: now + -4 * Self.day, ["variety": "fuji"])
        #expect(try server.push([again], from: Who.tomsPhone, of: Who.tom).verdicts.map(\.refusal) == [.outOfScope])
        #expect(server.value("variety", of: "tree", Who.apple) == .null)
    }

    @Test(arguments: [(3, .late), (18, .quarantined)] as [(Int64, Verdict.Outcome)])
    func `made before a condition took the row away, though the link stands: late, or for a person to decide`(
        days: Int64, outcome: Verdict.Outcome
    ) throws {
        let server = try ClubServer.founded()
        let now = server.now
        server.now = now + -days * Self.day
        try server.write([.make(1, .edit, "tree", Who.apple, at: server.now, ["rare": true])])
        server.now = now
        #expect(!server.isMember("tree", Who.apple, of: Scope("tender", Who.tom)))
        #expect(try edit(server, daysAgo: days + 1).outcome == outcome)
        let harvest = Mutation.make(
            2, .create, "harvest", RowID(bits: 0x83), at: now + (-days - 1) * Self.day,
            ["tree": .text(Who.apple.description), "weight": 3])
        #expect(try server.push([harvest], from: Who.tomsPhone, of: Who.tom).verdicts.map(\.outcome) == [outcome])
        let after = Mutation.make(
            3, .edit, "tree", Who.apple, at: now + (1 - days) * Self.day, ["variety": "after"])
        #expect(try server.push([after], from: Who.tomsPhone, of: Who.tom).verdicts.map(\.refusal) == [.outOfScope])
    }

    @Test func `each time a condition turned is remembered`() throws {
        let server = try ClubServer.founded()
        let now = server.now
        for (days, rare) in [(12, true), (9, false), (6, true)] as [(Int64, Bool)] {
            server.now = now + -days * Self.day
            try server.write([.make(1, .edit, "tree", Who.apple, at: server.now, ["rare": .boolean(rare)])])
        }
        server.now = now
        for (number, (days, isLate)) in [(13, true), (10, false), (7, true), (5, false)].enumerated() {
            let mutation = Mutation.make(
                Int64(number + 1), .edit, "tree", Who.apple, at: now + -Int64(days) * Self.day, ["variety": "fuji"])
            let plan = try server.push([mutation], from: ReplicaID(0xD0 + UInt64(number)), of: Who.tom)
            #expect(plan.verdicts.map(\.outcome) == [isLate ? .late : .rejected], "\(days) days ago")
        }
    }

    @Test func `the row that was a link is judged as it was when the edit was made`() throws {
        let server = try ClubServer.founded()
        let now = server.now
        let planting = RowID(bits: 0x52)
        server.now = now + -3 * Self.day
        try server.write([.make(1, .edit, "planting", planting, at: server.now, ["state": "ended"])])
        server.now = now
        let verdicts = try server.push(
            [
                .make(1, .edit, "planting", planting, at: now + -4 * Self.day, ["row_number": 7]),
                .make(2, .edit, "planting", planting, at: now + -2 * Self.day, ["row_number": 8]),
            ], from: Who.piasPhone, of: Who.pia
        ).verdicts
        #expect(verdicts.map(\.outcome) == [.late, .rejected])
        #expect(server.value("row_number", of: "planting", planting) == 7)
    }

    @Test func `a late edit does not move a row into another's hands`() throws {
        let server = try ClubServer.founded()
        let now = server.now
        let planting = RowID(bits: 0x52)
        server.now = now + -2 * Self.day
        try server.write([.make(1, .edit, "role_grant", RowID(bits: 0x62), at: server.now, ["state": "ended"])])
        server.now = now
        let made = now + -3 * Self.day
        let verdicts = try server.push(
            [
                .make(1, .edit, "planting", planting, at: made, ["orchard": .text(Who.dale.description)]),
                .make(2, .edit, "planting", planting, at: made, ["row_number": 7]),
            ], from: Who.piasPhone, of: Who.pia
        ).verdicts
        #expect(verdicts.map(\.outcome) == [.rejected, .late])
        #expect(server.value("orchard", of: "planting", planting) == .id(Who.hill))
    }

    @Test func `a late edit of what was masked then is set aside`() throws {
        let server = try ClubServer.founded()
        let now = server.now
        server.now = now + -2 * Self.day
        try server.write([.make(1, .edit, "planting", RowID(bits: 0x51), at: server.now, ["state": "ended"])])
        server.now = now
        let made = now + -3 * Self.day
        let verdicts = try server.push(
            [
                .make(1, .edit, "tree", Who.apple, at: made, ["phone": "138****0001", "variety": "fuji"]),
                .make(2, .edit, "tree", Who.apple, at: made, ["phone": "+8613900000009"]),
            ], from: Who.piasPhone, of: Who.pia
        ).verdicts
        #expect(verdicts.map(\.outcome) == [.late, .quarantined])
        #expect(server.value("phone", of: "tree", Who.apple) == "+8613800000001")
        #expect(server.value("variety", of: "tree", Who.apple) == "fuji")
    }
}
