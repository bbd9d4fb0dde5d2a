import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// People settle, offline, what others' devices could not write.
@Suite struct SettlingTests {
    private static let day: Int64 = 86_400_000

    /// A coordinator who sees the number masked types another; a liaison officer and a registrar see it in full.
    private func chapter() async throws -> (ServedCounty, coordinator: ServedDevice, liaison: ServedDevice) {
        let county = try ServedCounty()
        let chapter = ServedCounty.id("华工分部")
        try await county.write(
            TrustedEdit("chapter", chapter, .create, ["name": "华工分部", "kind": "university"]))
        try await county.appoint("谭联络", "liaison")
        try await county.appoint("莫分部", "coordinator", target: chapter)
        try await county.enter("李明", for: "谭联络", ["mobile": "+8619900000001"])
        try await county.write(
            TrustedEdit(
                "membership", ServedCounty.id("李明 membership"), .create,
                ["student": .id(ServedCounty.id("李明")), "chapter": .id(chapter), "state": "active"]))
        let coordinator = try await county.device(of: "莫分部", "coordinator")
        let liaison = try await county.device(of: "谭联络", "liaison")
        try await coordinator.sync()
        try await liaison.sync()
        county.bench.advance(1000)
        return (county, coordinator, liaison)
    }

    @Test func `a number typed over a mask is accepted offline by who answers for the student`() async throws {
        let (county, coordinator, liaison) = try await chapter()
        try coordinator.edit("李明", ["mobile": "+8619900000002", "note_public": "换号"])
        #expect(try await coordinator.sync().verdicts == [.quarantined: 1])
        #expect(try coordinator.desk.quarantine(all: true).isEmpty)
        #expect(try coordinator.replica.status().quarantined == 1)
        try await liaison.sync()
        #expect(try liaison.replica.status().toDecide == 1)
        let entry = try #require(try liaison.desk.quarantine().first)
        #expect(entry.changes == [Mutation.Change("mobile", "+8619900000002")])
        #expect(entry.author == ServedCounty.id("莫分部") && entry.device == "laptop 1" && entry.reason == "masked")
        county.bench.advance(1000)
        try liaison.desk.accept(entry)
        #expect(try liaison.world.value("student", "李明", "mobile") == "+8619900000002")
        #expect(try liaison.desk.quarantine().isEmpty)
        #expect(try await liaison.sync().verdicts == [.applied: 2])
        #expect(try liaison.world.value("student", "李明", "mobile") == "+8619900000002")
        #expect(try liaison.desk.quarantine(all: true).map(\.state) == [.accepted])
        #expect(throws: ClientError.nothingToChange) { try liaison.desk.decline(entry) }
    }

    @Test func `an edit beyond the grace is settled by the new holder, who may decline it`() async throws {
        let (county, _, liaison) = try await chapter()
        try await county.appoint("欧联络", "liaison")
        let successor = try await county.device(of: "欧联络", "liaison")
        try liaison.edit("李明", ["note_public": "暑假回来"])
        county.bench.advance(1000)
        try await county.handOver("李明", from: "谭联络", to: "欧联络")
        county.bench.advance(20 * Self.day)
        let report = try await liaison.sync()
        #expect(report.verdicts == [.quarantined: 1])
        #expect(try liaison.student("李明") == nil)
        #expect(try liaison.desk.quarantine(all: true).isEmpty)
        try await successor.sync()
        let entry = try #require(try successor.desk.quarantine().first)
        #expect(entry.reason == "authority_ended")
        try successor.desk.decline(entry)
        #expect(try await successor.sync().verdicts == [.applied: 1])
        #expect(try successor.world.value("student", "李明", "note_public") == .null)
        #expect(try successor.desk.quarantine().isEmpty)
    }

    @Test func `an edit inside the grace is applied and said to be late`() async throws {
        let (county, _, liaison) = try await chapter()
        try liaison.edit("李明", ["note_public": "暑假回来"])
        county.bench.advance(1000)
        try await county.handOver("李明", from: "谭联络")
        county.bench.advance(3 * Self.day)
        #expect(try await liaison.sync().verdicts == [.late: 1])
        let row = try #require(try await county.store.rows("student", ids: [ServedCounty.id("李明")]).first)
        let position = try #require(county.store.rules.catalogue["student"]?.position(of: "note_public" as FieldName))
        #expect(row.values[position] == "暑假回来")
    }

