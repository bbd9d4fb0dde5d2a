import RoostModel
import RoostSchema
import RoostSheets
import Testing

/// The engine knows no student: another programme's declaration is all it needs.
struct OtherCatalogueTests {
    private static let orchard = Catalogue(
        version: 1,
        collections: [
            Collection(
                "tree", .register, "果树", "tree",
                fields: [
                    Field("tag_number", .text(max: 20), "树号", "tag number", headers: ["编号"], required: true),
                    Field(
                        "sort", .code([Code("lychee", "荔枝", "lychee", ["荔"]), Code("longan", "龙眼", "longan")]), "品种",
                        "sort"),
                    Field("planted", .partialDate, "种植时间", "planted", headers: ["栽种年份"]),
                    Field("row_width", .integer(0...100), "行距", "row width"),
                ]),
            Collection(
                "harvest", .appendOnly, "采收", "harvest", subject: "tree",
                fields: [
                    Field("tree", .reference("tree"), "所属果树", "tree", required: true),
                    Field("weight", .integer(0...1000), "产量", "weight", headers: ["斤数"], required: true),
                    Field("year", .integer(1990...2100), "年度", "year"),
                ]),
        ],
        scopes: [], roles: [],
        authority: Authority("tree", officer: "tag_number", role: "sort", target: "tag_number", when: .never),
        commons: "commons")

    private static let template = SheetTemplate(
        "harvest_sheet", "采收表", "harvest sheet",
        parts: [
            SheetTemplate.Part("tree", "tree", spellings: ["sort": ["桂味": "lychee"]]),
            SheetTemplate.Part("harvest", "harvest", references: ["tree": "tree"], sheetYear: ["year"]),
        ],
        evidence: [SheetTemplate.Evidence(.exact, [.init("tree", "tag_number")])])

    private func plan(_ text: String, catalogue: Catalogue = orchard, store: inout MemoryStore) throws -> ImportPlan {
        store.catalogue = catalogue
        let parser = SheetParser(catalogue: catalogue, template: Self.template, directory: NameDirectory(), moment: 0)
        return store.plan(try parser.parse(try Sheet(reading: Array(text.utf8))))
    }

    @Test func `another programme's sheet is imported by its declaration alone`() throws {
        var store = MemoryStore()
        let text = "2024年采收\n编号,品种,栽种年份,斤数\nA1,荔,1998,120\nA2,桂味,二〇〇一年,80\nA3,苹果,,15\n,荔枝,,1\n"
        let first = try plan(text, store: &store)
        #expect(first.rows.map(\.bucket) == [.new, .new, .new, .refused])
        #expect(first.rows[0].changes.map(\.collection) == ["tree", "harvest"])
        #expect(first.rows[0].changes[1].values["year"] == 2024)
        #expect(first.rows[1].changes[0].values == ["tag_number": "A2", "sort": "lychee", "planted": "2001"])
        #expect(first.rows[2].notes.map(\.problem) == [.unknownCode])
        store.apply(first)
        #expect(try plan(text, store: &store).rows.flatMap(\.changes) == [])
        // A harvest is never edited: another weight is another row.
        let more = try plan("2024年\n编号,品种,斤数\nA1,荔枝,130\n", store: &store)
        #expect(more.rows.first?.changes.map(\.kind) == [.create])
    }

    @Test func `a field added to a declaration is importable without another line`() throws {
        let tree = try #require(Self.orchard["tree"])
        let added = Collection(
            "tree", .register, "果树", "tree",
            fields: tree.fields + [Field("keeper", .personName, "看护人", "keeper", headers: ["负责人"])])
        var store = MemoryStore()
        let result = try plan(
            "编号,品种,负责人\nA1,荔枝,谭 梓\n", catalogue: Self.orchard.replacing(added), store: &store)
        #expect(result.rows.first?.changes.first?.values["keeper"] == "谭梓")
        #expect(result.unknownColumns == [])
        let before = try plan("编号,品种,行距,负责人\nA1,荔枝,3,谭 梓\n", store: &store)
        #expect(before.unknownColumns == ["负责人"])
    }

    @Test func `a field added to the programme's catalogue is importable without another line`() throws {
        let student = try #require(Catalogue.programme["student"])
        let added = Collection(
            "student", .register, "学生", "student",
            fields: student.fields + [Field("blood_type", .text(max: 4), "血型", "blood type", headers: ["血型(ABO)"])])
        let text = "姓名,手机号码,血型\n张伟,19900000001,AB\n"
        let sheet = try Rosters.parse(
            Sheet(reading: Array(text.utf8)), template: SheetTemplates.roster,
            catalogue: Catalogue.programme.replacing(added))
        #expect(sheet.rows.first?.parts.first??.values["blood_type"] == "AB")
    }
}
