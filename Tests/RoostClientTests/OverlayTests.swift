import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

private typealias World = ReplicaWorld

@Suite struct OverlayTests {
    @Test func `a pending edit is shown over the server's row and gives way when the server has shown it`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李明"])]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        _ = try world.desk.edit("student", shown, ["name": "李鸣"])
        #expect(try world.value("student", "li", "name") == "李鸣")
        #expect(try world.replica.row("student", World.id("li"))?.isPending == true)

        let row = World.row("student", "li", at: 6, ["name": "李鸣"])
        try world.receive(World.page(World.county, cursor: 6, [row]), verdicts: [world.applied(1)])
        let settled = try #require(try world.replica.row("student", World.id("li")))
        #expect(!settled.isPending)
        #expect(try world.value("student", "li", "name") == "李鸣")
        #expect(try world.replica.status().pending == 0)
    }

    @Test func `an applied edit stays on top until the last page has come`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李明"])]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        _ = try world.desk.edit("student", shown, ["name": "李鸣"])
        let first = try world.receive(World.page(World.county, cursor: 6, more: true), verdicts: [world.applied(1)])
        #expect(first.more)
        #expect(try world.value("student", "li", "name") == "李鸣")
        #expect(try world.request().mutations.isEmpty)
        try world.receive(World.page(World.county, cursor: 7, [World.row("student", "li", at: 7, ["name": "李鸣"])]))
        #expect(try world.value("student", "li", "name") == "李鸣")
    }

    @Test func `an edit that lost shows the winner at once`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李明"])]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        _ = try world.desk.edit("student", shown, ["name": "李鸣"])
        let merged = Verdict(number: 1, outcome: .merged, stamp: World.stamp(1), lost: ["name"])
        try world.receive(
            World.page(World.county, cursor: 6, [World.row("student", "li", at: 6, ["name": "李铭"])]),
            verdicts: [merged])
        #expect(try world.value("student", "li", "name") == "李铭")
    }

    @Test func `of an edit that lost in one field, what won stays on top until the last page has come`() throws {
        let world = try World()
        let first = World.row("student", "li", at: 5, ["name": "李明", "wechat": "before"])
        try world.receive(World.page(World.county, cursor: 5, [first]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        _ = try world.desk.edit("student", shown, ["name": "李鸣", "wechat": "after"])
        let merged = Verdict(
            number: 1, outcome: .merged, stamp: Stamp(World.stamp(90_000_000).time, world.me), lost: ["name"])
        try world.receive(World.page(World.county, cursor: 6, more: true), verdicts: [merged])
        #expect(try world.value("student", "li", "wechat") == "after")
        #expect(try world.value("student", "li", "name") == "李明")
        #expect(try world.request().mutations.isEmpty)
        // The row has changed since, and nothing of the edit is left to cover it.
        try world.receive(
            World.page(World.county, cursor: 7, [World.row("student", "li", at: 7, ["name": "李铭", "wechat": "later"])]))
        #expect(try world.value("student", "li", "wechat") == "later")
        #expect(try world.value("student", "li", "name") == "李铭")
    }

    @Test func `a mask that leaves nothing does not clear what another scope shows`() throws {
        for order in [[0, 1], [1, 0]] {
            let world = try World("liaison")
            let edited = ["wechat": World.stamp(4)]
            let masked = World.page(
                World.chapter("south"), cursor: 5,
                [World.row("student", "li", at: 5, ["name": "李明"], stamps: edited)])
            let full = World.page(
                World.liaison("tan"), cursor: 5,
                [World.row("student", "li", at: 5, ["name": "李明", "wechat": "liming"], stamps: edited)])
            for index in order { try world.receive([masked, full][index]) }
            #expect(try world.value("student", "li", "wechat") == "liming")
        }
    }

    @Test func `the union of two scopes shows the unmasked value, whichever came first`() throws {
        for order in [[0, 1], [1, 0]] {
            let world = try World("liaison")
            let masked = World.page(
                World.chapter("south"), cursor: 5,
                [World.row("student", "li", at: 5, ["name": "李明", "mobile": "138****0000"], masked: ["mobile"])])
            let full = World.page(
                World.liaison("tan"), cursor: 5,
                [World.row("student", "li", at: 5, ["name": "李明", "mobile": "+8613800000000"])])
            for index in order { try world.receive([masked, full][index]) }
            #expect(try world.value("student", "li", "mobile") == "+8613800000000")
            #expect(try world.replica.row("student", World.id("li"))?.masked.isEmpty == true)
        }
    }

    @Test func `losing the wider scope narrows the row instead of removing it`() throws {
        let world = try World("liaison")
        let canary = "+8613800009999"
        let narrow = World.row(
            "student", "li", at: 5, ["name": "李明", "mobile": "138****9999"], masked: ["mobile"])
        let wide = World.row("student", "li", at: 5, ["name": "李明", "mobile": .text(canary), "tier": "key"])
        try world.receive(
            World.page(World.chapter("south"), cursor: 5, [narrow]),
            World.page(World.liaison("tan"), cursor: 5, [wide]))
        #expect(try world.value("student", "li", "tier") == "key")
        try world.receive(lost: [World.liaison("tan")])
        #expect(try world.value("student", "li", "name") == "李明")
        #expect(try world.value("student", "li", "mobile") == "138****9999")
        #expect(try world.value("student", "li", "tier") == .some(.null))
        #expect(try world.replica.row("student", World.id("li"))?.masked.count == 1)
    }

    @Test func `a field the server cleared is cleared although another scope's older copy names it`() throws {
        let world = try World("registrar")
        try world.receive(
            World.page(World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李明", "wechat": "old"])]),
            World.page(
                World.liaison("tan"), cursor: 5, [World.row("student", "li", at: 5, ["name": "李明", "wechat": "old"])]))
        try world.receive(World.page(World.county, cursor: 9, [World.row("student", "li", at: 9, ["name": "李明"])]))
        #expect(try world.value("student", "li", "wechat") == .some(.null))
    }

    @Test func `fields this catalogue does not know are kept and become known with a later one`() throws {
        let world = try World()
        try world.receive(
            World.page(
                World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李明", "shoe_size": 42])]))
        let unknown = try #require(try world.replica.row("student", World.id("li"))?.row.unknown)
        #expect(unknown.map(\.name) == ["shoe_size"])
        #expect(unknown.first?.value == 42)

        let student = try #require(world.catalogue["student"])
        let later = RoostSchema.Collection(
            "student", .register, "学生", "student",
            fields: student.fields + [Field("shoe_size", .integer(0...60), "鞋码", "shoe size")])
        let replaced = world.catalogue.replacing(later)
        let newer = Catalogue(
            version: replaced.version + 1, collections: replaced.collections, scopes: replaced.scopes,
            roles: replaced.roles, authority: replaced.authority, commons: replaced.commons)
        try world.reopen(newer)
        let row = try #require(try world.replica.row("student", World.id("li")))
        #expect(newer["student"]?.position(of: "shoe_size").map { row.row.values[$0] } == 42)
        #expect(row.row.unknown.isEmpty)
    }

    @Test func `a deleted row is out of the lists and comes back when restored`() throws {
        let world = try World()
        try world.receive(World.page(World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李明"])]))
        let shown = try #require(try world.replica.row("student", World.id("li")))
        try world.desk.delete("student", shown)
        #expect(try world.replica.rows(of: "student").isEmpty)
        #expect(try world.replica.rows(of: "student", deleted: true).count == 1)
        let deleted = try #require(try world.replica.row("student", World.id("li")))
        try world.desk.restore("student", deleted)
        #expect(try world.replica.rows(of: "student").count == 1)
        let actions = try world.request().mutations.map(\.action)
        #expect(actions == [.delete, .restore])
    }
}
