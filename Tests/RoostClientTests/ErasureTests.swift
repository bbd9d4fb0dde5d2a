import Foundation
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// Who is erased is on no disk any more, the server's or a device's, and never comes back.
@Suite struct ErasureTests {
    private static let canaries = ["林墨言", "wx-canary-first", "wx-canary-second", "wx-canary-pending", "canary-school"]

    /// Two devices that hold a student with a history, a conflict and rows about them, and another student.
    private func founded() async throws -> (
        world: RecoveryWorld, first: RecoveryDevice, second: RecoveryDevice, student: RowID, other: RowID
    ) {
        let world = try RecoveryWorld()
        let first = try await world.device(1, of: world.officer("甲", "registrar"))
        let second = try await world.device(2, of: world.officer("乙", "registrar"))
        let student = try first.add("林墨言")
        let other = try first.add("谭梓森")
        try await first.sync()
        try await second.sync()
        try first.edit(student, ["wechat": "wx-canary-first"])
        try second.edit(student, ["wechat": "wx-canary-second"])
        try await first.sync()
        try await second.sync()
        _ = try await world.store.write(
            [
                TrustedEdit(
                    "schooling", RowID(bits: 0x5C00), .create,
                    ["student": .id(student), "school_name": "canary-school"])
            ], by: first.world.officer)
        try await first.sync()
        try await second.sync()
        return (world, first, second, student, other)
    }

    private func serverHolds(_ world: RecoveryWorld) throws -> [String] {
        // What a restoration moved aside is the operator's to delete.
        let files = try FileManager.default.subpathsOfDirectory(atPath: world.directory)
            .filter { !$0.contains(".before-") }
            .compactMap { FileManager.default.contents(atPath: world.directory + "/" + $0) }
        return Self.canaries.filter { canary in files.contains { $0.firstRange(of: Array(canary.utf8)) != nil } }
    }

    private func deviceHolds(_ device: RecoveryDevice) throws -> [String] {
        try Self.canaries.filter { try device.world.diskHolds($0) }
    }

    @Test func `the row, what refers to it and what was kept of it are wiped from the server and from every device`()
        async throws
    {
        let (world, first, second, student, other) = try await founded()
        #expect(try serverHolds(world).count == 4)
        let foreseen = try #require(try await world.store.erasure(of: student, in: "student"))
        #expect(foreseen.rows["student"] == 1 && foreseen.rows["schooling"] == 1 && foreseen.rows["conflict"] == 1)
        #expect(foreseen.devices == 2)
        #expect(try await world.store.rows(of: "student").count == 2, "looking erases nothing")
        // Typed before the device hears of it.
        try second.edit(student, ["wechat": "wx-canary-pending"])

        #expect(try await world.store.erase(student, of: "student") == foreseen)
        #expect(try serverHolds(world).isEmpty)
        #expect(try await world.store.rows(of: "student").map(\.key.id) == [other])
        #expect(try await world.store.devices().allSatisfy { !$0.unconfirmed.isEmpty })

        try await first.sync()
        #expect(try deviceHolds(first).isEmpty)
        let report = try await second.sync()
        #expect(report.verdicts == [.rejected: 1])
        #expect(try deviceHolds(second).isEmpty)
        #expect(try second.isAtRest())
        #expect(try serverHolds(world).isEmpty, "what was refused is not kept for anybody to decide about")
        for device in [first, second] { #expect(try device.name(other) == "谭梓森") }
        #expect(try await world.store.devices().allSatisfy { $0.unconfirmed.isEmpty && $0.purgeAgreed == true })

        // Once more finds nothing, and cleans the files all the same.
        #expect(try await world.store.erase(student, of: "student")?.rows.isEmpty == true)
        #expect(try await world.store.erase(first.world.officer, of: "officer") == nil)
        #expect(try await world.store.erase(RowID(bits: 0xD0D0), of: "student") == nil)
        await #expect(throws: RefusedWrite.self) {
            try await world.store.write(
                [TrustedEdit("student", student, .create, ["name": "林墨言"])], by: first.world.officer)
        }
    }

    @Test func `an old backup does not bring them back, nor a device that was away`() async throws {
        let (world, first, second, student, other) = try await founded()
        let backup = try world.backUp()
        try second.edit(student, ["wechat": "wx-canary-pending"])
        try await second.sync()
        _ = try await world.store.erase(student, of: "student")
        try await first.sync()
        try world.restore(backup)
        #expect(try await world.store.rows(of: "student").map(\.key.id) == [other])
        // It has in its journal what the backup lacks.
        try await second.sync()
        #expect(try second.name(student) == nil)
        #expect(try await world.store.waitingEdits().isEmpty)
        #expect(try await world.store.rows(of: "quarantine").isEmpty)
        try await first.sync()
        for device in [first, second] {
            #expect(try deviceHolds(device).isEmpty)
            #expect(try device.name(other) == "谭梓森")
        }
        // The log is folded into the file when the server stops.
        try world.store.close()
        #expect(try serverHolds(world).isEmpty)
    }

    @Test func `what a device gives back about them is not kept for anybody, nor what waits for that`() async throws {
        let world = try RecoveryWorld()
        let first = try await world.device(1, of: world.officer("甲", "registrar"))
        let second = try await world.device(2, of: world.officer("乙", "registrar"))
        let student = try first.add("林墨言")
        try await first.sync()
        try await second.sync()
        let backup = try world.backUp()
        // Made and edited after the backup, by one each.
        world.bench.advance(1000)
        let schooling = RowID(bits: 0x5C00)
        func queue(_ device: RecoveryDevice, _ action: Mutation.Action, _ changes: [Mutation.Change]) throws {
            try device.world.replica.queue(
                [Edit("schooling", schooling, action, changes)], grouped: false, at: device.world.moment)
        }
        try queue(
            first, .create, [.init("student", .id(student)), .init("school_name", "canary-school")])
        try await first.sync()
        try await second.sync()
        try queue(second, .edit, [.init("major", "wx-canary-second")])
        try await second.sync()
        try world.restore(backup)
        // The edit comes before its row and waits.
        try await second.sync()
        #expect(try await world.store.waitingEdits().count == 1)
        _ = try await world.store.erase(student, of: "student")
        try await first.sync()
        try await second.sync()
        #expect(try await world.store.waitingEdits().isEmpty)
        #expect(try await world.store.rows(of: "quarantine").isEmpty)
        #expect(try await world.store.rows(of: "schooling").isEmpty)
        for device in [first, second] {
            try await device.sync()
            #expect(try deviceHolds(device).isEmpty)
        }
        _ = try await world.store.erase(student, of: "student")
        #expect(try serverHolds(world).isEmpty)
    }
}
