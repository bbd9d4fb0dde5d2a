import Foundation
import RoostSchema
import RoostSync
import Testing
import Zlib

@testable import RoostStore

@Suite struct `Snapshots` {
    private let orchard = Scope("orchard")
    private let tended = Scope("tended:\(RowID(naming: "test", "Tan"))")

    private func world(trees: Int = 300) async throws -> StoreWorld {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        try await world.appoint("Tan", "tender")
        for index in 0..<trees {
            try await world.write(
                TrustedEdit(
                    "tree", world.id("tree \(index)"), .create,
                    ["name": .text("Tree \(index)"), "secret": "hollow", "owner_phone": "+8619900001234"]),
                TrustedEdit(
                    "tending", world.id("tending \(index)"), .create,
                    ["tree": .id(world.id("tree \(index)")), "picker": .id(world.id("Tan"))]))
        }
        return world
    }

    /// The pages of an exchange by a device that takes snapshots.
    private func pages(_ device: DeviceModel) async throws -> [ScopePage] {
        var request = device.request()
        request.snapshots = true
        let received = try ExchangeRequest(json: request.json)
        let (answer, _) = try await device.world.store.exchange(
            received, device: device.device, mutationLimit: 5000, pageBytes: 1 << 20)
        return try ExchangeAnswer(json: answer).scopes
    }

    private func page(_ scope: Scope?, of device: DeviceModel) async throws -> ScopePage {
        try #require(try await pages(device).first { $0.scope == scope })
    }

