import Foundation
import RoostAPI
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

struct ImportTests {
    private func upload(_ text: String, dryRun: Bool = false, source: String = "sheet.csv") -> SheetUpload {
        SheetUpload(bytes: Array(text.utf8), source: source, template: "roster", isDryRun: dryRun)
    }

    private let small = """
        姓名,手机,性别
        谭梓森,19900000001,男
        冯子晴,19900000002,女
        """

    @Test(.timeLimit(.minutes(5)))
    func `the bureau's sheet of 3,800 rows is imported, and importing it again changes nothing`() async throws {
        let fixture = try await OutreachFixture()
        try await fixture.addSchools()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        let bytes = try OutreachFixture.roster("education-bureau-2025.csv")
        func run(dryRun: Bool) async throws -> ImportReport {
            try await importer.run(
                SheetUpload(bytes: bytes, source: "录取去向.csv", isDryRun: dryRun), by: OutreachFixture.registrar)
        }
        let rehearsal = try await run(dryRun: true)
        #expect(try await fixture.count("student") == 0)
        let report = try await run(dryRun: false)
        #expect(report.template == "admissions")
        #expect(report.encoding == "gb18030")
        #expect(report.headerRow == 3)
        #expect(report.counts == rehearsal.counts)
        let counts = report.counts
        #expect(counts.read > 3_750)
        #expect(counts.new + counts.updated + counts.unchanged + counts.suspect + counts.refused == counts.read)
        #expect(counts.new > 3_500)
        #expect(try await fixture.count("student") >= counts.new)
        #expect(try await fixture.count("schooling") > counts.new)
        #expect(report.errorSheet != nil)

        fixture.time.advance(by: 60_000)
        let again = try await run(dryRun: false).counts
        #expect(again.read == counts.read)
        #expect(again.new == 0)
        #expect(again.updated == 0)
        #expect(again.refused == counts.refused)

        let undone = try await ImportRegister(store: fixture.store).undo(
            try #require(report.batch.flatMap { RowID($0) }), by: OutreachFixture.registrar)
        #expect(undone.kept.isEmpty)
        #expect(try await fixture.count("student") == 0)
        #expect(try await fixture.count("schooling") == 0)
        #expect(try await fixture.count("stage_event") == 0)
    }

    @Test func `a dry run writes nothing and names no batch`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        let report = try await importer.run(upload(small, dryRun: true), by: OutreachFixture.registrar)
        #expect(report.batch == nil)
        #expect(report.counts == .init(read: 2, new: 2, updated: 0, unchanged: 0, suspect: 0, refused: 0))
        #expect(try await fixture.count("student") == 0)
        #expect(try await fixture.store.batches().isEmpty)
    }

    @Test func `a sheet given again to a server that lost its import makes the same rows at the same time`()
        async throws
    {
        let fixture = try await OutreachFixture()
        let backup = fixture.directory + "/backup"
        try fixture.store.backUp(to: backup)
        fixture.time.advance(by: 1000)
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        let undone = try await importer.run(upload("姓名,手机,性别\n李明,19900000003,男\n"), by: OutreachFixture.registrar)
        _ = try await ImportRegister(store: fixture.store).undo(
            try #require(undone.batch.flatMap { RowID($0) }), by: OutreachFixture.registrar)
        let report = try await importer.run(upload(small, source: "花名册.csv"), by: OutreachFixture.registrar)
        let before = try await fixture.store.rows(of: "student")
        try fixture.store.close()
        _ = try ServerStore.restore(backup, to: fixture.directory)
        let time = fixture.time
        let store = try ServerStore(directory: fixture.directory, catalogue: .programme, clock: { time.now })
        #expect(try await store.rows(of: "student").isEmpty)
        #expect(try await store.lostImports().map(\.source) == ["花名册.csv"])
        time.advance(by: 86_400_000)
        let again = try await SheetImporter(store: store, key: fixture.key).run(
            upload(small), by: OutreachFixture.registrar)
        #expect(again.batch == report.batch && again.counts == report.counts)
        let after = try await store.rows(of: "student")
        func told(_ rows: [RoostSync.Row]) -> Set<[String]> {
            Set(rows.filter { !$0.isDeleted }.map { ["\($0.key.id)", "\($0.values)", "\($0.stamp)"] })
        }
        #expect(told(after) == told(before) && after.count == 2)
        #expect(try await store.lostImports().isEmpty)
        // And once it is there, it is an import like any other.
        #expect(
            try await SheetImporter(store: store, key: fixture.key).run(
                upload(small), by: OutreachFixture.registrar
            ).batch != report.batch)
        try store.close()
    }

