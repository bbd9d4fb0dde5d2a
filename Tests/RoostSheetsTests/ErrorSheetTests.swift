import RoostModel
import RoostSchema
import RoostSheets
import RoostText
import Testing

struct ErrorSheetTests {
    private func errorSheet(_ sheet: Sheet, template: SheetTemplate, rows: ErrorSheet.Selection = .all) throws -> Sheet
    {
        var store = MemoryStore()
        let parsed = try Rosters.parse(sheet, template: template)
        let plan = store.plan(parsed)
        let bytes = try ErrorSheet.bytes(of: sheet, headers: parsed.headers, reasons: plan.reasons, rows: rows)
        #expect(bytes.starts(with: [0xEF, 0xBB, 0xBF]))
        return try Sheet(reading: bytes)
    }

    @Test func `the error sheet is the input with a reason behind each row that has one`() throws {
        let input = try Sheet(reading: Rosters.bytes("broken/three-mangled-cells.csv"))
        let output = try errorSheet(input, template: SheetTemplates.roster)
        #expect(output.rows.count == input.rows.count)
        #expect(output.rows.map { Array($0.cells.dropLast()) } == input.rows.map(\.cells))
        #expect(output.rows.first?.cells.last == "原因")
        let reasons = output.rows.dropFirst().compactMap { row in row.cells.last.flatMap { $0.isEmpty ? nil : row.row }
        }
        #expect(reasons == [5, 8, 11])
        #expect(output.rows[4].cells.last?.contains("科学计数") ?? false)
    }

    @Test func `only the rows with a reason are written when asked`() throws {
        let input = try Sheet(reading: Rosters.bytes("broken/three-mangled-cells.csv"))
        let output = try errorSheet(input, template: SheetTemplates.roster, rows: .withReasons)
        #expect(output.rows.count == 4)
    }

    @Test(arguments: [
        "broken/three-mangled-cells.csv", "broken/formula-cells.csv", "broken/embedded-newline.csv",
        "alliance-members.csv",
    ])
    func `the error sheet is read as the input was`(path: String) throws {
        let input = try Sheet(reading: Rosters.bytes(path))
        let template = Rosters.template(for: path)
        let before = try Rosters.parse(input, template: template)
        let after = try Rosters.parse(try errorSheet(input, template: template), template: template)
        #expect(before.rows.map(\.parts) == after.rows.map(\.parts))
        #expect(before.rows.map(\.problem) == after.rows.map(\.problem))
        #expect(after.headers.unknownColumns == before.headers.unknownColumns)
    }

    @Test func `a second round writes the reason into the same column`() throws {
        let input = try Sheet(reading: Rosters.bytes("broken/three-mangled-cells.csv"))
        let once = try errorSheet(input, template: SheetTemplates.roster)
        let twice = try errorSheet(once, template: SheetTemplates.roster)
        #expect(once == twice)
    }

    @Test func `a corrected row loses its reason and is imported`() throws {
        let input = try Sheet(reading: Rosters.bytes("broken/three-mangled-cells.csv"))
        let output = try errorSheet(input, template: SheetTemplates.roster)
        let text = DelimitedText.text(of: output.rows.map(\.cells), delimiter: .comma)
        let corrected = text.replacing("1.99E+10", with: "19900009999")
        var store = MemoryStore()
        let plan = store.plan(
            try Rosters.parse(Sheet(reading: Array(corrected.utf8)), template: SheetTemplates.roster))
        #expect(plan.reasons.keys.sorted() == [8, 11])
    }

    @Test func `rows of the wrong length stay refused in the error sheet`() throws {
        let input = try Sheet(reading: Rosters.bytes("broken/short-rows.csv"))
        let output = try errorSheet(input, template: SheetTemplates.roster)
        let again = try Rosters.parse(output, template: SheetTemplates.roster)
        #expect(again.rows.filter { $0.problem != nil }.map(\.row) == [8, 11])
    }

    @Test func `no spreadsheet runs a cell of the error sheet`() throws {
        let input = try Sheet(reading: Rosters.bytes("broken/formula-cells.csv"))
        let output = try errorSheet(input, template: SheetTemplates.roster)
        let cells = output.rows.flatMap(\.cells)
        #expect(cells.contains { $0.hasPrefix("'=HYPERLINK") })
        #expect(!cells.contains { $0.hasPrefix("=") || $0.hasPrefix("@") })
    }

    @Test func `reasons hold no number of a person`() throws {
        var store = MemoryStore()
        let plan = store.plan(try Rosters.parse(Rosters.bureau))
        let longNumbers = plan.reasons.values.filter { label in
            label.zh.split { !$0.isWholeNumber }.contains { $0.count > 4 }
        }
        #expect(!plan.reasons.isEmpty)
        #expect(longNumbers == [])
    }
}
