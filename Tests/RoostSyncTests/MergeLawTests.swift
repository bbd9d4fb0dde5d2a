import RoostSchema
import RoostSync
import Testing

/// Laws of the merge over seeds.
///
/// Domains are small, so that equal values and close stamps are common.
@Suite struct MergeLawTests {
    private static let collection = RoostSchema.Collection(
        "thing", .register, "物", "thing",
        fields: [
            Field("first", .text(max: 9), "一", "first"), Field("second", .text(max: 9), "二", "second"),
            Field(
                "state", .code(["open", "doing", "done"].map { Code($0, $0, $0) }), "状态", "state",
                merge: .rank(["open", "doing", "done"], reopens: "open")),
        ])

    private struct Write: Hashable {
        let stamp: Stamp
        var values: [Int: Value] = [:]
        var unknown: [Mutation.Change] = []
        var deleted: Bool?
    }

    private static func writes(_ seed: UInt64, count: Int) -> [Write] {
        var random = Seeded(seed)
        var stamps: Set<Stamp> = []
        while stamps.count < count {
            stamps.insert(Stamp(HybridTime(bits: UInt64(2 + random.below(3))), ReplicaID(UInt64(1 + random.below(3)))))
        }
        return stamps.sorted().map { stamp in
            var write = Write(stamp: stamp)
            switch random.below(4) {
            case 0: write.deleted = random.chance(2)
            case 1: write.unknown = [Mutation.Change("later", random.one(of: ["x", "y", .null]))]
            default:
                for field in 0..<3 where random.chance(2) {
                    write.values[field]  // Reopening compares with what is there: it alone may depend on the order.
                    = field == 2 ? random.one(of: ["doing", "done"]) : random.one(of: ["a", "b", .null])
                }
            }
            return write
        }
    }

    private static func merge(_ writes: [Write]) -> (row: Row, losses: [Merge.Loss]) {
        var row = Row(
            key: RowKey(0, RowID(bits: 1)), values: [.null, .null, "open"],
            stamp: Stamp(HybridTime(bits: 1), ReplicaID(9)))
        var losses: [Merge.Loss] = []
        for write in writes {
            if let deleted = write.deleted {
                losses += Merge.merge(deleted: deleted, into: &row, at: write.stamp, base: nil)
            } else {
                losses += Merge.merge(
                    write.values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, unknown: write.unknown,
                    into: &row, of: collection, at: write.stamp, base: nil)
            }
        }
        row.unknown.sort { $0.name < $1.name }
        return (row, losses)
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func `all orders of four writes give the same row`(_ seed: UInt64) {
        let orders = Self.writes(seed, count: 4).permutations
        let first = Self.merge(orders[0]).row
        for order in orders { #expect(Self.merge(order).row == first) }
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func `in every order each value is in the row or among the losses`(_ seed: UInt64) {
        let writes = Self.writes(seed, count: 4)
        for order in writes.permutations {
            let (row, losses) = Self.merge(order)
            for write in writes {
                for (field, value) in write.values {
                    let name = Self.collection.fields[field].name.text
                    let isKept = row.values[field] == value
                    #expect(isKept || losses.contains { $0.field == name && $0.value == value })
                }
                for change in write.unknown {
                    let isKept = row.unknown.contains { $0.name == change.field && $0.value == change.value }
                    #expect(isKept || losses.contains { $0.field == change.field && $0.value == change.value })
                }
                if let deleted = write.deleted {
                    let isKept = row.isDeleted == deleted
                    #expect(isKept || losses.contains { $0.field == "deleted" && $0.value == .boolean(deleted) })
                }
            }
        }
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func `the winner has the greatest stamp, or the greatest rank`(_ seed: UInt64) {
        let writes = Self.writes(seed, count: 5)
        let row = Self.merge(writes.shuffled(seed)).row
        for field in 0..<2 {
            let winner = writes.filter { $0.values[field] != nil }.max { $0.stamp < $1.stamp }
            if let winner {
                #expect(row.values[field] == winner.values[field])
                #expect(row.stamp(of: field) == winner.stamp)
            }
        }
        let ranks = ["open", "doing", "done"]
        func rank(_ value: Value) -> Int { value.text.flatMap { ranks.firstIndex(of: $0) } ?? -1 }
        let greatest = writes.compactMap { $0.values[2] }.map(rank).max() ?? 0
        #expect(rank(row.values[2]) == max(0, greatest))
        let deletion = writes.filter { $0.deleted != nil }.max { $0.stamp < $1.stamp }
        #expect(row.isDeleted == deletion?.deleted ?? false)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `a write merged again changes nothing`(_ seed: UInt64) {
        let writes = Self.writes(seed, count: 4)
        let once = Self.merge(writes).row
        for write in writes { #expect(Self.merge(writes + [write]).row == once) }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `a row's overrides name exactly the fields whose stamp differs`(_ seed: UInt64) {
        let row = Self.merge(Self.writes(seed, count: 5).shuffled(seed)).row
        #expect(row.overrides.map(\.position) == row.overrides.map(\.position).sorted())
        #expect(Set(row.overrides.map(\.position)).count == row.overrides.count)
        #expect(row.overrides.allSatisfy { $0.stamp != row.stamp })
        let greatest = row.values.indices.map { row.stamp(of: $0) } + [row.stamp, row.deletion]
        #expect(row.version == (greatest + row.unknown.map(\.stamp)).max())
    }
}

extension Array {
    fileprivate func shuffled(_ seed: UInt64) -> [Element] {
        var random = Seeded(seed ^ 0xABCD)
        return shuffled(using: &random)
    }
}