    @Test func `a sheet given again to a server that lost its import does not bring back who was erased`() async throws
    {
        let fixture = try await OutreachFixture()
        let backup = fixture.directory + "/backup"
        try fixture.store.backUp(to: backup)
        _ = try await SheetImporter(store: fixture.store, key: fixture.key).run(
            upload(small), by: OutreachFixture.registrar)
        let students = try await fixture.store.rows(of: "student")
        _ = try await fixture.store.erase(try #require(students.first).key.id, of: "student")
        try fixture.store.close()
        _ = try ServerStore.restore(backup, to: fixture.directory)
        let time = fixture.time
        let store = try ServerStore(directory: fixture.directory, catalogue: .programme, clock: { time.now })
        _ = try await SheetImporter(store: store, key: fixture.key).run(upload(small), by: OutreachFixture.registrar)
        #expect(try await store.rows(of: "student").map(\.key) == students.dropFirst().map(\.key))
        try store.close()
    }

    @Test func `an update is told field by field and undone to the earlier value`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        _ = try await importer.run(upload(small), by: OutreachFixture.registrar)
        fixture.time.advance(by: 1000)
        let report = try await importer.run(
            upload("姓名,手机,性别,微信\n谭梓森,19900000001,男,zz00_tan\n冯子晴,19900000002,男,\n"),
            by: OutreachFixture.registrar)
        #expect(report.counts == .init(read: 2, new: 0, updated: 2, unchanged: 0, suspect: 0, refused: 0))
        #expect(
            report.entries.map(\.changes) == [
                [.init(collection: "student", field: "wechat", old: nil, new: "zz00_tan", hidden: false)],
                [.init(collection: "student", field: "gender", old: "2", new: "1", hidden: false)],
            ])
        fixture.time.advance(by: 1000)
        let undone = try await ImportRegister(store: fixture.store).undo(
            try #require(report.batch.flatMap { RowID($0) }), by: OutreachFixture.registrar)
        #expect(undone.restored == 2)
        #expect(undone.deleted == 0)
        let rows = try await fixture.store.rows(of: "student", where: .field("gender", is: "2"))
        #expect(rows.count == 1)
        #expect(try await fixture.store.count(of: "student", where: .field("wechat", is: .null)) == 2)
    }

