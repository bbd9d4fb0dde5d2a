import Foundation
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

private typealias World = ReplicaWorld

@Suite struct ApplyTests {
    private func state(_ world: ReplicaWorld) throws -> [String] {
        try world.catalogue.collections.flatMap { collection in
            try (world.replica.rows(of: collection.name) + world.replica.rows(of: collection.name, deleted: true)).map {
                "\(collection.name) \($0)"
            }
        } + world.replica.refused().map { "\($0)" } + [String(describing: try world.replica.status())]
    }

    @Test func `the same answer twice changes nothing the second time`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李明"])]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        _ = try world.desk.edit("student", shown, ["name": "李鸣"])
        _ = try world.desk.edit("student", shown, ["gender": "1"])
        let answer = try world.answer(
            [World.page(World.county, cursor: 7, [World.row("student", "li", at: 7, ["name": "李鸣"])])],
            verdicts: [world.applied(1), Verdict(number: 2, outcome: .rejected, refusal: .forbidden)], expected: 3)
        let first = try world.replica.apply(answer, now: world.bench.now)
        let before = try state(world)
        let second = try world.replica.apply(answer, now: world.bench.now)
        #expect(try state(world) == before)
        #expect(first.verdicts == [.applied: 1, .rejected: 1])
        #expect(second.verdicts.isEmpty)
    }

    @Test func `a crash between answer and commit is made good by asking again`() throws {
        let world = try World()
        _ = try world.desk.add(["name": "陈家俊"])
        let lost = try world.request()
        // The answer never reached the database.
        try world.reopen()
        let again = try world.request()
        #expect(again.mutations == lost.mutations)
        try world.receive(verdicts: [world.applied(1)], expected: 2)
        #expect(try world.request().mutations.isEmpty)
    }

    @Test func `pages resume where the last one ended`() throws {
        let world = try World()
        let pages = (1...3).map { (page: Int64) -> ScopePage in
            let row = World.row("student", "s\(page)", at: page * 10, ["name": .text("学生\(page)")])
            return World.page(World.county, cursor: page * 10, [row], more: page < 3)
        }
        for (index, page) in pages.enumerated() {
            let applied = try world.receive(page)
            #expect(applied.more == (index < 2))
            try world.reopen()
            let cursor = ServerSequence(Int64(index + 1) * 10)
            #expect(try world.request().scopes == [ScopeCursor(scope: World.county, epoch: 1, cursor: cursor)])
        }
        #expect(try world.replica.rows(of: "student").count == 3)
    }

    @Test func `an answer older than the one applied is passed over`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 9, [World.row("student", "li", at: 9, ["name": "新"])]))
        try world.receive(
            World.page(World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "旧"])], left: []))
        #expect(try world.value("student", "li", "name") == "新")
        #expect(try world.request().scopes.first?.cursor == ServerSequence(9))
    }

    @Test func `a scope that begins again brings its rows anew and drops those it no longer has`() throws {
        let world = try World()
        try world.receive(
            World.page(
                World.county, cursor: 5,
                [
                    World.row("student", "li", at: 5, ["name": "李明"]),
                    World.row("student", "wu", at: 5, ["name": "吴迪"]),
                ]))
        try world.receive(
            World.page(World.county, cursor: 3, [World.row("student", "wu", at: 3, ["name": "吴迪"])], epoch: 2))
        #expect(try world.replica.row("student", World.id("li")) == nil)
        #expect(try world.replica.rows(of: "student").count == 1)
    }

    @Test func `a scope read again over several pages loses nothing on the way`() throws {
        let world = try World()
        let rows = ["li", "wu"].map { World.row("student", $0, at: 5, ["name": .text($0)]) }
        try world.receive(World.page(World.county, cursor: 5, rows))
        let shown = try #require(try world.replica.row("student", World.id("wu")))
        _ = try world.desk.edit("student", shown, ["gender": "1"])
        try world.receive(
            World.page(World.county, cursor: 6, [World.row("student", "wu", at: 6, ["name": "wu", "gender": "1"])]),
            verdicts: [world.applied(1)])
        let first = try world.receive(World.page(World.county, cursor: 2, [rows[0]], epoch: 2, more: true), expected: 2)
        #expect(first.rowsPurged == 0)
        #expect(try world.replica.rows(of: "student").count == 2)
        let second = try world.receive(
            World.page(World.county, cursor: 3, [World.row("student", "zhou", at: 3, ["name": "zhou"])], epoch: 2),
            expected: 2)
        #expect(second.rowsPurged == 1)
        #expect(try world.replica.row("student", World.id("wu")) == nil)
        #expect(try world.replica.rows(of: "student").count == 2)
    }

    @Test func `another history of the server is read from the beginning and keeps what is pending`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 50, [World.row("student", "li", at: 50, ["name": "新"])]))
        _ = try world.desk.add(["name": "陈家俊"])
        var answer = try world.answer([World.page(World.county, cursor: 9, left: [("student", "li")])], expected: 1)
        answer.epoch = "e2"
        let applied = try world.replica.apply(answer, now: world.bench.now)
        #expect(applied.epochChanged)
        #expect(applied.more)
        #expect(try world.value("student", "li", "name") == "新")
        let request = try world.request()
        #expect(request.epoch == "e2")
        #expect(request.scopes.map(\.cursor) == [.zero])
        #expect(request.mutations.count == 1)
        // The older history is what counts now, though its sequences are lower.
        answer.scopes = [World.page(World.county, cursor: 9, [World.row("student", "li", at: 7, ["name": "旧"])])]
        _ = try world.replica.apply(answer, now: world.bench.now)
        #expect(try world.value("student", "li", "name") == "旧")
        #expect(try world.desk.students(["陈家俊"]).count == 1)
    }

    @Test func `a folder that cannot hold a database says so`() throws {
        #expect(throws: ReplicaError.absent) {
            try Replica(directory: "/nonexistent/roost", catalogue: .programme)
        }
        let directory = NSTemporaryDirectory() + "roost-replica-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data("this is no database, whatever its name may say about it".utf8)
            .write(to: URL(fileURLWithPath: directory + "/" + Replica.fileName))
        #expect(throws: ReplicaError.damaged("SQLite 26")) { try Replica(directory: directory, catalogue: .programme) }
    }

    @Test func `a row stays while one scope has it and leaves no trace on disk after the last`() throws {
        let world = try World("liaison")
        let canary = "黄金丝雀九十九"
        let row = World.row("student", "li", at: 5, ["name": .text(canary), "note_public": .text(canary)])
        try world.receive(
            World.page(World.chapter("south"), cursor: 5, [row]), World.page(World.liaison("tan"), cursor: 5, [row]))
        #expect(try world.diskHolds(canary))
        try world.receive(World.page(World.chapter("south"), cursor: 6, left: [("student", "li")]))
        #expect(try world.value("student", "li", "name") == .text(canary))
        let applied = try world.receive(lost: [World.liaison("tan")])
        #expect(applied.rowsPurged == 1)
        #expect(try world.replica.row("student", World.id("li")) == nil)
        #expect(try world.desk.students([canary]).isEmpty)
        #expect(try !world.diskHolds(canary))
    }

    @Test func `a field that a scope masks from now on leaves no trace on disk`() throws {
        let world = try World("coordinator")
        let canary = "+8613877665544"
        func row(at sequence: Int64, _ mobile: String, masked: [String]) -> WireRow {
            World.row("student", "li", at: sequence, ["name": "李明", "mobile": .text(mobile)], masked: masked)
        }
        try world.receive(World.page(World.chapter("south"), cursor: 5, [row(at: 5, canary, masked: [])]))
        #expect(try world.diskHolds(canary))
        try world.receive(
            World.page(World.chapter("south"), cursor: 6, [row(at: 6, "138****5544", masked: ["mobile"])]))
        #expect(try world.value("student", "li", "mobile") == "138****5544")
        #expect(try !world.diskHolds(canary))
    }

    @Test func `a scope read anew that shows less leaves no trace of the rest`() throws {
        let world = try World("coordinator")
        let scope = World.chapter("south")
        let canary = "黄金丝雀九十七"
        let rows = ["li", "wu", "ou"].map {
            World.row("student", $0, at: 5, ["name": "李明", "note_public": .text(canary)])
        }
        try world.receive(World.page(scope, cursor: 5, rows))
        #expect(try world.diskHolds(canary))
        let fewer = ["li", "wu", "ou"].map { World.row("student", $0, at: 5, ["name": "李明"]) }
        // In two pages, of which only the first is seen to begin anew.
        try world.receive(World.page(scope, cursor: 3, Array(fewer[..<1]), epoch: 2, more: true))
        let applied = try world.receive(World.page(scope, cursor: 5, Array(fewer[1...]), epoch: 2))
        #expect(applied.owesConfirmation)
        #expect(try world.replica.rows(of: "student").count == 3)
        #expect(try !world.diskHolds(canary))
    }

    @Test func `a row that somebody deletes leaves none of its values on disk after the hour`() throws {
        let world = try World("coordinator")
        let canary = "黄金丝雀九十八"
        let row = World.row("student", "li", at: 5, ["name": .text(canary)])
        try world.receive(World.page(World.chapter("south"), cursor: 5, [row]))
        #expect(try world.diskHolds(canary))
        var deleted = World.row("student", "li", at: 6, [:])
        deleted.deleted = World.stamp(6)
        try world.receive(World.page(World.chapter("south"), cursor: 6, [deleted]))
        #expect(try world.replica.rows(of: "student", deleted: true).count == 1)
        world.bench.advance(3_600_000)
        try world.receive()
        #expect(try !world.diskHolds(canary))
    }

    @Test func `a pending edit of a row that leaves is sent first, and its values go once the server holds them`()
        throws
    {
        let world = try World("liaison")
        try world.receive(
            World.page(World.liaison("tan"), cursor: 5, [World.row("student", "li", at: 5, ["name": "李明"])]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        let canary = "金丝雀甲乙丙丁"
        _ = try world.desk.edit("student", shown, ["note_public": .text(canary)])
        try world.receive(lost: [World.liaison("tan")])
        #expect(try world.replica.row("student", World.id("li")) == nil)
        #expect(try world.request().mutations.count == 1)
        try world.receive(
            verdicts: [Verdict(number: 1, outcome: .quarantined, stamp: World.stamp(50))], expected: 2)
        let moved = try #require(try world.replica.quarantined().first)
        #expect(moved.mutation == nil)
        #expect(moved.row == World.id("li"))
        #expect(try !world.diskHolds(canary))
    }

    @Test func `rows of collections this catalogue lacks are kept and shown nowhere`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 5, [World.row("balloon", "red", at: 5, ["colour": "red"])]))
        #expect(try world.diskHolds("balloon"))
        #expect(try world.request().scopes.first?.cursor == ServerSequence(5))
    }

    @Test func `the files are readable by their owner only`() throws {
        let world = try World()
        _ = try world.desk.add(["name": "陈家俊"])
        let files = FileManager.default
        let folder = try files.attributesOfItem(atPath: world.directory)[.posixPermissions] as? Int
        #expect(folder == 0o700)
        for name in try files.contentsOfDirectory(atPath: world.directory) {
            let mode = try files.attributesOfItem(atPath: world.directory + "/" + name)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
        }
    }
}
