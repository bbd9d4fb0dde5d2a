import Foundation
import RoostSchema
import RoostSync
import Testing
import Zlib

@testable import RoostStore

/// Numbers that follow from a seed.
private struct Chance {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}

/// How often a run came upon what it is there for.
private struct Sightings {
    var resnapshots = 0
    var departures = 0
    var rows = 0
    var snapshots = 0
}

/// An orchard in which things happen by chance while devices read along in different ways.
private final class CheckpointRun {
    private static let day: Int64 = 86_400_000
    private let world: StoreWorld
    private var chance: Chance
    private var trees: [RowID] = []
    private var tendings: [RowID] = []
    private(set) var sightings = Sightings()
    /// Of either officer: one that reads often, one that reads rarely, and one that reads a row at a time.
    private var devices: [DeviceModel] = []
    private var slow: [DeviceModel] = []

    init(seed: UInt64) async throws {
        world = try StoreWorld()
        chance = Chance(state: seed)
        try await world.appoint("Wen", "warden")
        try await world.appoint("Tan", "tender")
        _ = try world.store.snapshots.open(minimumRows: 3)
        for officer in ["Wen", "Tan"] {
            for name in ["often", "rarely"] { devices.append(try await world.device(name, of: officer)) }
            slow.append(try await world.device("slow", of: officer))
        }
    }

    func run(steps: Int) async throws {
        for step in 0..<steps {
            try await act(step)
            switch chance.below(12) {
            case 0: try await devices[0].sync(page: 4096)
            case 1: try await devices[2].sync(page: 4096)
            case 2, 3:
                guard chance.below(8) == 0 else { break }
                let device = devices[1 + 2 * chance.below(2)]
                try await note(device.exchange(device.request()))
                try await device.sync()
            // A page, which is one padded row, and no more.
            case 4, 5: for device in slow { try await note(device.exchange(device.request(page: 4096), page: 4096)) }
            case 6: try await begin(by: chance.below(2) == 0 ? "Wen" : "Tan", "by snapshot \(step)")
            case 7, 8:
                world.clock.advance(Int64(1 + chance.below(15)) * Self.day)
                let report = try await world.store.collect(
                    Retention(tombstoneDays: 30, historyDays: 30, verdictDays: 30))
                sightings.departures += report.departures
                sightings.rows += report.rows
            default: world.clock.advance(Int64(chance.below(1000)))
            }
        }
    }

    private func act(_ step: Int) async throws {
        let tree = trees.isEmpty ? nil : trees[chance.below(trees.count)]
        let edit: TrustedEdit
        switch (chance.below(8), tree) {
        case (2, let tree?): edit = TrustedEdit("tree", tree, .edit, ["crop": .integer(Int64(step))])
        case (3, let tree?): edit = TrustedEdit("tree", tree, chance.below(3) == 0 ? .restore : .delete)
        case (4, let tree?):
            edit = TrustedEdit("tree", tree, .edit, ["shy": .boolean(chance.below(2) == 0)])
        case (5, let tree?):
            tendings.append(world.id("tending \(step)"))
            edit = TrustedEdit(
                "tending", world.id("tending \(step)"), .create, ["tree": .id(tree), "picker": .id(world.id("Tan"))])
        case (6, _) where !tendings.isEmpty:
            let tending = tendings[chance.below(tendings.count)]
            edit =
                chance.below(2) == 0
                ? TrustedEdit("tending", tending, .edit, ["state": "ended"]) : TrustedEdit("tending", tending, .delete)
        default:
            trees.append(world.id("tree \(step)"))
            edit = TrustedEdit(
                "tree", world.id("tree \(step)"), .create,
                [
                    "name": .text("Tree \(step)"), "owner_phone": .text("+86199\(10_000_000 + step)"),
                    // Not of this catalogue, so nothing limits it: a row larger than the smallest page.
                    "padding": .text(String(repeating: "长", count: 1500)),
                ])
        }
        do { try await world.write(edit) } catch is RefusedWrite {
            // Collected, or tended by somebody already.
        }
    }

    private func note(_ answer: ExchangeAnswer) {
        sightings.resnapshots += answer.scopes.filter(\.mustResnapshot).count
    }

    /// Begins with snapshots where they are offered, and goes on with what came since.
    private func begin(by officer: String, _ name: String) async throws {
        let device = try await world.device(name, of: officer)
        for _ in 0..<2 {
            var request = device.request()
            request.snapshots = true
            let (bytes, _) = try await world.store.exchange(
                request, device: device.device, mutationLimit: 10, pageBytes: 1 << 20)
            for page in try ExchangeAnswer(json: bytes).scopes {
                if page.wait != nil { _ = try await world.store.makeSnapshot(of: page.scope.description) }
                guard let offer = page.snapshot,
                    let snapshot = try await world.store.snapshot(offer.id, for: device.device.officer)
                else { continue }
                let text = try gunzip([UInt8](Data(contentsOf: URL(fileURLWithPath: snapshot.path))), limit: offer.size)
                for line in text.split(separator: 0x0A) {
                    var reader = JSONReader(Array(line))
                    let row = try WireRow(&reader)
                    device.copies[page.scope, default: [:]][DeviceModel.key(row.collection, row.row)] = row
                }
                device.cursors[page.scope] = ScopeCursor(scope: page.scope, epoch: page.epoch, cursor: offer.sequence)
                sightings.snapshots += 1
            }
        }
        devices.append(device)
    }

    /// What a device shows; of deleted rows it may know more or fewer.
    private func shown(_ device: DeviceModel) -> [Scope: [String: WireRow]] {
        device.copies.mapValues { $0.filter { $0.value.deleted == nil } }.filter { !$0.value.isEmpty }
    }

    /// However a device came to where it is, it has what one has that reads everything from zero.
    func check() async throws {
        for officer in ["Wen", "Tan"] {
            let fresh = try await world.device("fresh", of: officer)
            try await fresh.sync()
            for device in devices + slow where device.device.officer == world.id(officer) {
                // Round by round, as pages go: it must come to an end.
                try await note(device.exchange(device.request(page: 4096), page: 4096))
                try await device.sync(page: 4096)
                #expect(shown(device) == shown(fresh), "\(device.device.label) of \(officer)")
                let idle = try await device.exchange(device.request())
                #expect(idle.scopes.isEmpty && idle.lost.isEmpty)
            }
        }
        let truth = try await world.store.rows(of: "tree")
        #expect(devices[0].rows("tree") == Set(truth.map(\.key.id)))
    }
}

@Suite struct `Checkpoints` {
    /// For every cut c and every collection: reading to c and then what comes after equals reading from zero.
    @Test func `however a feed is read and whatever is collected from it, the end is the same`() async throws {
        var total = Sightings()
        for seed in 0..<24 as Range<UInt64> {
            let run = try await CheckpointRun(seed: seed)
            try await run.run(steps: 110)
            try await run.check()
            total.resnapshots += run.sightings.resnapshots
            total.departures += run.sightings.departures
            total.rows += run.sightings.rows
            total.snapshots += run.sightings.snapshots
        }
        // A run that never came upon them would prove nothing.
        #expect(total.resnapshots > 0 && total.departures > 0 && total.rows > 0 && total.snapshots > 0)
    }
}
