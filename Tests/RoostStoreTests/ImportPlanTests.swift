import GRDB
import RoostSchema
import RoostSync
import Synchronization
import Testing

@testable import RoostStore

/// A plan made beside others' writes says what one made while nobody could write would say.
@Suite struct `Planning an import` {
    /// Commits an import during each of whose first plans somebody writes; answers with how often it was planned.
    private func plans(_ disturbances: Int, touching collection: CollectionName) async throws -> Int {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        let (store, officer) = (world.store, world.id("Wen"))
        let count = Mutex(0)
        let (batch, made) = (world.id("batch"), world.id("made"))
        let disturbing = (0..<disturbances).map { world.id("disturbing \($0)") }
        let seen = try await store.commitImport(
            ImportDraft(id: batch, officer: officer, source: "trees.csv", template: ""), reading: ["tree"]
        ) { reader in
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number <= disturbances {
                let edit = TrustedEdit(collection, disturbing[number - 1], .create, ["name": .text("\(number)")])
                try store.pool.write { db in _ = try store.write([edit], by: officer, as: store.writer, db) }
            }
            return PlannedImport(
                edits: [TrustedEdit("tree", made, .create, ["name": "made"])], counts: [:],
                outcome: try reader.rows("tree", ids: disturbing).count)
        }
        let trees = try await store.rows("tree", ids: disturbing + [made])
        #expect(trees.count == 1 + (collection == "tree" ? disturbances : 0))
        #expect(seen == trees.count - 1, "the plan that was written saw everything")
        return count.withLock(\.self)
    }

    @Test func `a plan holds beside writes to what it did not read`() async throws {
        #expect(try await plans(0, touching: "tree") == 1)
        #expect(try await plans(1, touching: "picker") == 1)
    }

    @Test func `a plan is made anew where what it read was written to, at last with everybody waiting`() async throws {
        #expect(try await plans(1, touching: "tree") == 2)
        #expect(try await plans(3, touching: "tree") == 4)
    }
}
