import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

private typealias World = ReplicaWorld

@Suite struct OutboxTests {
    @Test func `a request sent again carries the same bytes`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李明"])]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        _ = try world.desk.edit("student", shown, ["skills": .list(["吉他", "写作"]), "verified_at": 1_700_000_000_000])
        let first = try world.request()
        try world.reopen()
        let second = try world.request()
        #expect(first.json == second.json)
        #expect(try ExchangeRequest(json: first.json).mutations == first.mutations)
    }

    @Test func `an edit is based on the greatest stamp of the values it replaces`() throws {
        let world = try World()
        let own = World.stamp(77)
        try world.receive(
            World.page(
                World.county, cursor: 5,
                [World.row("student", "li", at: 5, ["name": "李明", "wechat": "a"], stamps: ["wechat": own])]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        _ = try world.desk.edit("student", shown, ["name": "李鸣"])
        _ = try world.desk.edit("student", shown, ["name": "李铭", "wechat": "b"])
        let mutations = try world.request().mutations
        #expect(mutations.map(\.base) == [World.stamp(5), own])
        #expect(mutations[0].time < mutations[1].time)
    }

    @Test func `authoritative edits are based on the row's version, whatever own edits are pending`() throws {
        let world = try World()
        try world.receive(
            World.page(
                World.county, cursor: 5,
                [
                    World.row(
                        "chapter", "south", at: 5, ["name": "华南", "kind": "city"], stamps: ["name": World.stamp(8)])
                ]
            ))
        let shown = try #require(try world.replica.row("chapter", World.id("south")))
        _ = try world.desk.edit("chapter", shown, ["city": "广州"])
        world.bench.advance(1000)
        _ = try world.desk.edit("chapter", shown, ["note": "新"])
        let mutations = try world.request().mutations
        #expect(mutations.map(\.base) == [World.stamp(8), World.stamp(8)])
    }

    @Test func `times rise even when the clock is set back`() throws {
        let world = try World()
        _ = try world.desk.add(["name": "甲"])
        world.bench.advance(-86_400_000)
        _ = try world.desk.add(["name": "乙"])
        let times = try world.request().mutations.map(\.time)
        #expect(times == times.sorted())
        #expect(Set(times).count == times.count)
    }

    @Test(arguments: 1..<12)
    func `a group is never split by the limits`(limit: Int) throws {
        let world = try World("liaison")
        for index in 0..<5 {
            _ = try world.desk.add(
                ["name": .text("学生\(index)")],
                parts: index.isMultiple(of: 2) ? [] : [.init("schooling", ["level": "21"])])
        }
        var numbers: [Int64] = []
        var rounds = 0
        while rounds < 20 {
            rounds += 1
            let mutations: [Mutation]
            do {
                mutations = try world.request(mutations: limit).mutations
            } catch OutboxError.groupTooLarge(let size) {
                #expect(size > limit)
                return
            }
            guard let last = mutations.last else { break }
            #expect(mutations.count <= limit)
            numbers += mutations.map(\.number)
            try world.receive(verdicts: mutations.map { world.applied($0.number) }, expected: last.number + 1)
            // What comes next does not belong to the group that ended.
            if let next = try? world.request(mutations: limit).mutations.first, let group = last.group {
                #expect(next.group != group)
            }
        }
        #expect(numbers == Array(1...Int64(numbers.count)))
        #expect(numbers.count == 12)
    }

    @Test func `a changeset stays within the bytes the server takes`() throws {
        let world = try World()
        for index in 0..<40 {
            _ = try world.desk.add([
                "name": .text("学生\(index)"), "note_public": .text(String(repeating: "长", count: 200)),
            ])
        }
        var sent = 0
        while sent < 40 {
            let request = try world.request(bytes: 4096)
            #expect(request.json.count <= 4096)
            let last = try #require(request.mutations.last)
            sent += request.mutations.count
            try world.receive(
                verdicts: request.mutations.map { world.applied($0.number) }, expected: last.number + 1)
        }
        #expect(sent == 40)
    }

    @Test func `a gap is filled from the number the server expects`() throws {
        let world = try World()
        for name in ["甲", "乙", "丙"] { _ = try world.desk.add(["name": .text(name)]) }
        // The first part of a changeset arrived, the answer names what is missing.
        let applied = try world.receive(verdicts: [world.applied(1)], expected: 2)
        #expect(applied.more)
        #expect(applied.obstacle == nil)
        #expect(try world.request().mutations.map(\.number) == [2, 3])
    }

    @Test func `a server that lost history or met a copy of this replica stops the exchange and keeps the outbox`()
        throws
    {
        let world = try World()
        for name in ["甲", "乙"] { _ = try world.desk.add(["name": .text(name)]) }
        try world.receive(verdicts: [world.applied(1)], expected: 2)
        #expect(try world.receive(expected: 1).obstacle == .serverLostHistory)
        #expect(try world.receive(expected: 9).obstacle == .replicaCopied)
        #expect(try world.request().mutations.map(\.number) == [2])
    }

    @Test func `a group that the server does not take holds back edits, but not what leaves the device or comes to it`()
        async throws
    {
        let county = try ServedCounty()
        try await county.appoint("谭联络", "liaison")
        for name in ["李明", "吴迪"] { try await county.enter(name, for: "谭联络") }
        let device = try await county.device(of: "谭联络", "liaison", mutations: 3)
        try await device.sync()
        func queue(_ count: Int) throws {
            let edits = (0..<count).map { number in
                Edit("student", ServedCounty.id("吴迪"), .edit, [.init("note_public", .text("\(number)"))])
            }
            try device.replica.queue(edits, grouped: true, at: county.bench.environment.moment)
        }
        try queue(3)

        // The limit is lowered while the group waits.
        let owner = try #require(try await county.record(of: device)).device
        let narrower = ServedDevice(county, device.world, owner, limit: 2)
        try await county.handOver("李明", from: "谭联络")
        await #expect(throws: ClientError.groupTooLarge) { try await narrower.sync() }
        #expect(try device.student("李明") == nil && device.student("吴迪") != nil)
        #expect(try device.replica.unsent().count == 3)
        // From now on the device knows, and says so before anything waits behind it.
        #expect(throws: OutboxError.groupTooLarge(mutations: 3)) { try queue(3) }
        #expect(try device.replica.unsent().count == 3)
        try queue(2)
        // What left is confirmed although the group still waits.
        await #expect(throws: ClientError.groupTooLarge) { try await narrower.sync() }
        #expect(try #require(try await county.record(of: device)).purgeAgreed == true)

        // As the operator is asked to, the limit is raised.
        #expect(try await device.sync().verdicts == [.applied: 5])
        try queue(3)
    }
}
