import Foundation
import RoostAPI
import Testing

/// What became of edits that were not simply applied, from the command line.
@Suite(.timeLimit(.minutes(5)))
struct DecisionTests {
    /// Fails with a code and the exit status of what the person can correct.
    private func refusal(
        _ device: Device, _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String? {
        let result = try await device.attempt(arguments + ["--json"])
        #expect(result.end == .exit(2), sourceLocation: sourceLocation)
        return try result.json["error"]["code"].text
    }

    @Test func `a number typed over its mask is accepted or declined by who sees it, and shown to both`() async throws {
        let county = try await County.founded()
        let students = ["钱待定", "孙待定"].map { County.Student(row: WireDevice.newRow(), name: $0) }
        try await county.wire.push(
            students.map {
                .create(
                    "student", $0.row,
                    ["name": .text($0.name), "birth": "2000-05", "mobile": "+8619900000001"])
            })
        try await county.admit(students)
        let coordinator = try await county.device("coordinator", of: county.coordinator)
        let liaison = try await county.device("liaison", of: county.liaison)
        for device in [coordinator, liaison] { try await device.roost("sync") }
        for (index, student) in students.enumerated() {
            try await coordinator.roost("students", "edit", student.row, "mobile=1990000001\(index)")
        }
        #expect(try await coordinator.roost("sync")["verdicts"] == ["quarantined": 2])
        #expect(try await coordinator.roost("status")["quarantined"] == 2)
        let told = try await coordinator.roost("rejected")
        #expect(told["rejected"].list.isEmpty && told["quarantined"].list.count == 2)

        try await liaison.roost("sync")
        #expect(try await liaison.roost("status")["to_decide"] == 2)
        let waiting = try await liaison.roost("quarantine")["quarantine"].list
        #expect(waiting.map(\.["row"].text) == students.map(\.row))
        #expect(waiting.map(\.["fields"]["mobile"].text) == ["+8619900000010", "+8619900000011"])
        #expect(waiting.allSatisfy { $0["reason"] == "masked" && $0["state"] == "pending" && $0["device"].text != nil })
        let ids = waiting.compactMap(\.["id"].text)
        try #require(ids.count == 2)
        #expect(try await liaison.roost("quarantine", "show", ids[0]).list.map(\.["id"].text) == [ids[0]])
        for (language, words) in [("zh", ["现值：", "19900000010", "roost quarantine accept"]), ("en", ["now: "])] {
            let page = try await liaison.attempt("quarantine", "show", ids[0], "--lang", language).output
            for word in words { #expect(page.contains(word), "\(page)") }
        }
        try await liaison.roost("quarantine", "accept", ids[0])
        try await liaison.roost("quarantine", "decline", ids[1])
        #expect(try await liaison.roost("quarantine")["quarantine"].list.isEmpty)
        #expect(try await refusal(liaison, "quarantine", "accept", ids[1]) == "nothing_to_change")
        #expect(try await refusal(liaison, "quarantine", "decline", "ffffffff") == "no_such_entry")
        #expect(try await liaison.roost("sync")["verdicts"] == ["applied": 3])

        let registrar = try await county.device("registrar", of: county.registrar)
        try await registrar.roost("sync")
        for (student, mobile) in zip(students, ["+8619900000010", "+8619900000001"]) {
            #expect(try await registrar.roost("students", "show", student.row)["fields"]["mobile"].text == mobile)
        }
        let all = try await liaison.roost("quarantine", "list", "--all")["quarantine"].list
        #expect(Set(all.compactMap(\.["state"].text)) == ["accepted", "declined"])
        #expect(try await liaison.roost("status")["to_decide"] == 0)
    }

    @Test func `a refused edit is corrected, written to a file, or given up`() async throws {
        let county = try await County.founded()
        let first = try await county.device("first", of: county.registrar)
        let second = try await county.device("second", of: county.registrar)
        for device in [first, second] { try await device.roost("sync") }
        /// The second device edits what the first changed since.
        func collide(_ city: String, _ note: String) async throws -> JSON {
            try await first.roost("rows", "edit", "chapter", county.chapter, "city=\(city)")
            #expect(try await first.roost("sync")["verdicts"] == ["applied": 1])
            try await second.roost("rows", "edit", "chapter", county.chapter, "note=\(note)")
            #expect(try await second.roost("sync")["verdicts"] == ["rejected": 1])
            return try #require(try await second.roost("rejected")["rejected"].list.first)
        }
        let refused = try await collide("佛山市", "第一稿")
        #expect(refused["code"] == "stale" && refused["fields"]["note"] == "第一稿")
        let id = String(try #require(refused["id"].integer))
        #expect(try await second.roost("rejected", "show", id).list.map(\.["code"]) == ["stale"])
        #expect(try await second.attempt("rejected", "show", id, "--lang", "zh").output.contains("第一稿"))
        #expect(try await second.roost("rejected", "edit", id, "note=第二稿")["count"] == 1)
        let status = try await second.roost("status")
        #expect(status["rejected"] == 0 && status["pending"] == 1)
        #expect(try await second.roost("sync")["verdicts"] == ["applied": 1])
        try await first.roost("sync")
        let shown = try await first.roost("rows", "show", "chapter", county.chapter)["fields"]
        #expect(shown["note"] == "第二稿" && shown["city"] == "佛山市")

        let other = String(try #require(try await collide("江门市", "第三稿")["id"].integer))
        let file = county.place.path + "/refused.json"
        #expect(try await second.roost("rejected", "export", file)["count"] == 1)
        let written = try JSON(Array(try Data(contentsOf: URL(fileURLWithPath: file)))).list
        #expect(written.map(\.["fields"]["note"]) == ["第三稿"] && written.map(\.["code"]) == ["stale"])
        #expect(try await second.roost("status")["rejected"] == 1)
        try await second.roost("rejected", "discard", other)
        #expect(try await second.roost("rejected")["rejected"].list.isEmpty)
        #expect(try await refusal(second, "rejected", "discard", other) == "no_such_entry")
        #expect(try await refusal(second, "rejected", "edit", other, "note=x") == "no_such_entry")
        #expect(try await second.roost("sync")["sent"] == 0)
        #expect(try await second.roost("rows", "show", "chapter", county.chapter)["fields"]["note"] == "第二稿")
    }
}
