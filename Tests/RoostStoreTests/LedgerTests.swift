import Foundation
import GRDB
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

/// An old backup revives no access that was ended since.
@Suite struct `Ledger of ended access` {
    private func reopened(_ world: StoreWorld, from backup: String) throws -> ServerStore {
        try world.store.close()
        for suffix in ["-wal", "-shm", ""] {
            try? FileManager.default.removeItem(atPath: world.directory + "/" + ServerStore.fileName + suffix)
        }
        try FileManager.default.moveItem(atPath: backup, toPath: world.directory + "/" + ServerStore.fileName)
        let clock = world.clock
        return try ServerStore(directory: world.directory, catalogue: Orchard.catalogue(), clock: { clock.now })
    }

    private func mayStillHold(_ store: ServerStore, _ officer: RowID) async throws -> Bool {
        let principal = try await store.principal(of: officer)
        return principal.grants.contains { $0.holds(at: store.clock()) }
    }

    @Test func `a grant ended since the backup stays ended, one begun anew stays`() async throws {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        try await world.appoint("Tan", "tender")
        let backup = world.directory + "/backup"
        try world.store.backUp(to: backup)
        let (first, second) = (world.id("Wen warden"), world.id("Tan tender"))
        world.clock.advance(1000)
        for row in [first, second] {
            try await world.write(TrustedEdit("appointment", row, .edit, ["active": false]))
        }
        world.clock.advance(1000)
        try await world.write(TrustedEdit("appointment", second, .edit, ["active": true]))
        world.clock.advance(1000)
        let store = try reopened(world, from: backup)
        #expect(store.begunAtStart?.reason == .sequenceLost)
        #expect(try await !mayStillHold(store, world.id("Wen")))
        #expect(try await mayStillHold(store, world.id("Tan")))
        try store.close()
    }

    @Test func `a device revoked since stays out, even one the backup does not know`() async throws {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        let officer = world.id("Wen")
        func enrol(_ store: ServerStore, _ replica: UInt64, _ code: UInt8) async throws {
            try await store.keepCode(hash: [code], for: officer, until: Milliseconds(.max), madeBy: nil)
            _ = try await store.redeemCode(
                hash: [code], replica: ReplicaID(replica), label: "x", tokenHash: [code])
        }
        let backup = world.directory + "/backup"
        try await enrol(world.store, 1, 1)
        try world.store.backUp(to: backup)
        try await enrol(world.store, 2, 2)
        try await world.store.revoke(ReplicaID(1))
        try await world.store.revoke(ReplicaID(2))
        try await world.write(TrustedEdit("tree", world.id("t"), .create, ["name": "T"]))
        let mode = try FileManager.default.attributesOfItem(atPath: world.directory + "/ledger")[.posixPermissions]
        #expect((mode as? NSNumber)?.intValue == 0o600)
        world.clock.advance(1000)
        let store = try reopened(world, from: backup)
        #expect(try store.device(tokenHash: [1])?.isRevoked == true)
        await #expect(throws: AccountError.replicaTaken) { try await enrol(store, 2, 3) }
        try await enrol(store, 3, 4)
        try store.close()
    }

    @Test func `a line cut short by a power failure is passed over`() throws {
        let world = try StoreWorld()
        let ledger = Ledger(directory: world.directory)
        try ledger.append([.revoked(ReplicaID(1), at: Milliseconds(5)), .ended(world.id("g"), at: Milliseconds(6))])
        let path = world.directory + "/" + Ledger.name
        let whole = try #require(FileManager.default.contents(atPath: path))
        try whole.dropLast(9).write(to: URL(fileURLWithPath: path))
        #expect(ledger.ends().devices == [ReplicaID(1): Milliseconds(5)])
        #expect(ledger.ends().grants.isEmpty)
    }

    @Test func `sending is paused and codes are void in a new epoch, and a sound database begins none`() async throws {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        try await world.store.keepCode(hash: [1], for: world.id("Wen"), until: Milliseconds(.max), madeBy: nil)
        let backup = world.directory + "/backup"
        try world.store.backUp(to: backup)
        try await world.write(TrustedEdit("tree", world.id("t"), .create, ["name": "T"]))
        let epoch = world.store.epoch
        try world.store.close()
        let clock = world.clock
        let same = try ServerStore(directory: world.directory, catalogue: Orchard.catalogue(), clock: { clock.now })
        #expect(same.epoch == epoch && same.begunAtStart == nil)
        try same.close()
        let store = try reopened(world, from: backup)
        #expect(store.epoch != epoch && store.epochBeside == store.epoch)
        let paused = try await store.pool.read { db in
            try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'sending_paused'")
        }
        #expect(paused != nil)
        await #expect(throws: AccountError.codeInvalid) {
            try await store.redeemCode(hash: [1], replica: ReplicaID(1), label: "x", tokenHash: [2])
        }
        try store.close()
        // A command beside the server begins nothing, whatever it finds.
        try EpochFile(epoch: "other", highWater: .zero).write(in: world.directory)
        let beside = try ServerStore(
            directory: world.directory, catalogue: Orchard.catalogue(), clock: { clock.now }, isServing: false)
        #expect(beside.begunAtStart == nil && beside.epochBeside == "other")
        try beside.close()
        #expect(EpochFile(in: world.directory)?.epoch == "other")
    }

    @Test func `a line that the power cut off takes none with it`() throws {
        let world = try StoreWorld()
        let ledger = Ledger(directory: world.directory)
        let path = world.directory + "/" + Ledger.name
        try ledger.append([.revoked(ReplicaID(1), at: Milliseconds(1))])
        let whole = try #require(FileManager.default.contents(atPath: path))
        try whole.dropLast(9).write(to: URL(fileURLWithPath: path))
        try ledger.append([.revoked(ReplicaID(2), at: Milliseconds(2))])
        #expect(ledger.ends().devices == [ReplicaID(2): Milliseconds(2)])
    }
}
