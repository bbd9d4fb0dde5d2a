import RoostModel
import RoostSchema
import RoostSheets
import RoostText
import Testing

/// Every defect that the manifest lists, in every sheet of people.
struct ManifestTests {
    /// Where the manifest's fields are in the templates' parts.
    private static let places: [String: (part: String, field: FieldName)] = [
        "name": ("student", "name"), "alt_name": ("student", "other_name"), "gender": ("student", "gender"),
        "birth": ("student", "birth"), "mobile": ("student", "mobile"), "wechat": ("student", "wechat"),
        "id_number": ("student", "id_digest"), "home_town": ("student", "home_div"), "note": ("student", "note_public"),
        "school": ("university", "school"), "major": ("university", "major"), "level": ("university", "level"),
        "entry_year": ("university", "entry"), "senior_school": ("senior", "school"),
        "class_name": ("senior", "class_name"),
        "cohort": ("senior", "cohort"), "guardian_mobile": ("guardian", "phone"), "chapter": ("membership", "chapter"),
        "chapter_role": ("membership", "role"), "consent": ("consent", "state"),
        "joined_on": ("membership", "joined_on"),
    ]

    private static let levels = [
        "11": "博士", "14": "硕士", "21": "本科", "31": "专科", "41": "中职", "44": "中职", "47": "中职", "61": "高中",
    ]

    /// What a row holds for a field of the manifest, in the words that the manifest uses.
    private func value(_ field: String, in row: ParsedRow, of sheet: ParsedSheet) throws -> String? {
        let place = try #require(Self.places[field])
        var position = try #require(sheet.template.parts.firstIndex { $0.name == place.part })
        if row.parts[position] == nil, place.part == "senior" {
            // Who still is in senior school has one schooling, which has taken over these columns.
            position = try #require(sheet.template.parts.firstIndex { $0.name == "university" })
        }
        guard let part = row.parts[position] else { return nil }
        let names = try Rosters.lists.get().names
        if let value = part.values[place.field] {
            if part.inferred.contains(place.field) { return nil }
            if field == "level" { return value.text.flatMap { Self.levels[$0] } }
            if field == "entry_year" { return value.text.map { String($0.prefix(4)) } }
            return names[value] ?? value.text ?? value.integer.map(String.init)
        }
        let words = sheet.template.parts[position].unresolved[place.field].flatMap { part.values[$0] }
        return words?.text
    }

    static let acceptedFiles = [
        "education-bureau-2025.csv", "alliance-members.csv", "encodings/roster-40.utf-8.csv",
        "encodings/roster-40.utf-8-bom.csv", "encodings/roster-40.gb18030.csv", "encodings/roster-40.utf-16le-bom.csv",
        "broken/phone-scientific.csv", "broken/id-tail-000.csv", "broken/three-mangled-cells.csv",
        "broken/lost-leading-zero.csv", "broken/short-rows.csv", "broken/embedded-newline.csv",
        "broken/mojibake-cells.csv", "broken/unknown-schools.csv", "broken/formula-cells.csv", "broken/header-only.csv",
    ]

    @Test(arguments: acceptedFiles)
    func `rows are kept and refused as the manifest counts them`(path: String) throws {
        let file = try Rosters.manifest.get().file(path)
        let sheet = try Rosters.parse(path)
        #expect(sheet.rows.count == file.rows_after_header)
        #expect(file.header_row.map { $0 - 1 } == sheet.headers.headerIndex)
        let refused = sheet.rows.filter { $0.problem != nil }.map(\.row)
        let mayBeRefused = Set(
            file.defects.filter { $0.action == "refuse_row" || $0.also_ok?.contains("refuse_row") ?? false }.compactMap(
                \.row))
        let mustBeRefused = Set(
            file.defects.filter { $0.action == "refuse_row" && !($0.also_ok?.contains("accept") ?? false) }.compactMap(
                \.row))
        #expect(mustBeRefused.subtracting(refused) == [])
        #expect(Set(refused).subtracting(mayBeRefused) == [])
    }

