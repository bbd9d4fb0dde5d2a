import Foundation
import Testing

/// What an operator does with the built server program.
@Suite(.timeLimit(.minutes(5)))
struct OperatorTests {
    private func roostd(
        _ place: Place, _ arguments: [String], _ environment: [String: String] = [:]
    ) async throws -> CommandResult {
        let bare = bareEnvironment(home: try place.folder("home"))
        return try await run("roostd", arguments, environment: bare.merging(environment) { _, new in new })
    }

    @Test func `a key of the configuration file that nobody declared is an error that names it`() async throws {
        let place = try Place()
        let file = try place.file("roostd.yaml", Array("http:\n  hots: 127.0.0.1\n  port: 8080\n".utf8))
        let result = try await roostd(place, ["doctor", "--config", file])
        #expect(!result.succeeded)
        #expect(result.errors.contains("http.hots") && !result.errors.contains("http.port"))
    }

    @Test func `a value that is no text is an error and not the default`() async throws {
        let place = try Place()
        let file = try place.file("roostd.yaml", Array("http:\n  port: [80, 81]\n".utf8))
        let result = try await roostd(place, ["doctor", "--config", file])
        #expect(!result.succeeded && result.errors.contains("http.port"))
    }

    @Test func `flags come before environment variables, and those before the file`() async throws {
        let place = try Place()
        let (flag, variable, written) = (place.path + "/flag", place.path + "/variable", place.path + "/file")
        let file = try place.file("roostd.yaml", Array("data: \(written)\n".utf8))
        let arguments = ["init", "--json", "--config", file]
        let all = try await roostd(place, arguments + ["--data", flag], ["ROOST_DATA": variable])
        #expect(try all.json["data"].text == flag)
        let two = try await roostd(place, arguments, ["ROOST_DATA": variable])
        #expect(try two.json["data"].text == variable)
        let one = try await roostd(place, arguments)
        #expect(try one.json["data"].text == written)
        #expect(FileManager.default.fileExists(atPath: written + "/roost.key"))
    }

    @Test func `the printed example is a configuration that changes nothing`() async throws {
        let place = try Place()
        let example = try await roostd(place, ["settings"])
        let file = try place.file("roostd.yaml", Array(example.output.utf8))
        let data = place.path + "/data"
        #expect(try await roostd(place, ["init", "--data", data, "--config", file]).succeeded)
        let doctor = try await roostd(place, ["doctor", "--json", "--data", data, "--config", file])
        #expect(doctor.succeeded)
        #expect(try doctor.json["findings"][0]["level"].text == "good")
    }

    @Test func `a backup of a running server comes back under another epoch, but not under its feet`() async throws {
        let place = try Place()
        let server = try ServerUnderTest(place: place)
        try await server.start()
        _ = try await server.addOfficer("梁某某", role: "admin")
        let backup = place.path + "/copy.sqlite"
        #expect(try await server.operate("backup", backup)["backup"].text == backup)
        _ = try await server.addOfficer("谭某某", role: "admin")
        let epoch = try String(contentsOfFile: server.data + "/epoch", encoding: .utf8)
        let restore = ["restore", backup, "--data", server.data, "--json"]
        #expect(!(try await roostd(place, restore + ["--force"]).succeeded), "the server holds the lock")
        #expect(try await server.stop() == .exit(0))
        #expect(!(try await roostd(place, restore).succeeded), "there is a database")
        #expect(try await roostd(place, restore + ["--force"]).succeeded)
        try await server.start()
        #expect(try String(contentsOfFile: server.data + "/epoch", encoding: .utf8) != epoch)
        let names = try await roostd(place, ["account", "list", "--data", server.data]).output
        #expect(names.contains("梁某某") && !names.contains("谭某某"))
        #expect(try await server.stop() == .exit(0))
    }

    @Test func `who is erased while the server runs is gone from its folder and from a device that syncs`() async throws
    {
        let place = try Place()
        let server = try ServerUnderTest(place: place)
        try await server.start()
        let officer = try await server.addOfficer("管名册", role: "registrar")
        let device = try await Device.enrolled("first", as: officer, at: server, place: place)
        let row = try #require(try await device.roost("students", "add", "name=林墨言", "wechat=wx-canary")["id"].text)
        try await device.roost("sync")
        #expect(try await server.operate("erase", row)["erased"] == false)
        #expect(try await device.roost("students", "show", row)["fields"]["wechat"] == "wx-canary")
        let erased = try await server.operate("erase", row, "--force")
        #expect(erased["erased"] == true && erased["rows"]["student"] == 1 && erased["devices"] == 1)
        let files = try FileManager.default.subpathsOfDirectory(atPath: server.data)
            .compactMap { FileManager.default.contents(atPath: server.data + "/" + $0) }
        #expect(!files.contains { $0.firstRange(of: Array("wx-canary".utf8)) != nil })
        try await device.roost("sync")
        #expect(try await device.roost("students", "list").list.isEmpty)
        let again = try await server.operate("erase", row, "--force")
        #expect(again["erased"] == true && again["rows"]["student"] == .null)
        let unknown = "00000000-0000-4000-8000-000000000000"
        #expect(!(try await roostd(place, ["erase", unknown, "--data", server.data, "--force"]).succeeded))
        _ = try await server.stop()
    }

    @Test func `the doctor's exit code tells whether something is wrong`() async throws {
        let place = try Place()
        let data = place.path + "/data"
        let empty = try await roostd(place, ["doctor", "--json", "--data", data])
        #expect(empty.end == .exit(1))
        #expect(try empty.json["findings"][0]["check"].text == "database")
        #expect(try await roostd(place, ["init", "--data", data]).succeeded)
        #expect(try await roostd(place, ["doctor", "--data", data]).end == .exit(0))
        try FileManager.default.removeItem(atPath: data + "/roost.key")
        let broken = try await roostd(place, ["doctor", "--json", "--data", data, "--lang", "zh"])
        #expect(broken.end == .exit(1))
        #expect(broken.output.contains("密钥"))
    }
}
