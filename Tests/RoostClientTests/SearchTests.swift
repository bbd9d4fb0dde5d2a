import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

private typealias World = ReplicaWorld

@Suite struct SearchTests {
    /// Four students, two schools.
    private func world() throws -> ReplicaWorld {
        let world = try World()
        let scut = World.id("scut")
        func schooling(_ name: String, _ student: String, _ fields: KeyValuePairs<String, Value>) -> WireRow {
            var row = World.row("schooling", name, at: 5, fields)
            row.fields.append(Mutation.Change("student", .text(World.id(student).description)))
            return row
        }
        try world.receive(
            World.page(
                World.commons, cursor: 5,
                [
                    World.row("school", "scut", at: 5, ["name": "华南理工大学", "aliases": .list(["华工"])]),
                    World.row("school", "hku", at: 5, ["name": "香港大学"]),
                ]),
            World.page(
                World.county, cursor: 5,
                [
                    World.row("student", "tan", at: 5, ["name": "谭梓森"]),
                    World.row("student", "ou", at: 5, ["name": "区小明"]),
                    World.row("student", "chan", at: 5, ["name": "陳大文", "other_name": "Chan Tai Man"]),
                    World.row("student", "zhai", at: 5, ["name": "翟丽", "pinyin": "di li"]),
                    schooling("one", "tan", ["school": .text(scut.description), "cohort": 2026]),
                    schooling("two", "chan", ["school_name": "香江书院", "cohort": 2027]),
                ]))
        return world
    }

    @Test(arguments: [
        (["谭梓"], ["谭梓森"]), (["tanzisen"], ["谭梓森"]), (["tzs"], ["谭梓森"]), (["zisen"], ["谭梓森"]),
        (["TZS"], ["谭梓森"]), (["ouxiaoming"], ["区小明"]), (["oxm"], ["区小明"]), (["陈大文"], ["陳大文"]),
        (["chan tai"], ["陳大文"]), (["dili"], ["翟丽"]), (["zhaili"], []), (["华工"], ["谭梓森"]), (["华南理工"], ["谭梓森"]),
        (["香江"], ["陳大文"]), (["2026"], ["谭梓森"]), (["2027届"], ["陳大文"]), (["华工", "2026"], ["谭梓森"]),
        (["华工", "2027"], []), (["an"], []), (["%"], []), (["'"], []),
        ([], ["陳大文", "翟丽", "区小明", "谭梓森"]),
    ])
    func `words find students by name, sound, initials, school and year`(words: [String], expected: [String]) throws {
        let world = try world()
        let name = try #require(world.catalogue["student"]?.position(of: FieldName("name")))
        let found = try world.desk.students(words).map { $0.row.values[name].text ?? "" }
        #expect(found == expected)
    }

    @Test func `somebody added offline is found at once, and by the school typed`() throws {
        let world = try world()
        let entry = StudentEntry(try world.desk)
        let row = try entry.add(["姓名=欧阳锋", "学校=华工", "毕业时间=2029-06", "手机=139 0000 1234", "性别=男"], chapter: nil).row
        #expect(try world.desk.students(["oyf"]).map(\.row.key.id) == [row])
        #expect(try world.value("student", row, "mobile") == "+8613900001234")
        #expect(try world.value("student", row, "gender") == "1")
        let schooling = try #require(try world.desk.rows(of: "schooling", about: row).first)
        #expect(try world.value("schooling", schooling.row.key.id, "school") == .id(World.id("scut")))
        #expect(Set(try world.desk.students(["华南理工大学"]).map(\.row.key.id)) == [row, World.id("tan")])
    }

    @Test func `a name finds one person, a name of two asks for the id`() throws {
        let world = try world()
        #expect(try world.desk.student("tzs").row.key.id == World.id("tan"))
        #expect(try world.desk.student(World.id("ou").description).row.key.id == World.id("ou"))
        #expect(throws: ClientError.noSuchRow("nobody")) { try world.desk.student("nobody") }
        _ = try world.desk.add(["name": "谭子颂"])
        #expect(throws: ClientError.ambiguousRow("tzs", matches: 2)) { try world.desk.student("tzs") }
        #expect(try world.desk.student("谭梓森").row.key.id == World.id("tan"))
    }
}
