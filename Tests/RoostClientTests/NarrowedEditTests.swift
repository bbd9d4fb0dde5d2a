import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// What a person typed on a device goes from it like everything else when the device may not show it any more.
@Suite struct NarrowedEditTests {
    private static let canary = "+8619977770077"

    @Test
    func `a number typed here goes from the journal too when consent is withdrawn, and the rest of the edit stays`()
        async throws
    {
        let (county, device) = try await Consenting.county()
        county.bench.advance(1000)
        try device.edit("李明", ["mobile": .text(Self.canary), "name": "李大明"])
        #expect(try await device.sync().verdicts == [.applied: 1])
        #expect(try device.world.diskHolds(Self.canary))
        county.bench.advance(1000)
        try await county.write(Consenting.says("withdrawn", county))
        try await device.sync()
        #expect(try !device.world.diskHolds(Self.canary))
        #expect(try device.world.diskHolds("李大明"))
        let record = try #require(try await county.record(of: device))
        #expect(record.purged == county.bench.now && record.purgeAgreed == true)
    }

    @Test func `a number typed before consent was withdrawn, and sent after, does not stay either`() async throws {
        let (county, device) = try await Consenting.county()
        county.bench.advance(1000)
        try device.edit("李明", ["mobile": .text(Self.canary)])
        county.bench.advance(1000)
        try await county.write(Consenting.says("withdrawn", county))
        let report = try await device.sync()
        #expect(report.sent == 1)
        // Whoever may see numbers now decides about it.
        #expect(try await county.store.rows(of: Quarantine.collection).count == 1)
        #expect(try !device.world.diskHolds(Self.canary))
    }

    @Test func `a refused edit of a number that consent no longer opens is given to the server whole`() async throws {
        let (county, device) = try await Consenting.county()
        county.bench.advance(1000)
        func refuse(_ changes: Mutation.Change...) throws {
            try device.replica.queue(
                [Edit("student", ServedCounty.id("李明"), .edit, [.init("gender", "no such")] + changes)],
                grouped: false, at: county.bench.environment.moment)
        }
        try refuse(.init("mobile", .text(Self.canary)))
        try refuse(.init("name", "李大明"))
        #expect(try await device.sync().verdicts == [.rejected: 2])
        county.bench.advance(1000)
        try await county.write(Consenting.says("withdrawn", county))
        #expect(try await device.sync().surrendered == 1)
        #expect(try !device.world.diskHolds(Self.canary))
        #expect(try device.replica.refused().map { $0.mutation?.changes.last?.value } == ["李大明"])
        #expect(try #require(try await county.record(of: device)).purgeAgreed == true)
        let waiting = try await county.store.rows(of: Quarantine.collection)
        #expect(waiting.count == 1)
    }

    @Test func `what a deleted student's number was stays no longer than the number is shown`() async throws {
        let (county, device) = try await Consenting.county()
        county.bench.advance(1000)
        try device.edit("李明", ["mobile": .text(Self.canary), "name": "李大明"])
        try await device.sync()
        try await county.write(TrustedEdit("student", ServedCounty.id("李明"), .delete))
        try await device.sync()
        county.bench.advance(2 * 3_600_000)
        try await device.sync()
        // That consent is withdrawn now nobody would tell this device.
        #expect(try !device.world.diskHolds(Self.canary))
        #expect(try device.world.diskHolds("李大明"))
    }

    @Test func `of an edit that was cut the rest is given to a server that lost it, and the loss is told`() throws {
        let world = try ReplicaWorld("coordinator")
        let scope = ReplicaWorld.chapter("c")
        func student(at sequence: Int64, _ mobile: Value, masked: [String] = []) -> ScopePage {
            ReplicaWorld.page(
                scope, cursor: sequence,
                [ReplicaWorld.row("student", "s", at: sequence, ["name": "李明", "mobile": mobile], masked: masked)])
        }
        try world.receive(student(at: 5, "+8613900000000"))
        try world.replica.queue(
            [
                Edit(
                    "student", ReplicaWorld.id("s"), .edit, [.init("name", "李大明"), .init("mobile", .text(Self.canary))])
            ],
            grouped: false, at: world.moment)
        try world.receive(student(at: 6, .text(Self.canary)), verdicts: [world.applied(1)], expected: 2)
        try world.receive(student(at: 7, "199****0077", masked: ["mobile"]))
        var answer = try world.answer(expected: 1)
        answer.epoch = "e2"
        answer.known = KnownProgress(incarnation: 1, number: 0)
        let recovery = try world.replica.apply(answer, now: world.bench.now).recovery
        #expect(recovery == ReplicaRecovery(given: 1, unrecovered: 1))
        let given = try #require(try world.request().mutations.first)
        #expect(given.changes == [Mutation.Change("name", "李大明")] && given.recovered != nil)
    }
}
