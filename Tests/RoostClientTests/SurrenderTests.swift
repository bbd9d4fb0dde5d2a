import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// What was refused and may not stay is given to those who answer for the row now.
@Suite struct SurrenderTests {
    private static let canary = "金丝雀戊己庚辛"

    /// Liaison officer Tan, whose edit of the student's tier is refused because the student left before it was made, and
    /// Ou, who takes over.
    private func county(
        mutations limit: Int = 5000
    ) async throws -> (ServedCounty, tan: ServedDevice, ou: ServedDevice) {
        let county = try ServedCounty()
        for name in ["谭联络", "欧联络"] { try await county.appoint(name, "liaison") }
        try await county.enter("李明", for: "谭联络")
        let tan = try await county.device(of: "谭联络", "liaison", mutations: limit)
        let ou = try await county.device(of: "欧联络", "liaison")
        try await tan.sync()
        county.bench.advance(1000)
        return (county, tan, ou)
    }

    @Test(arguments: [1, 400] as [Int64])
    func `an edit made after the student was reassigned goes to the successor and leaves no trace`(days: Int64)
        async throws
    {
        let (county, tan, ou) = try await county()
        try await county.handOver("李明", from: "谭联络", to: "欧联络")
        county.bench.advance(1000)
        try tan.edit("李明", ["note_public": .text(Self.canary)])
        #expect(try tan.world.diskHolds(Self.canary))
        county.bench.advance(days * 86_400_000)
        let report = try await tan.sync()
        #expect(report.verdicts == [.rejected: 1] && report.surrendered == 1)
        #expect(try tan.replica.refused().isEmpty)
        #expect(try !tan.world.diskHolds(Self.canary))
        // The author still sees that something was said.
        #expect(try tan.replica.quarantined().map(\.mutation) == [nil])
        let record = try #require(try await county.record(of: tan))
        #expect(record.unconfirmed.isEmpty && record.purgeAgreed == true && record.purged == county.bench.now)

        try await ou.sync()
        let entry = try #require(try ou.desk.quarantine().first)
        #expect(entry.reason == "left_scope" && entry.author == ServedCounty.id("谭联络"))
        #expect(entry.changes == [Mutation.Change("note_public", .text(Self.canary))])
        county.bench.advance(1000)
        try ou.desk.accept(entry)
        #expect(try await ou.sync().verdicts == [.applied: 2])
        #expect(try ou.world.value("student", "李明", "note_public") == .text(Self.canary))
    }

    @Test func `what waited in the box when the student left goes too, and what was to be added about them`()
        async throws
    {
        let (county, tan, ou) = try await county()
        // Both refused while Tan still answers for the student: a value that does not fit, and a schooling without rights.
        try tan.replica.queue(
            [
                Edit(
                    "student", ServedCounty.id("李明"), .edit,
                    [.init("gender", "no such"), .init("note_public", .text(Self.canary))]),
                Edit(
                    "schooling", ServedCounty.id("s"), .create,
                    [
                        .init("student", .id(ServedCounty.id("李明"))), .init("level", "no such"),
                        .init("school_name", .text(Self.canary)),
                    ]),
            ], grouped: false, at: county.bench.environment.moment)
        #expect(try await tan.sync().verdicts == [.rejected: 2])
        #expect(try tan.replica.refused().count == 2)
        county.bench.advance(1000)
        try await county.handOver("李明", from: "谭联络", to: "欧联络")
        #expect(try await tan.sync().surrendered == 2)
        #expect(try tan.replica.refused().isEmpty)
        #expect(try !tan.world.diskHolds(Self.canary))
        try await ou.sync()
        #expect(try ou.desk.quarantine().count == 2)
    }

    @Test func `beside a full outbox only so much is given back as the request still takes`() async throws {
        let (county, tan, ou) = try await county(mutations: 4)
        try await county.enter("吴迪", for: "谭联络")
        try await tan.sync()
        func edit(_ student: String, _ changes: Mutation.Change...) throws {
            county.bench.advance(1000)
            try tan.replica.queue(
                [Edit("student", ServedCounty.id(student), .edit, changes)], grouped: false,
                at: county.bench.environment.moment)
        }
        let long = String(repeating: "长", count: 150)
        for index in 0..<6 {
            try edit("李明", .init("gender", "no such"), .init("note_public", .text("\(index)" + long)))
        }
        #expect(try await tan.sync().verdicts == [.rejected: 6])
        try await county.handOver("李明", from: "谭联络", to: "欧联络")
        for index in 0..<6 { try edit("吴迪", .init("note_public", .text("\(index)" + long))) }
        // The student leaves; what is to be given back stands beside what waits.
        let first = try await tan.exchange()
        #expect(first.verdicts == [.applied: 4])
        let next = try tan.world.request(mutations: 4)
        #expect(next.mutations.count == 2 && next.surrendered.count == 2)
        let small = try tan.world.request(mutations: 100, bytes: 3 << 10)
        #expect(small.mutations.count == 2 && (1..<4).contains(small.surrendered.count))
        #expect(small.json.count <= 3 << 10)
        let report = try await tan.sync()
        #expect(report.verdicts == [.applied: 2] && report.surrendered == 6)
        #expect(try tan.replica.refused().isEmpty)
        #expect(try await county.record(of: tan)?.unconfirmed.isEmpty == true)
        try await ou.sync()
        #expect(try ou.desk.quarantine().count == 6)
    }

