import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// A server restored from an old backup gets its acknowledged work back, by whatever way the backup came into place.
@Suite struct `Recovery of what a restored server lost` {
    /// Two devices that hold a student made before the backup, and the backup.
    private func founded() async throws -> (
        world: RecoveryWorld, first: RecoveryDevice, second: RecoveryDevice, student: RowID
    ) {
        let world = try RecoveryWorld()
        let first = try await world.device(1, of: world.officer("甲", "registrar"))
        let second = try await world.device(2, of: world.officer("乙", "registrar"))
        let student = try first.add("谭梓森")
        try await first.sync()
        try await second.sync()
        return (world, first, second, student)
    }

    enum Way: CaseIterable { case restored, putBack, snapshot }

    @Test(arguments: Way.allCases)
    func `one device gives back what the backup lacks, under its author and time`(way: Way) async throws {
        let (world, first, second, student) = try await founded()
        let former = world.store.epoch
        let backup = way == .snapshot ? try world.snapshot() : try world.backUp()
        try first.edit(student, ["name": "谭子森"])
        let later = try first.add("冯婉婷")
        try await first.sync()
        // Edited after the answer: it waits through everything.
        try first.edit(later, ["gender": "2"])
        world.bench.advance(3_600_000)
        let before = try await world.truth()
        switch way {
        case .restored: try world.restore(backup)
        case .putBack: try world.putBack(backup)
        case .snapshot: try world.putBackSnapshot(backup)
        }
        #expect(try await world.truth()[later] == nil)
        let report = try await first.sync()
        #expect(world.store.epoch != former)
        #expect(report.recovery == ReplicaRecovery(given: 2, unrecovered: 0))
        #expect(report.epochChanged)
        let gender = try #require(world.store.rules.catalogue["student"]?.position(of: "gender" as FieldName))
        var after = try await world.truth()
        after[later]?[gender] = before[later]?[gender] ?? ""
        #expect(after == before, "values and stamps are what they were")
        #expect(try world.first(first, later, "gender") == "2")
        #expect(try first.isAtRest())
        // The other device had seen nothing of it, and comes to the same.
        try await second.sync()
        #expect(try second.name(student) == "谭子森")
        #expect(try second.name(later) == "冯婉婷")
        // And all goes on as ever.
        try second.edit(later, ["name": "冯婉亭"])
        try await second.sync()
        try await first.sync()
        #expect(try first.name(later) == "冯婉亭")
        let epoch = world.store.epoch
        try await first.sync()
        #expect(world.store.epoch == epoch)
        let found = try #require(try await world.store.recoveryReports().first)
        let reasons: [Way: EpochRecord.Reason] = [
            .restored: .restored, .putBack: .sequenceLost, .snapshot: .deviceAhead,
        ]
        #expect(found.begun.reason == reasons[way])
        #expect(found.devices.map(\.outcomes) == [[.applied: 2], [:]])
        #expect(found.awaited == 0)
    }

    @Test func `a machine that was put back and has come as far again is told by a run of the server it never had`()
        async throws
    {
        let (world, first, second, student) = try await founded()
        let third = try await world.device(3, of: first.world.officer)
        try await third.sync()
        let former = world.store.epoch
        let machine = try world.snapshot()
        let lost = try first.add("冯婉婷")
        try await first.sync()
        try await second.sync()
        world.bench.advance(3_600_000)
        try world.putBackSnapshot(machine)
        // The only device that comes knows nothing of what was lost, and the server is soon further than it was.
        for name in ["李明", "陈家俊", "王伟"] { _ = try third.add(name) }
        try await third.sync()
        #expect(world.store.epoch == former)
        let cursors = try [second, third].map { try $0.world.request().scopes.map(\.cursor).max() ?? .zero }
        #expect(cursors[0] < cursors[1], "no cursor tells of it")
        // The second has seen what it did not write: it says so, and sees everything there is now.
        #expect(try await second.sync().epochChanged)
        #expect(world.store.epoch != former)
        #expect(try second.world.replica.rows(of: "student").count == 4)
        #expect(try await world.store.recoveryReports().first?.begun.reason == .deviceAhead)
        try await first.sync()
        for device in [first, second, third] {
            try await device.sync()
            #expect(try device.name(lost) == "冯婉婷")
            #expect(try device.name(student) != nil)
            #expect(try device.isAtRest())
        }
    }

