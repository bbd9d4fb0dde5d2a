import Foundation
import RoostAPI
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync

/// A real server's store with officers, students and their devices, which synchronise with it through the codec.
final class ServedCounty {
    let bench = Bench()
    let store: ServerStore
    private let directory: String
    private var devices: UInt8 = 0

    init() throws {
        directory = NSTemporaryDirectory() + "roost-served-" + UUID().uuidString
        let bench = bench
        store = try ServerStore(
            directory: directory, catalogue: .programme.withConflicts(about: Programme.subject), clock: { bench.now })
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    static func id(_ name: String) -> RowID { RowID(naming: "test", name) }
    static func grant(_ name: String) -> RowID { RowID(naming: "grant", name) }
    static func link(_ student: String, _ officer: String) -> RowID { RowID(naming: "link", "\(student) \(officer)") }

    func write(_ edits: TrustedEdit...) async throws {
        _ = try await store.write(edits, by: RowID(bits: 0))
    }

    /// An officer with one role.
    func appoint(_ name: String, _ role: RoleName, target: RowID? = nil) async throws {
        try await write(
            TrustedEdit("officer", Self.id(name), .create, ["name": .text(name), "capacity": 100]),
            TrustedEdit(
                "authority_grant", Self.grant(name), .create,
                [
                    "officer": .id(Self.id(name)), "role": .text(role.text), "state": "active",
                    "target": target.map { .id($0) } ?? .null,
                ]))
    }

    /// A student of age whom a liaison officer answers for.
    func enter(_ student: String, for officer: String, _ fields: [FieldName: Value] = [:]) async throws {
        var values = fields
        values["name"] = values["name"] ?? .text(student)
        values["birth"] = values["birth"] ?? "2000-05"
        try await write(
            TrustedEdit("student", Self.id(student), .create, values),
            TrustedEdit(
                "liaison", Self.link(student, officer), .create,
                [
                    "student": .id(Self.id(student)), "officer": .id(Self.id(officer)), "kind": "liaison",
                    "state": "active",
                ]
            ))
    }

    /// Ends the link, and makes another where there is somebody to take over.
    func handOver(_ student: String, from officer: String, to successor: String? = nil) async throws {
        try await write(TrustedEdit("liaison", Self.link(student, officer), .edit, ["state": "ended"]))
        guard let successor else { return }
        try await write(
            TrustedEdit(
                "liaison", Self.link(student, successor), .create,
                [
                    "student": .id(Self.id(student)), "officer": .id(Self.id(successor)), "kind": "liaison",
                    "state": "active",
                ]))
    }

    /// Lets days pass, with what the server collects in between.
    func pass(days: Int, _ meanwhile: () async throws -> Void = {}) async throws {
        for _ in stride(from: 0, to: days, by: 20) {
            bench.advance(20 * 86_400_000)
            _ = try await store.collect(Retention(tombstoneDays: 180, historyDays: 180, verdictDays: 90))
            try await meanwhile()
        }
    }

    /// A device of an officer, enrolled and empty, from which the server takes so many mutations at once.
    func device(of officer: String, _ role: RoleName, mutations limit: Int = 5000) async throws -> ServedDevice {
        devices += 1
        let world = try ReplicaWorld(
            role, officer: Self.id(officer), replica: ReplicaID(0xA0 + UInt64(devices)), bench: bench)
        try await store.keepCode(
            hash: [devices], for: Self.id(officer), until: bench.now + 600_000, madeBy: nil)
        let device = try await store.redeemCode(
            hash: [devices], replica: world.me, label: "laptop \(devices)", tokenHash: [devices])
        return ServedDevice(self, world, device, limit: limit)
    }

    /// What the operator sees of a device.
    func record(of device: ServedDevice) async throws -> DeviceRecord? {
        try await store.devices().first { $0.device.replica == device.world.me }
    }
}

/// A device and its line to the server.
final class ServedDevice {
    let world: ReplicaWorld
    let county: ServedCounty
    private let server: DirectServer

    init(_ county: ServedCounty, _ world: ReplicaWorld, _ device: Device, limit: Int = 5000) {
        self.county = county
        self.world = world
        server = DirectServer(store: county.store, device: device, limit: limit)
    }

    var replica: Replica { world.replica }
    var desk: Desk { get throws { try world.desk } }

    @discardableResult
    func sync() async throws -> SyncReport {
        try await Synchroniser(replica: replica, server: server, environment: county.bench.environment).run()
    }

    /// One exchange, without whatever would follow it.
    @discardableResult
    func exchange() async throws -> AppliedAnswer {
        try await exchange(
            try replica.nextRequest(
                limits: ChangesetLimits(mutations: server.limit, bytes: 1 << 20), at: county.bench.environment.moment))
    }

    @discardableResult
    func exchange(_ request: ExchangeRequest) async throws -> AppliedAnswer {
        try replica.apply(try await server.exchange(request), now: county.bench.now)
    }

    func student(_ name: String) throws -> ShownRow? { try replica.row("student", ServedCounty.id(name)) }

    func edit(_ name: String, _ values: [FieldName: Value]) throws {
        guard let shown = try student(name) else { throw ClientError.noSuchRow(name) }
        _ = try desk.edit("student", shown, values)
    }
}

private struct DirectServer: ExchangeServer {
    let store: ServerStore
    let device: Device
    let limit: Int

    func limits() async throws(ClientError) -> Limits { Limits(mutations: limit) }

    func confirmRevoked(_ replica: ReplicaID) async throws(ClientError) {
        do { try await store.confirmRevoked(replica) } catch { throw .badAnswer }
    }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        if let isRevoked = try? store.isRevoked(device.replica), isRevoked {
            throw .refused(
                ClientError.ServerRefusal(
                    status: 403, code: .deviceRevoked, message: Label("", ""), reason: nil, requestID: nil))
        }
        do {
            let sent = try ExchangeRequest(json: request.json)
            let result = try await store.exchange(sent, device: device, mutationLimit: limit, pageBytes: 1 << 20)
            return try ExchangeAnswer(json: result.answer)
        } catch {
            throw .badAnswer
        }
    }
}

/// Two students of one liaison officer, on the officer's device.
enum CaredFor {
    /// What stands in a field of one of them and must not stay on a disk.
    static let canary = "金丝雀甲乙丙丁"

    static func county() async throws -> (ServedCounty, ServedDevice) {
        let county = try ServedCounty()
        try await county.appoint("谭联络", "liaison")
        try await county.enter("李明", for: "谭联络", ["note_public": .text(canary)])
        try await county.enter("吴迪", for: "谭联络")
        let device = try await county.device(of: "谭联络", "liaison")
        try await device.sync()
        return (county, device)
    }
}
