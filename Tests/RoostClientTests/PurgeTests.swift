import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// What leaves a device is gone from its disk, and the server knows whether it is.
@Suite struct PurgeTests {
    @Test(arguments: [0, 31, 400] as [Int64])
    func `a reassigned student leaves no trace on disk after any absence, and the server knows`(days: Int64)
        async throws
    {
        let (county, device) = try await CaredFor.county()
        #expect(try device.world.diskHolds(CaredFor.canary))
        county.bench.advance(1000)
        try await county.handOver("李明", from: "谭联络")
        county.bench.advance(days * 86_400_000 + 1000)
        let waiting = try #require(try await county.record(of: device)).unconfirmed
        #expect(waiting.rows == 2 && waiting.scopes.isEmpty && waiting.told == nil)

        let report = try await device.sync()
        #expect(report.rowsPurged >= 2)
        #expect(try !device.world.diskHolds(CaredFor.canary))
        let record = try #require(try await county.record(of: device))
        #expect(record.unconfirmed.isEmpty)
        #expect(record.purged == county.bench.now && record.purgeAgreed == true)
        #expect(try device.student("李明") == nil)
        #expect(try device.student("吴迪") != nil)
    }

    @Test(arguments: [0, 31, 400] as [Int64])
    func `an officer who left keeps nothing, after any absence, and until then is listed`(days: Int64) async throws {
        let (county, device) = try await CaredFor.county()
        county.bench.advance(1000)
        try await county.write(TrustedEdit("authority_grant", ServedCounty.grant("谭联络"), .edit, ["state": "ended"]))
        county.bench.advance(days * 86_400_000 + 1000)
        let listed = try #require(try await county.record(of: device)).unconfirmed
        #expect(listed.scopes.map(\.kind.text) == ["liaison", "office", "proposed"])
        #expect(listed.told == nil)

        // Told, and gone before it could answer.
        try await device.exchange()
        let told = try #require(try await county.record(of: device)).unconfirmed
        #expect(told.scopes == listed.scopes && told.told == county.bench.now)

        try await device.sync()
        #expect(try !device.world.diskHolds(CaredFor.canary))
        #expect(try #require(try await county.record(of: device)).unconfirmed.isEmpty)
        #expect(try device.replica.status().scopes.map(\.kind.text) == ["commons"])
    }

    @Test func `a device that stayed away until nobody knows what left it is still listed`() async throws {
        let (county, device) = try await CaredFor.county()
        county.bench.advance(1000)
        try await county.handOver("李明", from: "谭联络")
        try await county.pass(days: 400)
        let waiting = try #require(try await county.record(of: device)).unconfirmed
        #expect(waiting.unknown.map(\.kind.text).contains("liaison") && !waiting.isEmpty)
        // Applied, but not confirmed.
        let applied = try await device.exchange()
        #expect(applied.hasBegunAnew && applied.rowsPurged >= 2)
        let told = try #require(try await county.record(of: device)).unconfirmed
        #expect(told.unknown == waiting.unknown && told.told == county.bench.now)
        try await device.sync()
        #expect(try !device.world.diskHolds(CaredFor.canary))
        let record = try #require(try await county.record(of: device))
        #expect(record.unconfirmed.isEmpty && record.purgeAgreed == true)
    }

    @Test func `a row that was deleted long ago is no reason to mistrust a device`() async throws {
        let (county, device) = try await CaredFor.county()
        try await county.write(
            TrustedEdit(
                "schooling", ServedCounty.id("s"), .create,
                ["student": .id(ServedCounty.id("吴迪")), "level": "21", "school_name": "华南理工大学"]))
        try await device.sync()
        try await county.write(TrustedEdit("schooling", ServedCounty.id("s"), .delete))
        try await device.sync()
        try await county.pass(days: 400) { try await device.sync() }
        try await county.handOver("李明", from: "谭联络")
        #expect(try await device.sync().rowsPurged >= 2)
        #expect(try #require(try await county.record(of: device)).purgeAgreed == true)
    }

