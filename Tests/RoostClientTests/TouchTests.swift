import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// A call that found a wrong number says so of the number, in whatever order things arrive.
@Suite struct TouchTests {
    private func touch(_ device: ServedDevice, _ name: String, _ result: Value) throws {
        let now = device.county.bench.now
        try device.replica.queue(
            [
                Edit(
                    "touch", ServedCounty.id(name), .create,
                    [
                        Mutation.Change("student", .id(ServedCounty.id("李明"))),
                        Mutation.Change("officer", .id(device.world.officer)),
                        Mutation.Change("at", .integer(now.value)), Mutation.Change("channel", "phone"),
                        Mutation.Change("result", result), Mutation.Change("visibility", "liaison"),
                    ])
            ], grouped: false, at: device.county.bench.environment.moment)
    }

    private func county() async throws -> (ServedCounty, ServedDevice, ServedDevice) {
        let county = try ServedCounty()
        try await county.appoint("谭联络", "liaison")
        try await county.enter("李明", for: "谭联络", ["mobile": "+8613912345678", "mobile_state": "ok"])
        let phone = try await county.device(of: "谭联络", "liaison")
        let laptop = try await county.device(of: "谭联络", "liaison")
        try await phone.sync()
        try await laptop.sync()
        county.bench.advance(1000)
        return (county, phone, laptop)
    }

    private func state(_ county: ServedCounty) async throws -> Value? {
        let row = try #require(try await county.store.rows("student", ids: [ServedCounty.id("李明")]).first)
        return county.store.rules.catalogue["student"]?.position(of: FieldName("mobile_state")).map { row.values[$0] }
    }

    @Test func `a wrong number is noted of the student, another result is not`() async throws {
        let (county, phone, laptop) = try await county()
        try touch(phone, "first", "reached")
        #expect(try await phone.sync().verdicts == [.applied: 1])
        #expect(try await state(county) == "ok")
        county.bench.advance(1000)
        try touch(phone, "second", "wrong_number")
        try await phone.sync()
        #expect(try await state(county) == "wrong")
        try await laptop.sync()
        #expect(try laptop.world.value("student", ServedCounty.id("李明"), "mobile_state") == "wrong")
        #expect(try laptop.desk.conflicts().isEmpty)
        // Nothing of it happens when the touch is refused.
        try phone.replica.queue(
            [
                Edit(
                    "touch", ServedCounty.id("third"), .create,
                    [Mutation.Change("student", .id(ServedCounty.id("李明"))), Mutation.Change("result", "wrong_number")])
            ], grouped: false, at: county.bench.environment.moment)
        #expect(try await phone.sync().verdicts == [.rejected: 1])
    }

    @Test(arguments: [true, false])
    func `what was said last of the number stays, whichever arrives first`(callFirst: Bool) async throws {
        let (county, phone, laptop) = try await county()
        try touch(phone, "call", "wrong_number")
        county.bench.advance(1000)
        try laptop.edit("李明", ["mobile": "+8613800000000", "mobile_state": "unknown"])
        county.bench.advance(1000)
        for device in callFirst ? [phone, laptop] : [laptop, phone] { try await device.sync() }
        #expect(try await state(county) == "unknown")
    }
}
