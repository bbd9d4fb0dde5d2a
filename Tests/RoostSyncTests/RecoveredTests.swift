import RoostSchema
import RoostSync
import Testing

/// What a server lost is filed again as it was, and nobody gains by claiming so.
@Suite struct `Recovered mutations` {
    private func edit(
        _ number: Int64, _ row: RowID, at moment: Milliseconds, stamp: Stamp?, base: Stamp? = nil, _ name: Value
    ) -> Mutation {
        Mutation(
            number: number, collection: "tree", row: row, action: .edit, time: HybridTime(moment), base: base,
            changes: [.init("name", name)], recovered: stamp)
    }

    private func stamp(_ server: ClubServer, _ ago: Int64, _ replica: ReplicaID = Who.wandasLaptop) -> Stamp {
        Stamp(HybridTime(server.now + -ago), replica)
    }

    @Test func `they are filed under the stamp they had, below what was set since`() throws {
        let server = try ClubServer.founded()
        server.lostUntil = server.now
        let later = Mutation.make(1, .edit, "tree", Who.pear, at: server.now + -1000, ["name": "later"])
        try server.push([later], from: Who.piasPhone, of: Who.pia)
        let (first, second) = (stamp(server, 5000), stamp(server, 4000))
        let plan = try server.push(
            [
                edit(1, Who.apple, at: server.now + -9000, stamp: first, "came back"),
                edit(2, Who.pear, at: server.now + -9000, stamp: second, "too early"),
            ], from: Who.wandasLaptop, of: Who.wanda)
        #expect(plan.verdicts.map(\.stamp) == [first, second])
        #expect(plan.verdicts.map(\.outcome) == [.applied, .merged])
        #expect(server.stamp("name", of: "tree", Who.apple) == first)
        #expect(server.value("name", of: "tree", Who.pear) == "later")
    }

    @Test func `a link given again begins, and one ended again ends, when it did`() throws {
        let server = try ClubServer.founded()
        server.lostUntil = server.now
        let link = RowID(bits: 0x79)
        let (began, ended) = (stamp(server, 9000), stamp(server, 5000))
        func given(
            _ number: Int64, _ action: Mutation.Action, _ row: RowID, _ stamp: Stamp,
            _ fields: KeyValuePairs<String, Value>
        ) -> Mutation {
            Mutation(
                number: number, collection: "tending", row: row, action: action, time: stamp.time,
                base: server.row("tending", row)?.version, changes: fields.map { .init($0.key, $0.value) },
                recovered: stamp)
        }
        let plan = try server.push(
            [
                given(1, .create, link, began, ["tree": .id(Who.pear), "keeper": .id(Who.tom)]),
                given(2, .edit, RowID(bits: 0x71), ended, ["state": "ended"]),
            ], from: Who.wandasLaptop, of: Who.wanda)
        #expect(plan.verdicts.map(\.outcome) == [.applied, .applied])
        let tender = server.rules.catalogue.position(ofScope: "tender")
        func tenure(_ tree: RowID) -> LinkTenure? { server.tenures(of: [tree]).first { $0.scope.kind == tender } }
        #expect(tenure(Who.pear)?.from == server.now + -9000)
        #expect(tenure(Who.apple)?.until == server.now + -5000)
    }

