import Foundation
import GRDB
import RoostSchema
import RoostSync
import Synchronization
import Testing

@testable import RoostStore

/// The server lists a device with what it owes until the device says that its disk is clean.
@Suite struct OwedPurgeTests {
    /// Tan's desk, a real replica, and its line to the server; Tan tends an apple, a pear and a plum tree.
    private final class Desk {
        let world: StoreWorld
        let device: Device
        let directory: String
        let replica: Replica

        init() async throws {
            world = try StoreWorld()
            try await world.appoint("Wen", "warden")
            try await world.appoint("Tan", "tender")
            for tree in ["apple", "pear", "plum"] {
                try await world.write(
                    TrustedEdit("tree", world.id(tree), .create, ["name": .text(tree)]),
                    TrustedEdit(
                        "tending", world.id("tending \(tree)"), .create,
                        ["tree": .id(world.id(tree)), "picker": .id(world.id("Tan"))]))
            }
            let device = try await world.device("desk", of: "Tan").device
            self.device = device
            try await world.store.pool.write { db in
                let admit = try BoundStatement(db, "UPDATE replica SET token_hash = x'01' WHERE id = ?")
                try admit.bind(1, device.replica)
                try admit.run()
            }
            directory = NSTemporaryDirectory() + "roost-owed-" + UUID().uuidString
            replica = try Replica.create(
                directory: directory, catalogue: Orchard.catalogue(),
                enrolled: Enrolled(
                    server: "http://server.invalid", token: "token", replica: device.replica, officer: device.officer,
                    name: "Tan", roles: ["tender"], label: "desk"))
            // What another program holds up is given up at once.
            try replica.queue.inDatabase { try $0.execute(sql: "PRAGMA busy_timeout = 0") }
            try await settle()
        }

        deinit {
            try? replica.close()
            try? FileManager.default.removeItem(atPath: directory)
        }

        func request(amongPages: Bool = false) throws -> ExchangeRequest {
            let request = try replica.nextRequest(
                limits: ChangesetLimits(mutations: 5000, bytes: 1 << 20),
                at: DeviceMoment(now: world.clock.now, mark: nil), isAmongPages: amongPages)
            return try ExchangeRequest(json: request.json)
        }

        func answer(to request: ExchangeRequest, page: Int = 1 << 20) async throws -> ExchangeAnswer {
            let (answer, _) = try await world.store.exchange(
                request, device: device, mutationLimit: 5000, pageBytes: page)
            return try ExchangeAnswer(json: answer)
        }

        @discardableResult
        func exchange() async throws -> (request: ExchangeRequest, answer: ExchangeAnswer) {
            let request = try request()
            let answer = try await answer(to: request)
            _ = try replica.apply(answer, now: world.clock.now)
            return (request, answer)
        }

        /// Exchanges until nothing comes and nothing is owed.
        func settle() async throws {
            for _ in 0..<20 {
                let answer = try await exchange().answer
                if answer.scopes.isEmpty, !answer.owed { return }
            }
            Issue.record("the exchange did not come to rest")
        }

        func endTending(_ tree: String, _ state: Value = "ended") async throws {
            try await world.write(TrustedEdit("tending", world.id("tending \(tree)"), .edit, ["state": state]))
        }

        func record() async throws -> DeviceRecord {
            try #require(try await world.store.devices().first { $0.device.replica == device.replica })
        }

        func changes() async throws -> Int { try await world.store.pool.write { db in db.totalChangesCount } }
    }

    @Test(arguments: [false, true])
    func `what left a device whose files another program holds is owed until the files are clean`(isWhole: Bool)
        async throws
    {
        let desk = try await Desk()
        let (world, clock) = (desk.world, desk.world.clock)
        try await desk.endTending("plum")
        try await desk.settle()
        #expect(try await desk.record().purgeAgreed == true)
        let confirmed = clock.now
        clock.advance(1000)
        if isWhole {
            try await world.write(TrustedEdit("appointment", world.id("Tan tender"), .edit, ["active": false]))
        } else {
            try await desk.endTending("apple")
        }
        let waiting = try await desk.record().unconfirmed
        #expect(isWhole ? !waiting.scopes.isEmpty : waiting.rows > 0)
        #expect(waiting.told == nil)

        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: desk.directory + "/" + Replica.fileName, configuration: configuration)
        try await reader.unsafeBegin()
        clock.advance(1000)
        let told = clock.now
        let (first, answer) = try await desk.exchange()
        #expect(!first.owed && answer.owed && !answer.purged)
        for _ in 0..<3 {
            // Longer than cursors are kept in memory alone; and the server starts anew.
            clock.advance(400_000)
            world.store.acknowledged.withLock { $0 = [:] }
            let (request, answer) = try await desk.exchange()
            #expect(request.purged == nil && request.owed && answer.owed)
            let record = try await desk.record()
            #expect(record.unconfirmed.isOwed && record.unconfirmed.told == told)
            #expect(record.unconfirmed.scopes == waiting.scopes && record.unconfirmed.rows == waiting.rows)
            #expect(record.purged == confirmed && record.purgeAgreed == nil)
        }
        let before = try await desk.changes()
        try await desk.exchange()
        #expect(try await desk.changes() == before, "an exchange in which nothing happens writes nothing")