    @Test func `a contact made by who answered before is accepted as theirs, and only as they told it`() async throws {
        let (county, tan, ou) = try await county()
        try await county.handOver("李明", from: "谭联络", to: "欧联络")
        county.bench.advance(1000)
        let touches = try tan.desk.collection(called: "touch")
        let row = try RowEntry(try tan.desk, touches).add([
            "student=\(ServedCounty.id("李明"))", "channel=phone", "visibility=team", "summary=\(Self.canary)",
        ])
        #expect(try await tan.sync().surrendered == 1)
        try await ou.sync()
        let entry = try #require(try ou.desk.quarantine().first)

        // With a word of one's own it is no longer what the other said.
        var altered = entry.changes.filter { $0.field != "summary" }
        altered.append(.init("summary", "x"))
        let close = Edit(Quarantine.collection, entry.id, .edit, [.init("state", "accepted")])
        try ou.replica.queue(
            [Edit("touch", row, .create, altered), close], grouped: true, at: county.bench.environment.moment)
        #expect(try await ou.sync().verdicts == [.rejected: 2])

        try ou.desk.accept(entry)
        #expect(try await ou.sync().verdicts == [.applied: 2])
        #expect(try ou.world.value("touch", row, "officer") == .id(ServedCounty.id("谭联络")))
        #expect(try ou.world.value("touch", row, "summary") == .text(Self.canary))
    }

    @Test func `what was to be added about a student is given back also if it is refused after they left`() async throws
    {
        let (county, tan, ou) = try await county(mutations: 1)
        try await county.enter("吴迪", for: "谭联络")
        try await tan.sync()
        county.bench.advance(1000)
        try tan.edit("吴迪", ["note_public": "x"])
        try tan.replica.queue(
            [
                Edit(
                    "schooling", ServedCounty.id("s"), .create,
                    [
                        .init("student", .id(ServedCounty.id("李明"))), .init("level", "no such"),
                        .init("school_name", .text(Self.canary)),
                    ])
            ], grouped: false, at: county.bench.environment.moment)
        try await county.handOver("李明", from: "谭联络", to: "欧联络")
        let first = try await tan.exchange()
        #expect(first.verdicts == [.applied: 1] && first.rowsPurged > 0)
        #expect(try tan.student("李明") == nil)
        let report = try await tan.sync()
        #expect(report.verdicts == [.rejected: 1] && report.surrendered == 1)
        #expect(try tan.replica.refused().isEmpty)
        #expect(try !tan.world.diskHolds(Self.canary))
        try await ou.sync()
        #expect(try ou.desk.quarantine().map(\.collection) == ["schooling"])
    }

    @Test func `a refused newcomer stays in the box of who entered them`() async throws {
        let (county, tan, _) = try await county()
        let row = ServedCounty.id("newcomer")
        try tan.replica.queue(
            [Edit("student", row, .create, [.init("name", "陈家俊")])], grouped: false,
            at: county.bench.environment.moment)
        try tan.replica.queue(
            [Edit("student", row, .edit, [.init("gender", "1")])], grouped: false, at: county.bench.environment.moment)
        let report = try await tan.sync()
        #expect(report.verdicts == [.rejected: 2] && report.surrendered == 0)
        #expect(try tan.replica.refused().map(\.verdict.refusal).last == .dependsOn)
        try await tan.sync()
        #expect(try tan.replica.refused().count == 2)
    }

    @Test func `what is brought twice is set aside once, and what was never decided is not taken`() async throws {
        let (county, tan, _) = try await county()
        try await county.handOver("李明", from: "谭联络", to: "欧联络")
        county.bench.advance(1000)
        try tan.edit("李明", ["note_public": "x"])
        try await tan.exchange()
        let request = try tan.world.request()
        #expect(request.surrendered.map(\.mutation.number) == [1])
        let owner = try #require(try await county.record(of: tan)).device
        var again = request
        again.surrendered.append(
            Surrender(
                incarnation: 1,
                mutation: Mutation(
                    number: 9, collection: "student", row: ServedCounty.id("李明"), action: .edit,
                    time: HybridTime(county.bench.now))))
        for sent in [request, again] {
            let bytes = try await county.store.exchange(
                ExchangeRequest(json: sent.json), device: owner, mutationLimit: 10, pageBytes: 1 << 20
            ).answer
            #expect(try ExchangeAnswer(json: bytes).surrendered == [Surrender.Name(incarnation: 1, number: 1)])
        }
        #expect(try await county.store.rows(of: Quarantine.collection).count == 1)
    }
}
