import RoostText

/// Reading of telephone numbers as Chinese rosters write them.
enum PhoneCell {
    /// The number in E.164, nil if the cell is masked text to be compared with what is stored.
    enum Reading: Equatable {
        case number(String)
        case masked(String)
    }

    /// Reads a cleaned, non-empty cell.
    ///
    /// Of two numbers in one cell the first counts: it is the person's own.
    /// - Parameters:
    ///   - cleaned: the cell without outer blanks and invisible characters.
    ///   - landLines: whether a land line is taken too; it needs its area code.
    /// - Returns: a complete number, or masked text.
    /// - Throws: what is wrong with the number, by name.
    static func read(_ cleaned: String, landLines: Bool = false) throws(CellProblem) -> Reading {
        var text = Cleaning.compatible(cleaned)
        if let first = text.first, "'‘’`".contains(first) { text.removeFirst() }
        if text.utf8.contains(0x2A) { return try masked(text) }
        if isScientific(text) { throw .phoneScientific }
        if Cleaning.hasHan(text) { throw .phoneForeign }
        text = firstNumber(of: text)
        if let point = text.firstIndex(of: "."), text[text.index(after: point)...].allSatisfy({ $0 == "0" }) {
            // A number column saved as text: 19900000000.0.
            text = String(text[..<point])
        }
        let compact = String(text.filter { !ignorable.contains($0) })
        return .number(try international(compact, landLines: landLines))
    }

    private static let ignorable: Set<Character> = [
        " ", "\n", "-", "—", "–", "‐", "‑", "−", "－", "(", ")", ".", "·",
    ]

    private static func masked(_ text: String) throws(CellProblem) -> Reading {
        guard text.utf8.allSatisfy({ $0 == 0x2A || $0 == 0x2B || $0 == 0x20 || ($0 >= 0x30 && $0 <= 0x39) })
        else { throw .malformed }
        return .masked(text)
    }

    /// Whether a spreadsheet turned the number into `1.38E+10`.
    static func isScientific(_ text: String) -> Bool {
        let parts = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
        guard parts.count == 2, let mantissa = parts.first, let exponent = parts.last else { return false }
        let digits = exponent.drop { $0 == "+" }
        return !mantissa.isEmpty && !digits.isEmpty && digits.allSatisfy(\.isWholeNumber)
            && mantissa.allSatisfy { $0.isWholeNumber || $0 == "." }
    }

    /// The first of several numbers that stand in one cell.
    private static func firstNumber(of text: String) -> String {
        for separator in ["/", ";", ",", "、", "|", "\n"] as [Character] where text.contains(separator) {
            if let first = text.split(separator: separator).first, first.filter(\.isWholeNumber).count >= 8 {
                return String(first).trimmed
            }
        }
        // Two complete mobile numbers with a blank between them; blanks inside one number leave shorter pieces.
        let words = text.split(separator: " ")
        if words.count == 2, words.allSatisfy({ $0.filter(\.isWholeNumber).count >= 11 }) { return String(words[0]) }
        return text
    }

    /// Decides the country of a number without separators.
    private static func international(_ compact: String, landLines: Bool) throws(CellProblem) -> String {
        var digits = Substring(compact)
        var isInternational = false
        if digits.first == "+" {
            digits.removeFirst()
            isInternational = true
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 < 0x80 }) else { throw .phoneForeign }
        guard digits.allSatisfy(\.isWholeNumber) else {
            let figures = digits.count(where: \.isWholeNumber)
            if digits.count == 18, digits.dropLast().allSatisfy(\.isWholeNumber) { throw .phoneIsIdentity }
            throw figures * 2 >= digits.count || figures >= 4 ? .phoneLetters : .phoneForeign
        }
        if !isInternational, digits.hasPrefix("00") {
            digits = digits.dropFirst(2)
            isInternational = true
        }
        if digits.count == 18, !isInternational { throw .phoneIsIdentity }
        if let mainland = mainland(digits) { return mainland }
        for code in ["852", "853"] where digits.hasPrefix(code) && digits.count == 11 {
            return "+" + digits
        }
        if isInternational {
            guard !digits.hasPrefix("86") else { throw digits.count < 13 ? .phoneShort : .phoneLong }
            if digits.count < 7 { throw .phoneShort }
            if digits.count > 15 { throw .phoneLong }
            return "+" + digits
        }
        let problem = problem(of: digits)
        if landLines, problem == .phoneLandline { return "+86" + digits.dropFirst() }
        throw problem
    }

    /// A mainland mobile number with or without its country code, also when the zeros of 0086 were lost.
    private static func mainland(_ digits: Substring) -> String? {
        var national = digits
        if digits.count == 13, digits.hasPrefix("86") { national = digits.dropFirst(2) }
        guard national.count == 11, national.first == "1", let second = national.dropFirst().first, second >= "3"
        else { return nil }
        return "+86" + national
    }

    private static func problem(of digits: Substring) -> CellProblem {
        if digits.first == "0" { return digits.count >= 10 && digits.count <= 12 ? .phoneLandline : .phoneShort }
        // 0750 0000000 is an area code and seven digits; without its zero it has ten and cannot be a mobile number.
        if digits.count == 10, digits.first != "1" { return .phoneLostZero }
        if digits.count == 8 { return .phoneNoAreaCode }
        return digits.count < 11 ? .phoneShort : digits.count == 11 ? .malformed : .phoneLong
    }
}

extension String {
    /// The text without outer blanks.
    var trimmed: String { Cleaning.text(self) }
}
