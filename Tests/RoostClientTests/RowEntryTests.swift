import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// Rows of every kind are written on a device as people type them, and the server takes them.
@Suite struct RowEntryTests {
    private func mentor() async throws -> ServedDevice {
        let county = try ServedCounty()
        try await county.appoint("li", "liaison")
        try await county.appoint("chen", "mentor")
        try await county.enter("tan", for: "li", ["name": "谭子朗"])
        try await county.write(
            TrustedEdit(
                "liaison", ServedCounty.link("tan", "chen"), .create,
                [
                    "student": .id(ServedCounty.id("tan")), "officer": .id(ServedCounty.id("chen")),
                    "kind": "mentor", "state": "active",
                ]))
        let device = try await county.device(of: "chen", "mentor")
        try await device.sync()
        return device
    }

    private func values(_ shown: ShownRow, _ collection: RoostSchema.Collection) -> [FieldName: Value] {
        Dictionary(uniqueKeysWithValues: zip(collection.fields.map(\.name), shown.row.values))
    }

    @Test func `a mentor logs a contact with three words, and the rest is filled in`() async throws {
        let device = try await mentor()
        let touches = try device.desk.collection(called: "联系记录")
        let entry = RowEntry(try device.desk, touches)
        let row = try entry.add(["学生=谭子朗", "联系方式=电话"])
        let shown = try #require(try device.replica.row("touch", row))
        let values = values(shown, touches)
        #expect(values["student"] == .id(ServedCounty.id("tan")))
        #expect(values["officer"] == .id(ServedCounty.id("chen")))
        #expect(values["channel"] == "phone")
        #expect(values["visibility"] == "mentor")
        #expect(values["at"] == .integer(device.county.bench.now.value))
        #expect(try await device.sync().verdicts == [.applied: 1])
        let about = try device.desk.rows(
            of: touches, about: try device.student("tan"), where: ["channel=电话"], deleted: false, limit: nil)
        #expect(about.map(\.row.key.id) == [row])
    }

    @Test func `what a role may not create is refused before it is queued`() async throws {
        let device = try await mentor()
        for (kind, fields) in [("task", ["kind=order", "title=x"]), ("chapter", ["name=x", "kind=school"])] {
            let entry = RowEntry(try device.desk, try device.desk.collection(called: kind))
            #expect(throws: ClientError.self) { try entry.add(fields) }
        }
        #expect(try device.replica.status().pending == 0)
    }

    @Test func `a kind nobody declared is answered with those there are`() async throws {
        let device = try await mentor()
        #expect {
            try device.desk.collection(called: "shoe")
        } throws: { error in
            guard case .unknownCollection("shoe", let known) = error as? ClientError else { return false }
            return known.contains { $0.zh == "联系记录" }
        }
    }

    @Test func `a row is found by name, by the beginning of its id, and not by what two have`() async throws {
        let world = try ReplicaWorld()
        try world.receive(
            ReplicaWorld.page(
                ReplicaWorld.county, cursor: 5,
                [
                    ReplicaWorld.row("contact_group", "a", at: 5, ["name": "华农2026届", "platform": "wechat"]),
                    ReplicaWorld.row("contact_group", "b", at: 5, ["name": "华农2027届", "platform": "wechat"]),
                    ReplicaWorld.row("contact_group", "c", at: 5, ["name": "华农2027届", "platform": "qq"]),
                ]))
        let groups = try world.desk.collection(called: "contact group")
        let found = try world.desk.row(of: groups, "华农2026届")
        #expect(found.row.key.id == ReplicaWorld.id("a"))
        let beginning = String(ReplicaWorld.id("b").description.prefix(18))
        #expect(try world.desk.row(of: groups, beginning).row.key.id == ReplicaWorld.id("b"))
        #expect(throws: ClientError.ambiguousEntry("华农2027届", matches: 2)) {
            try world.desk.row(of: groups, "华农2027届")
        }
        _ = try RowEntry(try world.desk, groups).edit(found, ["人数=48"])
        #expect(try world.value("contact_group", "a", "headcount") == 48)
    }
}
