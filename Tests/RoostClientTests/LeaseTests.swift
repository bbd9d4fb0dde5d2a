import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// A device out of contact for longer than its lease keeps to itself how people can be reached.
@Suite struct LeaseTests {
    private static let mobile = "+8613912345678"
    private static let day: Int64 = 86_400_000

    private func county() async throws -> (ServedCounty, ServedDevice) {
        let county = try ServedCounty()
        try await county.appoint("谭联络", "liaison")
        try await county.enter(
            "李明", for: "谭联络", ["mobile": .text(Self.mobile), "wechat": "liming-wx", "email": "li@example.org"])
        try await county.write(
            TrustedEdit(
                "guardian", ServedCounty.id("guardian"), .create,
                ["student": .id(ServedCounty.id("李明")), "name": "李父", "phone": "+8613900001111"]))
        let device = try await county.device(of: "谭联络", "liaison")
        try await device.sync()
        return (county, device)
    }

    /// Everything the device shows of a student, in words and for programs.
    private func shown(_ device: ServedDevice) throws -> String {
        let desk = try device.desk
        let view = try StudentView(desk, language: .zh)
        let student = try desk.student("李明")
        return try view.line(student).joined() + view.page(student)
            + String(decoding: view.whole(student).json, as: UTF8.self)
    }

    private static let secrets = ["13912345678", "liming-wx", "li@example.org", "李父", "13900001111"]

