import Foundation
import Testing

/// What a mentor sees, loses and may not do.
extension Journey {
    /// The mentor sees exactly the assigned students, and loses one to another mentor, on disk as well.
    func reassignAMentee(_ mentees: [County.Student]) async throws {
        var assignments: [County.Assignment] = []
        for mentee in mentees { assignments.append(try await county.assign(mentee.row, to: county.mentor)) }
        try await sync([mentor])
        #expect(try await students(on: mentor) == Set(mentees.map(\.row)))
        #expect(try fileNames(containing: mentees[0].name, under: mentor.home) != [])
        for mentee in mentees {
            let seen = try await fields(of: mentee.row, on: mentor)["note_public"]
            #expect(!seen.isNull)
            #expect(try await fields(of: mentee.row, on: registrar)["note_public"] == seen)
        }

        try await county.end(assignments[0])
        _ = try await county.assign(mentees[0].row, to: county.secondMentor)
        let report = try await mentor.roost("sync")
        #expect((report["purged"].integer ?? 0) > 0)
        #expect(try await students(on: mentor) == Set(mentees.dropFirst().map(\.row)))
        #expect(try fileNames(containing: mentees[0].name, under: mentor.home) == [])

        let other = try await county.device("second-mentor", of: county.secondMentor)
        try await sync([other])
        #expect(try await students(on: other) == [mentees[0].row])
    }

    /// An edit the mentor may not make is reported with its reason and kept; nobody else sees anything of it.
    func refuseAnEdit(of mentee: String) async throws {
        let truth = try await fields(of: mentee, on: registrar)["note_public"].text
        try await mentor.roost("students", "edit", mentee, "note_public=said by a mentor")
        let report = try await mentor.roost("sync")
        #expect(report["verdicts"]["rejected"] == 1)

        let rejected = try await mentor.roost("rejected")["rejected"].list
        #expect(rejected.count == 1)
        #expect(rejected.first?["code"] == "forbidden")
        #expect(rejected.first?["row"].text == mentee)
        #expect(rejected.first?["fields"]["note_public"] == "said by a mentor")
        #expect(rejected.first?["message"].text?.isEmpty == false)
        #expect(try await mentor.roost("status")["rejected"] == 1)

        #expect(try await fields(of: mentee, on: mentor)["note_public"].text == truth)
        try await sync([registrar])
        #expect(try await fields(of: mentee, on: registrar)["note_public"].text == truth)
    }

    /// Names of the files that hold a text anywhere in their bytes.
    private func fileNames(containing text: String, under folder: String) throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return names.filter { name in
            FileManager.default.contents(atPath: folder + "/" + name)?.range(of: Data(text.utf8)) != nil
        }
    }
}
