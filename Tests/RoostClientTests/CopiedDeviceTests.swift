import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// Two laptops made from one disk image must not share numbers: both sides notice, and nothing that was typed is lost.
@Suite struct `Copied device databases` {
    /// A second laptop with a copy of a device's folder.
    private final class Copy {
        let directory = NSTemporaryDirectory() + "roost-copy-" + UUID().uuidString
        let replica: Replica
        let line: DeviceLine
        let bench: Bench

        init(of device: RecoveryDevice, _ world: RecoveryWorld) throws {
            try FileManager.default.copyItem(atPath: device.world.directory, toPath: directory)
            replica = try Replica(
                directory: directory, catalogue: device.world.catalogue, names: NameKeys.programme)
            bench = world.bench
            line = DeviceLine(
                world.server, Device(replica: device.world.me, officer: device.world.officer, label: "copy"))
        }

        deinit {
            try? replica.close()
            try? FileManager.default.removeItem(atPath: directory)
        }

        func add(_ name: String) throws -> RowID {
            bench.advance(1000)
            return try Desk(replica, environment: bench.environment).add(["name": .text(name)])
        }

        @discardableResult
        func sync() async throws -> SyncReport {
            try await Synchroniser(replica: replica, server: line, environment: bench.environment).run()
        }
    }

    private func founded() async throws -> (RecoveryWorld, RecoveryDevice) {
        let world = try RecoveryWorld()
        let device = try await world.device(1, of: world.officer("甲", "registrar"))
        _ = try device.add("谭梓森")
        try await device.sync()
        return (world, device)
    }

    @Test func `two copies that edit one row at one moment are told apart by what they say`() async throws {
        let (world, device) = try await founded()
        let student = try device.add("冯婉婷")
        try await device.sync()
        let copy = try Copy(of: device, world)
        for (replica, name) in [(device.world.replica, "冯婉亭"), (copy.replica, "冯琬婷")] {
            let row = try #require(try replica.row("student", student))
            _ = try Desk(replica, environment: world.bench.environment).edit("student", row, ["name": .text(name)])
        }
        try await device.sync()
        await #expect(throws: ClientError.replicaCopied) { try await copy.sync() }
        #expect(try copy.replica.status().pending == 1)
    }

    @Test func `the copy that comes second is told before anything of it is lost, and becomes a device of its own`()
        async throws
    {
        let (world, device) = try await founded()
        // Both copies hold an edit that is sent already but not answered, and one each that the other lacks.
        let common = try device.add("冯婉婷")
        device.line.loseNextAnswer()
        await #expect(throws: ClientError.unreachable(reason: "interrupted")) { try await device.sync() }
        let copy = try Copy(of: device, world)
        let mine = try device.add("李明")
        let theirs = try copy.add("陈家俊")
        try await device.sync()
        await #expect(throws: ClientError.replicaCopied) { try await copy.sync() }
        // What both had is answered, what only the copy has still waits.
        #expect(try copy.replica.status().pending == 1)
        #expect(try copy.replica.refused().isEmpty)
        #expect(try copy.replica.isCopied())
        #expect(try await world.truth()[theirs] == nil)
        // The first copy goes on undisturbed.
        let report = try await device.sync()
        #expect(report.verdicts.isEmpty)

        let renewal = try Enrolment(of: copy.replica, at: "http://server.invalid", random: { 0xC0 })
        #expect(renewal.identity == ReplicaID(0xC0))
        try await world.enrol(ReplicaID(0xC0), device.world.officer)
        try renewal.keep(
            EnrolmentAnswer(
                token: "own", officer: device.world.officer.description, name: "甲", roles: ["registrar"],
                epoch: world.store.epoch), label: "copy")
        copy.line.become(ReplicaID(0xC0))
        let second = try await copy.sync()
        #expect(second.verdicts == [.applied: 1])
        #expect(try !copy.replica.isCopied())
        try await device.sync()
        #expect(Set(try await world.truth().keys).isSuperset(of: [common, mine, theirs]))
        for replica in [device.world.replica, copy.replica] {
            #expect(try replica.rows(of: "student").count == 4)
            #expect(try replica.status().pending == 0)
        }
    }

    @Test func `a copy without edits of its own is told too`() async throws {
        let (world, device) = try await founded()
        let copy = try Copy(of: device, world)
        _ = try device.add("李明")
        try await device.sync()
        await #expect(throws: ClientError.replicaCopied) { try await copy.sync() }
    }

    @Test func `of two copies that meet a recovery, one goes on and the other is told by its incarnation`() async throws
    {
        let (world, device) = try await founded()
        let backup = try world.backUp()
        let copy = try Copy(of: device, world)
        let mine = try device.add("李明")
        try await device.sync()
        world.bench.advance(1000)
        try world.restore(backup)
        try await device.sync()
        let theirs = try copy.add("陈家俊")
        try await copy.sync()
        let later = try device.add("冯婉婷")
        await #expect(throws: ClientError.replicaCopied) { try await device.sync() }
        #expect(try device.world.replica.status().pending == 1)
        let identity = try Enrolment(of: device.world.replica, at: "http://server.invalid", random: { 0xC0 }).identity
        #expect(identity == ReplicaID(0xC0))
        #expect(try device.name(later) == "冯婉婷")
        let rows = try await world.truth()
        #expect(rows[mine] != nil && rows[theirs] != nil)
    }

    @Test func `becoming a device of its own, a copy shows nothing that only its answered edits showed`() throws {
        let world = try ReplicaWorld()
        let mine = try world.desk.add(["name": .text("谭梓森")])
        // The verdicts are here, the rows are on their way, and the other copy has been further: what was created may
        // have left, or never come to, what this device's owner sees.
        let given = try world.request().mutations.map {
            Verdict(number: $0.number, outcome: .applied, stamp: Stamp($0.time, world.me))
        }
        let applied = try world.receive(
            ReplicaWorld.page(ReplicaWorld.county, cursor: 1, more: true), verdicts: given, expected: 9)
        #expect(applied.obstacle == .replicaCopied)
        #expect(try world.replica.row("student", mine) != nil)
        try world.replica.renew(
            Enrolled(
                server: "http://server.invalid", token: "own", replica: ReplicaID(0xC0), officer: world.officer,
                name: "甲", roles: ["registrar"], label: "copy"))
        #expect(try world.replica.row("student", mine) == nil)
        #expect(try world.replica.status().rows["student"] == nil)
    }
}
