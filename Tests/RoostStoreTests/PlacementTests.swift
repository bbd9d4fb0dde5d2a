import GRDB
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

/// A catalogue whose scopes show something else than those of the one before.
@Suite struct PlacementTests {
    private struct Orchards {
        var world: StoreWorld
        var kept: [StoreWorld] = []

        /// Serves the database under another catalogue; devices keep what they have.
        mutating func upgrade(_ catalogue: Catalogue, _ devices: DeviceModel...) throws -> [DeviceModel] {
            try world.store.close()
            kept.append(world)
            let clock = world.clock.now.value
            world = try StoreWorld(catalogue, in: world.directory)
            world.clock.advance(clock - world.clock.now.value + 1000)
            return devices.map { old in
                let device = DeviceModel(world, old.device)
                (device.cursors, device.copies, device.next) = (old.cursors, old.copies, old.next)
                return device
            }
        }
    }

    private func founded() async throws -> (Orchards, warden: DeviceModel, tender: DeviceModel) {
        let orchards = Orchards(world: try StoreWorld())
        let world = orchards.world
        try await world.appoint("Wen", "warden")
        try await world.appoint("Tan", "tender")
        try await world.write(
            TrustedEdit("tree", world.id("apple"), .create, ["name": "Apple", "owner_phone": "+8619900001234"]),
            TrustedEdit("tree", world.id("pear"), .create, ["name": "Pear", "crop": 5, "secret": "worms"]),
            TrustedEdit("picture", world.id("p"), .create, ["tree": .id(world.id("apple"))]),
            TrustedEdit(
                "tending", world.id("t1"), .create, ["tree": .id(world.id("apple")), "picker": .id(world.id("Tan"))]),
            TrustedEdit(
                "tending", world.id("t2"), .create, ["tree": .id(world.id("pear")), "picker": .id(world.id("Tan"))]))
        let devices = (try await world.device("desk", of: "Wen"), try await world.device("phone", of: "Tan"))
        try await devices.0.sync()
        try await devices.1.sync()
        #expect(devices.1.row("tree", world.id("apple"))?["owner_phone"] == "+8619900001234")
        #expect(devices.1.rows("picture") == [world.id("p")])
        return (orchards, devices.0, devices.1)
    }

    private func isIdle(_ device: DeviceModel) async throws -> Bool {
        let answer = try await device.exchange(device.request())
        return answer.scopes.isEmpty && answer.lost.isEmpty
    }

    @Test func `what is shown no longer leaves the devices, and who sees the same reads nothing anew`() async throws {
        var (orchards, warden, tender) = try await founded()
        let world = orchards.world
        let narrower = [View("tree", .subject, admits: .field("fruit", is: .null)), View("tending", .subject)]
        var devices = try orchards.upgrade(Orchard.catalogue(tended: narrower, version: 2), warden, tender)
        (warden, tender) = (devices[0], devices[1])
        #expect(try await isIdle(warden))
        try await tender.sync()
        #expect(tender.row("tree", world.id("apple"))?["name"] == "Apple")
        #expect(tender.row("tree", world.id("apple"))?["owner_phone"] == nil)
        #expect(tender.rows("picture").isEmpty)
        let listed = try await orchards.world.store.pool.read { db in
            try Int.fetchOne(
                db,
                sql:
                    "SELECT count(*) FROM member WHERE present = 0 AND collection = (SELECT id FROM collection WHERE name = 'picture')"
            )
        }
        #expect(listed == 1)

        // Fewer rows.
        let fewer = [View("tree", .subject, admits: .not(.field("crop", is: .null))), View("tending", .subject)]
        devices = try orchards.upgrade(Orchard.catalogue(tended: fewer, version: 3), warden, tender)
        (warden, tender) = (devices[0], devices[1])
        #expect(try await isIdle(warden))
        try await tender.sync()
        #expect(tender.rows("tree") == [world.id("pear")])

        // And all of it again, with what was hidden.
        let all =
            Orchard.tended.dropFirst() + [View("tree", .subject, ["main": .full, "contact": .full, "secret": .full])]
        devices = try orchards.upgrade(Orchard.catalogue(tended: Array(all), version: 4), warden, tender)
        (warden, tender) = (devices[0], devices[1])
        try await tender.sync()
        #expect(tender.row("tree", world.id("apple"))?["owner_phone"] == "+8619900001234")
        #expect(tender.row("tree", world.id("pear"))?["secret"] == "worms")
        #expect(tender.rows("picture") == [world.id("p")])
        let fresh = try await orchards.world.device("new phone", of: "Tan")
        try await fresh.sync()
        #expect(fresh.copies == tender.copies)
        withExtendedLifetime(orchards) {}
    }

    @Test func `a new field or collection, and the same catalogue again, move nothing`() async throws {
        var (orchards, warden, tender) = try await founded()
        for extra in [[], [Field("nickname", .text(max: 40), "昵称", "Nickname")]] {
            let devices = try orchards.upgrade(Orchard.catalogue(extraTreeFields: extra, version: 2), warden, tender)
            (warden, tender) = (devices[0], devices[1])
            #expect(try await isIdle(warden))
            #expect(try await isIdle(tender))
        }
        withExtendedLifetime(orchards) {}
    }
}