    /// Reads a snapshot's file as a stranger would, into a device's copies.
    private func take(_ page: ScopePage, _ device: DeviceModel) async throws {
        let offer = try #require(page.snapshot)
        let snapshot = try #require(try await device.world.store.snapshot(offer.id, for: device.device.officer))
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: snapshot.path)))
        #expect(bytes.count == offer.bytes)
        let lines = try gunzip(bytes, limit: offer.size).split(separator: 0x0A)
        #expect(lines.count == offer.rows)
        device.copies[page.scope] = [:]
        for line in lines {
            var reader = JSONReader(Array(line))
            let row = try WireRow(&reader)
            device.copies[page.scope]?[DeviceModel.key(row.collection, row.row)] = row
        }
        device.cursors[page.scope] = ScopeCursor(scope: page.scope, epoch: page.epoch, cursor: offer.sequence)
    }

    @Test func `a large scope comes as one file, a small one as pages, and both as pages to whoever takes no files`()
        async throws
    {
        let world = try await world()
        let requests = try world.store.snapshots.open(minimumRows: 100)
        let device = try await world.device("desk", of: "Wen")
        #expect(try await page(orchard, of: device).wait != nil)
        #expect(try await page(Scope("yard"), of: device).rows.count == 2)
        // Asked for once, however many wait.
        #expect(try await page(orchard, of: try await world.device("other", of: "Wen")).wait != nil)
        var asked = requests.makeAsyncIterator()
        #expect(await asked.next() == "orchard")
        _ = try await world.store.makeSnapshot(of: "orchard")

        let offered = try await page(orchard, of: device)
        #expect(offered.rows.isEmpty && offered.more && offered.cursor == .zero)
        try await take(offered, device)
        let paged = try await world.device("old", of: "Wen")
        try await paged.sync()
        try await device.sync()
        #expect(device.copies == paged.copies)
        #expect(try await pages(device).isEmpty)
        // Shared by all who may have it.
        #expect(try await page(orchard, of: try await world.device("third", of: "Wen")).snapshot == offered.snapshot)
        world.store.snapshots.close()
        #expect(await asked.next() == nil)
    }

    @Test func `nobody waits for the snapshot of a scope that has emptied since the last one was made`() async throws {
        let world = try await world(trees: 30)
        _ = try world.store.snapshots.open(minimumRows: 10)
        let scope = try #require(tended).description
        let first = try await world.device("phone", of: "Tan")
        #expect(try await page(tended, of: first).wait != nil)
        #expect(try await world.store.makeSnapshot(of: scope) != nil)
        #expect(try await page(tended, of: first).snapshot != nil)
        for index in 0..<30 {
            try await world.write(TrustedEdit("tending", world.id("tending \(index)"), .edit, ["state": "ended"]))
        }
        world.clock.advance(60_000)
        let second = try await world.device("tablet", of: "Tan")
        #expect(try await page(tended, of: second).wait != nil)
        #expect(try await world.store.makeSnapshot(of: scope) == nil)
        let empty = try await page(tended, of: second)
        #expect(empty.wait == nil && empty.snapshot == nil && empty.rows.isEmpty && !empty.more)
    }

    @Test func `a snapshot with what came after equals reading from the beginning`() async throws {
        let world = try await world()
        _ = try world.store.snapshots.open(minimumRows: 10)
        let device = try await world.device("desk", of: "Wen")
        _ = try await world.store.makeSnapshot(of: "orchard")
        let offered = try await page(orchard, of: device)
        for index in 0..<20 {
            try await world.write(
                TrustedEdit("tree", world.id("tree \(index)"), .edit, ["crop": .integer(Int64(index))]),
                TrustedEdit("tree", world.id("late \(index)"), .create, ["name": "Late"]))
        }
        try await take(offered, device)
        // What changes once it is taken matters to nobody.
        try await world.write(TrustedEdit("tree", world.id("tree 50"), .delete))
        try await device.sync()
        let fresh = try await world.device("new", of: "Wen")
        try await fresh.sync(page: 4096)
        #expect(device.copies == fresh.copies)
    }

    @Test func `it shows what its scope shows, and only those get it who hold the scope`() async throws {
        let world = try await world(trees: 20)
        _ = try world.store.snapshots.open(minimumRows: 10)
        let name = try #require(tended).description
        let made = try #require(try await world.store.makeSnapshot(of: name))
        let text = String(
            decoding: try gunzip([UInt8](Data(contentsOf: URL(fileURLWithPath: made.path))), limit: 1 << 20),
            as: UTF8.self)
        #expect(text.contains("Tree 7") && text.contains("+8619900001234") && !text.contains("hollow"))
        let attributes = try FileManager.default.attributesOfItem(atPath: made.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try await world.store.snapshot(made.offer.id, for: world.id("Tan")) != nil)
        #expect(try await world.store.snapshot(made.offer.id, for: world.id("Wen")) == nil)
        #expect(try await world.store.snapshot(String(repeating: "0", count: 64), for: world.id("Tan")) == nil)
        try await world.write(TrustedEdit("appointment", world.id("Tan tender"), .edit, ["active": false]))
        world.clock.advance(1)
        #expect(try await world.store.snapshot(made.offer.id, for: world.id("Tan")) == nil)
    }

    @Test(arguments: ["leaves", "is deleted", "is shown with less", "grows old"])
    func `nobody is given a snapshot any more once a row in it`(fate: String) async throws {
        let world = try await world(trees: 20)
        _ = try world.store.snapshots.open(minimumRows: 10)
        let scope = try #require(tended)
        let made = try #require(try await world.store.makeSnapshot(of: scope.description))
        let device = try await world.device("phone", of: "Tan")
        #expect(try await page(scope, of: device).snapshot == made.offer)
        switch fate {
        case "leaves": try await world.write(TrustedEdit("tending", world.id("tending 3"), .edit, ["state": "ended"]))
        case "is deleted": try await world.write(TrustedEdit("tree", world.id("tree 3"), .delete))
        case "is shown with less": try await world.write(TrustedEdit("tree", world.id("tree 3"), .edit, ["shy": true]))
        default: world.clock.advance(SnapshotShelf.maximumAge)
        }
        #expect(try await world.store.snapshot(made.offer.id, for: world.id("Tan")) == nil)
        // At once there are pages instead; another snapshot is made when there is time.
        let page = try await page(scope, of: device)
        #expect(page.snapshot == nil)
        #expect(fate == "grows old" ? page.wait != nil : !page.rows.isEmpty)
        world.store.snapshots.sweep(now: world.clock.now)
        #expect(FileManager.default.fileExists(atPath: made.path) == (fate != "grows old"))
        world.store.snapshots.removeAll()
        #expect(!FileManager.default.fileExists(atPath: made.path))
    }

    @Test func `opening the shelf removes what an earlier process left`() async throws {
        let world = try await world(trees: 5)
        _ = try world.store.snapshots.open(minimumRows: 1)
        let made = try #require(try await world.store.makeSnapshot(of: "orchard"))
        _ = try world.store.snapshots.open(minimumRows: 1)
        #expect(!FileManager.default.fileExists(atPath: made.path))
        #expect(try await world.store.makeSnapshot(of: "tended") == nil)
        #expect(try await world.store.makeSnapshot(of: "nonsense") == nil)
    }
}