    @Test func `who takes a student out of their own sight is told, and the student goes`() async throws {
        let (_, coordinator, _) = try await chapter()
        let membership = try #require(
            try coordinator.replica.row("membership", ServedCounty.id("李明 membership")))
        try coordinator.desk.delete("membership", membership)
        let report = try await coordinator.sync()
        #expect(report.verdicts == [.applied: 1])
        #expect(report.rowsPurged >= 1)
        #expect(try coordinator.student("李明") == nil)
    }

    @Test func `a conflict names who wrote what stands now, also where somebody wrote after its winner`() async throws {
        let (county, _, liaison) = try await chapter()
        try await county.write(TrustedEdit("student", ServedCounty.id("李明"), .edit, ["wechat": "seen"]))
        try await county.appoint("梁登记", "registrar")
        try await county.appoint("吴登记", "registrar")
        let first = try await county.device(of: "梁登记", "registrar")
        let third = try await county.device(of: "吴登记", "registrar")
        let writers = [(first, "a"), (liaison, "b"), (third, "c")]
        for (device, value) in writers {
            try await device.sync()
            county.bench.advance(1000)
            try device.edit("李明", ["wechat": .text(value)])
        }
        for (device, _) in writers { try await device.sync() }
        try await first.sync()
        let cases = try first.desk.conflicts()
        #expect(cases.map(\.losing) == ["a", "b"] && cases.allSatisfy { $0.current == "c" })
        #expect(cases.map(\.winningDevice) == ["laptop 2", "laptop 4"])
        #expect(cases.map(\.currentDevice) == ["laptop 4", "laptop 4"])
        #expect(cases.map(\.currentAuthor) == [ServedCounty.id("吴登记"), ServedCounty.id("吴登记")])
        #expect(cases.map(\.currentStamp) == [cases[1].winningStamp, cases[1].winningStamp])

        // What this device wrote over it is its own, waiting or not; what somebody else did who saw it has no known author.
        county.bench.advance(1000)
        try first.edit("李明", ["wechat": "d"])
        for stage in ["waiting", "applied"] {
            let mine = try first.desk.conflicts()
            #expect(mine.map(\.currentAuthor) == [ServedCounty.id("梁登记"), ServedCounty.id("梁登记")], "\(stage)")
            #expect(try mine.map(\.currentDevice) == [first.desk.enrolled.label, first.desk.enrolled.label])
            #expect((mine[0].currentStamp == nil) == (stage == "waiting"))
            try await first.sync()
        }
        try await third.sync()
        county.bench.advance(1000)
        try third.edit("李明", ["wechat": "e"])
        for device in [third, first] { try await device.sync() }
        let later = try first.desk.conflicts()
        #expect(later.map(\.current) == ["e", "e"])
        #expect(later.map(\.currentAuthor) == [nil, nil] && later.map(\.currentDevice) == [nil, nil])
    }

    @Test func `what waits for somebody is counted until it is decided, or for as long as the journal reaches`()
        async throws
    {
        let (county, coordinator, liaison) = try await chapter()
        // Of this one nobody tells its author.
        try coordinator.edit("李明", ["mobile": "+8619900000002"])
        try await coordinator.sync()
        #expect(try coordinator.replica.status().quarantined == 1)
        // This one its author comes to see again.
        try await county.appoint("欧联络", "liaison")
        try liaison.edit("李明", ["note_public": "暑假回来"])
        county.bench.advance(1000)
        try await county.handOver("李明", from: "谭联络", to: "欧联络")
        county.bench.advance(20 * Self.day)
        #expect(try await liaison.sync().verdicts == [.quarantined: 1])
        #expect(try liaison.replica.status().quarantined == 1)
        try await county.write(
            TrustedEdit("liaison", ServedCounty.link("李明", "欧联络"), .edit, ["state": "ended"]),
            TrustedEdit("liaison", ServedCounty.link("李明", "谭联络"), .edit, ["state": "active"]))
        try await liaison.sync()
        #expect(try liaison.replica.status().quarantined == 1)
        let entry = try #require(try liaison.desk.quarantine().first { $0.reason == "authority_ended" })
        county.bench.advance(1000)
        try liaison.desk.accept(entry)
        try await liaison.sync()
        #expect(try liaison.replica.status().quarantined == 0 && liaison.replica.quarantined().isEmpty)

        #expect(try coordinator.replica.status().quarantined == 1)
        county.bench.advance(31 * Self.day)
        try await coordinator.sync()
        #expect(try coordinator.replica.status().quarantined == 0 && coordinator.replica.quarantined().isEmpty)
    }

    @Test func `a later edit of a row whose earlier one is refused goes on top of what the server has`() async throws {
        let (county, _, liaison) = try await chapter()
        try await county.write(TrustedEdit("student", ServedCounty.id("李明"), .edit, ["wechat": "theirs"]))
        for change in [
            Mutation.Change("gender", "no such"), .init("note_public", "暑假回来"), .init("mobile", "+8619900000009"),
        ] {
            county.bench.advance(1000)
            let beside = change.field == "gender" ? [change, .init("wechat", "mine")] : [change]
            try liaison.replica.queue(
                [Edit("student", ServedCounty.id("李明"), .edit, beside)], grouped: false,
                at: county.bench.environment.moment)
        }
        #expect(try liaison.world.value("student", "李明", "wechat") == "mine")
        // The refusal arrives, the other two wait: they stay on top of the server's row, and what was refused goes.
        let request = try liaison.replica.nextRequest(
            limits: ChangesetLimits(mutations: 1, bytes: 1 << 20), at: county.bench.environment.moment)
        #expect(try await liaison.exchange(request).verdicts == [.rejected: 1])
        #expect(try liaison.world.value("student", "李明", "wechat") == "theirs")
        #expect(try liaison.world.value("student", "李明", "note_public") == "暑假回来")
        #expect(try liaison.world.value("student", "李明", "mobile") == "+8619900000009")
        #expect(try liaison.replica.status().pending == 2)
        #expect(try await liaison.sync().verdicts == [.applied: 2])
        #expect(try liaison.world.value("student", "李明", "note_public") == "暑假回来")
        #expect(try liaison.world.value("student", "李明", "gender") == .null)
        #expect(try liaison.replica.refused().map { $0.mutation?.changes.map(\.field) } == [["gender", "wechat"]])
    }

    @Test func `a conflict names both devices and is restored as a new edit`() async throws {
        let (county, _, liaison) = try await chapter()
        try await county.appoint("梁登记", "registrar")
        let registrar = try await county.device(of: "梁登记", "registrar")
        try await registrar.sync()
        try registrar.edit("李明", ["wechat": "early"])
        county.bench.advance(1000)
        try liaison.edit("李明", ["wechat": "later"])
        try await liaison.sync()
        try await registrar.sync()
        // Filling an empty field unseen is no conflict; the second pair is.
        county.bench.advance(1000)
        try await liaison.sync()
        try registrar.edit("李明", ["wechat": "theirs"])
        county.bench.advance(1000)
        try liaison.edit("李明", ["wechat": "ours"])
        try await liaison.sync()
        try await registrar.sync()
        let conflict = try #require(try registrar.desk.conflicts().first { $0.losing == "theirs" })
        #expect(conflict.losingDevice == "laptop 3" && conflict.winningDevice == "laptop 2")
        #expect(conflict.current == "ours")
        county.bench.advance(1000)
        try registrar.desk.restore(conflict)
        #expect(try await registrar.sync().verdicts == [.applied: 2])
        try await liaison.sync()
        #expect(try liaison.world.value("student", "李明", "wechat") == "theirs")
        #expect(try liaison.desk.conflicts().filter { $0.losing == "theirs" }.isEmpty)
    }

    @Test func `who edits what somebody had deleted is told, and finds it when it is restored`() async throws {
        let (county, _, liaison) = try await chapter()
        try await county.appoint("梁登记", "registrar")
        let registrar = try await county.device(of: "梁登记", "registrar")
        try await registrar.sync()
        let student = ServedCounty.id("李明")
        try registrar.desk.delete("student", try #require(try registrar.student("李明")))
        try await registrar.sync()
        county.bench.advance(1000)
        try liaison.edit("李明", ["wechat": "typed-offline"])
        let report = try await liaison.sync()
        #expect(report.verdicts == [.applied: 1])
        #expect(report.deletedMeanwhile == [student: "student"])
        #expect(try liaison.replica.row("student", student)?.row.isDeleted == true)
        try registrar.desk.restore("student", try #require(try registrar.student("李明")))
        try await registrar.sync()
        #expect(try await liaison.sync().deletedMeanwhile.isEmpty)
        #expect(try liaison.world.value("student", "李明", "wechat") == "typed-offline")
    }

    @Test func `a losing value taken back in a deleted record brings the record back`() async throws {
        let (county, _, liaison) = try await chapter()
        try await county.appoint("梁登记", "registrar")
        let registrar = try await county.device(of: "梁登记", "registrar")
        try liaison.edit("李明", ["wechat": "first"])
        for device in [liaison, registrar] { try await device.sync() }
        try registrar.edit("李明", ["wechat": "theirs"])
        county.bench.advance(1000)
        try liaison.edit("李明", ["wechat": "ours"])
        for device in [liaison, registrar, liaison] { try await device.sync() }
        county.bench.advance(1000)
        try registrar.desk.delete("student", try #require(try registrar.student("李明")))
        try await registrar.sync()
        county.bench.advance(1000)
        try registrar.desk.restore(try #require(try registrar.desk.conflicts().first { $0.losing == "theirs" }))
        #expect(try await registrar.sync().verdicts == [.applied: 3])
        try await liaison.sync()
        #expect(try liaison.world.value("student", "李明", "wechat") == "theirs")
        #expect(try liaison.student("李明")?.row.isDeleted == false)
    }
}
