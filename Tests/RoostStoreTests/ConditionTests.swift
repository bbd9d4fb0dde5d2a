import GRDB
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

@Suite struct `Conditions in SQL and in memory` {
    /// Small domains, so that equality, order and missing values are all common.
    private static func condition(_ random: inout SeededRandom, depth: Int) -> Condition {
        switch random.next(below: depth > 2 ? 4 : 7) {
        case 0:
            return .compare(
                "crop", [.less, .lessOrEqual, .greater, .greaterOrEqual, .equal, .notEqual][random.next(below: 6)],
                .value(.integer(Int64(random.next(below: 4)))))
        case 1: return .compare("fruit", random.next(below: 2) == 0 ? .equal : .notEqual, .value("apple"))
        case 2: return .compare("fruit", .equal, .value(.null))
        case 3:
            return .compare(
                ["name", "fruit", "no_such_field"][random.next(below: 3)],
                random.next(below: 2) == 0 ? .oneOf : .hasPrefix,
                .value(random.next(below: 2) == 0 ? .list(["apple", "a1"]) : "a"))
        case 4: return .not(condition(&random, depth: depth + 1))
        case 5: return .all([condition(&random, depth: depth + 1), condition(&random, depth: depth + 1)])
        default: return .any([condition(&random, depth: depth + 1), condition(&random, depth: depth + 1)])
        }
    }

    @Test func `a condition selects the same rows in the database as in memory`() async throws {
        let world = try StoreWorld()
        var random = SeededRandom(seed: 7)
        var edits: [TrustedEdit] = []
        for index in 0..<40 {
            edits.append(
                TrustedEdit(
                    "tree", world.id("tree \(index)"), .create,
                    [
                        "name": .text(["apple", "a1", "b"][random.next(below: 3)]),
                        "fruit": [.null, "apple", "pear"][random.next(below: 3)],
                        "crop": random.next(below: 3) == 0 ? .null : .integer(Int64(random.next(below: 4))),
                    ]))
        }
        _ = try await world.store.write(edits, by: world.id("warden"))
        let all = try await world.store.rows(of: "tree")
        let tree = try #require(world.store.rules.catalogue["tree"])
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let condition = Self.condition(&random, depth: 0)
            let stored = Set(try await world.store.rows(of: "tree", where: condition).map(\.key))
            let expected = Set(all.filter { condition.holds(in: tree, $0.values) }.map(\.key))
            #expect(stored == expected, "seed \(seed): \(condition.text)")
        }
    }

    @Test func `the queries of every exchange use an index`() async throws {
        let world = try StoreWorld()
        let tending = try #require(world.store.tables.first { $0.declaration.name == "tending" })
        let queries = [
            "SELECT sequence FROM member INDEXED BY member_feed WHERE scope = 1 AND sequence > 1 ORDER BY sequence",
            tending.select + " WHERE tree = x'00'",
            tending.select + " WHERE id = x'00'",
            "SELECT role FROM authority WHERE subject = x'00' AND kind = 'grant'",
            "UPDATE authority SET until_ms = 0 WHERE row = x'00' AND kind = 'grant' AND until_sequence IS NULL",
            "SELECT body FROM verdict WHERE replica = 1 AND incarnation = 1 AND number = 1",
        ]
        try await world.store.pool.read { db in
            for query in queries {
                let plan = try GRDBRow.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + query).map { $0["detail"] as String }
                #expect(plan.allSatisfy { $0.contains("SEARCH") && !$0.contains("SCAN") }, "\(query): \(plan)")
            }
        }
    }
}

/// SplitMix64: a few lines that give the same numbers everywhere.
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
