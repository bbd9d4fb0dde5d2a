import GRDB
import RoostSchema
import RoostSync
import Synchronization
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

    /// Statements of an exchange in which nothing happens, of one that pushes an edit, and of one that brings a row.
    private func statements(
        _ told: TracedStatements, _ phone: DeviceModel, _ world: StoreWorld
    ) async throws -> [[String]] {
        let crop = Value.integer(phone.next)
        try await phone.sync()
        let idle = try await told.during { try await phone.exchange(phone.request()) }
        phone.edit("tree", world.id("apple"), .edit, ["crop": crop])
        let push = try await told.during { try await phone.exchange(phone.request()) }
        try await world.write(TrustedEdit("tree", world.id("apple"), .edit, ["name": .text("Apple \(phone.next)")]))
        let page = try await told.during { try await phone.exchange(phone.request()) }
        return [idle, push, page]
    }

    @Test func `is the same statements, whatever others have and do`() async throws {
        let told = TracedStatements()
        let world = try StoreWorld(observing: told.observe)
        try await world.appoint("Wen", "warden")
        try await world.appoint("Tan", "tender")
        try await world.write(
            TrustedEdit("tree", world.id("apple"), .create, ["name": "Apple"]),
            TrustedEdit(
                "tending", world.id("t"), .create, ["tree": .id(world.id("apple")), "picker": .id(world.id("Tan"))]))
        let phone = try await world.device("phone", of: "Tan")
        _ = try await statements(told, phone, world)
        let few = try await statements(told, phone, world)
        // Others come, with devices, trees, pictures and edits of their own.
        for picker in 0..<20 {
            try await world.appoint("picker \(picker)", "tender")
            let edits = (0..<30).flatMap { tree in
                let row = world.id("tree \(picker) \(tree)")
                return [
                    TrustedEdit("tree", row, .create, ["name": "Another"]),
                    TrustedEdit(
                        "tending", world.id("tending \(picker) \(tree)"), .create,
                        ["tree": .id(row), "picker": .id(world.id("picker \(picker)"))]),
                    TrustedEdit(
                        "picture", world.id("picture \(picker) \(tree)"), .create,
                        ["tree": .id(row), "caption": "in May"]),
                ]
            }
            _ = try await world.store.write(edits, by: world.id("Wen"))
            let device = try await world.device("other \(picker)", of: "picker \(picker)")
            try await device.sync()
            device.edit("tree", world.id("tree \(picker) 0"), .edit, ["crop": 1])
            try await device.sync()
        }
        let many = try await statements(told, phone, world)
        #expect(many[0] == few[0])
        #expect(many[1].sorted() == few[1].sorted())
        #expect(many[2] == few[2])
        // An idle exchange: who it is from, and for each scope held where its feed stands.
        #expect(few[0].count <= 10, "\(few[0].joined(separator: "\n"))")
        #expect(few[1].count <= 60, "\(few[1].joined(separator: "\n"))")
        #expect(few[2].count <= 12, "\(few[2].joined(separator: "\n"))")
    }
}

/// What a store was told to run, for counting.
private final class TracedStatements: Sendable {
    private let statements = Mutex<[String]>([])

    var observe: @Sendable (String) -> Void { { [self] sql in statements.withLock { $0.append(sql) } } }

    func during(_ body: () async throws -> some Any) async throws -> [String] {
        statements.withLock { $0 = [] }
        _ = try await body()
        return statements.withLock { $0 }
    }
}
