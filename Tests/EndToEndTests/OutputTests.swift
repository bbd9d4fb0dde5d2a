import RoostAPI
import Testing

/// What programs and pipes get to read.
@Suite(.timeLimit(.minutes(5)))
struct OutputTests {
    @Test func `every command speaks JSON when asked, and plain lines in a pipe otherwise`() async throws {
        let county = try await County.founded()
        let row = WireDevice.newRow()
        try await county.wire.push([.create("student", row, ["name": "孙管道", "birth": "2004-05"])])
        let device = try await county.device("pipe", of: county.registrar)
        let sheet = Provided.sheet("encodings/roster-40.utf-16le-bom.csv")
        let commands = [
            ["sync"], ["status"], ["students", "list"], ["students", "list", "--search", "sgd"],
            ["students", "show", row],
            ["students", "edit", row, "note_public=管道"], ["conflicts"], ["rejected"], ["import", sheet, "--dry-run"],
            ["import", sheet, "--server", "--dry-run"], ["import", sheet], ["undo"], ["sync"], ["digest", "list"],
        ]
        for command in commands {
            for language in ["zh", "en"] {
                let plain = try await device.attempt(command + ["--lang", language])
                let told = plain.succeeded || command.contains("edit") && plain.end == .exit(2)
                #expect(told, "\(command): \(plain.errors)")
                #expect(!plain.hasTerminalCodes, "\(command)")
                #expect(!(plain.output + plain.errors).isEmpty, "\(command)")
            }
            let asked = try await device.attempt(command + ["--json"])
            #expect(throws: Never.self, "\(command)") { try asked.json }
            #expect(asked.errors.isEmpty, "\(command)")
        }
        #expect(try await device.roost("students", "list", "--search", "sgd").list.map(\.["id"].text) == [row])
    }

    @Test func `the operator's commands find a healthy server and speak JSON`() async throws {
        let county = try await County.founded()
        let officers = try await county.server.operate("account", "list")["officers"].list
        #expect(Set(officers.compactMap(\.["name"].text)) == Set(County.names.values).union(County.mentors))
        let findings = try await county.server.operate("doctor")["findings"].list
        #expect(!findings.isEmpty)
        #expect(!findings.contains { $0["level"] == "bad" })
        let caller = Caller(county.server.url)
        #expect(try await caller.get(Path.health).status == 200)
        #expect(try await caller.get(Path.ready).status == 200)
        #expect(String(decoding: try await caller.get(Path.metrics).body, as: UTF8.self).contains("# TYPE "))
        #expect(try await caller.get(Path.schema).json["collections"].list.count > 10)
    }
}
