/// Why a value does not fit its field.
///
/// The stable code is the raw value.
package enum FieldProblem: String, Error, Hashable, Sendable {
    case wrongType = "wrong_type"
    case tooLong = "too_long"
    case outOfRange = "out_of_range"
    case unknownCode = "unknown_code"
    case malformed = "malformed"
    case required = "required"
    case derived = "derived"
}

extension FieldKind {
    /// What is wrong with a value other than null; nil if it fits.
    package func problem(with value: Value) -> FieldProblem? {
        switch self {
        case .text(let max), .openCode(let max):
            return problem(text: value) { $0.isLonger(than: max) ? .tooLong : $0.hasControls ? .malformed : nil }
        case .personName:
            return problem(text: value) {
                $0.isEmpty ? .required : $0.isLonger(than: 50) ? .tooLong : $0.hasControls ? .malformed : nil
            }
        case .integer(let range):
            guard let integer = value.integer else { return .wrongType }
            return range.contains(integer) ? nil : .outOfRange
        case .boolean:
            return value.boolean == nil ? .wrongType : nil
        case .code(let codes):
            return problem(text: value) { text in codes.contains { $0.value == text } ? nil : .unknownCode }
        case .partialDate:
            return problem(text: value) { PartialDate($0) == nil ? .malformed : nil }
        case .date:
            return problem(text: value) { PartialDate($0)?.day == nil ? .malformed : nil }
        case .instant:
            guard let integer = value.integer else { return .wrongType }
            return (0...253_402_300_799_999).contains(integer) ? nil : .outOfRange
        case .phone:
            return problem(text: value) { text in
                let digits = text.utf8.dropFirst()
                let fits = text.utf8.first == 0x2B && (6...15).contains(digits.count) && digits.allSatisfy(isDigit)
                return fits ? nil : .malformed
            }
        case .email:
            return problem(text: value) { text in
                let parts = text.split(separator: "@", omittingEmptySubsequences: false)
                let fits = parts.count == 2 && !parts[0].isEmpty && parts[1].contains(".") && !text.contains(" ")
                return text.isLonger(than: 254) ? .tooLong : fits && !text.hasControls ? nil : .malformed
            }
        case .url:
            return problem(text: value) { text in
                let fits = (text.hasPrefix("https://") || text.hasPrefix("http://")) && !text.contains(" ")
                return text.isLonger(than: 2000) ? .tooLong : fits && !text.hasControls ? nil : .malformed
            }
        case .reference:
            return value.id == nil ? .wrongType : nil
        case .tags(let count, let max):
            guard let list = value.list else { return .wrongType }
            if list.count > count { return .tooLong }
            for tag in list {
                guard let text = tag.text else { return .wrongType }
                if text.isLonger(than: max) { return .tooLong }
            }
            return nil
        case .predicate:
            return problem(text: value) { text in
                text.isLonger(than: 2000) ? .tooLong : (try? Condition(parsing: text)) == nil ? .malformed : nil
            }
        case .structure(let max):
            switch value {
            case .list, .object: return value.roughSize > max ? .tooLong : nil
            default: return .wrongType
            }
        case .identityDigest:
            return problem(text: value) { text in
                text.utf8.count == 64 && text.utf8.allSatisfy { hexDigit($0) != nil } ? nil : .malformed
            }
        }
    }

    private func problem(text value: Value, _ check: (String) -> FieldProblem?) -> FieldProblem? {
        guard let text = value.text else { return .wrongType }
        return check(text)
    }
}

/// A date that is as exact as is known: year, month or day.
package struct PartialDate: Hashable, Sendable {
    package let year: Int
    package let month: Int?
    package let day: Int?

    package init?(year: Int, month: Int? = nil, day: Int? = nil) {
        guard (1900...2200).contains(year) else { return nil }
        if let month {
            guard (1...12).contains(month) else { return nil }
            if let day { guard (1...Self.days(in: month, of: year)).contains(day) else { return nil } }
        } else if day != nil {
            return nil
        }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Reads `2005`, `2005-09` or `2005-09-12`.
    package init?(_ text: String) {
        let length = text.utf8.count
        guard length == 4 || length == 7 || length == 10 else { return nil }
        var numbers = (year: 0, month: 0, day: 0)
        for (place, byte) in text.utf8.enumerated() {
            if place == 4 || place == 7 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard isDigit(byte) else { return nil }
            let digit = Int(byte - UInt8(ascii: "0"))
            if place < 4 {
                numbers.year = numbers.year * 10 + digit
            } else if place < 7 {
                numbers.month = numbers.month * 10 + digit
            } else {
                numbers.day = numbers.day * 10 + digit
            }
        }
        self.init(
            year: numbers.year, month: length > 4 ? numbers.month : nil, day: length > 7 ? numbers.day : nil)
    }

    package var text: String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)" + (month.map { "-" + two($0) } ?? "") + (day.map { "-" + two($0) } ?? "")
    }

    /// The day so many years later, as days since 1970-01-01; an unknown month or day counts as the last possible, so
    /// that nobody is taken for older than is certain.
    package func latestDay(addingYears years: Int) -> Int {
        let month = month ?? 12
        let last = Self.days(in: month, of: year + years)
        return Self.daysSinceEpoch(year: year + years, month: month, day: min(day ?? last, last))
    }

    package static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's days-from-civil identity).
    package static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The civil date of a day counted from 1970-01-01.
    package static func civil(daysSinceEpoch days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthShifted = (5 * dayOfYear + 2) / 153
        let month = monthShifted < 10 ? monthShifted + 3 : monthShifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthShifted + 2) / 5 + 1)
    }
}

@inlinable
package func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

extension String {
    /// Whether there are more than `limit` characters, without counting them when the bytes already say no.
    func isLonger(than limit: Int) -> Bool { utf8.count > limit && count > limit }

    /// Whether the text holds control characters other than tab and line breaks.
    var hasControls: Bool {
        utf8.contains { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D || $0 == 0x7F }
    }
}

extension Value {
    /// About how many bytes the value takes on the wire.
    package var roughSize: Int {
        switch self {
        case .null, .boolean: 5
        case .integer, .real: 12
        case .text(let text): text.utf8.count + 2
        case .id: 38
        case .list(let list): list.reduce(2) { $0 + $1.roughSize + 1 }
        case .object(let members): members.reduce(2) { $0 + $1.name.utf8.count + $1.value.roughSize + 4 }
        }
    }
}
