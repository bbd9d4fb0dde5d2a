import Foundation
import RoostAPI
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

/// A real store that can be put back from a copy, and devices of people who hold it.
final class RecoveryWorld {
    let bench = Bench()
    private let root: String
    let server: Line
    private var codes: UInt8 = 0

    var directory: String { root + "/server" }
    var store: ServerStore { server.store }

    private let served: Served

    init(_ catalogue: Catalogue = .programme.withConflicts(about: Programme.subject)) throws {
        let served = Served(catalogue)
        self.served = served
        root = NSTemporaryDirectory() + "roost-recovery-" + UUID().uuidString
        let bench = bench
        let path = root + "/server"
        server = try Line {
            try ServerStore(directory: path, catalogue: served.catalogue, clock: { bench.now })
        }
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(atPath: root)
    }

    func officer(_ name: String, _ role: RoleName) async throws -> RowID {
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

    /// Makes a code and trades it for an enrolment of a replica, as `roost enrol` does over HTTP.
    func enrol(_ replica: ReplicaID, _ officer: RowID) async throws {
        codes += 1
        try await store.keepCode(
            hash: [codes], for: officer, until: Milliseconds(bench.now.value + 600_000), madeBy: nil)
        _ = try await store.redeemCode(
            hash: [codes], replica: replica, label: "device", tokenHash: [codes], expecting: officer)
    }

    /// Starts the server again with another version of the catalogue.
    func serve(_ catalogue: Catalogue) throws { try server.restart { self.served.become(catalogue) } }

    func device(
        _ number: UInt64, of officer: RowID,
        _ catalogue: Catalogue = .programme.withConflicts(about: Programme.subject)
    ) async throws -> RecoveryDevice {
        let device = try ReplicaWorld(
            "registrar", catalogue: catalogue, officer: officer, replica: ReplicaID(0xA0 + number), bench: bench)
        try await enrol(device.me, officer)
        return RecoveryDevice(device, server)
    }

    // MARK: Copies of the server

    func backUp() throws -> String {
        let path = root + "/backup-" + UUID().uuidString
        try store.backUp(to: path)
        return path
    }

    /// Restores as the operator's command does.
    func restore(_ backup: String) throws {
        try server.restart { _ = try ServerStore.restore(backup, to: self.directory) }
    }

    /// Puts a copy of the database in place by hand and leaves what is beside it.
    func putBack(_ backup: String) throws {
        try server.restart {
            for suffix in ["-wal", "-shm", ""] {
                try? FileManager.default.removeItem(atPath: self.directory + "/" + ServerStore.fileName + suffix)
            }
            try FileManager.default.copyItem(atPath: backup, toPath: self.directory + "/" + ServerStore.fileName)
        }
    }

    /// Copies everything, as a snapshot of the machine does.
    func snapshot() throws -> String {
        let path = root + "/snapshot-" + UUID().uuidString
        try server.restart { try FileManager.default.copyItem(atPath: self.directory, toPath: path) }
        return path
    }

    func putBackSnapshot(_ snapshot: String) throws {
        try server.restart {
            try FileManager.default.removeItem(atPath: self.directory)
            try FileManager.default.copyItem(atPath: snapshot, toPath: self.directory)
        }
    }

    /// Everything people see of the rows that matter, with the stamps that say who wrote it when.
    func truth() async throws -> [RowID: [String]] {
        var found: [RowID: [String]] = [:]
        for collection in ["student", "schooling", "liaison"] as [CollectionName] {
            for row in try await store.rows(of: collection) {
                found[row.key.id] = row.values.indices.map { "\(row.values[$0]) \(row.stamp(of: $0))" }
            }
        }
        return found
    }
}

/// The catalogue a server is started with.
private final class Served: Sendable {
    private let state: Mutex<Catalogue>

    init(_ catalogue: Catalogue) { state = Mutex(catalogue) }

    var catalogue: Catalogue { state.withLock { $0 } }

    func become(_ catalogue: Catalogue) { state.withLock { $0 = catalogue } }
}

/// The store behind the wire, which may end between the two.
final class Line: Sendable {
    private let state: Mutex<ServerStore>
    private let open: @Sendable () throws -> ServerStore

    init(_ open: @escaping @Sendable () throws -> ServerStore) throws {
        self.open = open
        state = Mutex(try open())
    }

    var store: ServerStore { state.withLock { $0 } }

    func restart(_ between: () throws -> Void) throws {
        try store.close()
        try between()
        let fresh = try open()
        state.withLock { $0 = fresh }
    }
}

/// A device's way to the server: through the codec, as over HTTP.
final class DeviceLine: ExchangeServer {
    private let line: Line
    private let device: Mutex<Device>
    private let loses = Mutex(false)

    init(_ line: Line, _ device: Device) {
        self.line = line
        self.device = Mutex(device)
    }

    func become(_ replica: ReplicaID) {
        device.withLock { $0 = Device(replica: replica, officer: $0.officer, label: $0.label) }
    }

    /// Has the server do its part the next time, and the device never hear of it.
    func loseNextAnswer() { loses.withLock { $0 = true } }

    func limits() async throws(ClientError) -> Limits { Limits() }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        let answer: ExchangeAnswer
        do {
            let result = try await line.store.exchange(
                try ExchangeRequest(json: request.json), device: device.withLock { $0 }, mutationLimit: 5000,
                pageBytes: 1 << 20)
            answer = try ExchangeAnswer(json: result.answer)
        } catch ExchangeError.oldIncarnation {
            throw .refused(
                .init(
                    status: 409, code: .conflict, message: Label("旧", "old"), reason: ReplicaCopied.reason,
                    requestID: nil))
        } catch ExchangeError.lostHistory {
            throw .refused(
                .init(
                    status: 409, code: .conflict, message: Label("缺", "lost"), reason: "history_lost",
                    requestID: nil))
        } catch {
            throw .badAnswer
        }
        let isLost = loses.withLock { loses in
            defer { loses = false }
            return loses
        }
        if isLost { throw .unreachable(reason: "interrupted") }
        return answer
    }
}

/// One device with its line to the server.
struct RecoveryDevice {
    let world: ReplicaWorld
    let line: DeviceLine

    init(_ world: ReplicaWorld, _ line: Line) {
        self.world = world
        self.line = DeviceLine(line, Device(replica: world.me, officer: world.officer, label: "device"))
    }

    @discardableResult
    func sync() async throws -> SyncReport {
        try await Synchroniser(replica: world.replica, server: line, environment: world.bench.environment).run()
    }

    /// Adds a student and answers with the row.
    func add(_ name: String) throws -> RowID {
        world.bench.advance(1000)
        return try world.desk.add(["name": .text(name)])
    }

    func edit(_ student: RowID, _ values: [FieldName: Value]) throws {
        world.bench.advance(1000)
        let row = try #require(try world.replica.row("student", student))
        _ = try world.desk.edit("student", row, values)
    }

    func name(_ student: RowID) throws -> Value? { try world.value("student", student, "name") }

    /// Whether the server and this device agree and nothing waits.
    func isAtRest() throws -> Bool {
        let status = try world.replica.status()
        return try status.pending == 0 && world.replica.refused().isEmpty
    }
}
