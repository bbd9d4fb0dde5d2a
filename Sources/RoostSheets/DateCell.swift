import RoostSchema
import RoostText

/// Reading of dates in the spellings that people and spreadsheets produce.
enum DateCell {
    /// Days between the zero of spreadsheet day numbers (1899-12-30) and 1970-01-01.
    private static let serialOfEpoch = 25_569

    /// Reads a cleaned, non-empty cell as exactly as it says.
    /// - Throws: a refusal for words, for impossible days, and where day and month cannot be told apart.
    static func read(_ cleaned: String) throws(CellProblem) -> PartialDate {
        var text = Cleaning.compatible(cleaned)
        if text.first == "'" { text.removeFirst() }
        if text.allSatisfy({ $0 == "#" }) { throw .dateBroken }
        text = withoutTime(text)
        if text.utf8.allSatisfy(isDigit) { return try digits(text) }
        var numbers = try pieces(of: chineseNumeralsRead(text))
        guard let first = numbers.first else { throw .dateVague }
        if first.digits == 2, numbers.first?.unit == "年" || numbers.first?.unit == "级" || numbers.first?.unit == "届" {
            // No birth, entry or leaving year of a roster lies a century away: 05 is 2005, 98 is 1998.
            numbers[0].value += first.value < 70 ? 2000 : 1900
            numbers[0].digits = 4
        }
        guard numbers[0].digits == 4 else { throw .dateAmbiguous }
        if numbers[0].value == 1900 { throw .dateBroken }
        return try date(numbers.map(\.value))
    }

    private struct Piece {
        var value: Int
        var digits: Int
        /// The character behind the digits, unless it only separates.
        var unit: Character?
    }

    /// Drops a time of day behind a date.
    private static func withoutTime(_ text: String) -> String {
        guard text.contains(":"), let separator = text.firstIndex(where: { $0 == " " || $0 == "T" }) else {
            return text
        }
        return String(text[..<separator])
    }

    /// A date written in digits only: a year, year and month, a day, or a spreadsheet's day number.
    private static func digits(_ text: String) throws(CellProblem) -> PartialDate {
        guard let number = Int(text) else { throw .dateVague }
        switch text.utf8.count {
        case 4: return try date([number])
        case 5:
            // Day numbers from 1954 to 2064; five digits are nothing else.
            guard (20_000...60_000).contains(number) else { throw .dateVague }
            let civil = PartialDate.civil(daysSinceEpoch: number - serialOfEpoch)
            return try date([civil.year, civil.month, civil.day])
        case 6: return try date([number / 100, number % 100])
        case 8: return try date([number / 10_000, number / 100 % 100, number % 100])
        default: throw .dateVague
        }
    }

    private static func date(_ numbers: [Int]) throws(CellProblem) -> PartialDate {
        guard numbers.count <= 3,
            let date = PartialDate(
                year: numbers[0], month: numbers.count > 1 ? numbers[1] : nil, day: numbers.count > 2 ? numbers[2] : nil
            )
        else { throw .dateImpossible }
        return date
    }

    /// Splits `2005年9月12日`, `2005/9/12`, `2005。9` into numbers.
    /// - Throws: ``CellProblem/dateVague`` if there is anything but numbers, separators and the words of a date.
    private static func pieces(of text: String) throws(CellProblem) -> [Piece] {
        var pieces: [Piece] = []
        var value = 0
        var count = 0
        for character in text {
            if let digit = character.wholeNumberValue, character.isASCII {
                value = value * 10 + digit
                count += 1
                guard count <= 8 else { throw .dateVague }
                continue
            }
            if count > 0 {
                pieces.append(Piece(value: value, digits: count, unit: units.contains(character) ? character : nil))
                (value, count) = (0, 0)
            } else if units.contains(character), character != "份", pieces.last?.unit == nil, !pieces.isEmpty {
                // 2001 年 12 月: the unit stands behind a blank.
                pieces[pieces.count - 1].unit = character
            }
            guard units.contains(character) || separators.contains(character) else { throw .dateVague }
        }
        if count > 0 { pieces.append(Piece(value: value, digits: count, unit: nil)) }
        return pieces
    }

    private static let units: Set<Character> = ["年", "月", "日", "号", "份", "级", "届"]
    private static let separators: Set<Character> = ["-", "/", ".", "。", "、", " ", ",", "\\", "—", "–"]

    /// Replaces 二〇〇四 by 2004 and 十一 by 11.
    private static func chineseNumeralsRead(_ text: String) -> String {
        guard text.contains(where: { numerals[$0] != nil || $0 == "十" }) else { return text }
        var result = ""
        let characters = Array(text)
        for (index, character) in characters.enumerated() {
            if let numeral = numerals[character] {
                result += "\(numeral)"
            } else if character == "十" {
                // 十一 is 11, 二十 is 20, 二十一 is 21, 十 is 10.
                let leads = index > 0 && numerals[characters[index - 1]] != nil
                let follows = index + 1 < characters.count && numerals[characters[index + 1]] != nil
                result += (leads ? "" : "1") + (follows ? "" : "0")
            } else {
                result.append(character)
            }
        }
        return result
    }

    private static let numerals: [Character: Int] = [
        "〇": 0, "零": 0, "○": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
    ]
}
