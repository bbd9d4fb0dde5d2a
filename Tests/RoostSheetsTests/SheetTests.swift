import RoostModel
import RoostSchema
import RoostText
import Testing

@testable import RoostSheets

struct SheetTests {
    private func sheet(_ text: String, limits: SheetLimits = SheetLimits()) throws -> Sheet {
        try Sheet(reading: Array(text.utf8), limits: limits)
    }

    @Test func `quoted cells hold delimiters, quotation marks and line breaks`() throws {
        let sheet = try sheet("a,b\r\n\"x,\"\"y\"\"\",\"one\r\ntwo\"\r\nlast,\"\"\r\n")
        #expect(sheet.rows.map(\.cells) == [["a", "b"], ["x,\"y\"", "one\r\ntwo"], ["last", ""]])
        #expect(sheet.rows.map(\.row) == [1, 2, 3])
        #expect(sheet.rows.map(\.line) == [1, 2, 4])
    }

    @Test(arguments: [",", ";", "\t"])
    func `the delimiter is recognised`(delimiter: String) throws {
        let text = "姓名\(delimiter)手机\(delimiter)学校\n张伟\(delimiter)1,5\(delimiter)x;y\n李明\(delimiter)2\(delimiter)z\n"
        #expect(try sheet(text).delimiter.rawValue == delimiter)
    }

    @Test func `an endless quotation mark names the line where it begins`() {
        #expect(throws: SheetError.unterminatedQuote(line: 2)) { try sheet("a,b\n\"x,y\nz,w\n") }
    }

    @Test func `limits are kept`() {
        #expect(throws: SheetError.tooManyRows(limit: 2)) { try sheet("a\nb\nc\n", limits: SheetLimits(rows: 2)) }
        #expect(throws: SheetError.tooManyCells(limit: 3)) { try sheet("a,b\nc,d\n", limits: SheetLimits(cells: 3)) }
        #expect(throws: SheetError.tooManyBytes(limit: 4)) { try sheet("a,b,c", limits: SheetLimits(bytes: 4)) }
    }

    @Test(arguments: [[0x50, 0x4B, 0x03, 0x04, 0x14] as [UInt8], [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]])
    func `a workbook is asked for as CSV`(bytes: [UInt8]) {
        #expect(throws: SheetError.workbook) { try Sheet(reading: bytes) }
        #expect(SheetError.workbook.message.zh.contains("CSV"))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `what is written is read back`(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let alphabet = ["a", "姓", ",", ";", "\t", "\"", "\n", "\r\n", " ", "'", "=", "𬎆", ""]
        let rows = (0..<5).map { _ in
            ["x"] + (0..<3).map { _ in (0..<4).map { _ in alphabet.randomElement(using: &generator) ?? "" }.joined() }
                + ["y"]
        }
        for delimiter in Delimiter.allCases {
            let text = DelimitedText.text(of: rows, delimiter: delimiter)
            let read = try DelimitedText.records(of: Array(text.utf8), delimiter: delimiter, limits: SheetLimits())
            #expect(read.map(\.cells) == rows)
        }
    }

    @Test func `headers are known with stars, hints, blanks and full width`() throws {
        let text = "＊姓　名（必填）,手机号码*,出生年月(YYYY-MM),曾用名／英文名,血型,序号,原因\n张伟,19900000001,2005.9,Ken,A,1,旧"
        let map = try HeaderMap(of: sheet(text), template: SheetTemplates.roster, catalogue: .programme)
        #expect(map.targets.map { $0?.field } == ["name", "mobile", "birth", "other_name", nil, nil, nil])
        #expect(map.unknownColumns == ["血型"])
    }

    @Test func `the template that knows most headers fits best`() throws {
        func best(_ path: String) throws -> String? {
            let sheet = try Sheet(reading: Rosters.bytes(path))
            return SheetTemplates.all.max { left, right in
                let scores = [left, right].map { HeaderMap.score(of: sheet, template: $0, catalogue: .programme) ?? 0 }
                return scores[0] < scores[1]
            }?.name
        }
        #expect(try best(Rosters.members) == "members")
        #expect(try best(Rosters.bureau) == "admissions")
        #expect(try best("encodings/roster-40.gb18030.csv") == "roster")
    }

    @Test(arguments: [
        ("鹤山沙坪", "440784001"), ("沙坪", "440784001"), ("沙坪镇", "440784001"), ("鹤山市沙坪街道", "440784001"), ("桃源", "440784104"),
        ("址山镇\u{A0}", "440784107"), ("台山市大江镇", "440781100"), ("新会区", "440705"), ("开平", "440783"), ("广西", "450000"),
        ("鶴山", "440784"), ("佛山市高明区", "440608"), ("沙平", nil), ("祖籍鹤山，现居香港", nil),
    ])
    func `places are understood as people at home write them`(words: String, code: String?) throws {
        let index = try #require(try Rosters.lists.get().directory.fields["student"]?["home_div"])
        #expect(index.value(for: words) == code.map(Value.text))
    }

    @Test(arguments: [
        ("华工", "华南理工大学"), ("中国石油大学(北京)", "中国石油大学（北京）"), ("五邑大學", "五邑大学"), ("华南理工大学（五山校区）", "华南理工大学"),
        (" 江门职业技术学院\u{3000}", "江门职业技术学院"), ("华南理工大大学", nil), ("广东医学院（东莞）", nil),
    ])
    func `schools are found by name and alias`(words: String, name: String?) throws {
        let lists = try Rosters.lists.get()
        let index = try #require(lists.directory.collections["school"])
        #expect(index.value(for: words).flatMap { lists.names[$0] } == name)
    }

    @Test(arguments: ["粤港联", "青鹤联盟粤港联分部", "“青鹤联盟”（粤港联分部）", "粤港联分部 "])
    func `chapters are found without the words around their name`(words: String) throws {
        let lists = try Rosters.lists.get()
        let index = try #require(lists.directory.collections["chapter"])
        #expect(index.value(for: words).flatMap { lists.names[$0] } == "粤港联分部")
    }

    @Test func `a name of two things means none`() {
        var index = NameIndex()
        index.add("新华区", for: "1")
        index.add("新华区", for: "2")
        #expect(index.value(for: "新华区") == nil)
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func `a damaged file is refused or every record of it is accounted for`(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        var bytes = try Rosters.bytes(
            seed.isMultiple(of: 2) ? "encodings/roster-40.utf-8.csv" : "broken/short-rows.csv")
        for _ in 0..<(1 + generator.next() % 12) {
            let position = Int(generator.next() % UInt64(bytes.count))
            switch generator.next() % 3 {
            case 0: bytes[position] = UInt8(truncatingIfNeeded: generator.next())
            case 1: bytes.remove(at: position)
            default: bytes.insert(Array(",;\t\"\n\r*=0".utf8).randomElement(using: &generator) ?? 0, at: position)
            }
        }
        do {
            let sheet = try Sheet(reading: bytes)
            let parsed = try Rosters.parse(sheet, template: SheetTemplates.roster)
            #expect(parsed.rows.count == sheet.rows.count - parsed.headers.headerIndex - 1)
            var store = MemoryStore()
            let plan = store.plan(parsed)
            #expect(plan.counts.values.reduce(0, +) == parsed.rows.count)
        } catch let error as SheetError {
            #expect(!error.message.zh.isEmpty && !error.message.en.isEmpty)
        }
    }
}
