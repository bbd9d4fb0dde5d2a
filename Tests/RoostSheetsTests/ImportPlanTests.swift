import RoostModel
import RoostSchema
import RoostSheets
import Testing

struct ImportPlanTests {
    @Test func `every row read is in exactly one bucket`() throws {
        var store = MemoryStore()
        let sheet = try Rosters.parse(Rosters.bureau)
        let plan = store.plan(sheet)
        #expect(plan.rowsRead == 3800)
        #expect(plan.counts.values.reduce(0, +) == 3800)
        #expect(plan.counts[.refused] == 8)
        // The manifest's 97, without the 5 unknown towns, which are kept as text, and with the 3 copied numbers.
        #expect(plan.cellsRefused == 97 - 5 + 3)
    }

    @Test(arguments: [Rosters.bureau, Rosters.members, "encodings/roster-40.gb18030.csv"])
    func `the same sheet again changes nothing`(path: String) throws {
        var store = MemoryStore()
        let sheet = try Rosters.parse(path)
        let first = store.plan(sheet)
        store.apply(first)
        let second = store.plan(sheet)
        #expect(second.rows.flatMap(\.changes) == [])
        #expect(second.counts[.new] == 0)
        #expect(second.counts[.updated] == 0)
        // What a person must decide does not go away by importing again; nothing else is left over.
        for row in second.rows where row.bucket == .suspect {
            guard case .contradicts = row.suspicion else {
                Issue.record("row \(row.row) is suspect again: \(String(describing: row.suspicion))")
                continue
            }
        }
    }

