import GRDB
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

/// An orchard whose tender comes and goes.
private struct Grove {
    static let day: Int64 = 86_400_000
    static let retention = Retention(tombstoneDays: 30, historyDays: 30, verdictDays: 30)
    let world: StoreWorld
    let warden: DeviceModel
    let tender: DeviceModel

    init() async throws {
        world = try StoreWorld()
        try await world.appoint("Wen", "warden")
        try await world.appoint("Tan", "tender")
        try await world.write(
            TrustedEdit("tree", world.id("apple"), .create, ["name": "Apple", "owner_phone": "+8619900001234"]),
            TrustedEdit("tree", world.id("pear"), .create, ["name": "Pear"]),
            TrustedEdit("tree", world.id("plum"), .create, ["name": "Plum"]),
            TrustedEdit(
                "tending", world.id("t1"), .create, ["tree": .id(world.id("apple")), "picker": .id(world.id("Tan"))]),
            TrustedEdit(
                "tending", world.id("t2"), .create, ["tree": .id(world.id("pear")), "picker": .id(world.id("Tan"))]))
        warden = try await world.device("desk", of: "Wen")
        tender = try await world.device("phone", of: "Tan")
        try await warden.sync()
        try await tender.sync()
    }

    func endTending(_ name: String) async throws {
        try await world.write(TrustedEdit("tending", world.id(name), .edit, ["state": "ended"]))
    }

    /// Lets days pass, with the runs of the service in between.
    func pass(days: Int64) async throws -> CollectionReport {
        var total = CollectionReport()
        for _ in stride(from: 0, to: days, by: 10) {
            world.clock.advance(10 * Self.day)
            let report = try await world.store.collect(Self.retention)
            total.departures += report.departures
            total.rows += report.rows
            total.history += report.history
            total.verdicts += report.verdicts
            total.notes += report.notes
        }
        return total
    }

    func integer(_ sql: String) async throws -> Int {
        try await world.store.pool.read { db in try Int.fetchOne(db, sql: sql) ?? 0 }
    }

    /// What a device that has nothing is shown.
    func fresh(_ officer: String, _ name: String) async throws -> DeviceModel {
        let device = try await world.device(name, of: officer)
        try await device.sync(page: 4096)
        return device
    }
}

@Suite struct `Collection of tombstones` {
    private let tended = Scope("tended:\(RowID(naming: "test", "Tan"))")

    @Test func `departures go once they are old, and a device that had heard of them goes on where it was`()
        async throws
    {
        let grove = try await Grove()
        try await grove.endTending("t1")
        try await grove.tender.sync()
        let before = grove.tender.cursors
        let report = try await grove.pass(days: 60)
        #expect(report.departures > 0)
        #expect(try await grove.integer("SELECT count(*) FROM member WHERE present = 0") == 0)
        let idle = try await grove.tender.exchange(grove.tender.request())
        #expect(idle.scopes.isEmpty && idle.lost.isEmpty)
        #expect(grove.tender.cursors == before)
        try await grove.world.write(TrustedEdit("tree", grove.world.id("pear"), .edit, ["crop": 5]))
        try await grove.tender.sync()
        #expect(grove.tender.row("tree", grove.world.id("pear"))?["crop"] == 5)
        #expect(grove.tender.cursors[try #require(tended)]?.epoch == before[try #require(tended)]?.epoch)
    }

    @Test func `a device that still comes is waited for, however long it takes to read on`() async throws {
        let grove = try await Grove()
        let request = grove.tender.request()
        try await grove.endTending("t1")
        var departures = 0
        for _ in 0..<8 {
            grove.world.clock.advance(10 * Grove.day)
            departures += try await grove.world.store.collect(Grove.retention).departures
            // It asks from where it was, as after answers that never arrived.
            let answer = try await grove.tender.exchange(request)
            #expect(answer.scopes.filter(\.mustResnapshot).isEmpty)
        }
        #expect(departures == 0)
        try await grove.tender.sync()
        grove.world.clock.advance(300_000)
        try await grove.tender.exchange(grove.tender.request())
        departures = try await grove.pass(days: 20).departures
        #expect(departures > 0)
    }

    @Test func `a device that was away for longer begins the scope anew, and what left in between is gone from it`()
        async throws
    {
        let grove = try await Grove()
        let number = grove.tender.edit("tree", grove.world.id("pear"), .edit, ["crop": 7])
        try await grove.endTending("t1")
        _ = try await grove.pass(days: 400)
        #expect(grove.tender.rows("tree").contains(grove.world.id("apple")))
        let answer = try await grove.tender.exchange(grove.tender.request())
        let page = try #require(answer.scopes.first { $0.scope == tended })
        #expect(page.mustResnapshot)
        try await grove.tender.sync()
        #expect(grove.tender.rows("tree") == [grove.world.id("pear")])
        // The outbox was kept, and sent before.
        #expect(grove.tender.verdicts[number]?.outcome == .applied)
        #expect(grove.tender.copies == (try await grove.fresh("Tan", "other")).copies)
        #expect(try await grove.tender.exchange(grove.tender.request()).scopes.isEmpty)
    }