        try await reader.unsafeEnd()
        let (request, thanks) = try await desk.exchange()
        #expect(request.purged != nil && !request.owed && thanks.purged && !thanks.owed)
        let record = try await desk.record()
        #expect(record.unconfirmed.isEmpty && record.purged == clock.now && record.purgeAgreed == true)
        let (idle, nothing) = try await desk.exchange()
        #expect(idle.purged == nil && !idle.owed && !nothing.owed)
    }

    @Test func `while pages of another scope follow, a lost one is owed`() async throws {
        let desk = try await Desk()
        let trees = (0..<200).map { index in
            TrustedEdit("tree", desk.world.id("tree \(index)"), .create, ["name": "one of many"])
        }
        _ = try await desk.world.store.write(trees, by: desk.world.id("Wen"))
        let tended = try #require(Scope("tended:\(desk.world.id("Tan"))"))
        try await desk.world.write(
            TrustedEdit("appointment", desk.world.id("Tan tender"), .edit, ["active": false]))
        try await desk.world.appoint("Tan", "warden")
        var (pages, more) = (0, true)
        while more {
            let request = try desk.request(amongPages: pages > 0)
            #expect(request.owed == (pages > 0) && request.purged == nil)
            let answer = try await desk.answer(to: request, page: 4096)
            more = try desk.replica.apply(answer, now: desk.world.clock.now).more
            pages += 1
            #expect(try await desk.record().unconfirmed.scopes == [tended])
        }
        #expect(pages > 3)
        let (request, answer) = try await desk.exchange()
        #expect(request.purged != nil && answer.purged)
        #expect(try await desk.record().unconfirmed.isEmpty)
    }

    @Test func `a device that applied a loss and never came again stays listed`() async throws {
        let desk = try await Desk()
        try await desk.endTending("apple")
        let told = desk.world.clock.now
        try await desk.exchange()
        desk.world.clock.advance(90 * 86_400_000)
        let unconfirmed = try await desk.record().unconfirmed
        #expect(unconfirmed.isOwed && unconfirmed.rows > 0 && unconfirmed.told == told)
    }

    @Test func `a loss that was taken back before the device heard of it is confirmed when asked for`() async throws {
        let desk = try await Desk()
        try await desk.endTending("apple")
        #expect(try await desk.answer(to: desk.request()).owed)
        try await desk.endTending("apple", "active")
        let (request, answer) = try await desk.exchange()
        #expect(!request.owed && answer.owed && answer.scopes.allSatisfy(\.left.isEmpty))
        #expect(try await desk.exchange().request.purged?.rows == 0)
        let record = try await desk.record()
        #expect(record.unconfirmed.isEmpty && record.purgeAgreed == true)
    }

    @Test func `what only the device knows it owes is listed by its own word`() async throws {
        let desk = try await Desk()
        var request = try desk.request()
        request.owed = true
        #expect(try await desk.answer(to: request).owed)
        let unconfirmed = try await desk.record().unconfirmed
        #expect(unconfirmed.isOwed && !unconfirmed.isEmpty && unconfirmed.told == desk.world.clock.now)
        #expect(unconfirmed.rows == 0 && unconfirmed.scopes.isEmpty)
        try await desk.settle()
        #expect(try await desk.record().unconfirmed.isEmpty)
    }

    @Test func `a scope gained as the confirmation arrives makes it no worse`() async throws {
        let desk = try await Desk()
        try await desk.endTending("apple")
        try await desk.exchange()
        try await desk.world.appoint("Tan", "warden")
        let (request, answer) = try await desk.exchange()
        #expect(request.purged != nil && answer.purged && answer.scopes.map(\.scope.kind.text) == ["orchard"])
        #expect(try await desk.record().purgeAgreed == true)
    }
}

extension DatabaseQueue {
    /// Begins to read, and goes on until ``unsafeEnd()``.
    fileprivate func unsafeBegin() async throws {
        try await writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM copy")
        }
    }

    fileprivate func unsafeEnd() async throws {
        try await writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        try close()
    }
}
