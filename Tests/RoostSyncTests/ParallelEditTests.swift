import RoostSchema
import RoostSync
import Testing

/// Edits of one row, of different fields, by people who had not seen each other's: both stand, and are noted together.
@Suite struct ParallelEditTests {
    private func edit(
        _ number: Int64, at offset: Int64, seen: Stamp?, _ fields: KeyValuePairs<String, Value>,
        _ server: ClubServer, of row: RowID = Who.apple
    ) -> Mutation {
        Mutation(
            number: number, collection: "tree", row: row, action: .edit, time: HybridTime(server.now + offset),
            base: seen, seen: seen, changes: fields.map { .init($0.key, $0.value) })
    }

    private func version(_ server: ClubServer) throws -> Stamp { try #require(server.row("tree", Who.apple)).version }

    @Test func `two who set other fields unseen are noted once, with who, when and what, and there is no conflict`()
        throws
    {
        let server = try ClubServer.founded()
        let seen = try version(server)
        let toms = edit(1, at: -1000, seen: seen, ["variety": "fuji", "rare": false], server)
        let wandas = edit(1, at: -2000, seen: seen, ["name": "pippin"], server)
        let first = try server.push([toms], from: Who.tomsPhone, of: Who.tom).verdicts[0]
        #expect(server.parallels.isEmpty)
        let second = try server.push([wandas], from: Who.wandasLaptop, of: Who.wanda).verdicts[0]
        #expect(first.outcome == .applied && second.outcome == .applied && second.lost.isEmpty)
        typealias Position = ParallelEdit.Position
        let note = try #require(server.parallels.first)
        #expect(server.parallels.count == 1 && server.conflicts.isEmpty)
        #expect(note.values[Position.earlier] == .list(["name"]))
        #expect(note.values[Position.earlier + Position.author] == .text(Who.wanda.description))
        #expect(note.values[Position.later] == .list(["rare", "variety"]))
        #expect(note.values[Position.later + Position.author] == .text(Who.tom.description))
        #expect(note.values[Position.later + Position.stamp] == first.stamp.map { .text($0.description) })
        #expect(server.value("variety", of: "tree", Who.apple) == "fuji")
        #expect(server.value("name", of: "tree", Who.apple) == "pippin")
    }

    @Test func `who had seen the other's edit, or does not say what they saw, is not noted`() throws {
        let server = try ClubServer.founded()
        let seen = try version(server)
        try server.push(
            [edit(1, at: -1000, seen: seen, ["variety": "fuji"], server)], from: Who.tomsPhone, of: Who.tom)
        let after = try version(server)
        try server.push(
            [
                edit(1, at: -500, seen: after, ["name": "pippin"], server),
                edit(2, at: -400, seen: nil, ["name": "cox"], server),
            ], from: Who.wandasLaptop, of: Who.wanda)
        #expect(server.parallels.isEmpty)
        // A replica has seen its own edits, whatever its copy of the row says.
        try server.push(
            [edit(3, at: -300, seen: after, ["planted": "1999"], server)], from: Who.wandasLaptop, of: Who.wanda)
        #expect(server.parallels.isEmpty)
    }

    @Test func `the same field is a conflict, and no parallel edit; what lost stands nowhere`() throws {
        let server = try ClubServer.founded()
        let seen = try version(server)
        try server.push(
            [edit(1, at: -1000, seen: seen, ["variety": "fuji"], server)], from: Who.tomsPhone, of: Who.tom)
        try server.push(
            [edit(1, at: -2000, seen: seen, ["variety": "gala"], server)], from: Who.wandasLaptop, of: Who.wanda)
        #expect(server.conflicts.count == 1)
        #expect(server.parallels.isEmpty)
    }

    @Test func `a field hidden from its author cannot have been overlooked`() throws {
        let server = try ClubServer.founded()
        let seen = try version(server)
        try server.push(
            [edit(1, at: -2000, seen: seen, ["secret": "x"], server)], from: Who.wandasLaptop, of: Who.wanda)
        try server.push([edit(1, at: -1000, seen: seen, ["name": "cox"], server)], from: Who.piasPhone, of: Who.pia)
        #expect(server.parallels.isEmpty)
        // The other way round the author sees both.
        try server.push(
            [edit(2, at: -900, seen: seen, ["secret": "y"], server)], from: Who.wandasLaptop, of: Who.wanda)
        let note = try #require(server.parallels.first).key.id
        #expect(server.parallels.count == 1)
        #expect(server.isMember(ParallelEdit.collection, note, of: Scope("club")))
        #expect(!server.isMember(ParallelEdit.collection, note, of: Scope("orchard", Who.hill)))
        #expect(!server.isMember(ParallelEdit.collection, note, of: Scope("tender", Who.tom)))
    }

    @Test func `a note is where all its fields are seen, moves with its row, and is written by nobody`() throws {
        let server = try ClubServer.founded()
        let seen = try version(server)
        try server.push(
            [edit(1, at: -1000, seen: seen, ["phone": "+8613900000001"], server)], from: Who.tomsPhone, of: Who.tom)
        try server.push(
            [edit(1, at: -2000, seen: seen, ["variety": "gala"], server)], from: Who.wandasLaptop, of: Who.wanda)
        let note = try #require(server.parallels.first).key.id
        let toms = Scope("tender", Who.tom)
        #expect(server.isMember(ParallelEdit.collection, note, of: toms))
        #expect(!server.isMember(ParallelEdit.collection, note, of: Scope("orchard", Who.hill)))
        try server.write([.make(1, .edit, "tree", Who.apple, at: server.now, ["name": "unlisted"])])
        #expect(!server.isMember(ParallelEdit.collection, note, of: toms))
        try server.write([.make(2, .edit, "tree", Who.apple, at: server.now + 1, ["name": "listed"])])
        #expect(server.isMember(ParallelEdit.collection, note, of: toms))
        try server.write([.make(3, .edit, "tending", RowID(bits: 0x71), at: server.now, ["state": "ended"])])
        #expect(!server.isMember(ParallelEdit.collection, note, of: toms))
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
        let refused = try server.push(
            [
                .make(2, .edit, "parallel_edit", note, at: server.now, ["noted_at": 1]),
                .make(3, .delete, "parallel_edit", note, at: server.now),
                .make(4, .create, "parallel_edit", RowID(bits: 1), at: server.now, ["noted_at": 1]),
            ], from: Who.wandasLaptop, of: Who.wanda
        ).verdicts
        #expect(refused.map(\.outcome) == [.rejected, .rejected, .rejected])
    }

    /// A device with the copy of the tree it last pulled.
    private struct Device {
        let replica: ReplicaID
        let keeper: RowID
        var copy: Row
        /// Edits it knows of, its own among them.
        var known: Set<Stamp>
        var number: Int64 = 0
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `what is noted is what nobody had seen, all of it while nothing waits in an outbox`(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let server = try ClubServer.founded()
        let tree = try #require(server.row("tree", Who.apple))
        var devices = [
            (Who.wandasLaptop, Who.wanda), (ReplicaID(0xA2), Who.wanda), (Who.tomsPhone, Who.tom),
        ].map { Device(replica: $0.0, keeper: $0.1, copy: tree, known: []) }
        var made: Set<Stamp> = []
        var waiting: [(index: Int, mutation: Mutation, known: Set<Stamp>)] = []
        var expected: Set<Set<Stamp>> = []
        let isPunctual = seed % 2 == 0
        func push(_ index: Int, _ mutation: Mutation, _ known: Set<Stamp>) throws {
            let device = devices[index]
            let verdict = try server.push([mutation], from: device.replica, of: device.keeper).verdicts[0]
            let stamp = try #require(verdict.stamp)
            let row = try #require(server.row("tree", Who.apple))
            let fields = Set(mutation.changes.map(\.field))
            func standing(_ stamp: Stamp) -> Set<String> {
                Set(row.stamps(server.rules).filter { $0.stamp == stamp }.map(\.field))
            }
            if !standing(stamp).isEmpty {
                // Tom does not see what is internal.
                let passedOver = device.keeper == Who.wanda ? fields : fields.union(["secret"])
                for other in made.subtracting(known)
                where other.replica != stamp.replica && !standing(other).isSubset(of: passedOver) {
                    expected.insert([other, stamp])
                }
            }
            made.insert(stamp)
            devices[index].known.insert(stamp)
        }
        for _ in 0..<30 {
            server.now = server.now + 1000
            let index = random.below(devices.count)
            if random.chance(3) {
                devices[index].copy = try #require(server.row("tree", Who.apple))
                devices[index].known.formUnion(made)
                continue
            }
            let names = devices[index].keeper == Who.wanda ? ["name", "variety", "secret"] : ["name", "variety"]
            let changes = names.filter { _ in random.chance(2) }.map {
                Mutation.Change($0, .text("\(random.below(9))"))
            }
            guard !changes.isEmpty else { continue }
            devices[index].number += 1
            let seen = devices[index].copy.version
            let mutation = Mutation(
                number: devices[index].number, collection: "tree", row: Who.apple, action: .edit,
                time: HybridTime(server.now), base: seen, seen: seen, changes: changes)
            waiting.append((index, mutation, devices[index].known))
            while !waiting.isEmpty, isPunctual || random.chance(3) {
                let next = waiting.removeFirst()
                try push(next.index, next.mutation, next.known)
            }
        }
        typealias Position = ParallelEdit.Position
        let noted = Set(
            server.parallels.map { note in
                Set(
                    [Position.earlier, Position.later].compactMap {
                        note.values[$0 + Position.stamp].text.flatMap { Stamp($0) }
                    })
            })
        #expect(noted.count == server.parallels.count)
        #expect(noted.isSubset(of: expected))
        if isPunctual { #expect(noted == expected) }
        #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
    }
}
