import RoostModel
import RoostSchema
import Testing

struct AudienceTests {
    private let programme = Catalogue.programme

    private func resolved(_ text: String) throws -> Condition { try programme.audience(text, about: "student") }

    private func sentence(_ text: String) throws -> Label {
        programme.sentence(of: try Condition(parsing: text), about: "student")
    }

    @Test func `words become codes and ordered comparisons become sets`() throws {
        #expect(try resolved("level>=本科") == .field("level", in: ["21", "14", "11"]))
        #expect(try resolved("level>硕士") == .field("level", in: ["11"]))
        #expect(try resolved("level<=高中") == .field("level", in: ["71", "61"]))
        #expect(try resolved("level<初中") == .field("level", in: []))
        #expect(try resolved("level in (硕士,doctorate)") == .field("level", in: ["14", "11"]))
        #expect(try resolved("level=大专") == .field("level", is: "31"))
    }

    @Test func `every vocational school counts where one asks for secondary vocational or above`() throws {
        #expect(try resolved("level>=中职") == .field("level", in: ["41", "44", "47", "31", "21", "14", "11"]))
    }

    @Test func `yes is a code where the list has it, and existence of a number`() throws {
        #expect(try resolved("intent in (yes,returned)") == .field("intent", in: ["yes", "returned"]))
        let listed = try resolved("dfc=yes")
        #expect(listed.holds { _ in [2017] })
        #expect(!listed.holds { _ in [.null] })
        #expect(!listed.holds { _ in [] })
        let unlisted = try resolved("dfc=no")
        #expect(!unlisted.holds { _ in [2022] })
        #expect(unlisted.holds { _ in [.null] })
        #expect(try resolved("shortage=是") == .field("shortage", is: true))
    }

    @Test func `a county's code stands for its towns`() throws {
        let county = try resolved("home_div=440784")
        #expect(county.holds { _ in ["440784104"] })
        #expect(!county.holds { _ in ["440785101"] })
        let elsewhere = try resolved("home_div!=440784")
        #expect(!elsewhere.holds { _ in ["440784104"] })
        #expect(try resolved("home_div in (440703,440784)").holds { _ in ["440784104"] })
    }

    @Test func `blank is everybody`() throws {
        #expect(try resolved("") == .always)
        #expect(try resolved(" \u{3000}") == .always)
    }

    @Test(arguments: [
        ("wealth=high", AudienceProblem.unknownName("wealth")),
        ("level>=太学", .unknownWord(name: "level", word: "太学")),
        ("cohort=soon", .unknownWord(name: "cohort", word: "soon")),
        ("level^=本", .unknownWord(name: "level", word: "本")),
        ("shortage>no", .wrongComparison(name: "shortage")),
        ("dfc>yes", .wrongComparison(name: "dfc")),
        ("level>null", .wrongComparison(name: "level")),
        ("level>", .syntax(ConditionProblem(code: .unexpectedEnd, position: 6))),
    ])
    func `what means nothing is refused by name`(text: String, problem: AudienceProblem) {
        #expect(throws: problem) { try resolved(text) }
    }

    /// The audiences that policy sheets of such a programme carry.
    @Test(arguments: [
        "level in (博士) or (level in (硕士) and dfc=yes)", "level>=硕士 and intent in (yes,returned)",
        "cohort>=2023 and level>=本科 and stage=employed_local", "dfc=yes and level>=本科", "level>=专科 and cohort>=2023",
        "cohort>=2020 and stage=startup", "level>=中职", "stage in (enrolled,interning) and level>=专科",
        "cohort=2026 and level>=本科 and school_province<>44", "tier=key", "cohort=2025 and level>=本科 and shortage=yes",
        "cohort=2026 and level>=本科 and major_prefix=师范", "stage=military", "level=博士", "stage<>senior",
        "level>=专科 and industry=C", "stage=returned or stage=startup", "school_region in (HK,MO)",
    ])
    func `audiences of real policies mean something and can be said`(text: String) throws {
        let condition = try resolved(text)
        #expect(condition != .always)
        #expect(try resolved(condition.text) == condition)
        let said = try sentence(text)
        #expect(!said.zh.isEmpty && !said.en.isEmpty)
        #expect(!said.zh.contains("="))
    }

    @Test func `an audience is said as people say it`() throws {
        let said = try sentence("cohort=2026 and level>=本科 and dfc=yes and major_prefix=理工")
        #expect(
            said == Label("2026届·本科及以上·双一流·理工类", "class of 2026, bachelor or above, double first-class, majors of 理工"))
        #expect(try sentence("cohort>=2023").zh == "2023届及以后")
        #expect(try sentence("stage in (enrolled,interning)").zh == "高校在读、实习中")
        #expect(try sentence("level=博士 or (level=硕士 and dfc=yes)").zh == "博士或（硕士·双一流）")
        #expect(try sentence("not (stage=senior or dfc=no)").zh == "非（高中在读或非双一流）")
        #expect(programme.sentence(of: .always, about: "student") == Label("全体", "everybody"))
    }
}