    @Test func `a stamp is claimed once, on meeting the epoch: what is claimed later is as new as any edit`()
        async throws
    {
        let (world, first, second, student) = try await founded()
        let backup = try world.backUp()
        try first.edit(student, ["name": "谭子森"])
        try await first.sync()
        let lost = world.bench.now
        world.bench.advance(3_600_000)
        try world.restore(backup)
        #expect(try await first.sync().recovery == ReplicaRecovery(given: 1, unrecovered: 0))
        #expect(try await second.sync().recovery == ReplicaRecovery(given: 0, unrecovered: 0))
        let restored = world.bench.now
        for device in [first, second] {
            try device.edit(student, ["gender": "2"])
            try await device.sync()
        }
        // What a changed client might send, where something was given again and where nothing was.
        for device in [first, second] {
            for incarnations in [0, 1] as [Int64] {
                world.bench.advance(60_000)
                try device.edit(student, ["name": .text("谭\(incarnations)")])
                var request = try device.world.request()
                request.incarnation += incarnations
                if incarnations > 0 { request.answered = nil }
                let claimed = Stamp(HybridTime(lost + 1), device.world.me)
                request.mutations = request.mutations.map {
                    $0.renumbered(incarnations == 0 ? $0.number : 1, recovered: claimed)
                }
                let verdict = try #require(try await device.line.exchange(request).verdicts.first)
                #expect(verdict.stamp.map { $0.time.moment > restored } ?? false)
            }
        }
    }

