import Foundation
import RoostAPI
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

/// Numbers that follow from a seed.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The real store behind a line that loses requests and answers, and cuts pages small.
private final class LossyServer: ExchangeServer {
    private let store: ServerStore
    private let device: Device
    private let chance: Mutex<Seeded>
    private let isLossy: Mutex<Bool>

    init(_ store: ServerStore, _ device: Device, seed: UInt64) {
        self.store = store
        self.device = device
        chance = Mutex(Seeded(state: seed))
        isLossy = Mutex(true)
    }

    func becomeReliable() { isLossy.withLock { $0 = false } }

    private func loses() -> Bool {
        isLossy.withLock { $0 } && chance.withLock { $0.next() % 4 == 0 }
    }

    func limits() async throws(ClientError) -> Limits { Limits(mutations: 4) }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        if loses() { throw .unreachable(reason: "interrupted") }
        let answer: ExchangeAnswer
        do {
            let sent = try ExchangeRequest(json: request.json)
            let result = try await store.exchange(sent, device: device, mutationLimit: 4, pageBytes: 4096)
            answer = try ExchangeAnswer(json: result.answer)
        } catch {
            throw .badAnswer
        }
        // The server has done its part and the device never hears of it.
        if loses() { throw .unreachable(reason: "interrupted") }
        return answer
    }
}

@Suite struct ConvergenceTests {
    private let bench = Bench()

    private func officer(_ store: ServerStore, _ name: String, _ role: RoleName) async throws -> RowID {
        let id = RowID(naming: "test", name)
        _ = try await store.write(
            [
                TrustedEdit("officer", id, .create, ["name": .text(name), "capacity": 100]),
                TrustedEdit(
                    "authority_grant", RowID(naming: "grant", name), .create,
                    ["officer": .id(id), "role": .text(role.text), "state": "active"]),
            ], by: id)
        return id
    }

    private func world(
        _ store: ServerStore, _ officer: RowID, _ role: RoleName, _ number: UInt8, seed: UInt64
    ) async throws -> (ReplicaWorld, LossyServer) {
        let world = try ReplicaWorld(role, officer: officer, replica: ReplicaID(0xA0 + UInt64(number)), bench: bench)
        try await store.keepCode(
            hash: [number], for: officer, until: Milliseconds(bench.now.value + 600_000), madeBy: nil)
        let device = try await store.redeemCode(
            hash: [number], replica: world.me, label: "device \(number)", tokenHash: [number])
        return (world, LossyServer(store, device, seed: seed &+ UInt64(number)))
    }

    private func synchronise(_ world: ReplicaWorld, _ server: LossyServer) async throws {
        do {
            _ = try await Synchroniser(replica: world.replica, server: server, environment: bench.environment).run()
        } catch ClientError.unreachable {
            // The next time.
        }
    }

    /// What a person does, now and then.
    private func act(_ world: ReplicaWorld, _ chance: inout Seeded) throws {
        let desk = try world.desk
        let students = try desk.students([])
        bench.advance(Int64(chance.next() % 5000))
        guard let student = students.randomElement(using: &chance), chance.next() % 4 != 0 else {
            _ = try desk.add(
                ["name": .text("学生\(chance.next() % 1000)")],
                parts: chance.next() % 2 == 0 ? [.init("schooling", ["level": "21", "cohort": 2027])] : [])
            return
        }
        let values: [FieldName: Value] =
            switch chance.next() % 3 {
            case 0: ["name": .text("姓名\(chance.next() % 5)")]
            case 1: ["wechat": .text("w\(chance.next() % 5)"), "gender": .text("\(1 + chance.next() % 2)")]
            default: ["note_public": chance.next() % 3 == 0 ? .null : .text("n\(chance.next() % 5)")]
            }
        do {
            _ = try desk.edit("student", student, values)
        } catch ClientError.nothingToChange {
            // The row says so already.
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `devices over a lossy line end with what the server shows them, nothing pending and nothing refused`(
        seed: UInt64
    ) async throws {
        let directory = NSTemporaryDirectory() + "roost-converge-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let bench = bench
        let store = try ServerStore(
            directory: directory, catalogue: .programme.withConflicts(about: Programme.subject), clock: { bench.now })
        defer { try? store.close() }
        let registrar = try await officer(store, "登记员", "registrar")
        let liaison = try await officer(store, "联络员", "liaison")
        var devices: [(world: ReplicaWorld, server: LossyServer)] = []
        for (number, (person, role)) in [(registrar, "registrar"), (registrar, "registrar"), (liaison, "liaison")]
            .enumerated()
        {
            devices.append(try await world(store, person, RoleName(role), UInt8(number + 1), seed: seed))
        }

        var chance = Seeded(state: seed)
        for _ in 0..<60 {
            guard let device = devices.randomElement(using: &chance) else { continue }
            if chance.next() % 3 == 0 {
                try await synchronise(device.world, device.server)
            } else {
                try act(device.world, &chance)
            }
            if chance.next() % 10 == 0 { try device.world.reopen() }
        }
        for _ in 0..<2 {
            for device in devices {
                device.server.becomeReliable()
                try await synchronise(device.world, device.server)
            }
        }

        for collection in ["student", "schooling", "liaison", "conflict"] as [CollectionName] {
            let truth = try await store.rows(of: collection)
            for (index, device) in devices.enumerated() {
                let shown = try device.world.replica.rows(of: collection)
                #expect(shown.allSatisfy { !$0.isPending })
                let mine =
                    index == 2 ? truth.filter { row in shown.contains { $0.row.key.id == row.key.id } } : truth
                #expect(
                    Dictionary(uniqueKeysWithValues: shown.map { ($0.row.key.id, $0.row.values) })
                        == Dictionary(uniqueKeysWithValues: mine.map { ($0.key.id, $0.values) }))
            }
        }
        // Whoever the liaison officer answers for is on their device, and nobody else.
        let links = try await store.rows(of: "liaison", where: .field("officer", is: .id(liaison)))
        let held = Set(try devices[2].world.replica.rows(of: "student").map(\.row.key.id))
        #expect(held == Set(links.compactMap { $0.values[0].id }))
        #expect(try devices.allSatisfy { try $0.world.replica.status().pending == 0 })
        #expect(try devices.allSatisfy { try $0.world.replica.refused().isEmpty })
    }
}