    @Test func `a first sync under way when its scope is collected begins again, once`() async throws {
        let grove = try await Grove()
        for index in 0..<60 {
            try await grove.world.write(
                TrustedEdit("tree", grove.world.id("tree \(index)"), .create, ["name": .text("Tree \(index)")]))
        }
        try await grove.world.write(TrustedEdit("tree", grove.world.id("plum"), .delete))
        let other = try await grove.world.device("slow", of: "Wen")
        try await other.exchange(other.request(page: 4096), page: 4096)
        #expect(other.cursors.values.contains { $0.scope.kind == "orchard" })
        _ = try await grove.pass(days: 60)
        var answers: [ExchangeAnswer] = []
        repeat {
            answers.append(try await other.exchange(other.request(page: 4096), page: 4096))
        } while answers.last?.scopes.contains(where: \.more) ?? false
        #expect(answers.flatMap(\.scopes).filter(\.mustResnapshot).count == 1)
        #expect(other.copies == (try await grove.fresh("Wen", "new")).copies)
        #expect(other.rows("tree").count == 62)
    }

    @Test(arguments: [1 << 20, 4096])
    func `a first sync costs what is there to see, whatever was edited, deleted and collected before`(page: Int)
        async throws
    {
        /// Rows and bytes that a device without anything is sent.
        func cost(_ grove: Grove) async throws -> (rows: Int, bytes: Int) {
            let device = try await grove.world.device("new", of: "Wen")
            var (rows, bytes, isMore) = (0, 0, true)
            while isMore {
                let answer = try await device.exchange(device.request(page: page), page: page)
                rows += answer.scopes.reduce(0) { $0 + $1.rows.count + $1.left.count }
                bytes += device.lastAnswer.count
                isMore = answer.scopes.contains(where: \.more)
            }
            return (rows, bytes)
        }
        func tree(_ number: Int, _ action: Mutation.Action, of grove: Grove) -> TrustedEdit {
            TrustedEdit(
                "tree", grove.world.id("tree \(number)"), action,
                action == .delete ? [:] : ["name": .text("Tree \(number)"), "crop": .integer(Int64(number))])
        }
        let (plain, lived) = (try await Grove(), try await Grove())
        for grove in [plain, lived] {
            try await grove.world.write(tree(1, .create, of: grove), tree(2, .create, of: grove))
        }
        for round in 0..<20 {
            for number in 1...2 {
                try await lived.world.write(
                    TrustedEdit(
                        "tree", lived.world.id("tree \(number)"), .edit, ["crop": .integer(Int64(100 * round))]))
            }
            for number in 0..<5 { try await lived.world.write(tree(100 + 5 * round + number, .create, of: lived)) }
            for number in 0..<5 { try await lived.world.write(tree(100 + 5 * round + number, .delete, of: lived)) }
        }
        for number in 1...2 { try await lived.world.write(tree(number, .edit, of: lived)) }
        let collected = try await lived.pass(days: 60)
        #expect(collected.rows == 100 && collected.history > 0)
        _ = try await plain.pass(days: 60)
        let (less, more) = (try await cost(plain), try await cost(lived))
        #expect(more.rows == less.rows)
        // Sequences have more digits, and a field may have a stamp of its own.
        #expect(abs(more.bytes - less.bytes) < 400, "\(more.bytes) against \(less.bytes)")
    }

