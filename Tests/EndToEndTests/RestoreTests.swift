import Foundation
import RoostAPI
import Testing

/// The server's machine dies and comes back with an old copy of its data.
@Suite(.timeLimit(.minutes(5)))
struct RestoreTests {
    enum Way: String, CaseIterable { case copiedByHand, restoredByCommand }

    @Test(arguments: Way.allCases)
    func `what laptops had synced after the copy was made is back after they sync again`(way: Way) async throws {
        let place = try Place()
        let server = try ServerUnderTest(place: place)
        try await server.start()
        let officer = try await server.addOfficer("管名册", role: "registrar")
        let first = try await Device.enrolled("first", as: officer, at: server, place: place)
        let second = try await Device.enrolled("second", as: officer, at: server, place: place)
        let row = try #require(try await first.roost("students", "add", "name=谭梓森")["id"].text)
        try await first.roost("sync")
        try await second.roost("sync")
        let backup = place.path + "/backup.sqlite"
        _ = try await server.operate("backup", backup)

        try await first.roost("students", "edit", row, "note_public=恢复之后还在")
        let later = try #require(try await first.roost("students", "add", "name=冯婉婷")["id"].text)
        try await first.roost("sync")
        try await second.roost("sync")
        try await second.roost("students", "edit", later, "note_public=另一台写的")
        try await second.roost("sync")
        // Stopping writes how far the server came; killing leaves what it wrote within the last minute.
        _ = try await server.stop()
        let database = server.data + "/server.sqlite"
        switch way {
        case .copiedByHand:
            for suffix in ["-wal", "-shm", ""] { try? FileManager.default.removeItem(atPath: database + suffix) }
            try FileManager.default.copyItem(atPath: backup, toPath: database)
        case .restoredByCommand: _ = try await server.operate("restore", backup, "--force")
        }
        try await server.start()

        // The second's edit comes before the row it is about.
        let early = try await second.roost("sync")
        #expect(early["recovered"] == 1)
        let waiting = try await server.operate("recovery", "--waiting")["waiting"]
        #expect(waiting[0]["row"].text == later)
        #expect(waiting[0]["fields"]["note_public"] == "另一台写的")
        let report = try await first.roost("sync")
        #expect(report["epoch_changed"] == true)
        #expect(report["recovered"] == 2)
        #expect(report["verdicts"] == ["applied": 2])
        for device in [first, second] {
            try await device.roost("sync")
            #expect(try await device.roost("students", "show", row)["fields"]["note_public"] == "恢复之后还在")
            #expect(try await device.roost("students", "show", later)["fields"]["note_public"] == "另一台写的")
            #expect(try await device.roost("status")["pending"] == 0)
        }
        let told = try await server.operate("recovery")
        #expect(told["epochs"][0]["reason"].text == (way == .copiedByHand ? "sequence_lost" : "restored"))
        #expect(told["epochs"][0]["awaited"] == 0)
        #expect(told["epochs"][0]["devices"][0]["waiting"] == 0)
        #expect(server.log.contains("began a new epoch"))
        _ = try await server.stop()
    }
}