    @Test(arguments: acceptedFiles)
    func `every defect cell is refused, normalised or kept as the manifest lists it`(path: String) throws {
        let file = try Rosters.manifest.get().file(path)
        let sheet = try Rosters.parse(path)
        let rows = Dictionary(uniqueKeysWithValues: sheet.rows.map { ($0.row, $0) })
        var seen = 0
        for defect in file.defects {
            guard let number = defect.row, let field = defect.field else { continue }
            let row = try #require(rows[number])
            if let line = defect.line { #expect(row.line == line) }
            guard row.problem == nil else { continue }
            let header = try #require(file.columns?.first { $0.field == field }?.header)
            let isRefused = row.notes.contains { $0.header == header && $0.isRefusal }
            let found = try value(field, in: row, of: sheet)
            var allowed: [String?] = []
            let actions = [defect.action] + (defect.also_ok ?? [])
            for action in actions where action == "accept" || action == "normalise" {
                let text = action == defect.action ? defect.value ?? defect.raw : defect.also_value ?? defect.raw
                allowed.append(text.map(Cleaning.text).flatMap { $0.isEmpty ? nil : $0 })
                if action == "accept", defect.also_value != nil { allowed.append(defect.raw) }
            }
            if field == "id_number" {
                let digests = allowed.compactMap(\.self).map { Rosters.digest(Array($0.utf8)) }
                allowed = allowed.contains(nil) ? digests + [nil] : digests
            }
            // A land line is stored as an international number, too.
            if defect.kind == "phone_landline", actions.contains("accept") {
                allowed = [defect.raw.map { "+86" + $0.dropFirst().filter { $0 != "-" } }]
            }
            // The shipped list knows schools of Hong Kong and Macau by their simplified names, the manifest none of them.
            if defect.kind == "school_unknown" { allowed += allowed.map { $0.map(HanFolding.simplified) } }
            // Places of other counties have codes as well: a code is more than the text that the manifest keeps.
            let isResolvedPlace = defect.kind == "town_other_county" && found != nil
            let isFine =
                isRefused ? actions.contains("refuse_cell") && found == nil : allowed.contains(found) || isResolvedPlace
            #expect(isFine, "row \(number) \(header) \(defect.kind): found \(found ?? "nothing"), refused \(isRefused)")
            seen += 1
        }
        #expect(seen == file.defects.count { $0.row != nil && $0.field != nil && !isRowRefused($0.row, rows) })
    }

    private func isRowRefused(_ row: Int?, _ rows: [Int: ParsedRow]) -> Bool {
        row.flatMap { rows[$0] }?.problem != nil
    }

    @Test(arguments: acceptedFiles)
    func `a cell that the manifest does not list is clean`(path: String) throws {
        let file = try Rosters.manifest.get().file(path)
        let sheet = try Rosters.parse(path)
        let listed = Set(file.defects.map { "\($0.row ?? 0) \($0.field ?? "")" })
        for row in sheet.rows where row.problem == nil {
            for note in row.notes {
                let field = try #require(file.columns?.first { $0.header == note.header }?.field)
                #expect(listed.contains("\(row.row) \(field)"), "row \(row.row) \(note.header) \(note.problem)")
            }
        }
    }

    /// The words in which ``value(_:in:of:)`` gives back a clean cell.
    private func expected(_ field: String, _ raw: String) -> String? {
        let codes = [
            "男": "1", "女": "2", "是": "granted", "否": "refused", "成员": "member", "负责人": "coordinator",
            "副负责人": "deputy", "引才大使": "ambassador",
        ]
        let text = Cleaning.text(raw)
        if text.isEmpty { return nil }
        switch field {
        case "gender", "consent", "chapter_role": return codes[text] ?? text
        case "mobile", "guardian_mobile": return "+86" + text
        case "id_number": return Rosters.digest(Array(text.utf8))
        default: return text
        }
    }

    @Test(arguments: acceptedFiles)
    func `a clean cell is stored as it is written`(path: String) throws {
        let file = try Rosters.manifest.get().file(path)
        guard let columns = file.columns else { return }
        let raw = try Sheet(reading: Rosters.bytes(path))
        let records = Dictionary(uniqueKeysWithValues: raw.rows.map { ($0.row, $0.cells) })
        let sheet = try Rosters.parse(path)
        let listed = Set(file.defects.map { "\($0.row ?? 0) \($0.field ?? "")" })
        var compared = 0
        for row in sheet.rows where row.problem == nil {
            let cells = try #require(records[row.row])
            for column in columns where column.field != "seq" && column.col <= cells.count {
                guard !listed.contains("\(row.row) \(column.field)") else { continue }
                let found = try value(column.field, in: row, of: sheet)
                // With nothing said of a senior school, the fields of the present school are what `value` finds.
                if column.field == "senior_school", Cleaning.text(cells[column.col - 1]).isEmpty { continue }
                guard found != expected(column.field, cells[column.col - 1]) else {
                    compared += 1
                    continue
                }
                Issue.record("row \(row.row) \(column.header): found \(found ?? "nothing")")
            }
        }
        #expect(compared > 50)
    }

    @Test func `a sheet with three mangled cells has exactly three named errors`() throws {
        let sheet = try Rosters.parse("broken/three-mangled-cells.csv")
        let notes = sheet.rows.flatMap { row in row.notes.map { "\(row.row) \($0.header) \($0.problem.rawValue)" } }
        #expect(notes == ["5 手机号码 phone_scientific", "8 身份证号 id_tail_000", "11 手机号码 phone_short"])
    }

    @Test(arguments: ["utf-8-bom", "gb18030", "utf-16le-bom"])
    func `the same sheet in another encoding is read identically`(encoding: String) throws {
        let plain = try Rosters.parse("encodings/roster-40.utf-8.csv")
        let other = try Rosters.parse("encodings/roster-40.\(encoding).csv")
        #expect(plain.rows.count == 40)
        #expect(plain.rows.map(\.parts) == other.rows.map(\.parts))
        #expect(plain.rows.map(\.notes) == other.rows.map(\.notes))
    }

    @Test(arguments: [
        ("broken/empty.csv", "sheet_empty"), ("broken/blank-lines-only.csv", "sheet_empty"),
        ("broken/title-only.csv", "sheet_no_header"), ("broken/mojibake-file.csv", "sheet_mojibake"),
        ("broken/duplicate-header.csv", "sheet_duplicate_columns"),
        ("broken/duplicate-phone-header.csv", "sheet_duplicate_columns"),
        ("broken/missing-name-column.csv", "sheet_missing_column"),
    ])
    func `a broken file is refused with a stable code`(path: String, code: String) throws {
        let error = #expect(throws: SheetError.self) { try Rosters.parse(path) }
        #expect(error?.code == code)
    }

    @Test func `a sheet with a header only is accepted and says so`() throws {
        let sheet = try Rosters.parse("broken/header-only.csv")
        #expect(sheet.rows.isEmpty)
        #expect(sheet.warnings == [.noRows])
    }

    @Test func `the bureau's sheet takes its year from its title`() throws {
        let sheet = try Rosters.parse(Rosters.bureau)
        #expect(sheet.year == 2025)
        let row = try #require(sheet.rows.first)
        let senior = try #require(sheet.template.parts.firstIndex { $0.name == "senior" })
        #expect(row.parts[senior]?.given["cohort"] == 2025)
        #expect(sheet.headers.unknownColumns == [])
    }
}
