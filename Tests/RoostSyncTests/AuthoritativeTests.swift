import RoostSchema
import RoostSync
import Testing

/// Collections that do not merge: authoritative rows and their limits, and rows that are only added.
@Suite struct AuthoritativeTests {
    private func push(_ server: ClubServer, _ mutations: [Mutation]) throws -> [Verdict] {
        try server.push(mutations, from: Who.wandasLaptop, of: Who.wanda).verdicts
    }

    @Test func `an edit based on the current version is applied, on an older one stale`() throws {
        let server = try ClubServer.founded()
        let first = try #require(server.row("keeper", Who.tom)?.version)
        let verdicts = try push(
            server, [.make(1, .edit, "keeper", Who.tom, at: server.now, base: first, ["capacity": 5])])
        #expect(verdicts.map(\.outcome) == [.applied])
        let stale = Mutation.make(1, .edit, "keeper", Who.tom, at: server.now, base: first, ["capacity": 6])
        let other = try server.push([stale], from: ReplicaID(0xA2), of: Who.wanda).verdicts
        #expect(other.map(\.refusal) == [.stale])
        let unbased = Mutation.make(2, .edit, "keeper", Who.tom, at: server.now, ["capacity": 7])
        #expect(try server.push([unbased], from: ReplicaID(0xA2), of: Who.wanda).verdicts.map(\.refusal) == [.stale])
        #expect(server.value("capacity", of: "keeper", Who.tom) == 5)
    }

    @Test func `a second edit offline is not stale because of the first`() throws {
        let server = try ClubServer.founded()
        let first = try #require(server.row("keeper", Who.tom)?.version)
        let moment = server.now + -5000
        let verdicts = try push(
            server,
            [
                .make(1, .edit, "keeper", Who.tom, at: moment, base: first, ["capacity": 5]),
                .make(2, .edit, "keeper", Who.tom, at: moment, base: first, ["capacity": 6]),
            ])
        #expect(verdicts.map(\.outcome) == [.applied, .applied])
        #expect(server.value("capacity", of: "keeper", Who.tom) == 6)
    }

    @Test func `an own edit that was refused does not vouch for the next`() throws {
        let server = try ClubServer.founded()
        let first = try #require(server.row("keeper", Who.tom)?.version)
        let unseen = Mutation.make(1, .edit, "keeper", Who.tom, at: server.now + -9000, base: first, ["capacity": 5])
        #expect(try server.push([unseen], from: ReplicaID(0xA2), of: Who.wanda).verdicts.map(\.outcome) == [.applied])
        let verdicts = try push(
            server,
            [
                .make(1, .edit, "keeper", Who.tom, at: server.now, base: first, ["capacity": 6]),
                .make(
                    2, .edit, "keeper", Who.tom, at: server.now,
                    base: Stamp(HybridTime(server.now), Who.wandasLaptop), ["capacity": 7]),
            ])
        #expect(verdicts.map(\.refusal) == [.stale, .stale])
        #expect(server.value("capacity", of: "keeper", Who.tom) == 5)
    }

    @Test func `a restored row tells the version that its stamps do not show`() throws {
        let server = try ClubServer.founded()
        let first = try #require(server.row("keeper", Who.tom)?.version)
        _ = try push(
            server,
            [
                .make(1, .delete, "keeper", Who.tom, at: server.now, base: first),
                .make(2, .restore, "keeper", Who.tom, at: server.now, base: first),
            ])
        let shown = try #require(try server.shown("keeper", Who.tom, in: "commons"))
        let version = try #require(shown["version"]?.text.flatMap { Stamp($0) })
        let edit = Mutation.make(1, .edit, "keeper", Who.tom, at: server.now, base: version, ["capacity": 9])
        #expect(try server.push([edit], from: ReplicaID(0xA2), of: Who.wanda).verdicts.map(\.outcome) == [.applied])
    }

