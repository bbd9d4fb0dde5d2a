import Foundation
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
}
