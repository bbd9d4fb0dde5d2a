import RoostAPI
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// A device whose access was ended wipes itself at its next contact, says so, and loses nothing that only it had.
@Suite struct RevokedDeviceTests {
    private func enrolAgain(_ device: ServedDevice, in county: ServedCounty) async throws -> ServedDevice {
        let officer = ServedCounty.id("谭联络")
        let enrolment = try Enrolment(of: device.replica, at: "http://server.invalid", random: { 0xC7 })
        try await county.store.keepCode(hash: [99], for: officer, until: county.bench.now + 600_000, madeBy: nil)
        let known = try await county.store.redeemCode(
            hash: [99], replica: enrolment.identity, label: "laptop", tokenHash: [99], expecting: officer)
        try enrolment.keep(
            EnrolmentAnswer(token: "t", officer: officer.description, name: "谭联络", roles: ["liaison"], epoch: "e"),
            label: "laptop")
        return ServedDevice(county, device.world, known)
    }

    @Test(arguments: [0, 31, 400] as [Int64])
    func `a revoked device wipes what it was sent at its next contact, and the server knows`(days: Int64) async throws {
        let (county, device) = try await CaredFor.county()
        try device.edit("李明", ["skills": .list(["书法"])])
        try await device.sync()
        #expect(try device.world.diskHolds(CaredFor.canary) && device.world.diskHolds("书法"))
        try await county.store.revoke(device.world.me)
        county.bench.advance(days * 86_400_000 + 1000)
        #expect(try #require(try await county.record(of: device)).unconfirmed.scopes.count == 4)

        await #expect(throws: ClientError.deviceRevoked(kept: 0)) { try await device.sync() }
        #expect(try !device.world.diskHolds(CaredFor.canary) && !device.world.diskHolds("书法"))
        #expect(try device.desk.students([]).isEmpty)
        #expect(try device.replica.status().scopes.isEmpty)
        let record = try #require(try await county.record(of: device))
        #expect(record.unconfirmed.isEmpty && record.purged == county.bench.now)
        // Known from then on without asking.
        await #expect(throws: ClientError.deviceRevoked(kept: 0)) { try await device.sync() }
    }

    @Test func `what was never sent or was refused stays, and goes out once the device is let in again`() async throws {
        let (county, device) = try await CaredFor.county()
        try device.edit("吴迪", ["skills": .list(["书法"])])
        try device.replica.queue(
            [Edit("student", ServedCounty.id("李明"), .edit, [Mutation.Change("gender", "no such")])], grouped: false,
            at: county.bench.environment.moment)
        try await device.sync()
        #expect(try device.replica.refused().count == 1)
        county.bench.advance(1000)
        try device.edit("李明", ["skills": .list(["游泳"])])
        try await county.store.revoke(device.world.me)
        county.bench.advance(1000)

        await #expect(throws: ClientError.deviceRevoked(kept: 2)) { try await device.sync() }
        #expect(try device.replica.unsent().map(\.changes) == [[Mutation.Change("skills", .list(["游泳"]))]])
        #expect(try device.replica.refused().count == 1)
        #expect(try !device.world.diskHolds(CaredFor.canary) && !device.world.diskHolds("书法"))

        let again = try await enrolAgain(device, in: county)
        #expect(try again.replica.enrolled().replica == ReplicaID(0xC7))
        let report = try await again.sync()
        #expect(report.verdicts[.applied] == 1)
        #expect(try again.world.value("student", ServedCounty.id("李明"), "skills") == .list(["游泳"]))
        #expect(try again.world.diskHolds(CaredFor.canary))
        #expect(try again.replica.revokedDevice() == nil)
    }

    @Test func `a device that holds what it should not is right again once it was revoked, wiped and enrolled anew`()
        async throws
    {
        let (county, device) = try await CaredFor.county()
        let request = try device.world.request()
        let held = try #require(request.scopes.first { $0.scope.kind == "liaison" })
        var answer = try device.world.answer([
            ScopePage(
                scope: held.scope, epoch: held.epoch, cursor: held.cursor, more: false,
                rows: [ReplicaWorld.row("student", "nobody", at: held.cursor.value, ["name": "查无此人"])], left: [])
        ])
        answer.epoch = try #require(request.epoch)
        _ = try device.replica.apply(answer, now: county.bench.now)
        county.bench.advance(1000)
        try await county.handOver("李明", from: "谭联络")
        try await device.sync()
        #expect(try #require(try await county.record(of: device)).purgeAgreed == false)

        try await county.store.revoke(device.world.me)
        await #expect(throws: ClientError.deviceRevoked(kept: 0)) { try await device.sync() }
        let again = try await enrolAgain(device, in: county)
        try await again.sync()
        #expect(try again.replica.row("student", ReplicaWorld.id("nobody")) == nil)
        #expect(try again.student("吴迪") != nil)
        county.bench.advance(1000)
        try await county.handOver("吴迪", from: "谭联络")
        try await again.sync()
        let owner = try #require(try await county.store.devices().first { $0.device.replica == ReplicaID(0xC7) })
        #expect(owner.purged == county.bench.now && owner.purgeAgreed == true)
    }

    @Test func `a crash before the server was told is made good at the next contact`() async throws {
        let (county, device) = try await CaredFor.county()
        try await county.store.revoke(device.world.me)
        try device.replica.purgeRevoked(at: county.bench.now)
        try device.world.reopen()
        #expect(try #require(try await county.record(of: device)).unconfirmed.scopes.count == 4)
        await #expect(throws: ClientError.deviceRevoked(kept: 0)) { try await device.sync() }
        #expect(try #require(try await county.record(of: device)).unconfirmed.isEmpty)
    }
}
