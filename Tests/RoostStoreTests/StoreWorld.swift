import Foundation
import GRDB
import RoostSchema
import RoostSync
import Synchronization
import Testing

@testable import RoostStore

typealias GRDBRow = GRDB.Row

/// A clock that moves only when told.
final class ManualClock: Sendable {
    private let milliseconds: Mutex<Int64>

    init(_ start: Int64 = 1_757_635_200_000) { milliseconds = Mutex(start) }

    var now: Milliseconds { Milliseconds(milliseconds.withLock { $0 }) }
    func advance(_ by: Int64) { milliseconds.withLock { $0 += by } }
}

/// A store in a folder of its own, with people and devices; the folder goes when the world does.
final class StoreWorld {
    let clock = ManualClock()
    let store: ServerStore
    let directory: String
    private var counter: UInt64 = 0

    init(
        _ catalogue: Catalogue = Orchard.catalogue(), in directory: String? = nil,
        observing: (@Sendable (String) -> Void)? = nil
    ) throws {
        self.directory = directory ?? NSTemporaryDirectory() + "roost-store-" + UUID().uuidString
        let clock = clock
        store = try ServerStore(
            directory: self.directory, catalogue: catalogue, clock: { clock.now }, observing: observing)
        counter = try store.pool.read { db in try UInt64.fetchOne(db, sql: "SELECT count(*) FROM replica") ?? 0 }
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func id(_ name: String) -> RowID { RowID(naming: "test", name) }

    /// An officer with a role; the grant row is named after both.
    func appoint(_ name: String, _ role: String, place: RowID? = nil) async throws {
        let known = try await store.rows("picker", ids: [id(name)])
        var edits: [TrustedEdit] =
            known.isEmpty ? [TrustedEdit("picker", id(name), .create, ["name": .text(name)])] : []
        edits.append(
            TrustedEdit(
                "appointment", id("\(name) \(role)"), .create,
                ["picker": .id(id(name)), "role": .text(role), "place": place.map { .id($0) } ?? .null]))
        _ = try await store.write(edits, by: id("warden"))
    }

    func write(_ edits: TrustedEdit...) async throws {
        _ = try await store.write(edits, by: id("warden"))
    }

    func device(_ name: String, of officer: String) async throws -> DeviceModel {
        counter += 1
        let replica = ReplicaID(0xD000 + counter)
        let now = clock.now.value
        let owner = id(officer)
        try await store.pool.write { db in
            let statement = try BoundStatement(
                db, "INSERT INTO replica (id, officer, label, enrolled_ms) VALUES (?, ?, ?, ?)")
            try statement.bind(1, replica)
            try statement.bind(2, owner)
            try statement.bind(3, name)
            try statement.bind(4, now)
            try statement.run()
        }
        return DeviceModel(self, Device(replica: replica, officer: owner, label: name))
    }
}

/// The simplest client there can be: keeps copies by (scope, row), and a queue.
final class DeviceModel {
    let world: StoreWorld
    let device: Device
    var skew: Int64 = 0
    var cursors: [Scope: ScopeCursor] = [:]
    var copies: [Scope: [String: WireRow]] = [:]
    var pending: [Mutation] = []
    var verdicts: [Int64: Verdict] = [:]
    var next: Int64 = 1
    var lastAnswer: [UInt8] = []
    /// Whether the server waits for word that what it took away is gone.
    var owes = false
    private var hybrid = HybridClock(last: HybridTime(bits: 0))

    init(_ world: StoreWorld, _ device: Device) {
        self.world = world
        self.device = device
    }

    var deviceNow: Milliseconds { world.clock.now + skew }

    static func key(_ collection: String, _ row: RowID) -> String { "\(collection) \(row)" }

    /// What the device shows of a row: the union of its copies, unmasked values first.
    func row(_ collection: String, _ row: RowID) -> [String: Value]? {
        let found = copies.values.compactMap { $0[Self.key(collection, row)] }.filter { $0.deleted == nil }
        guard !found.isEmpty else { return nil }
        var fields: [String: Value] = [:]
        for copy in found {
            for change in copy.fields where fields[change.field] == nil || !copy.masked.contains(change.field) {
                fields[change.field] = change.value
            }
        }
        return fields
    }