    @Test(arguments: [31, 400] as [Int64])
    func `after so many days contact details are locked everywhere until the device has synchronised`(days: Int64)
        async throws
    {
        let (county, device) = try await county()
        for secret in Self.secrets { #expect(try shown(device).contains(secret)) }
        county.bench.advance(days * Self.day)
        let locked = try shown(device)
        for secret in Self.secrets { #expect(!locked.contains(secret)) }
        #expect(locked.contains("已锁定") && locked.contains("李明"))
        #expect(try device.desk.endedLease?.days == 30)
        #expect(try device.desk.students(["13912345678"]).isEmpty)

        // Edits of other fields go on; what is locked can be neither read nor written.
        try device.edit("李明", ["skills": .list(["书法"])])
        #expect(throws: ClientError.self) { try device.edit("李明", ["mobile": "+8613700000000"]) }
        #expect(throws: ClientError.leaseOver(days: 30)) {
            try SheetImport(device.desk).draft(Array("姓名,手机\n李明,13912345678\n".utf8), template: nil, year: nil)
        }
        let report = try await device.sync()
        #expect(report.verdicts[.applied] == 1)
        for secret in Self.secrets { #expect(try shown(device).contains(secret)) }
    }

    @Test func `within the lease nothing is locked, and each synchronisation begins it anew`() async throws {
        let (county, device) = try await county()
        for _ in 0..<4 {
            county.bench.advance(29 * Self.day)
            #expect(try shown(device).contains("13912345678"))
            try await device.sync()
        }
        county.bench.advance(31 * Self.day)
        #expect(try !shown(device).contains("13912345678"))
    }

    @Test func `values that lost are locked with their field`() async throws {
        let (county, device) = try await county()
        let other = try await county.device(of: "谭联络", "liaison")
        try await other.sync()
        try device.edit("李明", ["wechat": "first-wx", "skills": .list(["书法"])])
        county.bench.advance(1000)
        try other.edit("李明", ["wechat": "second-wx"])
        try await other.sync()
        try await device.sync()
        try await device.sync()
        let conflict = try #require(try device.desk.conflicts().first)
        #expect(conflict.losing == "first-wx")
        county.bench.advance(31 * Self.day)
        let locked = try #require(try device.desk.conflicts().first)
        #expect(locked.isLocked && locked.losing == .null && locked.current == .null)
        #expect(throws: ClientError.leaseOver(days: 30)) { try device.desk.restore(locked) }
        try await device.sync()
        #expect(try device.desk.conflicts().first?.losing == "first-wx")
    }

    @Test func `what was refused is locked too, in the box and in what is sent again`() async throws {
        let (county, device) = try await county()
        try device.replica.queue(
            [
                Edit(
                    "student", ServedCounty.id("李明"), .edit,
                    [.init("gender", "no such"), .init("mobile", .text(Self.mobile)), .init("note_public", "x")])
            ], grouped: false, at: county.bench.environment.moment)
        #expect(try await device.sync().verdicts == [.rejected: 1])
        let entry = try #require(try device.replica.refused().first)
        #expect(entry.mutation?.changes.map(\.field) == ["gender", "mobile", "note_public"] && entry.locked.isEmpty)
        county.bench.advance(31 * Self.day)
        let desk = try device.desk
        let veiled = try #require(try device.replica.refused().first)
        #expect(veiled.mutation?.changes.map(\.field) == ["gender", "note_public"] && veiled.locked == ["mobile"])
        #expect(throws: ClientError.leaseOver(days: 30)) { try desk.resubmit(veiled, replacing: ["gender=1"]) }
        #expect(try device.replica.refused().count == 1)
        try await device.sync()
        #expect(try device.replica.refused() == [entry])
        #expect(try device.desk.resubmit(entry, replacing: ["gender=1"]) == 1)
        #expect(try device.replica.unsent().first?.changes.map(\.field) == ["mobile", "note_public", "gender"])
    }

    @Test func `once locked no clock opens it, nor gives back what is gone of a lease`() throws {
        let world = try ReplicaWorld()
        let start = world.bench.now.value
        func observe(_ days: Int64, _ steady: Int64?, _ boot: String = "a") throws -> Bool {
            try world.replica.observeLease(
                at: DeviceMoment(
                    now: Milliseconds(start + days * Self.day),
                    mark: steady.map { Mutation.Mark(monotonic: $0 * Self.day, boot: boot) })) != nil
        }
        func moment(_ days: Int64, _ steady: Int64, _ boot: String) -> DeviceMoment {
            DeviceMoment(
                now: Milliseconds(start + days * Self.day), mark: .init(monotonic: steady * Self.day, boot: boot))
        }
        try world.replica.renewLease(days: 30, at: moment(0, 100, "a"))
        #expect(try !observe(20, 120))
        // Started again, with the clock where it stood at the last contact and a little later: both count as gone.
        #expect(try !observe(20, 0, "b"))
        #expect(try observe(0, 1, "c"))
        try world.reopen()
        for (days, steady, boot) in [(0, 0, "d"), (1, nil, "d"), (20, 1, "d"), (15, 0, "e")]
            as [(Int64, Int64?, String)]
        {
            #expect(try observe(days, steady, boot))
        }
        // Only a synchronisation does, whatever the clock says then.
        try world.replica.renewLease(days: 30, at: moment(5, 1, "e"))
        #expect(try !observe(5, 2, "e"))
        #expect(try !observe(34, 0, "f"))
        // The steady clock of the new boot goes on from there.
        #expect(try observe(34, 3, "f"))
        #expect(try observe(34, 0, "g"))
    }

    @Test func `the steady clock decides within a boot, and setting the wall clock back gains nothing`() {
        func moment(_ days: Int64, _ steady: Int64?, _ boot: String = "a") -> DeviceMoment {
            DeviceMoment(
                now: Milliseconds(1_757_635_200_000 + days * Self.day),
                mark: steady.map { Mutation.Mark(monotonic: $0 * Self.day, boot: boot) })
        }
        let lease = Lease(days: 30, from: moment(0, 100))
        #expect(!lease.isOver(at: moment(30, 130)))
        #expect(lease.isOver(at: moment(31, 131)))
        // Two years ahead, and set back, while the machine runs on.
        #expect(!lease.isOver(at: moment(730, 101)))
        #expect(lease.isOver(at: moment(1, 131)))
        // After a restart only the wall clock can tell.
        #expect(!lease.isOver(at: moment(30, 0, "b")))
        #expect(lease.isOver(at: moment(31, 0, "b")))
        #expect(lease.isOver(at: moment(-2, 0, "b")))
        #expect(!lease.isOver(at: moment(0, nil)))
        #expect(!Lease(days: 0, from: moment(0, 100)).isOver(at: moment(4000, nil)))
    }
}