    @Test func `a later edit outlives the undo, also one that arrives after it`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        _ = try await importer.run(upload(small), by: OutreachFixture.registrar)
        fixture.time.advance(by: 1000)
        let report = try await importer.run(
            upload("姓名,手机,性别,微信\n谭梓森,19900000001,女,zz00_tan\n"), by: OutreachFixture.registrar)
        let student = try #require(
            try await fixture.store.rows(of: "student", where: .field("wechat", is: "zz00_tan")).first)
        let editedAt = HybridTime(fixture.time.now + 500)
        fixture.time.advance(by: 1000)
        try await fixture.write([TrustedEdit("student", student.key.id, .edit, ["wechat": "zz00_later"])])
        fixture.time.advance(by: 1000)
        let undone = try await ImportRegister(store: fixture.store).undo(
            try #require(report.batch.flatMap { RowID($0) }), by: OutreachFixture.registrar)
        #expect(undone.restored == 1)
        #expect(undone.kept.map(\.field) == ["wechat"])
        #expect(undone.kept.map(\.reason) == ["edited_later"])
        // Made half a second after the import, it arrives only now.
        try await fixture.write([
            TrustedEdit("student", student.key.id, .edit, ["gender": "9"], time: editedAt)
        ])
        let after = try #require(try await fixture.store.rows("student", ids: [student.key.id]).first)
        let declaration = try #require(Catalogue.programme["student"])
        #expect(try after.values[#require(declaration.position(of: "wechat" as FieldName))] == "zz00_later")
        #expect(try after.values[#require(declaration.position(of: "gender" as FieldName))] == "9")
    }

    @Test func `somebody the import made stays whole when anything about them is newer`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        let report = try await importer.run(
            upload("姓名,手机,学历,家长姓名\n谭梓森,19900000001,本科,谭父\n冯子晴,19900000002,本科,冯父\n"),
            by: OutreachFixture.registrar)
        let tan = try #require(try await fixture.store.rows(of: "student", where: .field("name", is: "谭梓森")).first)
        fixture.time.advance(by: 1000)
        try await fixture.write([
            TrustedEdit(
                "liaison", RowID(bits: 0x900), .create,
                [
                    "student": .id(tan.key.id), "officer": .id(OutreachFixture.author), "kind": "liaison",
                    "state": "active",
                ])
        ])
        let undone = try await ImportRegister(store: fixture.store).undo(
            try #require(report.batch.flatMap { RowID($0) }), by: OutreachFixture.registrar)
        #expect(Set(undone.kept.map(\.reason)) == ["in_use"])
        #expect(undone.kept.count == 3)
        #expect(undone.deleted == 3)
        #expect(try await fixture.count("student") == 1)
        #expect(try await fixture.count("guardian") == 1)
    }

    @Test func `an import is undone once, within thirty days, by whoever may`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        let register = ImportRegister(store: fixture.store)
        let first = try #require(
            try await importer.run(upload(small), by: OutreachFixture.collector).batch.flatMap { RowID($0) })
        let forbidden = await #expect(throws: Refusal.self) {
            try await register.undo(first, by: OutreachFixture.collector)
        }
        #expect(forbidden?.code == .forbidden && forbidden?.messageZH?.contains("登记员") == true)
        _ = try await register.undo(first, by: OutreachFixture.registrar)
        var refusal = await #expect(throws: Refusal.self) {
            try await register.undo(first, by: OutreachFixture.registrar)
        }
        #expect(refusal?.reason == "already_undone")
        fixture.time.advance(by: 1000)
        let second = try #require(
            try await importer.run(upload(small), by: OutreachFixture.registrar).batch.flatMap { RowID($0) })
        fixture.time.advance(by: ServerStore.undoWindow + 1)
        refusal = await #expect(throws: Refusal.self) {
            try await register.undo(second, by: OutreachFixture.registrar)
        }
        #expect(refusal?.reason == "undo_window_over")
        #expect(
            try await register.list(for: OutreachFixture.registrar).imports.map(\.batch).first == second.description)
        #expect(try await register.list(for: OutreachFixture.collector).imports.count == 1)
    }

    @Test func `who keeps nothing of the roster is not told what is stored`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        _ = try await importer.run(upload(small), by: OutreachFixture.registrar)
        fixture.time.advance(by: 1000)
        let report = try await importer.run(
            upload("姓名,手机,性别\n谭梓森,19900000001,女\n", dryRun: true), by: OutreachFixture.collector)
        #expect(
            report.entries.flatMap(\.changes) == [
                .init(collection: "student", field: "gender", old: nil, new: nil, hidden: true)
            ])
        await #expect(throws: Refusal.self) {
            try await importer.run(upload(small), by: OutreachFixture.approver)
        }
    }

    @Test func `an identity number leaves nothing but its keyed digest`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        // The example number of GB 11643 in its published form.
        let number = "11010519491231002X"
        let report = try await importer.run(
            upload("姓名,手机,身份证号\n谭梓森,19900000001,\(number)\n冯子晴,19900000002,11010519491231002\n"),
            by: OutreachFixture.registrar)
        let told = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        #expect(!told.contains(number))
        #expect(report.entries.flatMap(\.problems).map(\.code) == ["id_wrong_length"])
        let tan = try #require(try await fixture.store.rows(of: "student", where: .field("name", is: "谭梓森")).first)
        let declaration = try #require(Catalogue.programme["student"])
        let digest = try tan.values[#require(declaration.position(of: "id_digest" as FieldName))].text
        #expect(digest?.count == 64)
        #expect(try tan.values[#require(declaration.position(of: "birth" as FieldName))] == "1949-12-31")
        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
            let contents = try Data(contentsOf: URL(filePath: fixture.directory + "/" + name))
            #expect(contents.range(of: Data(number.utf8)) == nil, "\(name) holds the number")
        }
    }

    @Test(arguments: [
        ("broken/empty.csv", "sheet_empty"), ("broken/blank-lines-only.csv", "sheet_empty"),
        ("broken/title-only.csv", "sheet_no_header"), ("broken/mojibake-file.csv", "sheet_mojibake"),
        ("broken/duplicate-header.csv", "sheet_duplicate_columns"),
        ("broken/missing-name-column.csv", "sheet_missing_column"),
    ])
    func `a broken sheet is refused with its code and changes nothing`(name: String, code: String) async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        let bytes = try OutreachFixture.roster(name)
        let refusal = await #expect(throws: Refusal.self) {
            try await importer.run(
                SheetUpload(bytes: bytes, source: name, isDryRun: false), by: OutreachFixture.registrar)
        }
        #expect(refusal?.code == .unusableSheet)
        #expect(refusal?.reason == code)
        #expect(refusal?.messageZH != nil)
        #expect(try await fixture.store.batches().isEmpty)
    }

    @Test func `a workbook is answered with the advice to save it as CSV`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        let refusal = await #expect(throws: Refusal.self) {
            try await importer.run(
                SheetUpload(bytes: [0x50, 0x4B, 0x03, 0x04, 0x14], source: "a.xlsx", isDryRun: true),
                by: OutreachFixture.registrar)
        }
        #expect(refusal?.code == .unsupportedSheet)
        #expect(refusal?.message.contains("CSV") == true)
    }

    @Test func `the template of a file's last import is used again`() async throws {
        let fixture = try await OutreachFixture()
        let importer = try SheetImporter(store: fixture.store, key: fixture.key)
        var sheet = upload(small, source: "街道名单.csv")
        sheet.template = "members"
        _ = try await importer.run(sheet, by: OutreachFixture.registrar)
        sheet.template = nil
        #expect(try await importer.run(sheet, by: OutreachFixture.registrar).template == "members")
    }
}