    @Test func `neither a start of the server nor an answer that comes late makes a history another`() async throws {
        let (world, first, second, _) = try await founded()
        let former = world.store.epoch
        let late = try await first.line.exchange(first.world.request())
        for name in ["李明", "陈家俊"] {
            try world.server.restart {}
            _ = try second.add(name)
            try await second.sync()
        }
        try await first.sync()
        // Of a run before the one whose sequences the device has now.
        _ = try first.world.replica.apply(late, now: world.bench.now)
        try world.server.restart {}
        for device in [first, second] { #expect(try await !device.sync().epochChanged) }
        #expect(world.store.epoch == former)
    }

    @Test(arguments: [false, true])
    func `two devices give back what hangs together, whichever comes first`(secondFirst: Bool) async throws {
        let (world, first, second, _) = try await founded()
        let backup = try world.backUp()
        let later = try first.add("冯婉婷")
        try await first.sync()
        try await second.sync()
        try second.edit(later, ["name": "冯婉亭"])
        try await second.sync()
        try await first.sync()
        try first.edit(later, ["gender": "2"])
        try await first.sync()
        let before = try await world.truth()
        world.bench.advance(86_400_000)
        try world.restore(backup)
        for device in secondFirst ? [second, first] : [first, second] { try await device.sync() }
        #expect(try await world.truth() == before)
        try await second.sync()
        try await first.sync()
        for device in [first, second] {
            #expect(try device.name(later) == "冯婉亭")
            #expect(try device.isAtRest())
        }
        let found = try #require(try await world.store.recoveryReports().first)
        #expect(found.devices.map(\.waiting) == [0, 0])
    }

    @Test func `without a device that holds it the loss is told, and nobody is held up`() async throws {
        let (world, first, second, student) = try await founded()
        let backup = try world.backUp()
        let later = try first.add("冯婉婷")
        try await first.sync()
        try await second.sync()
        world.bench.advance(1000)
        try world.restore(backup)
        // The first device never comes again; the second shows what the server has.
        func unknown(_ device: RecoveryDevice) async throws -> Bool? {
            try await world.store.devices().first { $0.device.replica == device.world.me }?.unconfirmed.unknown.isEmpty
        }
        #expect(try await unknown(second) == false)
        let report = try await second.sync()
        #expect(try await unknown(second) == true)
        #expect(try await unknown(first) == false)
        #expect(report.recovery == ReplicaRecovery())
        #expect(try second.name(later) == nil)
        #expect(try second.name(student) == "谭梓森")
        let found = try #require(try await world.store.recoveryReports().first)
        #expect(found.awaited == 1)
        #expect(found.devices.filter { $0.met == nil }.map(\.device.device.replica) == [first.world.me])
    }

    @Test func `an answer lost on its way is neither lost nor applied twice by the restoration`() async throws {
        let (world, first, _, student) = try await founded()
        try first.edit(student, ["name": "谭子森"])
        first.line.loseNextAnswer()
        await #expect(throws: ClientError.unreachable(reason: "interrupted")) { try await first.sync() }
        let backup = try world.backUp()
        let later = try first.add("冯婉婷")
        first.line.loseNextAnswer()
        await #expect(throws: ClientError.unreachable(reason: "interrupted")) { try await first.sync() }
        try world.restore(backup)
        let report = try await first.sync()
        #expect(report.recovery == ReplicaRecovery())
        // The first was decided before the backup and has its verdict again; the second is new to this history.
        #expect(report.verdicts == [.applied: 2])
        #expect(try await world.truth().keys.contains(later))
        #expect(try first.isAtRest())
    }

    @Test func `answers of the recovery itself may be lost, and the server may be restored once more`() async throws {
        let (world, first, _, student) = try await founded()
        let backup = try world.backUp()
        try first.edit(student, ["name": "谭子森"])
        let later = try first.add("冯婉婷")
        try await first.sync()
        let before = try await world.truth()
        for _ in 0..<3 {
            world.bench.advance(1000)
            try world.restore(backup)
            for _ in 0..<3 {
                first.line.loseNextAnswer()
                await #expect(throws: ClientError.unreachable(reason: "interrupted")) { try await first.sync() }
                try first.world.reopen()
            }
            try await first.sync()
            #expect(try await world.truth() == before)
        }
        #expect(try first.name(later) == "冯婉婷")
        #expect(try first.isAtRest())
    }

    @Test func `a backup older than the journal tells how much does not come back`() async throws {
        let (world, first, _, student) = try await founded()
        let backup = try world.backUp()
        try first.edit(student, ["name": "谭子森"])
        try await first.sync()
        world.bench.advance(Replica.journalAge + 86_400_000)
        try first.edit(student, ["gender": "2"])
        try await first.sync()
        world.bench.advance(2 * 86_400_000)
        try await first.sync()
        try world.restore(backup)
        let report = try await first.sync()
        #expect(report.recovery == ReplicaRecovery(given: 1, unrecovered: 1))
        let found = try #require(try await world.store.recoveryReports().first)
        #expect(found.devices.first?.unrecovered == 1)
        #expect(found.devices.first?.outcomes == [.applied: 1])
    }

    @Test func `a device whose clock was years ahead for a day gives everything back all the same`() async throws {
        let (world, first, _, student) = try await founded()
        let backup = try world.backUp()
        try first.edit(student, ["name": "谭子森"])
        try await first.sync()
        // An answer as the device reads it with its clock two years ahead.
        let answer = try await first.line.exchange(first.world.request())
        _ = try first.world.replica.apply(answer, now: world.bench.now + 2 * 365 * 86_400_000)
        try world.restore(backup)
        #expect(try await first.sync().recovery == ReplicaRecovery(given: 1, unrecovered: 0))
        #expect(try first.name(student) == "谭子森")
    }

    @Test func `an edit of a row that has left its author's device does not come back, and its loss is told`()
        async throws
    {
        let (world, registrar, _, student) = try await founded()
        let officer = try await world.officer("丙", "liaison")
        let (link, author) = (RowID(naming: "test", "link"), try await world.device(3, of: officer))
        _ = try await world.store.write(
            [
                TrustedEdit(
                    "liaison", link, .create,
                    ["student": .id(student), "officer": .id(officer), "kind": "liaison", "state": "active"])
            ], by: officer)
        try await author.sync()
        let backup = try world.backUp()
        try author.edit(student, ["name": "谭子森"])
        #expect(try await author.sync().verdicts == [.applied: 1])
        world.bench.advance(1000)
        _ = try await world.store.write([TrustedEdit("liaison", link, .edit, ["state": "ended"])], by: officer)
        #expect(try await author.sync().rowsPurged > 0)
        world.bench.advance(1000)
        try world.restore(backup)
        // Nothing of what left may stay on the device, so that it has nothing to give: it says so, and so does the server.
        #expect(try await author.sync().recovery == ReplicaRecovery(given: 0, unrecovered: 1))
        let found = try #require(try await world.store.recoveryReports().first)
        #expect(found.devices.first { $0.device.device.replica == author.world.me }?.unrecovered == 1)
        #expect(try author.name(student) == "谭梓森")
        try await registrar.sync()
        #expect(try registrar.name(student) == "谭梓森")
    }

    @Test func `a device enrolled after the backup enrols again over its data and gives everything back`() async throws
    {
        let (world, _, _, student) = try await founded()
        let officer = RowID(naming: "test", "乙")
        let backup = try world.backUp()
        let third = try await world.device(3, of: officer)
        try await third.sync()
        try third.edit(student, ["name": "谭子森"])
        let later = try third.add("冯婉婷")
        try await third.sync()
        try third.edit(later, ["gender": "2"])
        let before = try await world.truth()
        try world.restore(backup)
        #expect(try await world.store.devices().map(\.device.replica).contains(third.world.me) == false)
        try await world.enrol(third.world.me, officer)
        let renewal = try Enrolment(
            of: third.world.replica, at: "http://server.invalid",
            random: {
                Issue.record("drew"); return 1
            })
        #expect(renewal.identity == third.world.me)
        let answer = EnrolmentAnswer(
            token: "new", officer: officer.description, name: "乙", roles: ["registrar"], epoch: world.store.epoch)
        try renewal.keep(answer, label: "device")
        #expect(try third.world.replica.enrolled().token == "new")
        let report = try await third.sync()
        #expect(report.recovery == ReplicaRecovery(given: 2, unrecovered: 0))
        let after = try await world.truth()
        #expect(after[student] == before[student])
        #expect(after.keys.contains(later))
        #expect(try third.isAtRest())
    }

    @Test func `a code of another person does not take a device over, and is not spent`() async throws {
        let (world, first, _, _) = try await founded()
        let other = RowID(naming: "test", "乙")
        try await world.store.keepCode(
            hash: [99], for: other, until: Milliseconds(world.bench.now.value + 600_000), madeBy: nil)
        await #expect(throws: AccountError.otherOfficer) {
            try await world.store.redeemCode(
                hash: [99], replica: first.world.me, label: "x", tokenHash: [98], expecting: first.world.officer)
        }
        _ = try await world.store.redeemCode(hash: [99], replica: ReplicaID(0xFFF), label: "x", tokenHash: [98])
    }

    @Test func `a device that is wrong about itself cannot make the server begin epochs over and over`() async throws {
        let (world, first, _, _) = try await founded()
        let device = Device(replica: first.world.me, officer: first.world.officer, label: "device")
        func claim() async throws -> ExchangeAnswer {
            var request = ExchangeRequest(
                catalogue: 1, replica: device.replica, incarnation: 1, epoch: world.store.epoch, now: world.bench.now)
            request.answered = 999
            let (answer, _) = try await world.store.exchange(
                request, device: device, mutationLimit: 10, pageBytes: 4096)
            return try ExchangeAnswer(json: answer)
        }
        #expect(try await claim().known == KnownProgress(incarnation: 1, number: 1))
        await #expect(throws: ExchangeError.lostHistory) { try await claim() }
        #expect(try await world.store.recoveryReports().count == 1)
    }
}

extension RecoveryWorld {
    fileprivate func first(_ device: RecoveryDevice, _ student: RowID, _ field: FieldName) throws -> Value? {
        try device.world.value("student", student, field)
    }
}