    @Test func `what a deleted row held goes from the disk within the hour, and not with each deletion`() async throws {
        let (county, device) = try await CaredFor.county()
        let canary = "金丝雀大学"
        func schooling(_ name: String) -> TrustedEdit {
            TrustedEdit(
                "schooling", ServedCounty.id(name), .create,
                ["student": .id(ServedCounty.id("吴迪")), "level": "21", "school_name": .text(canary)])
        }
        try await county.write(schooling("s"), schooling("t"))
        try await device.sync()
        county.bench.advance(1000)
        try await county.write(TrustedEdit("schooling", ServedCounty.id("s"), .delete))
        try await device.sync()
        county.bench.advance(1_800_000)
        try await county.write(TrustedEdit("schooling", ServedCounty.id("t"), .delete))
        try await device.sync()
        // The log was left alone.
        #expect(try device.world.diskHolds(canary) && !device.replica.owesScrub())
        county.bench.advance(1_800_000)
        try await device.sync()
        #expect(try !device.world.diskHolds(canary))
        #expect(try #require(try await county.record(of: device)).purged == nil)
    }

    @Test func `a scope held again is read anew, even by a device that never heard of the loss`() async throws {
        let (county, device) = try await CaredFor.county()
        let scope = Scope("liaison", ServedCounty.id("谭联络"))
        func epoch() throws -> Int64? { try device.world.request().scopes.first { $0.scope == scope }?.epoch }
        #expect(try epoch() == 1)
        let grant = ServedCounty.grant("谭联络")
        county.bench.advance(1000)
        try await county.write(TrustedEdit("authority_grant", grant, .edit, ["state": "ended"]))
        try await county.handOver("李明", from: "谭联络")
        county.bench.advance(1000)
        try await county.write(TrustedEdit("authority_grant", grant, .edit, ["state": "active"]))
        let report = try await device.sync()
        #expect(report.lost.isEmpty && report.rowsPurged >= 2)
        #expect(try epoch() == 1 + 1 << 32)
        #expect(try !device.world.diskHolds(CaredFor.canary))
        #expect(try device.student("吴迪") != nil)
        #expect(try #require(try await county.record(of: device)).purgeAgreed == true)
    }

    @Test func `a narrower view clears what only the wider one showed`() async throws {
        let (county, device) = try await CaredFor.county()
        let chapter = ServedCounty.id("华工分部")
        try await county.write(
            TrustedEdit(
                "student", ServedCounty.id("李明"), .edit, ["tier": "key", "tags": .list([.text(CaredFor.canary)])]),
            TrustedEdit("chapter", chapter, .create, ["name": "华工分部", "kind": "university"]),
            TrustedEdit(
                "membership", ServedCounty.id("m"), .create,
                ["student": .id(ServedCounty.id("李明")), "chapter": .id(chapter), "state": "active"]),
            TrustedEdit(
                "authority_grant", ServedCounty.id("second grant"), .create,
                [
                    "officer": .id(ServedCounty.id("谭联络")), "role": "coordinator", "target": .id(chapter),
                    "state": "active",
                ]),
            TrustedEdit("student", ServedCounty.id("李明"), .edit, ["note_public": .null]))
        try await device.sync()
        #expect(try device.world.value("student", "李明", "tier") == "key")
        #expect(try device.world.diskHolds(CaredFor.canary))
        county.bench.advance(1000)
        try await county.handOver("李明", from: "谭联络")
        try await device.sync()
        #expect(try device.world.value("student", "李明", "name") == "李明")
        #expect(try device.world.value("student", "李明", "tier") == .null)
        #expect(try device.world.value("student", "李明", "tags") == .null)
        #expect(try !device.world.diskHolds(CaredFor.canary))
        #expect(try #require(try await county.record(of: device)).purgeAgreed == true)
    }

    @Test func `a number that consent no longer opens is wiped, and the server is told`() async throws {
        let canary = "+8619977770077"
        let (county, device) = try await Consenting.county(["mobile": .text(canary)])
        #expect(try device.world.value("student", "李明", "mobile") == .text(canary))
        #expect(try device.world.diskHolds(canary))
        #expect(try #require(try await county.record(of: device)).purged == nil)
        county.bench.advance(1000)
        try await county.write(Consenting.says("withdrawn", county))
        let report = try await device.sync()
        #expect(report.rowsPurged == 0 && report.exchanges == 2)
        #expect(try device.world.value("student", "李明", "name") == "李明")
        #expect(try !device.world.diskHolds(canary))
        let record = try #require(try await county.record(of: device))
        #expect(record.purged == county.bench.now && record.purgeAgreed == true)
        // Once.
        #expect(try await device.sync().exchanges == 1)
    }

