import RoostSchema
import RoostSync
import Testing

/// Edits set aside are rows: who may see and settle them follows from the rows they are about.
@Suite struct QuarantineTests {
    private let hill = Scope("orchard", Who.hill)
    private let toms = Scope("tender", Who.tom)
    private let club = Scope(ScopeKindName("club"))

    /// Pia, who sees the phone masked, types another.
    private func typeOverMask(_ server: ClubServer) throws -> Row {
        let mutation = Mutation.make(1, .edit, "tree", Who.apple, at: server.now, ["phone": "+8613900000009"])
        try server.push([mutation], from: Who.piasPhone, of: Who.pia)
        return try #require(server.quarantine.first)
    }

    private func isAt(_ server: ClubServer, _ entry: Row, _ scope: Scope) -> Bool {
        server.isMember(Quarantine.collection, entry.key.id, of: scope)
    }

    private func settle(
        _ server: ClubServer, _ entry: Row, _ state: Value, _ keeper: RowID, _ replica: ReplicaID, number: Int64 = 1
    ) throws -> Verdict {
        let mutation = Mutation.make(
            number, .edit, Quarantine.collection.text, entry.key.id, at: server.now, base: entry.stamp,
            ["state": state])
        return try #require(try server.push([mutation], from: replica, of: keeper).verdicts.first)
    }

    @Test func `a value typed over a mask goes to those who see the field in full, and moves with the tree`() throws {
        let server = try ClubServer.founded()
        let entry = try typeOverMask(server)
        #expect(isAt(server, entry, club) && isAt(server, entry, toms) && !isAt(server, entry, hill))
        try server.write([.make(1, .edit, "tending", RowID(bits: 0x71), at: server.now, ["state": "ended"])])
        #expect(isAt(server, entry, club) && !isAt(server, entry, toms))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }

    @Test func `what is typed over a mask is no longer shown where the field is masked since`() throws {
        let server = try ClubServer.founded()
        let entry = try typeOverMask(server)
        try server.write([.make(1, .edit, "tree", Who.apple, at: server.now, ["name": "unlisted"])])
        #expect(!isAt(server, entry, toms))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }

    @Test func `a creation set aside goes where it would land, and its group is one unit`() throws {
        let server = try ClubServer.founded()
        let made = server.now + -40 * 86_400_000 + 15 * 86_400_000
        let now = server.now
        server.now = now + -20 * 86_400_000
        try server.write([.make(1, .edit, "role_grant", RowID(bits: 0x62), at: server.now, ["state": "ended"])])
        server.now = now
        let quince = RowID(bits: 0xA009)
        let verdicts = try server.push(
            [
                .make(1, .create, "tree", quince, at: made, group: 1, ["name": "quince"]),
                .make(
                    2, .create, "planting", RowID(bits: 0x59), at: made, group: 1,
                    ["tree": .text(quince.description), "orchard": .text(Who.hill.description)]),
            ], from: Who.piasPhone, of: Who.pia
        ).verdicts
        #expect(verdicts.map(\.outcome) == [.quarantined, .quarantined])
        let entries = server.quarantine
        #expect(Set(entries.map { $0.values[Quarantine.Position.unit] }).count == 1)
        #expect(entries.map { $0.values[Quarantine.Position.place] } == [1, 2])
        #expect(isAt(server, entries[0], club) && !isAt(server, entries[0], hill))
        #expect(isAt(server, entries[1], club) && isAt(server, entries[1], hill))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }

    @Test func `who may write the field settles, once and for all`() throws {
        let server = try ClubServer.founded()
        let entry = try typeOverMask(server)
        #expect(try settle(server, entry, "accepted", Who.pia, Who.piasPhone, number: 2).refusal == .outOfScope)
        #expect(try settle(server, entry, "accepted", Who.tom, Who.tomsPhone).outcome == .applied)
        // Declined elsewhere without knowing: what was applied stays applied.
        #expect(try settle(server, entry, "declined", Who.wanda, Who.wandasLaptop).lost == ["state"])
        #expect(server.value("state", of: Quarantine.collection, entry.key.id) == "accepted")
        let other = Mutation.make(
            2, .edit, Quarantine.collection.text, entry.key.id, at: server.now, ["reason": "left_scope"])
        #expect(try server.push([other], from: Who.wandasLaptop, of: Who.wanda).verdicts.first?.refusal == .forbidden)
    }

    /// Sets aside, as the server itself does with what a device may not keep.
    private func setAside(
        _ server: ClubServer, _ action: Value, _ collection: Value, _ row: RowID, about subject: RowID? = nil,
        _ values: KeyValuePairs<String, Value>
    ) throws -> Row {
        let members = values.map { Value.Member($0.key, $0.value) }
        try server.write([
            .make(
                1, .create, Quarantine.collection.text, RowID(bits: 0x0A51DE), at: server.now,
                [
                    "subject": subject.map { .id($0) } ?? .null, "concerned_collection": collection,
                    "concerned_row": .text(row.description), "action": action, "proposed_values": .object(members),
                    "unit": "1", "place": 1, "reason": "left_scope",
                ])
        ])
        return try #require(server.quarantine.first)
    }

    /// A tree that Tom tends and, if `planting`, that stands on the hill.
    private func plant(_ tree: RowID, _ server: ClubServer, planting: RowID? = nil) throws {
        var mutations: [Mutation] = [
            .make(1, .create, "tree", tree, at: server.now, group: 1, ["name": "quince"]),
            .make(
                2, .create, "tending", RowID(bits: 0x79), at: server.now, group: 1,
                ["tree": .id(tree), "keeper": .id(Who.tom)]),
        ]
        if let planting {
            mutations.append(
                .make(
                    3, .create, "planting", planting, at: server.now, group: 1,
                    ["tree": .id(tree), "orchard": .id(Who.hill)]))
        }
        try server.write(mutations)
    }

    @Test func `what is set aside about a row that is not there goes where the row is once it is, and moves with it`()
        throws
    {
        let server = try ClubServer.founded()
        let (quince, planting) = (RowID(bits: 0xA009), RowID(bits: 0x59))
        let entry = try setAside(server, "edit", "planting", planting, ["row_number": 7])
        #expect(!isAt(server, entry, club))
        try plant(quince, server, planting: planting)
        #expect(isAt(server, entry, club) && isAt(server, entry, hill) && !isAt(server, entry, toms))
        #expect(server.quarantine.first?.values[Quarantine.Position.subject] == .id(quince))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
        try server.write([.make(1, .edit, "planting", planting, at: server.now, ["state": "ended"])])
        #expect(isAt(server, entry, club) && !isAt(server, entry, hill))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }

    @Test func `what was to be added about somebody who is not there goes to who holds them once they are`() throws {
        let server = try ClubServer.founded()
        let quince = RowID(bits: 0xA009)
        let entry = try setAside(
            server, "create", "harvest", RowID(bits: 0x4A), about: quince,
            ["tree": .text(quince.description), "weight": 12])
        #expect(isAt(server, entry, club) && !isAt(server, entry, toms))
        try plant(quince, server)
        #expect(isAt(server, entry, club) && isAt(server, entry, toms))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }
}