    @Test func `a hidden field's stamp is told as the version of an authoritative row only`() throws {
        let server = try ClubServer.founded()
        let tending = RowID(bits: 0x71)
        let version = try #require(server.row("tending", tending)?.version)
        _ = try push(
            server,
            [
                .make(1, .edit, "tending", tending, at: server.now, base: version, ["note": "n"]),
                .make(2, .edit, "tree", Who.apple, at: server.now, ["secret": "s"]),
            ])
        let shown = try #require(try server.shown("tending", tending, in: "orchard"))
        #expect(shown["fields"]?["note"] == nil)
        #expect(shown["version"]?.text == server.row("tending", tending)?.version.description)
        #expect(try server.shown("tending", tending, in: "club")?["version"] == nil)
        #expect(try server.shown("tree", Who.apple, in: "orchard")?["version"] == nil)
    }

    @Test func `a fixed field stays`() throws {
        let server = try ClubServer.founded()
        let grant = RowID(bits: 0x62)
        let base = try #require(server.row("role_grant", grant)?.version)
        let verdicts = try push(
            server,
            [
                .make(1, .edit, "role_grant", grant, at: server.now, base: base, ["role": "warden"]),
                .make(2, .edit, "role_grant", grant, at: server.now, base: base, ["role": "picker", "state": "ended"]),
            ])
        #expect(verdicts.map(\.refusal) == [.invalid, nil])
        #expect(verdicts.first?.about == "role")
    }

    @Test func `rows that are only added are corrected by new ones`() throws {
        let server = try ClubServer.founded()
        let verdicts = try push(
            server,
            [
                .make(
                    1, .create, "harvest", RowID(bits: 0x99), at: server.now,
                    [
                        "tree": .text(Who.apple.description), "weight": 3,
                    ]),
                .make(2, .edit, "harvest", RowID(bits: 0x99), at: server.now, ["weight": 4]),
                .make(3, .delete, "harvest", RowID(bits: 0x99), at: server.now),
            ])
        #expect(verdicts.map(\.refusal) == [nil, .appendOnly, .appendOnly])
    }

    private func tending(_ number: Int64, _ tree: RowID, _ keeper: RowID, _ server: ClubServer) -> Mutation {
        .make(
            number, .create, "tending", RowID(bits: 0x7000 + UInt128(number)), at: server.now,
            ["tree": .text(tree.description), "keeper": .text(keeper.description)])
    }

    @Test func `a limit refuses by name`() throws {
        let server = try ClubServer.founded()
        let verdicts = try push(
            server, [tending(1, Who.apple, Who.pia, server), tending(2, Who.pear, Who.pia, server)])
        #expect(verdicts.map(\.refusal) == [.limit, nil])
        #expect(verdicts.first?.about == "one_tender")
    }

    @Test func `a limit that says what to do otherwise does it, and derived fields follow`() throws {
        let server = try ClubServer.founded()
        let verdicts = try push(server, [tending(1, Who.pear, Who.tom, server), tending(2, Who.plum, Who.tom, server)])
        #expect(verdicts.map(\.outcome) == [.applied, .applied])
        #expect(server.value("state", of: "tending", RowID(bits: 0x7001)) == "active")
        #expect(server.value("state", of: "tending", RowID(bits: 0x7002)) == "proposed")
        #expect(server.value("tended_by", of: "tree", Who.pear) == .id(Who.tom))
        #expect(server.value("tended_by", of: "tree", Who.plum) == .null)
        #expect(!server.isMember("tree", Who.plum, of: Scope("tender", Who.tom)))
    }

    @Test func `what a limit puts in place of a value that somebody gave is no loss of it`() throws {
        let server = try ClubServer.founded()
        let later = RowID(bits: 0x7002)
        _ = try push(
            server,
            [
                tending(1, Who.pear, Who.tom, server), tending(2, Who.plum, Who.tom, server),
                .make(3, .edit, "tending", later, at: server.now, ["state": "active"]),
            ])
        #expect(server.value("state", of: "tending", later) == "proposed")
        let given = server.history.filter { $0.loss.field == "state" && $0.loss.value == "active" }
        #expect(given.count == 1, "what nobody said is no history")
        #expect(given.first?.loss.hard == false)
    }
}