    @Test func `what this version does not know goes from the disk too, and the server is told`() throws {
        let world = try ReplicaWorld()
        func pet(at sequence: Int64, _ fields: KeyValuePairs<String, Value>) -> WireRow {
            ReplicaWorld.row("pet", "cat", at: sequence, fields)
        }
        try world.receive(
            ReplicaWorld.page(
                ReplicaWorld.county, cursor: 5, [pet(at: 5, ["name": .text(CaredFor.canary), "colour": "金丝雀花"])]))
        #expect(try world.diskHolds(CaredFor.canary) && world.diskHolds("金丝雀花"))
        #expect(try world.request().purged == nil)
        // It shows less than before.
        try world.receive(
            ReplicaWorld.page(ReplicaWorld.county, cursor: 6, [pet(at: 6, ["name": .text(CaredFor.canary)])]))
        #expect(try !world.diskHolds("金丝雀花"))
        #expect(try world.request().purged?.rows == 0)
        let applied = try world.receive(
            ReplicaWorld.page(ReplicaWorld.county, cursor: 7, left: [("pet", "cat")]))
        #expect(applied.rowsPurged == 1 && applied.owesConfirmation)
        #expect(try !world.diskHolds(CaredFor.canary))
        #expect(try world.request().purged?.rows == 1)
    }

    @Test func `a revoked device is listed with all it had`() async throws {
        let (county, device) = try await CaredFor.county()
        county.bench.advance(1000)
        try await device.sync()
        try await county.store.revoke(device.world.me)
        let listed = try #require(try await county.record(of: device)).unconfirmed
        #expect(listed.scopes.map(\.kind.text) == ["commons", "liaison", "office", "proposed"])
    }

    @Test func `a digest that is not the server's is told`() async throws {
        let (county, device) = try await CaredFor.county()
        county.bench.advance(1000)
        var request = try device.world.request()
        request.purged = PurgeConfirmation(rows: 1, digest: 1)
        let owner = try #require(try await county.record(of: device)).device
        _ = try await county.store.exchange(request, device: owner, mutationLimit: 1, pageBytes: 1 << 20)
        #expect(try #require(try await county.record(of: device)).purgeAgreed == false)
    }

    @Test func `a crash before the log is emptied is made good before anything is confirmed`() async throws {
        let (county, device) = try await CaredFor.county()
        try await county.handOver("李明", from: "谭联络")
        try await device.exchange()
        // As after a crash between the commit and the truncation.
        try device.world.reopen()
        let request = try device.world.request()
        #expect(request.purged != nil)
        #expect(try !device.world.diskHolds(CaredFor.canary))
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `of rows of many sizes that leave, in pages and among others that stay, no byte stays`(seed: UInt64) throws {
        var random = RepeatableNumbers(seed)
        let world = try ReplicaWorld("liaison")
        let numbers = (0..<40 + Int(random.next() % 160)).shuffled(using: &random)
        let gone = numbers.filter { $0.isMultiple(of: 2) }.shuffled(using: &random)
        var cursor = Int64(1)
        func receive(_ rows: [WireRow] = [], left: ArraySlice<Int> = [], more: Bool = true) throws {
            cursor += 1
            try world.receive(
                ReplicaWorld.page(
                    ReplicaWorld.liaison("me"), cursor: cursor, rows, left: left.map { ("student", "student \($0)") },
                    more: more))
        }
        for start in stride(from: 0, to: numbers.count, by: 8) {
            try receive(
                numbers[start..<min(start + 8, numbers.count)].map { number in
                    let text = (number.isMultiple(of: 2) ? "leaver" : "stayer") + " \(number)"
                    return ReplicaWorld.row(
                        "student", "student \(number)", at: cursor,
                        [
                            "name": .text(text),
                            "note_public": .text(text + String(repeating: "x", count: Int(random.next() % 400))),
                        ])
                })
        }
        for start in stride(from: 0, to: gone.count, by: 8) {
            try receive(left: gone[start..<min(start + 8, gone.count)], more: start + 8 < gone.count)
        }
        #expect(try world.diskHolds("stayer"))
        #expect(try !world.diskHolds("leaver"))
        #expect(try world.request().purged?.rows == gone.count)
    }
}

/// The same numbers for the same seed.
private struct RepeatableNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 33)
    }
}
