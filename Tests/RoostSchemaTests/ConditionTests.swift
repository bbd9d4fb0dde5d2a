import RoostSchema
import Testing

struct ConditionTests {
    @Test(arguments: 0..<300 as Range<UInt64>)
    func `what is written is read again as the same`(seed: UInt64) throws {
        var random = Seeded(seed)
        let condition = random.condition()
        #expect(try Condition(parsing: condition.text) == condition)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `cutting a text anywhere gives a condition or a problem within it`(seed: UInt64) throws {
        var random = Seeded(seed)
        let text = random.condition().text
        let cut = String(text.prefix(Int.random(in: 0...text.count, using: &random)))
        do {
            _ = try Condition(parsing: cut)
        } catch {
            #expect((0...cut.count).contains(error.position))
        }
    }

    @Test func `not binds tighter than and, and tighter than or`() throws {
        let condition = try Condition(parsing: "not a=1 and b=2 or c=3")
        #expect(
            condition
                == .any([
                    .all([.not(.field("a", is: 1)), .field("b", is: 2)]), .field("c", is: 3),
                ]))
    }

    @Test func `spaces of Chinese keyboards and the other sign for unequal are read`() throws {
        #expect(try Condition(parsing: "stage<>senior\u{3000}and  level=本科").text == "stage!=senior and level=本科")
    }

    @Test(arguments: [
        ("", ConditionProblem.Code.empty, 0), ("level>", .unexpectedEnd, 6), ("level", .unexpectedEnd, 5),
        ("(a=1", .unexpectedEnd, 4), ("a=1 b", .unexpectedText, 4), ("a in 1", .unexpectedText, 5),
        ("a in (1;2)", .unexpectedText, 7), ("本科=", .unexpectedEnd, 3), ("a=\"x", .unexpectedEnd, 4),
        ("and", .unexpectedEnd, 3), (")", .unexpectedText, 0), ("a==1", .unexpectedText, 2),
    ])
    func `what cannot be read says why and where`(text: String, code: ConditionProblem.Code, position: Int) {
        #expect(throws: ConditionProblem(code: code, position: position)) { try Condition(parsing: text) }
    }

    @Test(arguments: ["(", "not "])
    func `nobody can nest without end`(opening: String) {
        let text = String(repeating: opening, count: 100_000) + "a=1"
        let problem = #expect(throws: ConditionProblem.self) { try Condition(parsing: text) }
        #expect(problem?.code == .tooDeep)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `a condition and its negation never agree`(seed: UInt64) {
        var random = Seeded(seed)
        let condition = random.condition()
        let value = random.word()
        let others = [value, random.word()]
        let values: (String) -> [Value] = { $0.count % 2 == 0 ? [value] : others }
        #expect(condition.holds(values) != Condition.not(condition).holds(values))
    }

    @Test func `a missing value equals only null and has no order`() {
        let missing: (String) -> [Value] = { _ in [] }
        #expect(Condition.field("birth", is: .null).holds(missing))
        #expect(!Condition.field("birth", is: "2005").holds(missing))
        #expect(Condition.field("birth", .notEqual, "2005").holds(missing))
        #expect(!Condition.field("cohort", .less, 2026).holds(missing))
        #expect(!Condition.field("cohort", .greaterOrEqual, 2026).holds(missing))
        #expect(!Condition.field("cohort", .less, 2026).holds { _ in [.null] })
    }

    @Test func `a facet with several values holds if one of them does`() {
        let chapters: (String) -> [Value] = { _ in ["华工分部", "深圳分部"] }
        #expect(Condition.field("chapter", is: "深圳分部").holds(chapters))
        #expect(!Condition.field("chapter", .notEqual, "深圳分部").holds(chapters))
        #expect(Condition.field("chapter", in: ["中大分部", "华工分部"]).holds(chapters))
    }

    @Test func `the principal is nobody where nobody is named`() {
        let officer = RowID(bits: 7)
        let own = Condition.field(isPrincipal: "officer")
        #expect(own.holds(principal: officer) { _ in [.id(officer)] })
        #expect(!own.holds(principal: RowID(bits: 8)) { _ in [.id(officer)] })
        #expect(!own.holds { _ in [.id(officer)] })
    }
}
