import Foundation
import Testing

/// The bureau's yearly sheet comes in, and goes again.
extension Journey {
    static let bureauSheet = "education-bureau-2025.csv"
    private static let buckets = ["new", "updated", "unchanged", "suspect", "refused"]

    /// Imports the sheet and returns the batch with the students it brought.
    func importTheBureauSheet() async throws -> (batch: String, students: [JSON]) {
        let sheet = Provided.sheet(Self.bureauSheet)
        let preview = try await registrar.roost("import", sheet, "--server", "--dry-run")
        #expect(preview["batch"].isNull)
        #expect(try await county.wire.caller.get("/v1/imports").json["imports"].list.isEmpty)

        let errors = county.place.path + "/errors.csv"
        let report = try await registrar.roost("import", sheet, "--server", "--errors", errors)
        let counts = report["counts"]
        #expect(counts == preview["counts"])
        #expect(counts["read"] == 3800)
        #expect(Self.buckets.compactMap { counts[$0].integer }.reduce(0, +) == 3800)
        #expect(counts["refused"] == 8)
        #expect(report["encoding"].text?.lowercased().contains("gb18030") == true)
        let errorSheet = try String(contentsOfFile: errors, encoding: .utf8)
        #expect(errorSheet.contains("原因"))

        try await sync([registrar])
        let students = try await registrar.roost("students", "list").list
        // A suspect row may be about somebody new, too.
        let told = Set(report["entries"].list.compactMap(\.["subject"].text))
        #expect(Set(students.compactMap(\.["id"].text)) == told)
        #expect(Int64(students.count) >= counts["new"].integer ?? .max)
        let batch = try #require(report["batch"].text)
        return (batch, students)
    }

    /// Takes the import back: what nobody touched since goes, the rest stays.
    func undoTheImport(_ batch: String, keeping touched: Set<String>) async throws {
        let before = try await students(on: registrar)
        let report = try await registrar.roost("undo", batch)
        #expect(report["batch"].text == batch)
        #expect((report["deleted"].integer ?? 0) >= before.count - touched.count)
        try await sync([registrar])
        #expect(try await students(on: registrar) == touched)

        let again = try await registrar.attempt("undo", batch, "--json")
        #expect(again.end == .exit(4))
        #expect(try again.json["error"]["code"] == "already_undone")
    }
}