    @Test func `a claim counts for nothing where no history was lost, for another's stamp, or after the loss`() throws {
        let server = try ClubServer.founded()
        let old = stamp(server, 5000)
        let new = edit(1, Who.apple, at: server.now, stamp: old, "new")
        let first = try #require(
            try server.push([new], from: Who.wandasLaptop, of: Who.wanda).verdicts.first?.stamp)
        #expect(first == Stamp(HybridTime(server.now), Who.wandasLaptop))
        server.lostUntil = server.now + -60_000
        let foreign = edit(1, Who.apple, at: server.now, stamp: stamp(server, 70_000), "not mine")
        let second = try #require(
            try server.push([foreign], from: Who.piasPhone, of: Who.pia).verdicts.first?.stamp)
        #expect(second.time.moment == server.now)
        let beyond = edit(1, Who.pear, at: server.now, stamp: stamp(server, 0, Who.tomsPhone), "from the future")
        let third = try #require(
            try server.push([beyond], from: Who.tomsPhone, of: Who.wanda).verdicts.first?.stamp)
        #expect(third.time.moment == server.now + -60_000, "no later than the loss")
    }

    @Test(arguments: [true, false])
    func `what a device gives again is no way round the grace period, unless the server knew it before`(
        isKnown: Bool
    ) throws {
        let server = try ClubServer.founded()
        server.lostUntil = server.now
        server.recoveryGrace = isKnown ? .max : 1000
        let ended = Mutation.make(
            1, .edit, "tending", RowID(bits: 0x71), at: server.now + -5000,
            base: server.row("tending", RowID(bits: 0x71))?.version, ["state": "ended"])
        try server.push([ended], from: Who.wandasLaptop, of: Who.wanda)
        let plan = try server.push(
            [edit(1, Who.apple, at: server.now, stamp: stamp(server, 9000, Who.tomsPhone), "before it ended")],
            from: Who.tomsPhone, of: Who.tom)
        #expect(plan.verdicts.map(\.outcome) == [isKnown ? .late : .quarantined])
    }

    @Test func `no stamp is given twice, whatever is claimed`() throws {
        let server = try ClubServer.founded()
        server.lostUntil = server.now
        let claimed = stamp(server, 5000)
        let plan = try server.push(
            (1...3).map { edit($0, Who.apple, at: server.now, stamp: claimed, .text("\($0)")) },
            from: Who.wandasLaptop, of: Who.wanda)
        let stamps = plan.verdicts.compactMap(\.stamp)
        #expect(stamps.first == claimed)
        #expect(stamps == stamps.sorted() && Set(stamps).count == 3)
    }

    @Test func `what lacks its row waits for it, and what may not be written waits for a person`() throws {
        let server = try ClubServer.founded()
        server.lostUntil = server.now
        let quince = RowID(bits: 0xA00A)
        let plan = try server.push(
            [
                edit(1, quince, at: server.now, stamp: stamp(server, 5000, Who.tomsPhone), "not back yet"),
                edit(2, Who.plum, at: server.now, stamp: stamp(server, 4000, Who.tomsPhone), "once mine"),
                edit(3, quince, at: server.now, stamp: nil, "new"),
            ], from: Who.tomsPhone, of: Who.tom)
        #expect(plan.verdicts.map(\.outcome) == [.quarantined, .quarantined, .rejected])
        #expect(server.parked.map(\.mutation.row) == [quince])
    }

    @Test func `what is about the erased is not kept, and nobody else counts as erased for being in its group`() throws
    {
        let server = try ClubServer.founded()
        server.lostUntil = server.now
        let (ghost, quince, planting) = (RowID(bits: 0xDEAD), RowID(bits: 0xA00A), RowID(bits: 0x5A))
        let trees = try #require(server.rules.catalogue.position(of: "tree" as String))
        let plantings = try #require(server.rules.catalogue.position(of: "planting" as String))
        server.erasedRows = [RowKey(trees, ghost)]
        func given(
            _ number: Int64, _ action: Mutation.Action, _ collection: String, _ row: RowID, _ field: String,
            _ value: Value
        ) -> Mutation {
            Mutation(
                number: number, group: 1, collection: collection, row: row, action: action,
                time: HybridTime(server.now), base: nil, changes: [.init(field, value)],
                recovered: stamp(server, 5000 - number, Who.wandasLaptop))
        }
        let plan = try server.push(
            [
                given(1, .edit, "tree", quince, "name", "not back yet"),
                given(2, .create, "planting", planting, "tree", .text(ghost.description)),
            ], from: Who.wandasLaptop, of: Who.wanda)
        #expect(plan.verdicts.map(\.outcome) == [.rejected, .rejected])
        #expect(plan.parked.isEmpty && server.quarantine.isEmpty)
        #expect(plan.erased == [RowKey(plantings, planting)])
    }

    @Test func `a base that the loss took along is taken, one of the future is not`() throws {
        let server = try ClubServer.founded()
        server.lostUntil = server.now + -1000
        let lost = Stamp(HybridTime(server.now + -2000), ReplicaID(0xDEAD))
        let forged = Stamp(HybridTime(server.now + 1000), ReplicaID(0xDEAD))
        let plan = try server.push(
            [
                edit(1, Who.apple, at: server.now, stamp: nil, base: lost, "saw it"),
                edit(2, Who.apple, at: server.now, stamp: nil, base: forged, "did not"),
            ], from: Who.wandasLaptop, of: Who.wanda)
        #expect(plan.verdicts.map(\.refusal) == [nil, .invalidBase])
    }
}
