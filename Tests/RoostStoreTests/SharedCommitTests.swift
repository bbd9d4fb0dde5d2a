import Dispatch
import GRDB
import RoostSchema
import RoostSync
import Synchronization
import Testing

@testable import RoostStore

/// Counts commits of the connection that writes.
private final class CommitCounter: TransactionObserver, Sendable {
    private let count = Mutex(0)

    var commits: Int { count.withLock { $0 } }

    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseDidCommit(_ db: Database) { count.withLock { $0 += 1 } }
    func databaseDidRollback(_ db: Database) {}
}

private struct Spoiled: Error {}

/// Which writes failed.
private final class Failures: Sendable {
    private let indices = Mutex<Set<Int>>([])

    var all: Set<Int> { indices.withLock { $0 } }
    func note(_ index: Int) { indices.withLock { _ = $0.insert(index) } }
}

@Suite(.timeLimit(.minutes(2))) struct `Writes that come together` {
    /// Keeps the one writer busy, so that whatever is asked for meanwhile comes together.
    private func withBusyWriter(
        _ store: ServerStore, of commits: SharedCommit? = nil, until count: Int,
        _ work: @Sendable (inout ThrowingTaskGroup<Void, any Error>) -> Void
    ) async throws {
        let commits = commits ?? store.commits
        let gate = DispatchSemaphore(value: 0)
        store.pool.asyncWriteWithoutTransaction { _ in gate.wait() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            // The first of them finds nothing under way and orders its transaction behind the busy one.
            work(&group)
            while !Task.isCancelled, commits.waiting < count { await Task.yield() }
            gate.signal()
            try await group.waitForAll()
        }
    }

    private func observed(_ world: StoreWorld) async throws -> CommitCounter {
        let counter = CommitCounter()
        try await world.store.pool.write { db in db.add(transactionObserver: counter, extent: .databaseLifetime) }
        return counter
    }

    private func note(_ name: String, _ db: Database) throws {
        try db.execute(sql: "INSERT INTO meta (name, value) VALUES (?, '')", arguments: ["note " + name])
    }

    private func notes(_ store: ServerStore) async throws -> Set<String> {
        try await store.pool.read { db in
            Set(try String.fetchAll(db, sql: "SELECT substr(name, 6) FROM meta WHERE name LIKE 'note %'"))
        }
    }

    @Test func `share one commit`() async throws {
        let world = try StoreWorld()
        let store = world.store
        let counter = try await observed(world)
        let before = counter.commits
        // On a machine that is busy with other things twenty writes may take longer than others are made to wait.
        let commits = SharedCommit(store.pool, patience: .seconds(600))
        try await withBusyWriter(store, of: commits, until: 20) { group in
            for index in 0..<20 {
                group.addTask { try await commits.run { db in try self.note("\(index)", db) } }
            }
        }
        #expect(counter.commits - before == 1)
        #expect(try await notes(store) == Set((0..<20).map(String.init)))
    }

    @Test func `never take each other down`() async throws {
        let world = try StoreWorld()
        let store = world.store
        let failures = Failures()
        try await withBusyWriter(store, until: 12) { group in
            for index in 0..<12 {
                group.addTask {
                    do {
                        try await store.commits.run { db in
                            try self.note("\(index)", db)
                            if index % 3 == 0 { throw Spoiled() }
                        }
                    } catch is Spoiled {
                        failures.note(index)
                    }
                }
            }
        }
        #expect(failures.all == [0, 3, 6, 9])
        #expect(try await notes(store) == Set((0..<12).filter { $0 % 3 != 0 }.map(String.init)))
    }

    @Test func `are all refused when their transaction is lost, and the next is not`() async throws {
        let world = try StoreWorld()
        let store = world.store
        let failures = Failures()
        try await withBusyWriter(store, until: 6) { group in
            for index in 0..<6 {
                group.addTask {
                    do {
                        try await store.commits.run { db in
                            try self.note("\(index)", db)
                            // As SQLite does by itself when the disk is full.
                            if store.commits.waiting == 0 { try db.execute(sql: "ROLLBACK") }
                            throw Spoiled()
                        }
                    } catch {
                        failures.note(index)
                    }
                }
            }
        }
        #expect(failures.all.count == 6)
        #expect(try await notes(store).isEmpty)
        try await store.commits.run { db in try self.note("after", db) }
        #expect(try await notes(store) == ["after"])
    }

    @Test func `write nothing once whoever asked has gone`() async throws {
        let world = try StoreWorld()
        let store = world.store
        let gate = DispatchSemaphore(value: 0)
        store.pool.asyncWriteWithoutTransaction { _ in gate.wait() }
        let gone = Task { try await store.commits.run { db in try self.note("gone", db) } }
        while !Task.isCancelled, store.commits.waiting < 1 { await Task.yield() }
        gone.cancel()
        gate.signal()
        await #expect(throws: CancellationError.self) { try await gone.value }
        #expect(try await notes(store).isEmpty)
    }

    /// Devices that push at the same time, each through its own sequence of groups, some of them refused.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func `end as if they had come one by one`(seed: UInt64) async throws {
        let world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        var devices: [DeviceModel] = []
        for index in 0..<6 { devices.append(try await world.device("d\(index)", of: "Wen")) }
        var random = SplitMix(seed)
        var requests: [(Device, ExchangeRequest)] = []
        for (place, device) in devices.enumerated() {
            for index in 0..<Int(1 + random.next() % 8) {
                let name = "\(place) \(index)"
                let isBad = random.next() % 4 == 0
                device.edit(
                    "tree", world.id(name), .create, ["name": isBad ? .integer(7) : .text(name), "crop": 1])
                if random.next() % 2 == 0 {
                    device.edit("tree", world.id("0 0"), .edit, ["crop": .integer(Int64(place))])
                }
            }
            requests.append((device.device, device.request()))
        }
        let store = world.store
        let answers = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for (place, (device, request)) in requests.enumerated() {
                group.addTask {
                    (
                        place,
                        try await store.exchange(request, device: device, mutationLimit: 5000, pageBytes: 1 << 20)
                            .answer
                    )
                }
            }
            var answers: [Int: [UInt8]] = [:]
            for try await (place, answer) in group { answers[place] = answer }
            return answers
        }
        for (place, (device, request)) in requests.enumerated() {
            let answer = try ExchangeAnswer(json: try #require(answers[place]))
            #expect(answer.verdicts.map(\.number) == request.mutations.map(\.number))
            for (mutation, verdict) in zip(request.mutations, answer.verdicts) where mutation.action == .create {
                let rows = try await store.rows("tree", ids: [mutation.row])
                #expect(rows.isEmpty == (verdict.outcome == .rejected))
            }
            // What was answered is stored: a repeat says the same.
            let again = try await store.exchange(request, device: device, mutationLimit: 5000, pageBytes: 1 << 20)
            #expect(try ExchangeAnswer(json: again.answer).verdicts == answer.verdicts)
        }
    }
}

/// A small generator, the same for the same seed.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
