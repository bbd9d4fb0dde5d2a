import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// What must not make a difference: two runs that differ in it alone end alike.
@Suite struct MetamorphicTests {
    /// Everything the server said and everything it has.
    private func outcome(_ template: Template, _ script: Script) async throws -> (
        violation: Violation?, told: [String: PlainVerdict], rows: [Place: Record]
    ) {
        let world = try World(template, script)
        let violation = try await world.run()
        return (violation, await world.told, await world.model.rows)
    }

    @Test func `clocks that are wrong by up to two years change neither a verdict nor a stamp`() async throws {
        let template = try await Template.make()
        defer { template.remove() }
        for seed in 0..<12 as Range<UInt64> {
            let script = Script(seed: 7_000 + seed, seats: template.seats.count)
            let wrong = try await outcome(template, script.with(skews: [43 * 60_000, -730 * 86_400_000]))
            let right = try await outcome(template, script.with(skews: [0]))
            #expect(wrong.violation == nil && right.violation == nil)
            #expect(wrong.told == right.told, "seed \(seed)")
            #expect(wrong.rows == right.rows, "seed \(seed)")
        }
    }

    /// Bytes that a coordinator's device sends and receives: when nothing happened, and for one edit of their own.
    private func cost(_ world: World) async throws -> (idle: Int, edit: Int) {
        try await world.cost(ofEditing: Template.id("student 0"))
    }

    @Test func `the growth of another chapter does not change what a synchronisation costs`() async throws {
        let template = try await Template.make()
        defer { template.remove() }
        var script = Script(seed: 1, seats: template.seats.count)
        script.events = []
        script.devices = [5]
        script.snapshots = false
        let small = try await cost(World(template, script))
        let grown = try World(template, script)
        try await grown.enlarge("west", by: 400)
        let large = try await cost(grown)
        #expect(small.idle == large.idle)
        // Sequences have more digits.
        #expect(abs(small.edit - large.edit) < 40)
    }

    @Test func `an idle exchange and one edit cost no more bytes than they did`() async throws {
        let template = try await Template.make()
        defer { template.remove() }
        var script = Script(seed: 1, seats: template.seats.count)
        script.events = []
        script.devices = [5]
        script.snapshots = false
        let cost = try await cost(World(template, script))
        // A little more than when this was written.
        #expect(cost.idle < 560)
        #expect(cost.edit < 1400)
    }
}

extension Script {
    /// The same with clocks that are wrong by a constant amount.
    func with(skews: [Int64]) -> Script {
        var script = self
        // Edits made under one clock and sent under another, as from a copy, cannot be told from others.
        script.events.removeAll { [.setClock, .copyDevice].contains($0.verb) }
        script.skews = script.devices.indices.map { skews[$0 % skews.count] }
        return script
    }
}

extension World {
    func cost(ofEditing student: RowID) async throws -> (idle: Int, edit: Int) {
        try await synchronise(0)
        transferred = 0
        try await synchronise(0)
        let idle = transferred
        transferred = 0
        let device = devices[0]
        try device.replica.queue(
            [Edit("student", student, .edit, [Mutation.Change("name", "张三")])], grouped: false,
            at: device.environment.moment)
        try await synchronise(0)
        if let violation { throw violation }
        return (idle, transferred)
    }

    /// Enters students into a chapter, on the server.
    func enlarge(_ chapter: String, by count: Int) async throws {
        for number in 0..<count {
            let student = Template.id("newcomer \(number)")
            let edits = [
                TrustedEdit("student", student, .create, ["name": "某人"]),
                TrustedEdit(
                    "membership", Template.id("place of newcomer \(number)"), .create,
                    ["student": .id(student), "chapter": .id(Template.id(chapter))]),
            ]
            let receipt = try await store.write(edits, by: Template.id("registrar"))
            for (edit, verdict) in zip(edits, receipt.verdicts) { model.take(edit, verdict, at: clock.now) }
        }
    }
}