    @Test func `a row deleted long ago goes for good, and its identity can never return`() async throws {
        let grove = try await Grove()
        let plum = grove.world.id("plum")
        try await grove.world.write(TrustedEdit("tree", plum, .edit, ["secret": "worms"]))
        try await grove.world.write(TrustedEdit("tree", plum, .delete))
        try await grove.warden.sync()
        // Deleted, but a tending that stays refers to it.
        try await grove.world.write(TrustedEdit("tree", grove.world.id("apple"), .delete))
        #expect(try await grove.pass(days: 20).rows == 0)
        #expect(try await grove.pass(days: 40).rows == 1)
        #expect(try await grove.integer("SELECT count(*) FROM tree") == 2)
        #expect(try await grove.integer("SELECT count(*) FROM history WHERE losses LIKE '%worms%'") == 0)
        for action in [Mutation.Action.create, .edit, .restore] {
            let number = grove.warden.edit("tree", plum, action, action == .restore ? [:] : ["name": "Plum again"])
            try await grove.warden.sync()
            #expect(grove.warden.verdicts[number]?.refusal == (action == .create ? .gone : .dependsOn))
        }
        await #expect(throws: RefusedWrite.self) {
            try await grove.world.write(TrustedEdit("tree", plum, .create, ["name": "Plum"]))
        }
        #expect(try await grove.fresh("Wen", "new").rows("tree") == [grove.world.id("pear")])
    }

    @Test func `an erased identity can never return either`() async throws {
        let grove = try await Grove()
        let ghost = grove.world.id("ghost")
        let number = try #require(grove.world.store.rules.catalogue.position(of: "tree"))
        let collection = grove.world.store.numbers[number]
        try await grove.world.store.pool.write { db in
            let statement = try BoundStatement(db, "INSERT INTO erased (collection, row) VALUES (?, ?)")
            try statement.bind(1, collection)
            try statement.bind(2, ghost)
            try statement.run()
        }
        _ = try await grove.pass(days: 400)
        let create = grove.warden.edit("tree", ghost, .create, ["name": "Ghost"])
        try await grove.warden.sync()
        #expect(grove.warden.verdicts[create]?.refusal == .gone)
    }

    @Test
    func `history goes by its age, verdicts when they are old and received, and others are repeated as they were`()
        async throws
    {
        let grove = try await Grove()
        let pear = grove.world.id("pear")
        for crop in 1...3 {
            grove.tender.edit("tree", pear, .edit, ["crop": .integer(Int64(crop))])
            try await grove.tender.sync()
        }
        let last = grove.tender.edit("tree", pear, .edit, ["crop": 4])
        let request = grove.tender.request()
        try await grove.tender.exchange(request)
        let verdict = try #require(grove.tender.verdicts[last])
        #expect(try await grove.integer("SELECT count(*) FROM history") > 0)
        let report = try await grove.pass(days: 60)
        #expect(report.history > 0 && report.verdicts == 3)
        #expect(try await grove.integer("SELECT count(*) FROM history") == 0)
        // The last one was never seen to have arrived, so it is kept, byte for byte.
        let repeated = try await grove.tender.exchange(request)
        #expect(repeated.verdicts == [verdict])
        #expect(
            String(decoding: grove.tender.lastAnswer, as: UTF8.self).contains(
                String(decoding: verdict.json, as: UTF8.self)))
        // An old copy of the device that sends what was settled long ago is told so.
        var copy = request
        copy.mutations[0] = Mutation(
            number: 1, collection: "tree", row: pear, action: .edit, time: copy.mutations[0].time,
            changes: [Mutation.Change("crop", 1)])
        await #expect(throws: ExchangeError.verdictsForgotten) {
            try await grove.world.store.exchange(
                copy, device: grove.tender.device, mutationLimit: 10, pageBytes: 1 << 20)
        }
    }

    @Test func `notes of parallel edits go with the history of their time, or with a row deleted long ago`()
        async throws
    {
        let grove = try await Grove()
        for tree in ["apple", "pear"] {
            grove.warden.edit("tree", grove.world.id(tree), .edit, ["name": "Renamed"])
            grove.tender.edit("tree", grove.world.id(tree), .edit, ["crop": 7])
        }
        try await grove.warden.sync()
        try await grove.tender.sync()
        try await grove.warden.sync()
        let notes = grove.warden.rows("parallel_edit")
        #expect(notes.count == 2 && grove.tender.rows("parallel_edit") == notes)
        grove.warden.edit("tree", grove.world.id("apple"), .delete)
        try await grove.warden.sync()
        let retention = Retention(tombstoneDays: 30, historyDays: 60, verdictDays: 30)
        var deleted: [Int] = []
        for _ in 0..<8 {
            grove.world.clock.advance(10 * Grove.day)
            deleted.append(try await grove.world.store.collect(retention).notes)
        }
        #expect(deleted.reduce(0, +) == 2)
        let first = try #require(deleted.firstIndex { $0 > 0 })
        #expect(deleted[first] == 1 && first < 6, "\(deleted)")
        try await grove.warden.sync()
        try await grove.tender.sync()
        #expect(grove.warden.rows("parallel_edit").isEmpty && grove.tender.rows("parallel_edit").isEmpty)
    }

    @Test func `conflicts go once they are settled and old, and never before`() async throws {
        let grove = try await Grove()
        for tree in ["apple", "pear"] {
            grove.warden.edit("tree", grove.world.id(tree), .edit, ["crop": 5])
            grove.tender.edit("tree", grove.world.id(tree), .edit, ["crop": 7])
        }
        try await grove.warden.sync()
        try await grove.tender.sync()
        try await grove.warden.sync()
        let pear = grove.world.id("pear").description
        let conflicts = grove.warden.rows("conflict")
        #expect(conflicts.count == 2)
        let settled = try #require(
            conflicts.first { grove.warden.row("conflict", $0)?["concerned_row"]?.text == pear })
        grove.warden.edit("conflict", settled, .edit, ["state": "settled"])
        try await grove.warden.sync()
        #expect(try await grove.pass(days: 80).notes == 1)
        try await grove.warden.sync()
        #expect(grove.warden.rows("conflict") == conflicts.subtracting([settled]))
    }

    @Test func `after a jump of the clock one run only takes note`() async throws {
        let grove = try await Grove()
        try await grove.endTending("t1")
        _ = try await grove.world.store.collect(Grove.retention)
        grove.world.clock.advance(700 * Grove.day)
        #expect(try await grove.world.store.collect(Grove.retention).isEmpty)
        grove.world.clock.advance(-700 * Grove.day + 6 * 3_600_000)
        #expect(try await grove.world.store.collect(Grove.retention).isEmpty)
        #expect(try await grove.integer("SELECT count(*) FROM member WHERE present = 0") > 0)
    }
}
