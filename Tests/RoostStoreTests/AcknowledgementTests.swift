import GRDB
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

/// What the server notes of where devices stand.
@Suite struct AcknowledgementTests {
    private func world() async throws -> (StoreWorld, DeviceModel) {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        try await world.write(TrustedEdit("tree", world.id("pear"), .create, ["name": "pear"]))
        return (world, try await world.device("desk", of: "Wen"))
    }

    private func noted(_ world: StoreWorld, _ device: DeviceModel) async throws -> [String: Int64] {
        let replica = Int64(bitPattern: device.device.replica.bits)
        return try await world.store.pool.read { db in
            let rows = try GRDBRow.fetchAll(
                db, sql: "SELECT scope, cursor FROM acknowledged WHERE replica = ?", arguments: [replica])
            return Dictionary(uniqueKeysWithValues: rows.map { ($0["scope"] as String, $0["cursor"] as Int64) })
        }
    }

    private func changes(_ world: StoreWorld) async throws -> Int {
        try await world.store.pool.write { db in db.totalChangesCount }
    }

    @Test func `what a device may have is noted as it is sent`() async throws {
        let (world, device) = try await world()
        try await device.exchange(device.request())
        let cursors = device.cursors.values.map { ($0.scope.description, $0.cursor.value) }
        #expect(try await noted(world, device) == Dictionary(uniqueKeysWithValues: cursors))
    }

    @Test func `an idle exchange writes nothing, and a moved cursor is noted within minutes`() async throws {
        let (world, device) = try await world()
        try await device.sync()
        try await device.exchange(device.request())
        let before = try await changes(world)
        for _ in 0..<3 { try await device.exchange(device.request()) }
        #expect(try await changes(world) == before)

        try await world.write(TrustedEdit("tree", world.id("fig"), .create, ["name": "fig"]))
        try await device.sync()
        let old = try await noted(world, device)
        try await device.exchange(device.request())
        #expect(try await noted(world, device) == old)
        world.clock.advance(300_000)
        try await device.exchange(device.request())
        #expect(try await noted(world, device)["orchard"] == device.cursors[Scope("orchard")]?.cursor.value)
    }

    @Test func `scopes that a device never held are not noted`() async throws {
        let (world, device) = try await world()
        try await device.sync()
        var request = device.request()
        let stranger = Scope("tended", world.id("somebody"))
        request.scopes.append(ScopeCursor(scope: stranger, epoch: 1, cursor: ServerSequence(1)))
        let answer = try await device.exchange(request)
        #expect(answer.lost == [stranger])
        #expect(Set(try await noted(world, device).keys) == ["orchard", "yard"])
    }
}
