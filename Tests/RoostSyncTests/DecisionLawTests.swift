import RoostSchema
import RoostSync
import Testing

/// Laws of deciding over seeds: order of arrival, cutting into changesets, accounting, membership, stamps.
@Suite struct DecisionLawTests {
    private static let keepers: [(replica: ReplicaID, keeper: RowID)] = [
        (Who.wandasLaptop, Who.wanda), (Who.piasPhone, Who.pia), (Who.tomsPhone, Who.tom), (ReplicaID(0xA2), Who.wanda),
    ]

    /// Rows with what does not depend on the order of arrival.
    private func essence(_ server: ClubServer) -> [RowKey: Row] {
        let conflicts = server.rules.catalogue.position(of: Conflict.collection)
        return server.stored.filter { $0.key.collection != conflicts }.mapValues { row in
            var row = row
            row.sequence = .zero
            row.unknown.sort { $0.name < $1.name }
            return row
        }
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `four devices that edit one tree meet in the same row, in all 24 orders`(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let founded = try ClubServer.founded()
        let edits: [(device: Int, mutation: Mutation)] = Self.keepers.indices.map { device in
            let fields: [Mutation.Change] = ["name", "variety"].compactMap { field in
                random.chance(3) ? nil : Mutation.Change(field, random.one(of: ["a", "b", "c"]))
            }
            return (
                device,
                Mutation(
                    number: 1, collection: "tree", row: Who.apple, action: .edit,
                    time: HybridTime(founded.now + -Int64(random.below(3))),
                    base: founded.stamp("name", of: "tree", Who.apple), changes: fields)
            )
        }
        var expected: [RowKey: Row]?
        var expectedConflicts: Set<Value>?
        for order in edits.permutations {
            let server = try ClubServer.founded()
            for (device, mutation) in order {
                let (replica, keeper) = Self.keepers[device]
                let plan = try server.push([mutation], from: replica, of: keeper)
                #expect(plan.verdicts.allSatisfy { [.applied, .merged].contains($0.outcome) })
            }
            let result = essence(server)
            #expect(expected == nil || result == expected)
            expected = result
            for (device, mutation) in edits {
                for change in mutation.changes {
                    let kept = server.value(FieldName(change.field), of: "tree", Who.apple) == change.value
                    let found = server.history.contains {
                        $0.loss.field == change.field && $0.loss.value == change.value
                    }
                    #expect(kept || found, "\(change.field) of device \(device) is lost")
                }
            }
            // Every value that lost unseen is a conflict, whichever way they arrived.
            let lost = Set(
                server.conflicts.map {
                    Value.list([$0.values[Conflict.Position.field], $0.values[Conflict.Position.value]])
                })
            let winners = Set(
                ["name", "variety"].map { field in
                    Value.list([.text(field), .list([server.value(FieldName(field), of: "tree", Who.apple) ?? .null])])
                })
            #expect(expectedConflicts == nil || lost.subtracting(winners) == expectedConflicts)
            expectedConflicts = lost.subtracting(winners)
            #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
        }
    }

    /// A random script of one device, with edits that are refused among them.
    private func script(_ seed: UInt64, _ server: ClubServer, count: Int) -> [Mutation] {
        var random = Seeded(seed)
        let trees = [Who.apple, Who.pear, Who.plum, RowID(bits: 0xA009), RowID(bits: 0xA00A)]
        var group: Int64?
        return (1...count).map { number in
            if random.chance(3) { group = random.chance(2) ? Int64(number) : nil }
            let tree = random.one(of: trees)
            let moment = server.now + -Int64(random.below(5000))
            let base = random.chance(2) ? server.stamp("name", of: "tree", tree) : nil
            switch random.below(7) {
            case 0: return .make(Int64(number), .create, "tree", tree, at: moment, group: group, ["name": "n"])
            case 1: return .make(Int64(number), .delete, "tree", tree, at: moment, group: group, base: base)
            case 2: return .make(Int64(number), .restore, "tree", tree, at: moment, group: group, base: base)
            case 3:
                return .make(
                    Int64(number), .create, "planting", RowID(bits: UInt128(0x5000 + random.below(4))), at: moment,
                    group: group,
                    [
                        "tree": .text(tree.description),
                        "orchard": .text(random.one(of: [Who.hill, Who.dale]).description),
                    ])
            case 4:
                return .make(
                    Int64(number), .edit, "planting", RowID(bits: UInt128(0x51 + random.below(3))), at: moment,
                    group: group, ["state": random.one(of: ["active", "ended"])])
            default:
                return .make(
                    Int64(number), .edit, "tree", tree, at: moment, group: group, base: base,
                    [
                        random.one(of: ["name", "variety", "later"]): random.one(of: ["a", "b", .null]),
                        "rare": .boolean(random.chance(2)),
                    ])
            }
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `every mutation gets one verdict, and memberships equal what the rows say`(_ seed: UInt64) throws {
        let server = try ClubServer.founded()
        for (index, device) in Self.keepers.enumerated() {
            let mutations = script(seed &* 4 &+ UInt64(index), server, count: 12)
            let plan = try server.push(mutations, from: device.replica, of: device.keeper)
            #expect(plan.verdicts.map(\.number) == mutations.map(\.number))
            #expect(plan.verdicts.allSatisfy { ($0.outcome == .rejected) == ($0.refusal != nil) })
            #expect(plan.verdicts.allSatisfy { ($0.outcome == .rejected) == ($0.stamp == nil) })
            #expect(try server.membersFromScratch() == server.members.filter { !$0.value.isEmpty })
            // One changeset never leaves half of a group behind.
            for group in Set(mutations.compactMap(\.group)) {
                let outcomes = zip(mutations, plan.verdicts).filter { $0.0.group == group }.map {
                    $0.1.outcome == .rejected
                }
                #expect(Set(outcomes).count == 1)
            }
        }
        let sequences = server.stored.values.map(\.sequence)
        #expect(Set(sequences).count == sequences.count, "one change, one sequence")
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `cutting a device's edits into changesets changes nothing`(_ seed: UInt64) throws {
        let whole = try ClubServer.founded()
        let mutations = script(seed, whole, count: 10)
        let verdicts = try whole.push(mutations, from: Who.wandasLaptop, of: Who.wanda).verdicts
        for cut in 1..<mutations.count
        where mutations[cut].group == nil || mutations[cut].group != mutations[cut - 1].group {
            let parts = try ClubServer.founded()
            let first = try parts.push(Array(mutations[..<cut]), from: Who.wandasLaptop, of: Who.wanda).verdicts
            let second = try parts.push(Array(mutations[cut...]), from: Who.wandasLaptop, of: Who.wanda).verdicts
            #expect(first + second == verdicts)
            #expect(essence(parts) == essence(whole))
            #expect(parts.members.filter { !$0.value.isEmpty } == whole.members.filter { !$0.value.isEmpty })
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `no stamp is given twice, and a device's stamps rise`(_ seed: UInt64) throws {
        let server = try ClubServer.founded()
        var issued: Set<Stamp> = []
        var random = Seeded(seed)
        for round in 0..<3 {
            for device in Self.keepers {
                let last = server.lastEffective(of: device.replica)
                let mutations = (1...3).map { number in
                    Mutation.make(
                        Int64(round * 3 + number), .edit, "tree", Who.apple,
                        at: server.now + Int64(random.below(3) - 1), base: server.stamp("name", of: "tree", Who.apple),
                        ["name": random.one(of: ["a", "b"])])
                }
                let plan = try server.push(
                    mutations, from: device.replica, of: device.keeper,
                    device: server.now + Int64(random.below(3) - 1) * 63_072_000_000)
                let stamps = plan.verdicts.compactMap(\.stamp)
                #expect(stamps.count == 3)
                #expect(stamps == stamps.sorted() && Set(stamps).count == 3)
                #expect(last.map { $0 < stamps[0].time } ?? true)
                #expect(issued.isDisjoint(with: stamps))
                issued.formUnion(stamps)
            }
        }
        // Clocks two years off do not carry the row's time away from the server's.
        #expect(try #require(issued.max()).time.moment.value - server.now.value < 1000)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `a constant error of each device's clock changes nothing`(_ seed: UInt64) throws {
        func run(_ skews: [Int64]) throws -> [RowKey: Row] {
            let server = try ClubServer.founded()
            var random = Seeded(seed)
            for round in 1...4 {
                for (index, device) in Self.keepers.enumerated() {
                    let moment = server.now + -Int64(random.below(100_000))
                    let edit = Mutation.make(
                        Int64(round), .edit, "tree", random.one(of: [Who.apple, Who.pear]), at: moment + skews[index],
                        [random.one(of: ["name", "variety"]): random.one(of: ["a", "b", "c"])])
                    try server.push(
                        [edit], from: device.replica, of: device.keeper, device: server.now + skews[index])
                }
            }
            return essence(server)
        }
        #expect(try run([0, 0, 0, 0]) == run([63_072_000_000, -63_072_000_000, 2001, -86_400_000]))
    }
}
