import RoostSchema
import RoostSync
import Testing

/// Values lost against somebody who had not seen them become conflicts that people can settle.
@Suite struct ConflictTests {
    private func edit(
        _ server: ClubServer, _ keeper: RowID, _ replica: ReplicaID, _ number: Int64, at offset: Int64,
        _ field: String, _ value: Value, sees base: Stamp?
    ) throws -> Verdict {
        let mutation = Mutation.make(
            number, .edit, "tree", Who.apple, at: server.now + offset, base: base, [field: value])
        return try #require(try server.push([mutation], from: replica, of: keeper).verdicts.first)
    }

    private func concurrentEdits(_ server: ClubServer, of field: String, _ first: Value, _ second: Value) throws {
        let base = server.stamp(FieldName(field), of: "tree", Who.apple)
        let winner = try edit(server, Who.tom, Who.tomsPhone, 1, at: -1000, field, first, sees: base)
        let loser = try edit(server, Who.wanda, Who.wandasLaptop, 1, at: -2000, field, second, sees: base)
        #expect(winner.outcome == .applied)
        #expect(loser.outcome == .merged)
        #expect(loser.lost == [field])
    }

    @Test func `two who had not seen each other make one conflict, with both authors`() throws {
        let server = try ClubServer.founded()
        try concurrentEdits(server, of: "variety", "fuji", "gala")
        let conflict = try #require(server.conflicts.first)
        #expect(server.conflicts.count == 1)
        #expect(server.value("variety", of: "tree", Who.apple) == "fuji")
        #expect(conflict.values[Conflict.Position.value] == .list(["gala"]))
        #expect(conflict.values[Conflict.Position.field] == "variety")
        #expect(conflict.values[Conflict.Position.losingAuthor] == .text(Who.wanda.description))
        #expect(conflict.values[Conflict.Position.winningAuthor] == .text(Who.tom.description))
        #expect(conflict.values[Conflict.Position.state] == "open")
        #expect(server.history.filter { $0.loss.hard }.map(\.loss.value) == ["gala"])
    }

    @Test func `who had seen the value makes none`() throws {
        let server = try ClubServer.founded()
        let first = try edit(server, Who.tom, Who.tomsPhone, 1, at: -2000, "variety", "fuji", sees: nil)
        _ = try edit(server, Who.wanda, Who.wandasLaptop, 1, at: -1000, "variety", "gala", sees: first.stamp)
        _ = try edit(server, Who.wanda, Who.wandasLaptop, 2, at: 0, "variety", "pink", sees: nil)
        #expect(server.conflicts.isEmpty)
        #expect(server.value("variety", of: "tree", Who.apple) == "pink")
        #expect(server.history.map(\.loss.value).contains("fuji"))
        #expect(server.history.map(\.loss.value).contains("gala"))
    }

    @Test func `deletions make none`() throws {
        let server = try ClubServer.founded()
        let base = try #require(server.row("tree", Who.pear)?.deletion)
        let delete = Mutation.make(1, .delete, "tree", Who.pear, at: server.now + -1000, base: base)
        let restore = Mutation.make(1, .restore, "tree", Who.pear, at: server.now + -500, base: base)
        let late = Mutation.make(1, .delete, "tree", Who.pear, at: server.now + -700, base: base)
        try server.push([delete], from: Who.piasPhone, of: Who.pia)
        try server.push([restore], from: Who.wandasLaptop, of: Who.wanda)
        let verdict = try server.push([late], from: ReplicaID(0xA2), of: Who.wanda).verdicts.first
        #expect(verdict?.lost == ["deleted"])
        #expect(server.row("tree", Who.pear)?.isDeleted == false)
        #expect(server.conflicts.isEmpty)
    }

