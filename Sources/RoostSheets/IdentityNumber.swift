import RoostSchema
import RoostText

/// A valid identity number and what may be learnt from it; the number itself goes no further than the digest.
///
/// GB 11643: six digits of the division of issue, eight of the birth date, three of sequence whose last is odd for men,
/// one check character.
struct IdentityNumber: Equatable {
    /// ASCII, with a capital letter where there is one: what is digested.
    let canonical: [UInt8]
    /// Nil for a permit, which says nothing about birth.
    let birth: PartialDate?
    /// GB/T 2261.1; nil for a permit, and for the never allocated sequence 000, whose sex digit says nothing.
    let gender: String?
    /// GB/T 2260 division where the number was issued.
    let division: String?

    /// Reads a cleaned, non-empty cell.
    init(reading cleaned: String) throws(CellProblem) {
        var text = Cleaning.compatible(cleaned).uppercased().filter { $0 != " " && $0 != "\n" && $0 != "-" }
        if let first = text.first, "'‘’`".contains(first) { text.removeFirst() }
        if text.contains("*") { throw .identityMasked }
        if PhoneCell.isScientific(text) { throw .identityScientific }
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0 < 0x80 }) else { throw .identityForeign }
        if let letter = bytes.first, (0x41...0x5A).contains(letter) {
            guard Self.isPermitOrPassport(bytes) else { throw .identityUnreadable }
            canonical = bytes
            (birth, gender, division) = (nil, nil, nil)
            return
        }
        guard bytes.allSatisfy({ isDigit($0) || $0 == 0x58 }) else { throw .identityUnreadable }
        if bytes.count == 11, bytes.first == 0x31 { throw .identityForeign }
        if bytes.count == 8 {
            // Mainland travel permit of a Taiwan resident.
            canonical = bytes
            (birth, gender, division) = (nil, nil, nil)
            return
        }
        guard bytes.count == 18, bytes.dropLast().allSatisfy(isDigit) else { throw .identityLength }
        let number = bytes.dropLast().map { Int($0 - 0x30) }
        guard Self.checkCharacter(of: number) == bytes[17] else {
            throw bytes.suffix(3) == [0x30, 0x30, 0x30] ? .identityTail : .identityChecksum
        }
        func value(_ range: Range<Int>) -> Int { number[range].reduce(0) { $0 * 10 + $1 } }
        guard let date = PartialDate(year: value(6..<10), month: value(10..<12), day: value(12..<14))
        else { throw .identityDate }
        canonical = bytes
        birth = date
        gender = value(14..<17) == 0 ? nil : number[16].isMultiple(of: 2) ? "2" : "1"
        division = String(decoding: bytes[0..<6], as: UTF8.self)
    }

    /// H or M and eight digits (Hong Kong and Macau residents), or a letter or two and at least six digits (passports).
    private static func isPermitOrPassport(_ bytes: [UInt8]) -> Bool {
        let letters = bytes.prefix { (0x41...0x5A).contains($0) }.count
        let digits = bytes.dropFirst(letters)
        return letters <= 2 && (6...10).contains(digits.count) && digits.allSatisfy(isDigit)
    }

    /// The check character of seventeen digits (ISO 7064, MOD 11-2).
    static func checkCharacter(of digits: [Int]) -> UInt8 {
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        let sum = zip(digits, weights).reduce(0) { $0 + $1.0 * $1.1 }
        return Array("10X98765432".utf8)[sum % 11]
    }
}
