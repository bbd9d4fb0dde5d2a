import RoostSchema
import RoostText
import Testing

@testable import RoostSheets

struct CellTests {
    @Test(arguments: [
        ("13800000000", "+8613800000000"), ("+86 138-0000-0000", "+8613800000000"),
        ("008613800000000", "+8613800000000"),
        ("8613800000000", "+8613800000000"), ("(+86)13800000000", "+8613800000000"), ("138００００００００", "+8613800000000"),
        ("13800000000.0", "+8613800000000"), ("'13800000000", "+8613800000000"), ("+852 5550 0010", "+85255500010"),
        ("852-55503015", "+85255503015"), ("00853 6660 4753", "+85366604753"), ("138 0000 0000", "+8613800000000"),
        ("13800000000/13900000000", "+8613800000000"), ("13800000000 13900000000", "+8613800000000"),
        ("+44 20 7946 0000", "+442079460000"),
    ])
    func `a telephone number is read in every spelling`(raw: String, number: String) throws {
        #expect(try PhoneCell.read(raw) == .number(number))
    }

    @Test(arguments: [
        ("1.38E+10", CellProblem.phoneScientific), ("1380000000", .phoneShort), ("138000000000", .phoneLong),
        ("l38OOOO0000", .phoneLetters), ("0750-0000118", .phoneLandline), ("7500000118", .phoneLostZero),
        ("55502437", .phoneNoAreaCode), ("440784200706110003", .phoneIsIdentity),
        ("44078420070611000X", .phoneIsIdentity),
        ("五邑大学", .phoneForeign),
    ])
    func `a telephone number that cannot be trusted is refused by name`(raw: String, problem: CellProblem) {
        #expect(throws: problem) { try PhoneCell.read(raw) }
    }

    @Test func `a land line is taken where one will do`() throws {
        #expect(try PhoneCell.read("0750-0000118", landLines: true) == .number("+867500000118"))
    }

    @Test(arguments: [
        ("2005", "2005"), ("2005.9", "2005-09"), ("2005-09", "2005-09"), ("2005年9月", "2005-09"), ("200509", "2005-09"),
        ("38596", "2005-09-01"), ("2005/9/12", "2005-09-12"), ("20050912", "2005-09-12"), ("2005。10", "2005-10"),
        ("２００５-９-１２", "2005-09-12"), ("2005-09-30 00:00:00", "2005-09-30"), ("2005-09-30T00:00:00", "2005-09-30"),
        ("二〇〇四年七月", "2004-07"), ("2005年十一月", "2005-11"), ("2005年二十月", nil), ("25级", "2025"), ("98年", "1998"),
        ("2002年7月份", "2002-07"), ("2001 年 12 月", "2001-12"), ("2025届", "2025"), ("二〇〇四年十月二十一日", "2004-10-21"),
    ])
    func `a date is read as exactly as it is written`(raw: String, date: String?) throws {
        guard let date else {
            #expect(throws: CellProblem.dateImpossible) { try DateCell.read(raw) }
            return
        }
        #expect(try DateCell.read(raw).text == date)
    }

    @Test(arguments: [
        ("2007-02-30", CellProblem.dateImpossible), ("2004年15月", .dateImpossible), ("03/04/2025", .dateAmbiguous),
        ("5/6/25", .dateAmbiguous), ("属狗", .dateVague), ("去年6月", .dateVague), ("########", .dateBroken),
        ("1900-01-00", .dateBroken), ("12345678901", .dateVague),
    ])
    func `a date that cannot be trusted is refused by name`(raw: String, problem: CellProblem) {
        #expect(throws: problem) { try DateCell.read(raw) }
    }

    @Test func `an identity number says when and where, and by an odd digit that its owner is a man`() throws {
        let number = try IdentityNumber(reading: "11010519491231002x")
        #expect(String(decoding: number.canonical, as: UTF8.self) == "11010519491231002X")
        #expect(number.birth?.text == "1949-12-31")
        #expect(number.gender == "2")
        #expect(number.division == "110105")
    }

    @Test func `the sequence 000 says nothing about the sex`() throws {
        #expect(try IdentityNumber(reading: "440784200706110003").gender == nil)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `changing one digit of a valid number is always noticed`(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let sequence = 1 + Int(generator.next() % 999)
        let day = 1 + Int(generator.next() % 28)
        let body = "440784200706" + (day < 10 ? "0\(day)" : "\(day)") + String("00\(sequence)".suffix(3))
        let digits = body.utf8.map { Int($0 - 0x30) }
        let number = body + String(decoding: [IdentityNumber.checkCharacter(of: digits)], as: UTF8.self)
        #expect(try IdentityNumber(reading: number).gender == (sequence.isMultiple(of: 2) ? "2" : "1"))
        let position = Int(generator.next() % 17)
        var damaged = Array(number.utf8)
        damaged[position] = 0x30 + (damaged[position] - 0x30 + 1 + UInt8(generator.next() % 9)) % 10
        #expect(throws: CellProblem.self) { try IdentityNumber(reading: String(decoding: damaged, as: UTF8.self)) }
    }

    @Test(arguments: [
        ("4.40784E+17", CellProblem.identityScientific), ("440784200805120000", .identityTail),
        ("440784200708210001", .identityChecksum), ("440783060630000", .identityLength),
        ("44078520610090008", .identityLength),
        ("440784********0008", .identityMasked), ("19900000001", .identityForeign), ("五邑大学", .identityForeign),
    ])
    func `an identity number that cannot be trusted is refused by name`(raw: String, problem: CellProblem) {
        #expect(throws: problem) { try IdentityNumber(reading: raw) }
    }

    @Test(arguments: ["H00000001", "m00000003", "E12345678"])
    func `permits and passports are taken and say nothing about birth`(raw: String) throws {
        let number = try IdentityNumber(reading: raw)
        #expect(number.canonical == Array(raw.uppercased().utf8))
        #expect(number.birth == nil)
    }

    @Test func `every problem says something in both languages`() {
        let labels = CellProblem.allCases.map(\.advice) + RowProblem.allCases.map(\.advice)
        #expect(labels.allSatisfy { !$0.zh.isEmpty && !$0.en.isEmpty })
        #expect(Set(CellProblem.allCases.map(\.rawValue)).count == CellProblem.allCases.count)
    }
}

/// A small generator of the SplitMix family: the same numbers for the same seed everywhere.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
