import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// Access that goes because of what a row says, and not because a link or a grant ended, is judged in time all the same.
@Suite struct ConditionalAccessTests {
    private static let chapter = ServedCounty.id("华工分部")
    private static let membership = ServedCounty.id("membership")
    private static let day: Int64 = 86_400_000

    private func county() async throws -> (ServedCounty, ServedDevice) {
        let county = try ServedCounty()
        try await county.write(
            TrustedEdit("chapter", Self.chapter, .create, ["name": "华工分部", "kind": "university"]))
        try await county.appoint("谭分部", "coordinator", target: Self.chapter)
        try await county.appoint("谭联络", "liaison")
        try await county.enter("李明", for: "谭联络")
        try await county.write(
            TrustedEdit(
                "membership", Self.membership, .create,
                ["student": .id(ServedCounty.id("李明")), "chapter": .id(Self.chapter), "state": "active"]))
        let device = try await county.device(of: "谭分部", "coordinator")
        try await device.sync()
        return (county, device)
    }

    @Test(arguments: [(2, .late), (31, .quarantined), (400, .quarantined)] as [(Int64, Verdict.Outcome)])
    func `an edit made before the student turned out to be a minor`(days: Int64, outcome: Verdict.Outcome) async throws
    {
        let (county, device) = try await county()
        county.bench.advance(1000)
        try device.edit("李明", ["skills": .list(["书法"])])
        county.bench.advance(1000)
        try await county.write(TrustedEdit("student", ServedCounty.id("李明"), .edit, ["birth": "2012-05"]))
        county.bench.advance(days * Self.day)
        let report = try await device.sync()
        #expect(report.verdicts == [outcome: 1])
        #expect(try device.student("李明") == nil)
    }

    @Test func `the operator sets how long such edits are applied`() async throws {
        let (county, device) = try await county()
        county.store.adopt(Leniency(graceDays: 40))
        county.bench.advance(1000)
        try device.edit("李明", ["skills": .list(["书法"])])
        county.bench.advance(1000)
        try await county.write(TrustedEdit("student", ServedCounty.id("李明"), .edit, ["birth": "2012-05"]))
        county.bench.advance(31 * Self.day)
        #expect(try await device.sync().verdicts == [.late: 1])
    }

    @Test func `an edit made before the membership was left`() async throws {
        let (county, device) = try await county()
        let shown = try #require(try device.replica.row("membership", Self.membership))
        county.bench.advance(1000)
        _ = try device.desk.edit("membership", shown, ["role": "deputy"])
        county.bench.advance(1000)
        try await county.write(TrustedEdit("membership", Self.membership, .edit, ["state": "left"]))
        county.bench.advance(Self.day)
        #expect(try await device.sync().verdicts == [.late: 1])
        let stored = try #require(try await county.store.rows("membership", ids: [Self.membership]).first)
        let position = try #require(county.store.rules.catalogue["membership"]?.position(of: FieldName("role")))
        #expect(stored.values[position] == "deputy")
        // Afterwards there is no such membership for the chapter.
        try device.replica.queue(
            [Edit("membership", Self.membership, .edit, [Mutation.Change("role", "member")])], grouped: false,
            at: county.bench.environment.moment)
        #expect(try await device.sync().verdicts == [.rejected: 1])
    }
}
