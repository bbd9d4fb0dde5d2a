import Foundation
import RoostAPI
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

/// The real store, whose line breaks when told and brings a snapshot in small pieces.
private final class BreakingServer: ExchangeServer {
    private struct State {
        var piecesLeft = Int.max
        var served = 0
        var spoils = false
    }

    private let store: ServerStore
    private let device: Device
    private let state = Mutex(State())
    /// Bytes in a piece, at most.
    private let piece: Int

    init(_ store: ServerStore, _ device: Device, piece: Int = 1 << 20) {
        self.store = store
        self.device = device
        self.piece = piece
    }

    func breakAfter(_ pieces: Int) { state.withLock { $0.piecesLeft = pieces } }
    func spoil() { state.withLock { $0.spoils = true } }
    var bytesServed: Int { state.withLock { $0.served } }

    func limits() async throws(ClientError) -> Limits { Limits() }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        do {
            let sent = try ExchangeRequest(json: request.json)
            let result = try await store.exchange(sent, device: device, mutationLimit: 5000, pageBytes: 4096)
            let answer = try ExchangeAnswer(json: result.answer)
            for page in answer.scopes where page.wait != nil {
                _ = try await store.makeSnapshot(of: page.scope.description)
            }
            return answer
        } catch {
            throw .badAnswer
        }
    }

    func snapshot(_ id: String, from position: Int, count: Int) async throws(ClientError) -> [UInt8] {
        let (breaks, spoils) = state.withLock { state in
            state.piecesLeft -= 1
            return (state.piecesLeft < 0, state.spoils)
        }
        guard !breaks else { throw .unreachable(reason: "interrupted") }
        guard let snapshot = try? await store.snapshot(id, for: device.officer),
            let bytes = FileManager.default.contents(atPath: snapshot.path)
        else {
            throw .refused(
                ClientError.ServerRefusal(
                    status: 404, code: .notFound, message: Label("无", "none"), reason: nil, requestID: nil))
        }
        var part = [UInt8](bytes.dropFirst(position).prefix(min(count, piece)))
        if spoils { part[0] ^= 1 }
        state.withLock { $0.served += part.count }
        return part
    }
}

/// A county of some hundred students, and the officers who look at it.
private final class SnapshotCounty {
    let bench = Bench()
    let store: ServerStore
    let directory = NSTemporaryDirectory() + "roost-snapshots-" + UUID().uuidString
    private var count: UInt8 = 0

    init(students: Int = 400, minimumRows: Int = 300) async throws {
        let bench = bench
        store = try ServerStore(
            directory: directory, catalogue: .programme.withConflicts(about: Programme.subject), clock: { bench.now })
        _ = try store.snapshots.open(minimumRows: minimumRows)
        let officer = ReplicaWorld.id("officer")
        try await write(
            TrustedEdit("officer", officer, .create, ["name": "登记员"]),
            TrustedEdit(
                "authority_grant", ReplicaWorld.id("grant"), .create,
                ["officer": .id(officer), "role": "registrar", "state": "active"]))
        for index in 0..<students {
            let student = ReplicaWorld.id("student \(index)")
            try await write(
                TrustedEdit(
                    "student", student, .create, ["name": .text("学生\(index)"), "wechat": .text("canary\(index)")]),
                TrustedEdit(
                    "schooling", ReplicaWorld.id("schooling \(index)"), .create,
                    ["student": .id(student), "level": "21", "cohort": 2027]))
        }
        // Stamps of their own, a deleted row, and a field nobody knows.
        try await write(
            TrustedEdit("student", ReplicaWorld.id("student 3"), .edit, ["gender": "1", "mobile": "+8619900001234"]),
            TrustedEdit("student", ReplicaWorld.id("student 4"), .edit, ["later_field": "x"]),
            TrustedEdit("student", ReplicaWorld.id("student 5"), .edit, ["wechat": .null]),
            TrustedEdit("schooling", ReplicaWorld.id("schooling 6"), .delete))
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func write(_ edits: TrustedEdit...) async throws {
        _ = try await store.write(edits, by: ReplicaWorld.id("officer"))
    }

    func device(piece: Int = 1 << 20) async throws -> (world: ReplicaWorld, server: BreakingServer) {
        count += 1
        let world = try ReplicaWorld(
            "registrar", officer: ReplicaWorld.id("officer"), replica: ReplicaID(0xA0 + UInt64(count)), bench: bench)
        try await store.keepCode(
            hash: [count], for: world.officer, until: Milliseconds(bench.now.value + 600_000), madeBy: nil)
        let device = try await store.redeemCode(
            hash: [count], replica: world.me, label: "device \(count)", tokenHash: [count])
        return (world, BreakingServer(store, device, piece: piece))
    }

    func expectEqual(_ world: ReplicaWorld, toTruthOf collections: CollectionName...) async throws {
        for collection in collections {
            let shown = try world.replica.rows(of: collection)
            let truth = try await store.rows(of: collection)
            #expect(
                Dictionary(uniqueKeysWithValues: shown.map { ($0.row.key.id, $0.row.values) })
                    == Dictionary(uniqueKeysWithValues: truth.map { ($0.key.id, $0.values) }))
        }
    }
}

