import Glibc
import RoostAPI
import Testing

/// A person presses Ctrl-C in the middle of a synchronisation.
@Suite(.timeLimit(.minutes(5)))
struct InterruptionTests {
    /// A county whose server is reached through a gate, and a registrar's device behind it.
    private struct Stage {
        let county: County
        let gate: Tollgate
        let device: Device

        init(settings: [String: String] = [:]) async throws {
            county = try await County.founded(settings: settings)
            gate = try Tollgate(to: try #require(UInt16(county.server.url.split(separator: ":").last ?? "")))
            device = try await county.device("interrupted", of: county.registrar, through: gate.url)
        }

        /// Starts `roost sync`, lets it come to the gate, and interrupts it there.
        func interruptSync(at held: Tollgate.Held) async throws {
            let before = gate.stopped.value
            gate.hold(held)
            let process = try device.begin("sync", "--json")
            _ = try await gate.stopped.first("the exchange at the gate") { $0 > before ? true : nil }
            process.send(SIGINT)
            let result = try await result(of: process, ["roost", "sync"])
            #expect([.signal(SIGINT), .exit(130)].contains(result.end))
            gate.hold(.nothing)
        }
    }

    @Test(arguments: [Tollgate.Held.requests(to: Path.sync), .answers(to: Path.sync)])
    func `an edit whose exchange was interrupted arrives exactly once`(_ held: Tollgate.Held) async throws {
        let stage = try await Stage()
        let row = WireDevice.newRow()
        try await stage.county.wire.push([.create("student", row, ["name": "钱中断"])])
        try await stage.device.roost("sync")
        try await stage.device.roost("students", "edit", row, "note_public=第一次")
        try await stage.interruptSync(at: held)
        #expect(try await stage.device.roost("status")["pending"] == 1)
        #expect(try await stage.device.roost("students", "show", row)["fields"]["note_public"] == "第一次")

        let report = try await stage.device.roost("sync")
        #expect(report["verdicts"] == ["applied": 1])
        #expect(try await stage.device.roost("status")["pending"] == 0)
        let other = try await stage.county.device("other", of: stage.county.registrar)
        try await other.roost("sync")
        #expect(try await other.roost("students", "show", row)["fields"]["note_public"] == "第一次")
        #expect(try await other.roost("conflicts") == [])
    }

    @Test func `a sheet too large for a slow line arrives in parts, each person once`() async throws {
        let stage = try await Stage(settings: ["ROOST_LIMITS_TIMEOUT_SECONDS": "6"])
        try await stage.device.roost("sync")
        let signs = Array("甲乙丙丁戊己庚辛壬癸")
        let rows = (0..<120).map { number in
            "谭\(signs[number % 10])\(signs[number / 10 % 10])\(number < 100 ? "" : "生"),男,1380000\(1000 + number),"
                + "华南农业大学,本科,2027-06"
        }
        let sheet = try stage.county.place.file(
            "many.csv", Array((["姓名,性别,手机号码,就读院校,培养层次,毕业时间"] + rows).joined(separator: "\n").utf8))
        try await stage.device.roost("import", sheet)
        let waiting = try #require(try await stage.device.roost("status")["pending"].integer)
        #expect(waiting >= 240)
        stage.gate.hold(.rest(after: 40_000, to: Path.sync))
        let report = try await stage.device.roost("sync")
        #expect(report["sent"].integer == waiting && report["verdicts"]["applied"].integer == waiting)
        #expect(stage.gate.stopped.value >= 1)
        #expect(try await stage.device.roost("status")["pending"] == 0)
        let other = try await stage.county.device("other", of: stage.county.registrar)
        try await other.roost("sync")
        #expect(try await other.roost("status")["rows"]["student"] == 120)
    }

    @Test func `a first download that was interrupted between pages goes on where it stopped`() async throws {
        let stage = try await Stage(settings: ["ROOST_LIMITS_PAGE_BYTES": "65536"])
        try await stage.interruptSync(at: .answersAfter(3, to: Path.sync))
        let halfway = try #require(try await stage.device.roost("status")["rows"]["school"].integer)
        #expect(halfway > 0)

        let rest = try await stage.device.roost("sync")
        let other = try await stage.county.device("other", of: stage.county.registrar)
        let whole = try await other.roost("sync")
        let rows = try await stage.device.roost("status")["rows"]
        #expect(try await other.roost("status")["rows"] == rows)
        #expect(halfway < (rows["school"].integer ?? 0))
        #expect((rest["received"].integer ?? .max) < (whole["received"].integer ?? 0))
    }
}
