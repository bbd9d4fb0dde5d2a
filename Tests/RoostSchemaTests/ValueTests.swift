import RoostSchema
import Testing

struct PartialDateTests {
    @Test func `days and civil dates are the same calendar`() {
        var previous = PartialDate.civil(daysSinceEpoch: -25_568)
        #expect(previous == (1899, 12, 31))
        for days in -25_567...84_370 {
            let date = PartialDate.civil(daysSinceEpoch: days)
            #expect(PartialDate.daysSinceEpoch(year: date.year, month: date.month, day: date.day) == days)
            #expect(previous < date)
            previous = date
        }
    }

    @Test(arguments: ["2005", "2005-09", "2005-09-12", "2004-02-29", "1900-01-01", "2200-12"])
    func `what is well written is written again the same`(text: String) {
        #expect(PartialDate(text)?.text == text)
    }

    @Test(arguments: [
        "", "05", "2005-9", "2005-13", "2005-00", "2005-02-29", "2100-02-29", "2005-09-31", "2005-09-12-01", "1899",
        "2201", "2005/09", "２００５", "2005-09-", "-2005", "2005-+9",
    ])
    func `what is no date is refused`(text: String) { #expect(PartialDate(text) == nil) }

    @Test(arguments: [
        ("2008-11-21", "2026-11-21"), ("2008-11", "2026-11-30"), ("2008", "2026-12-31"), ("2008-02-29", "2026-02-28"),
    ])
    func `nobody comes of age before it is certain`(birth: String, day: String) throws {
        let birth = try #require(PartialDate(birth))
        let civil = PartialDate.civil(daysSinceEpoch: birth.latestDay(addingYears: 18))
        #expect(PartialDate(year: civil.year, month: civil.month, day: civil.day)?.text == day)
    }
}

struct MaskTests {
    @Test(arguments: [
        (Mask.phone, Value.text("+8613812340000"), Value.text("138****0000")),
        (.phone, "+85255501234", "+852 555****34"), (.phone, "+85366601234", "+853 666****34"),
        (.phone, "+8675012", "********"), (.year, "2005-09-12", "2005"), (.year, "2005", "2005"),
        (.hidden, "zz00_abc", .null), (.hidden, true, .null), (.hidden, .null, .null), (.phone, .null, .null),
        (.year, .null, .null),
    ])
    func `a masked reader sees so much`(mask: Mask, value: Value, shown: Value) {
        #expect(mask.applied(to: value) == shown)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `no phone is shown whole`(seed: UInt64) {
        var random = Seeded(seed)
        let number = "+" + String(Int64.random(in: 100_000...999_999_999_999_999, using: &random))
        let shown = Mask.phone.applied(to: .text(number)).text ?? ""
        #expect(shown.contains("****"))
        #expect(!shown.contains(number.suffix(8)))
    }
}

struct SightTests {
    @Test func `a conditional sight is settled by the subject's values`() {
        let sight = Sight.when(
            .field("share", is: "granted"), then: .full,
            otherwise: .when(.field("share", is: "refused"), then: .hidden, otherwise: .masked))
        func resolved(_ state: Value) -> Sight { sight.resolved { $0.holds { _ in [state] } } }
        #expect(resolved("granted") == .full)
        #expect(resolved("refused") == .hidden)
        #expect(resolved(.null) == .masked)
        #expect(Sight.full.resolved { _ in false } == .full)
    }
}

struct RowIDTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func `an identity is read as it is written`(seed: UInt64) {
        var random = Seeded(seed)
        let id = RowID(bits: UInt128(random.next()) << 64 | UInt128(random.next()))
        #expect(RowID(id.description) == id)
        #expect(RowID(id.description.uppercased()) == id)
    }

    @Test func `time orders identities of version 7`() {
        let earlier = RowID(milliseconds: 1_700_000_000_000, random: .max)
        let later = RowID(milliseconds: 1_700_000_000_001, random: 0)
        #expect(earlier < later)
        #expect(earlier.description.dropFirst(14).first == "7")
        #expect(["8", "9", "a", "b"].contains(earlier.description.dropFirst(19).first))
    }

    @Test func `a natural key has one identity and others have others`() {
        #expect(RowID(naming: "school", "4144010561") == RowID(naming: "school", "4144010561"))
        #expect(RowID(naming: "school", "4144010561") != RowID(naming: "policy", "4144010561"))
        #expect(RowID(naming: "school", "a") != RowID(naming: "schoola", ""))
        #expect(RowID(naming: "school", "4144010561").description.dropFirst(14).first == "8")
    }

    @Test(arguments: ["", "0190", "019000000000700080000000000000000000", "g1900000-0000-7000-8000-000000000000"])
    func `anything else is no identity`(text: String) { #expect(RowID(text) == nil) }
}

struct FieldKindTests {
    @Test(arguments: [
        (FieldKind.text(max: 3), Value.text("司徒雯"), nil as FieldProblem?), (.text(max: 3), "司徒雯雯", .tooLong),
        (.text(max: 9), "a\u{0}b", .malformed), (.text(max: 9), "两行\n字", nil), (.text(max: 9), 1, .wrongType),
        (.personName, "", .required), (.personName, "买买提·䶮", nil), (.integer(1...5), 6, .outOfRange),
        (.integer(1...5), "5", .wrongType), (.boolean, "yes", .wrongType), (.boolean, true, nil),
        (.partialDate, "2005-09", nil), (.partialDate, "2005.9", .malformed), (.date, "2005-09", .malformed),
        (.date, "2005-09-01", nil), (.instant, -1, .outOfRange), (.phone, "+8619900001234", nil),
        (.phone, "19900001234", .malformed), (.phone, "+86 199", .malformed), (.email, "a@b.invalid", nil),
        (.email, "a@b", .malformed), (.email, "a b@c.invalid", .malformed), (.url, "https://example.invalid/x", nil),
        (.url, "javascript:alert(1)", .malformed), (.reference("school"), "x", .wrongType),
        (.tags(count: 1, max: 2), .list(["编程"]), nil), (.tags(count: 1, max: 2), .list(["编程", "英语"]), .tooLong),
        (.tags(count: 2, max: 2), .list([1]), .wrongType), (.predicate, "level>=本科", nil),
        (.predicate, "level>=", .malformed), (.structure(max: 10), .object([]), nil),
        (.structure(max: 10), .list(["0123456789"]), .tooLong), (.structure(max: 10), "x", .wrongType),
        (.identityDigest, .text(String(repeating: "a0", count: 32)), nil), (.identityDigest, "440784", .malformed),
    ])
    func `each kind accepts its values and says why not others`(kind: FieldKind, value: Value, problem: FieldProblem?) {
        #expect(kind.problem(with: value) == problem)
    }

    @Test func `a code list accepts its values, not its words`() {
        let kind = FieldKind.code([Code("1", "男", "male", ["M"])])
        #expect(kind.problem(with: "1") == nil)
        #expect(kind.problem(with: "男") == .unknownCode)
        #expect(kind.problem(with: "M") == .unknownCode)
    }
}