    @Test func `a corrected cell is an update, field by field`() throws {
        var store = MemoryStore()
        store.apply(store.plan(try roster("张伟,男,19900000001,五邑大学,化学,本科,2024")))
        let plan = store.plan(try roster("张伟,男,19900000001,五邑大学,数学,本科,2024"))
        let row = try #require(plan.rows.first)
        #expect(row.bucket == .updated)
        #expect(
            row.fields.map { "\($0.part).\($0.field) \($0.old.text ?? "") → \($0.new.text ?? "")" } == [
                "university.major 化学 → 数学"
            ])
        #expect(row.changes.map(\.kind) == [.update])
        #expect(row.changes.first?.values == ["major": "数学"])
    }

    @Test func `a blank cell clears nothing`() throws {
        var store = MemoryStore()
        store.apply(store.plan(try roster("张伟,男,19900000001,五邑大学,化学,本科,2024")))
        #expect(store.plan(try roster("张伟,,19900000001,五邑大学,,本科,")).counts[.unchanged] == 1)
    }

    @Test(arguments: ["199****0001", "１９９****０００１"])
    func `a masked number equal to the mask is no change`(masked: String) throws {
        var store = MemoryStore()
        store.apply(store.plan(try roster("张伟,男,19900000001,五邑大学,化学,本科,2024")))
        let plan = store.plan(try roster("张伟,男,\(masked),五邑大学,化学,本科,2024"))
        #expect(plan.rows.first?.changes == [])
        #expect(plan.rows.first?.notes == [])
        #expect(plan.counts[.unchanged] == 1)
    }

    @Test func `another masked number is a refused cell`() throws {
        var store = MemoryStore()
        store.apply(store.plan(try roster("张伟,男,19900000001,五邑大学,化学,本科,2024")))
        let plan = store.plan(try roster("张伟,男,199****9999,五邑大学,化学,本科,2024"))
        #expect(plan.rows.first?.notes.map(\.problem) == [.masked])
    }

    @Test func `the same name in the other script finds the person and rewrites nothing`() throws {
        var store = MemoryStore()
        store.apply(store.plan(try roster("谭梓森,男,19900000001,五邑大学,化学,本科,2024")))
        #expect(store.plan(try roster("譚梓森,男,19900000001,五邑大学,化学,本科,2024")).counts[.unchanged] == 1)
    }

    @Test func `brothers who share a telephone stay two people`() throws {
        var store = MemoryStore()
        let plan = store.plan(
            try roster("张伟,男,19900000001,五邑大学,化学,本科,2024", "张强,男,19900000001,五邑大学,化学,本科,2024"))
        #expect(plan.counts[.new] == 2)
    }

    @Test func `people of one name, university and year are shown to a person`() throws {
        var store = MemoryStore()
        let plan = store.plan(
            try roster("张伟,男,19900000001,五邑大学,化学,本科,2024", "张伟,男,19900000002,五邑大学,数学,本科,2024"))
        #expect(plan.rows.map(\.bucket) == [.new, .suspect])
        let first = try #require(plan.rows.first?.subject)
        #expect(plan.rows.last?.suspicion == .looksLike([first], .faint))
        #expect(plan.rows.last?.subject != first)
    }

    @Test func `a repeated row that says otherwise fills blanks only`() throws {
        var store = MemoryStore()
        let sheet = try roster("张伟,,19900000001,五邑大学,化学,本科,2024", "张伟,男,19900000001,五邑大学,数学,本科,2024")
        let plan = store.plan(sheet)
        #expect(plan.rows.map(\.bucket) == [.new, .suspect])
        #expect(plan.rows.last?.suspicion == .contradicts(row: 2))
        #expect(plan.rows.last?.changes.flatMap { $0.values.keys } == ["gender"])
    }

    @Test func `an identity number of another name is left out and asked about`() throws {
        let header = "姓名,性别,身份证号,手机号码,就读学校"
        let number = "440784200706110003"
        let text = [header, "林锋彬,男,\(number),19900000001,五邑大学", "何晓婷,女,\(number),19900000002,嘉应学院"].joined(
            separator: "\n")
        var store = MemoryStore()
        let sheet = try Rosters.parse(Sheet(reading: Array(text.utf8)), template: SheetTemplates.roster)
        let plan = store.plan(sheet)
        let first = try #require(plan.rows.first?.subject)
        #expect(plan.rows.last?.suspicion == .sharedIdentity(first))
        #expect(plan.rows.last?.notes.map(\.problem) == [.identityShared])
        let student = plan.rows.last?.changes.first { $0.collection == "student" }
        #expect(student?.values["id_digest"] == nil)
        #expect(student?.values["birth"] == nil)
        store.apply(plan)
        #expect(store.plan(sheet).rows.flatMap(\.changes) == [])
    }

    @Test func `an identity number fills a blank birth and nothing that is known`() throws {
        let header = "姓名,性别,身份证号,出生年月"
        func sheet(_ birth: String) throws -> ParsedSheet {
            let text = "\(header)\n林锋彬,,440784200706110003,\(birth)"
            return try Rosters.parse(Sheet(reading: Array(text.utf8)), template: SheetTemplates.roster)
        }
        let filled = try #require(try sheet("").rows.first?.parts.first ?? nil)
        #expect(filled.values["birth"] == "2007-06-11")
        // The sequence 000 is never allocated, so its sex digit says nothing.
        #expect(filled.values["gender"] == nil)
        let said = try #require(try sheet("2007.7").rows.first?.parts.first ?? nil)
        #expect(said.values["birth"] == "2007-07")
        var store = MemoryStore()
        store.apply(store.plan(try sheet("2007.7")))
        #expect(store.plan(try sheet("")).rows.flatMap(\.changes) == [])
    }

    @Test func `without a key the column of identity numbers is left out with a warning`() throws {
        let sheet = try Rosters.read("broken/unknown-schools.csv", digest: nil)
        #expect(sheet.warnings == [.identityColumnDropped])
        #expect(sheet.rows.allSatisfy { $0.parts.first??.values["id_digest"] == nil })
        #expect(sheet.rows.allSatisfy { $0.parts.first??.values["birth"] == nil })
    }

    @Test func `one row makes a student, two schoolings, a guardian and a stage event`() throws {
        var store = MemoryStore()
        let plan = store.plan(try Rosters.parse(Rosters.bureau))
        let row = try #require(plan.rows.first)
        #expect(row.changes.map(\.collection) == ["student", "schooling", "schooling", "guardian", "stage_event"])
        let student = try #require(row.subject)
        #expect(row.changes.dropFirst().allSatisfy { $0.values["student"] == .id(student) })
        let stage = try #require(row.changes.last)
        #expect(stage.values["kind"] == "admitted")
        #expect(stage.values["occurred_on"] == "2025")
    }

    @Test func `who still is in senior school has one schooling`() throws {
        let sheet = try Rosters.parse(Rosters.members)
        let row = try #require(sheet.rows.first { $0.row == 877 })
        let parts = Dictionary(uniqueKeysWithValues: zip(sheet.template.parts.map(\.name), row.parts))
        #expect(parts["senior"] == .some(nil))
        #expect(parts["university"]??.values["cohort"] == 2026)
    }

    @Test func `planned values fit the catalogue`() throws {
        var store = MemoryStore()
        for path in [Rosters.bureau, Rosters.members] {
            let plan = store.plan(try Rosters.parse(path))
            for change in plan.rows.flatMap(\.changes) {
                let collection = try #require(Catalogue.programme[change.collection])
                for (name, value) in change.values {
                    let field = try #require(collection[name])
                    #expect(field.derivation == nil)
                    #expect(field.kind.problem(with: value) == nil, "\(name): \(value)")
                }
            }
            store.apply(plan)
        }
    }

    private func roster(_ rows: String...) throws -> ParsedSheet {
        let text = (["姓名,性别,手机号码,就读学校,专业,学历,入学年份"] + rows).joined(separator: "\r\n")
        return try Rosters.parse(Sheet(reading: Array(text.utf8)), template: SheetTemplates.roster)
    }
}