@Suite struct `A first sync by snapshot` {
    @discardableResult
    private func sync(
        _ device: (world: ReplicaWorld, server: BreakingServer), _ progress: (SyncReport) -> Void = { _ in }
    ) async throws -> SyncReport {
        try await Synchroniser(
            replica: device.world.replica, server: device.server, environment: device.world.bench.environment
        ).run(progress: progress)
    }

    private func parts(_ world: ReplicaWorld) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: world.directory).filter { $0.hasSuffix(".part") }
    }

    @Test func `brings what pages would, tells how far it is, and leaves no file behind`() async throws {
        let county = try await SnapshotCounty()
        let device = try await county.device(piece: 2000)
        var shares: [Double] = []
        let report = try await sync(device) { report in if let share = report.snapshot { shares.append(share) } }
        #expect(device.server.bytesServed > 4000)
        #expect(shares.count > 3 && shares == shares.sorted() && shares.last == 1)
        #expect(report.gained.contains(ReplicaWorld.county))
        try await county.expectEqual(device.world, toTruthOf: "student", "schooling", "officer")
        // Stamps, masks and what else is kept of a row are the same as from pages.
        let paged = try await county.device()
        county.store.snapshots.close()
        try await sync(paged)
        for collection in ["student", "schooling", "officer", "authority_grant"] as [CollectionName] {
            let pair = try [device, paged].map { device in
                try Dictionary(
                    uniqueKeysWithValues: device.world.replica.rows(of: collection).map { ($0.row.key.id, $0) })
            }
            #expect(pair[0] == pair[1])
        }
        #expect(try parts(device.world).isEmpty)
        let status = try device.world.replica.status()
        #expect(status.snapshot == nil && status.rows["student"] == 400)
        #expect(try device.world.desk.students(["学生399"]).count == 1)
        // From here on changes come as they do to anybody.
        try await county.write(TrustedEdit("student", ReplicaWorld.id("student 7"), .edit, ["wechat": "later"]))
        let served = device.server.bytesServed
        try await sync(device)
        #expect(try device.world.value("student", "student 7", "wechat") == "later")
        #expect(device.server.bytesServed == served)
    }

    @Test func `goes on where it was interrupted, and says how far it is until then`() async throws {
        let county = try await SnapshotCounty()
        let device = try await county.device(piece: 1500)
        device.server.breakAfter(3)
        await #expect(throws: ClientError.self) { try await sync(device) }
        let part = try #require(try parts(device.world).first)
        let attributes = try FileManager.default.attributesOfItem(atPath: device.world.directory + "/" + part)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        try device.world.reopen()
        let share = try #require(try device.world.replica.status().snapshot)
        #expect(share > 0 && share < 0.5)
        let offer = try #require(try device.world.replica.downloads().first?.offer)
        device.server.breakAfter(.max)
        try await sync(device)
        #expect(device.server.bytesServed == offer.bytes)
        try await county.expectEqual(device.world, toTruthOf: "student", "schooling")
    }

    @Test func `stopped while it is applied, it goes on behind the last batch`() async throws {
        struct Stopped: Error {}
        let county = try await SnapshotCounty()
        let (world, _) = try await county.device()
        let made = try #require(try await county.store.makeSnapshot(of: "county"))
        let page = ScopePage(
            scope: ReplicaWorld.county, epoch: 1, cursor: .zero, more: true, rows: [], left: [], snapshot: made.offer)
        var download = try world.replica.begin(made.offer, for: page)
        try world.replica.append([UInt8](Data(contentsOf: URL(fileURLWithPath: made.path))), to: &download)
        #expect(world.replica.isWhole(download))
        var seen: [Int] = []
        #expect(throws: Stopped.self) {
            _ = try world.replica.apply(download, now: world.bench.now, batch: 100) { applied in
                seen.append(applied)
                if seen.count == 2 { throw Stopped() }
            }
        }
        try world.reopen()
        let half = try #require(try world.replica.downloads().first)
        #expect(half.applied == seen.last && half.applied >= 200 && half.received == made.offer.bytes)
        // Nothing of the scope's cursor yet: an exchange now begins it again.
        #expect(try world.request().scopes.map(\.cursor) == [.zero])
        let applied = try world.replica.apply(half, now: world.bench.now, batch: 100)
        #expect(applied.rowsReceived == made.offer.rows)
        #expect(try world.request().scopes.map(\.cursor) == [made.offer.sequence])
        try await county.expectEqual(world, toTruthOf: "student", "schooling")
    }

    @Test func `a file that is not what was announced is thrown away, and pages come instead`() async throws {
        let county = try await SnapshotCounty(students: 160)
        let device = try await county.device()
        device.server.spoil()
        try await sync(device)
        try await county.expectEqual(device.world, toTruthOf: "student", "schooling")
        #expect(try parts(device.world).isEmpty && device.world.replica.downloads().isEmpty)
    }

    @Test func `a scope lost meanwhile takes its file along`() async throws {
        let county = try await SnapshotCounty()
        let device = try await county.device(piece: 1500)
        device.server.breakAfter(3)
        await #expect(throws: ClientError.self) { try await sync(device) }
        #expect(try !parts(device.world).isEmpty)
        try await county.write(TrustedEdit("authority_grant", ReplicaWorld.id("grant"), .edit, ["state": "ended"]))
        county.bench.advance(1)
        let report = try await sync(device)
        #expect(report.lost.contains(ReplicaWorld.county))
        #expect(try parts(device.world).isEmpty && device.world.replica.downloads().isEmpty)
        #expect(try !device.world.diskHolds("canary"))
    }

    @Test func `a device away for too long gets one too, keeps its outbox, and loses what left in between`()
        async throws
    {
        let county = try await SnapshotCounty()
        let device = try await county.device()
        try await sync(device)
        let student = try device.world.desk.student(ReplicaWorld.id("student 9").description)
        _ = try device.world.desk.edit("student", student, ["wechat": "offline"])
        try await county.write(TrustedEdit("schooling", ReplicaWorld.id("schooling 5"), .delete))
        for _ in 0..<30 {
            county.bench.advance(10 * 86_400_000)
            _ = try await county.store.collect(Retention(tombstoneDays: 60, historyDays: 60, verdictDays: 60))
        }
        let report = try await sync(device)
        #expect(report.hasBegunAnew && report.verdicts.values.reduce(0, +) == 1)
        #expect(try device.world.value("student", "student 9", "wechat") == "offline")
        #expect(try device.world.replica.row("schooling", ReplicaWorld.id("schooling 5")) == nil)
        try await county.expectEqual(device.world, toTruthOf: "student", "schooling", "officer")
        #expect(try await !sync(device).hasBegunAnew)
    }

    @Test func `what it shows less of goes from what was typed here too`() async throws {
        let canary = "+8619977770078"
        let (county, device) = try await Consenting.county()
        county.bench.advance(1000)
        try device.edit("李明", ["mobile": .text(canary), "name": "李大明"])
        try await device.sync()
        // The coordinator is let go and taken on again while the device is away, so that their scope is read anew.
        for state in ["ended", "active"] as [Value] {
            county.bench.advance(1000)
            try await county.write(
                TrustedEdit("authority_grant", ServedCounty.grant("莫分部"), .edit, ["state": state]))
        }
        try await county.write(Consenting.says("withdrawn", county))
        _ = try county.store.snapshots.open(minimumRows: 1)
        let server = BreakingServer(
            county.store, Device(replica: device.world.me, officer: device.world.officer, label: "device"))
        try await sync((device.world, server))
        #expect(server.bytesServed > 0)
        #expect(try !device.world.diskHolds(canary))
        #expect(try device.world.diskHolds("李大明"))
    }
}
