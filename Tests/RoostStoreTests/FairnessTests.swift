import GRDB
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

/// What others do must not change what my synchronisation costs.
@Suite struct `A device's cost` {
    /// What every exchange asks; each must find its rows by an index, whatever else is stored.
    @Test(arguments: [
        "SELECT id, officer, label, revoked_ms, token_hash FROM replica WHERE token_hash = x'00'",
        "SELECT incarnation, last_number FROM replica WHERE id = 1",
        "SELECT role, target, from_ms, until_ms FROM authority WHERE subject = x'00' AND kind = 'grant'",
        "SELECT id, epoch FROM scope WHERE name = 'yard'",
        "SELECT sequence, collection, row, present FROM member INDEXED BY member_feed "
            + "WHERE scope = 1 AND sequence > 5 ORDER BY sequence",
        "SELECT 1 FROM member WHERE scope = 1 AND collection = 1 AND row = x'00' AND present = 1 AND sequence <= 5",
        "SELECT body FROM verdict WHERE replica = 1 AND incarnation = 1 AND number = 1",
        "SELECT 1 FROM refused_creation WHERE replica = 1 AND collection = 1 AND row = x'00'",
        "SELECT value FROM meta WHERE name = 'sequence'", "SELECT * FROM tree WHERE id = x'00'",
        "SELECT * FROM tending WHERE tree = x'00'",
    ])
    func `is that of look-ups by an index`(sql: String) async throws {
        let world = try StoreWorld()
        let steps = try await world.store.pool.read { db in
            try GRDBRow.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }
        }
        #expect(!steps.isEmpty)
        for step in steps { #expect(step.contains("SEARCH") && !step.contains("TEMP B-TREE"), "\(step)") }
    }

    @Test func `does not grow with what is not the device's`() async throws {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        try await world.appoint("Tan", "tender")
        try await world.write(
            TrustedEdit("tree", world.id("apple"), .create, ["name": "Apple"]),
            TrustedEdit(
                "tending", world.id("t"), .create, ["tree": .id(world.id("apple")), "picker": .id(world.id("Tan"))]))
        let phone = try await world.device("phone", of: "Tan")
        try await phone.sync()
        try await phone.exchange(phone.request())
        let before = phone.lastAnswer
        for part in 0..<4 {
            let edits = (0..<250).map { index in
                TrustedEdit("tree", world.id("other \(part) \(index)"), .create, ["name": "Another"])
            }
            _ = try await world.store.write(edits, by: world.id("Wen"))
        }
        try await phone.exchange(phone.request())
        #expect(phone.lastAnswer == before)
        // And one change of its own brings one row, however much lies beside it in the order of commits.
        try await world.write(TrustedEdit("tree", world.id("apple"), .edit, ["name": "Apple tree"]))
        let answer = try await phone.exchange(phone.request())
        #expect(answer.scopes.flatMap(\.rows).map(\.row) == [world.id("apple")])
        #expect(phone.lastAnswer.count - before.count < 500)
    }
}