    func rows(_ collection: String) -> Set<RowID> {
        Set(copies.values.flatMap { $0.values }.filter { $0.collection == collection && $0.deleted == nil }.map(\.row))
    }

    /// Queues an edit stamped by this device's clock, based on what it has.
    @discardableResult
    func edit(
        _ collection: String, _ row: RowID, _ action: Mutation.Action = .edit, _ changes: [String: Value] = [:],
        group: Int64? = nil
    ) -> Int64 {
        let seen = copies.values.compactMap { $0[Self.key(collection, row)] }
        let stamps = seen.flatMap { copy in
            (changes.isEmpty ? [copy.stamp] : changes.keys.map { copy.stamps[$0] ?? copy.stamp })
                + [copy.deleted].compactMap { $0 }
        }
        let whole = seen.flatMap { [$0.stamp] + $0.stamps.values }
        let isAuthoritative = world.store.rules.catalogue[CollectionName(collection)]?.syncClass == .authoritative
        let number = next
        next += 1
        pending.append(
            Mutation(
                number: number, group: group, collection: collection, row: row, action: action,
                time: hybrid.tick(now: deviceNow), base: (isAuthoritative ? whole : stamps).max(), seen: whole.max(),
                changes: changes.sorted { $0.key < $1.key }.map { Mutation.Change($0.key, $0.value) }))
        return number
    }

    func request(page: Int? = nil) -> ExchangeRequest {
        var request = ExchangeRequest(
            catalogue: 1, replica: device.replica, incarnation: 1, epoch: nil, now: deviceNow, mutations: pending,
            scopes: cursors.values.sorted { $0.scope < $1.scope })
        request.pageBytes = page
        if owes { request.purged = PurgeConfirmation(rows: 0, digest: holdings) }
        return request
    }

    private var holdings: UInt64 {
        var digest = HoldingDigest()
        for (scope, rows) in copies {
            for row in rows.values where row.deleted == nil {
                digest.add(scope: scope.description, collection: row.collection, row: row.row)
            }
        }
        return digest.bits
    }

    /// Exchanges until nothing more comes.
    func sync(page: Int? = nil) async throws {
        for _ in 0..<1000 {
            let answer = try await exchange(request(page: page), page: page)
            if !answer.scopes.contains(where: \.more), pending.isEmpty, !owes { return }
        }
        Issue.record("the exchange did not come to rest")
    }

    @discardableResult
    func exchange(_ request: ExchangeRequest, page: Int? = nil) async throws -> ExchangeAnswer {
        // Through the codec, as over HTTP.
        let received = try ExchangeRequest(json: request.json)
        (lastAnswer, _) = try await world.store.exchange(
            received, device: device, mutationLimit: 5000, pageBytes: page ?? 1 << 20)
        let answer = try ExchangeAnswer(json: lastAnswer)
        apply(answer)
        return answer
    }

    private func apply(_ answer: ExchangeAnswer) {
        for verdict in answer.verdicts { verdicts[verdict.number] = verdict }
        owes = answer.owed && !answer.scopes.contains(where: \.more)
        pending.removeAll { $0.number < answer.expected }
        for scope in answer.lost {
            copies[scope] = nil
            cursors[scope] = nil
        }
        for page in answer.scopes {
            if let cursor = cursors[page.scope], cursor.epoch != page.epoch { copies[page.scope] = nil }
            for row in page.rows { copies[page.scope, default: [:]][Self.key(row.collection, row.row)] = row }
            for left in page.left { copies[page.scope]?[Self.key(left.collection, left.row)] = nil }
            cursors[page.scope] = ScopeCursor(scope: page.scope, epoch: page.epoch, cursor: page.cursor)
        }
    }
}

/// All orders of a list.
func permutations<Element>(_ list: [Element]) -> [[Element]] {
    guard list.count > 1 else { return [list] }
    return list.indices.flatMap { index in
        var rest = list
        let chosen = rest.remove(at: index)
        return permutations(rest).map { [chosen] + $0 }
    }
}
