import Foundation
import GRDB
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

/// What was acknowledged survives the power going (sqlite.org/pragma.html#pragma_synchronous: 2 is FULL).
@Suite struct SynchronousTests {
    private func settings(_ db: Database) throws -> [String] {
        try ["synchronous", "journal_mode"].map { try String.fetchOne(db, sql: "PRAGMA \($0)") ?? "" }
    }

    @Test func `the server waits for the disk at each commit, those that pushes share included`() async throws {
        let world = try StoreWorld()
        #expect(try await world.store.pool.writeWithoutTransaction { try settings($0) } == ["2", "wal"])
        #expect(try await world.store.commits.run { try settings($0) } == ["2", "wal"])
    }

    @Test func `a device waits for the disk at each commit, also when its database is opened again`() throws {
        let directory = NSTemporaryDirectory() + "roost-synchronous-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for isNew in [true, false] {
            let replica = try Replica(directory: directory, catalogue: Orchard.catalogue(), creating: isNew)
            #expect(try replica.queue.writeWithoutTransaction { try settings($0) } == ["2", "wal"])
            try replica.close()
        }
    }
}