    @Test func `a conflict goes only where its field is seen in full`() throws {
        let server = try ClubServer.founded()
        try concurrentEdits(server, of: "phone", "+8613900000001", "+8613900000002")
        let conflict = try #require(server.conflicts.first).key.id
        #expect(server.isMember(Conflict.collection, conflict, of: Scope("club")))
        #expect(server.isMember(Conflict.collection, conflict, of: Scope("tender", Who.tom)))
        #expect(!server.isMember(Conflict.collection, conflict, of: Scope("orchard", Who.hill)))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
        try server.write([.make(1, .edit, "tending", RowID(bits: 0x71), at: server.now, ["state": "ended"])])
        #expect(!server.isMember(Conflict.collection, conflict, of: Scope("tender", Who.tom)))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }

    @Test func `a conflict leaves where its field is masked from now on`() throws {
        let server = try ClubServer.founded()
        try concurrentEdits(server, of: "phone", "+8613900000001", "+8613900000002")
        let conflict = try #require(server.conflicts.first).key.id
        let toms = Scope("tender", Who.tom)
        #expect(server.isMember(Conflict.collection, conflict, of: toms))
        try server.write([.make(1, .edit, "tree", Who.apple, at: server.now, ["name": "unlisted"])])
        #expect(!server.isMember(Conflict.collection, conflict, of: toms))
        try server.write([.make(2, .edit, "tree", Who.apple, at: server.now + 1, ["name": "listed"])])
        #expect(server.isMember(Conflict.collection, conflict, of: toms))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }

    @Test func `a conflict moves with the row it is about`() throws {
        let server = try ClubServer.founded()
        let planting = RowID(bits: 0x51)
        let base = server.stamp("row_number", of: "planting", planting)
        let again = Mutation.make(
            1, .create, "planting", RowID(bits: 0x59), at: server.now,
            [
                "tree": .text(Who.apple.description), "orchard": .text(Who.hill.description),
            ])
        try server.write([again])
        for (index, replica) in [Who.wandasLaptop, ReplicaID(0xA2)].enumerated() {
            let edit = Mutation.make(
                1, .edit, "planting", planting, at: server.now + -Int64(index), base: base,
                ["row_number": .integer(Int64(7 + index))])
            try server.push([edit], from: replica, of: Who.wanda)
        }
        let conflict = try #require(server.conflicts.first).key.id
        let hill = Scope("orchard", Who.hill)
        #expect(server.isMember(Conflict.collection, conflict, of: hill))
        // The tree stays on the hill by its other planting; the conflict is about this one.
        try server.write([.make(2, .edit, "planting", planting, at: server.now + 1, ["state": "ended"])])
        #expect(!server.isMember(Conflict.collection, conflict, of: hill))
        try server.write([.make(3, .edit, "planting", planting, at: server.now + 2, ["state": "active"])])
        #expect(server.isMember(Conflict.collection, conflict, of: hill))
    }

    @Test func `whoever sees a conflict may settle it, and only that`() throws {
        let server = try ClubServer.founded()
        try concurrentEdits(server, of: "variety", "fuji", "gala")
        let conflict = try #require(server.conflicts.first).key.id
        let verdicts = try server.push(
            [
                .make(1, .edit, "conflict", conflict, at: server.now, ["losing_value": .list(["x"])]),
                .make(2, .edit, "conflict", conflict, at: server.now, ["state": "settled", "losing_stamp": "x"]),
                .make(3, .delete, "conflict", conflict, at: server.now),
                .make(4, .edit, "conflict", conflict, at: server.now, ["state": "settled"]),
            ], from: Who.piasPhone, of: Who.pia
        ).verdicts
        #expect(verdicts.map(\.refusal) == [.forbidden, .forbidden, .forbidden, nil])
        let stranger = Mutation.make(1, .edit, "conflict", conflict, at: server.now, ["state": "open"])
        #expect(
            try server.push([stranger], from: ReplicaID(0xE1), of: RowID(bits: 0xEEEE)).verdicts.map(\.refusal)
                == [.outOfScope])
        #expect(server.value("state", of: Conflict.collection, conflict) == "settled")
    }

    @Test func `the same loss found twice is one conflict`() throws {
        let row = RowKey(3, Who.apple)
        let stamp = Stamp(HybridTime(bits: 7), Who.tomsPhone)
        #expect(Conflict.id(of: row, field: "a", losing: stamp) == Conflict.id(of: row, field: "a", losing: stamp))
        #expect(Conflict.id(of: row, field: "a", losing: stamp) != Conflict.id(of: row, field: "b", losing: stamp))
    }
}
