import Foundation
import GRDB
import RoostModel
import RoostSchema
import RoostSync
import Testing

@testable import RoostStore

/// Databases as released versions wrote them.
///
/// A file is added with each version and never changed.
@Suite struct `Stored databases` {
    @Test(arguments: ["0001-roster"])
    func `a database of an earlier version opens, shows its people and takes edits`(name: String) async throws {
        let stored = try #require(
            Bundle.module.url(forResource: name, withExtension: "sqlite", subdirectory: "Databases"))
        let directory = NSTemporaryDirectory() + "roost-stored-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: stored.path, toPath: directory + "/" + ServerStore.fileName)
        let world = try StoreWorld(Catalogue.programme.withConflicts(about: Programme.subject), in: directory)
        // Later than anything the file tells of.
        world.clock.advance(20 * 365 * 86_400_000)
        // The people of the file are named after what they are for; see `StoreWorld.id`.
        let device = try await world.device("desk", of: "registrar")
        try await device.sync()
        let student = world.id("student")
        #expect(device.row("student", student)?["name"] == "谭梓森")
        #expect(device.row("student", student)?["mobile"] == "+8619900000001")
        #expect(device.row("student", student)?["level"] == "21")
        #expect(device.rows("conflict").count == 1)
        world.clock.advance(1000)
        let number = device.edit("student", student, .edit, ["wechat": "zz00_later"])
        try await device.sync()
        #expect(device.verdicts[number]?.outcome == .applied)
        let mentor = try await world.device("phone", of: "mentor")
        try await mentor.sync()
        #expect(mentor.rows("student") == [student])
        #expect(mentor.row("student", student)?["tier"] != nil)
    }

    @Test func `an edit set aside by the first version becomes a row of the quarantine`() async throws {
        let stored = try #require(
            Bundle.module.url(forResource: "0001-roster", withExtension: "sqlite", subdirectory: "Databases"))
        let directory = NSTemporaryDirectory() + "roost-stored-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = directory + "/" + ServerStore.fileName
        try FileManager.default.copyItem(atPath: stored.path, toPath: path)
        let student = RowID(naming: "test", "student")
        let queue = try DatabaseQueue(path: path)
        try await queue.write { db in
            let statement = try BoundStatement(
                db,
                """
                INSERT INTO quarantine
                    (replica, incarnation, number, collection, row, action, fields, stamp, reason, received_ms)
                SELECT (SELECT min(id) FROM replica), 1, 7, id, ?1, 'edit', '{"mobile":"+8619900000002"}', ?2, 'masked', 9
                FROM collection WHERE name = 'student'
                """)
            try statement.bind(1, student)
            try statement.bind(2, Stamp(HybridTime(Milliseconds(5)), ReplicaID(1)))
            try statement.run()
        }
        try queue.close()
        let world = try StoreWorld(Catalogue.programme.withConflicts(about: Programme.subject), in: directory)
        world.clock.advance(20 * 365 * 86_400_000)
        let device = try await world.device("desk", of: "registrar")
        try await device.sync()
        let entry = try #require(device.rows(Quarantine.collection.text).first)
        let fields = try #require(device.row(Quarantine.collection.text, entry))
        #expect(fields["concerned_row"] == .text(student.description) && fields["reason"] == "masked")
        #expect(fields["proposed_values"]?["mobile"] == "+8619900000002" && fields["state"] == "pending")
    }
}
