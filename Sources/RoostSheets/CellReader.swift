import RoostSchema
import RoostText

/// What a cell turned out to hold.
enum CellOutcome: Equatable {
    case blank
    case value(Value)
    /// Masked text, to be compared with what is stored.
    case masked(String)
    /// Words that are in no list, to be kept as text.
    case unresolved(String)
    case identity(IdentityNumber)
    case refused(CellProblem)
}

/// Reading of one cell by the kind of its field.
struct CellReader {
    let field: Field
    let spellings: [String: Value]
    let index: NameIndex?
    private let landLines: Bool
    private let codes: [String: String]
    private var seen: [String: CellOutcome] = [:]

    /// Prepares the reading of a column.
    /// - Parameters:
    ///   - field: the declared field that the column means.
    ///   - spellings: what this sheet writes for values, beside the codes' own spellings.
    ///   - index: the names a reference or open code is looked up in.
    ///   - landLines: whether a telephone field takes land lines.
    init(field: Field, spellings: [String: Value], index: NameIndex?, landLines: Bool) {
        self.landLines = landLines
        self.field = field
        self.spellings = Dictionary(
            spellings.map { (NameIndex.key($0), $1) }, uniquingKeysWith: { first, _ in first })
        self.index = index
        var codes: [String: String] = [:]
        for code in field.codes {
            for spelling in [code.value, code.label.zh, code.label.en] + code.synonyms {
                codes[NameIndex.key(spelling)] = codes[NameIndex.key(spelling)] ?? code.value
            }
        }
        self.codes = codes
    }

    /// Reads a cell as it stands in the sheet.
    ///
    /// Names and codes repeat from row to row, so each spelling is looked up once.
    mutating func read(_ raw: String) -> CellOutcome {
        switch field.kind {
        case .code, .reference, .openCode:
            if let outcome = seen[raw] { return outcome }
            let outcome = outcome(of: raw)
            seen[raw] = outcome
            return outcome
        default:
            return outcome(of: raw)
        }
    }

    private func outcome(of raw: String) -> CellOutcome {
        var text = Cleaning.text(raw)
        if text.isEmpty { return .blank }
        // An apostrophe before = + - @ was put there so that a spreadsheet does not run the cell.
        if text.hasPrefix("'"), let second = text.dropFirst().first, "=+-@＝＋－＠".contains(second) { text.removeFirst() }
        if Self.placeholders.contains(text) { return .blank }
        if Mojibake.hasReplacement(text) { return .refused(.charactersLost) }
        if Mojibake.isCertain(in: text) { return .refused(.mojibake) }
        if !spellings.isEmpty, let value = spellings[NameIndex.key(text)] {
            return value.isNull ? .blank : .value(value)
        }
        do throws(CellProblem) {
            return try understood(text)
        } catch {
            return .refused(error)
        }
    }

    /// What people write to say that there is nothing.
    private static let placeholders: Set<String> = [
        "无", "/", "-", "—", "--", "——", "－", "／", "\\", "暂无", "没有", "未提供", "未填", "空", "N/A", "n/a", "NULL", "null",
        "#N/A",
    ]

    private func understood(_ text: String) throws(CellProblem) -> CellOutcome {
        switch field.kind {
        case .identityDigest:
            return .identity(try IdentityNumber(reading: text))
        case .phone:
            switch try PhoneCell.read(text, landLines: landLines) {
            case .number(let number): return try checked(.text(number))
            case .masked(let masked): return .masked(masked)
            }
        case .reference, .openCode:
            return try name(text)
        default:
            return try checked(try value(of: text))
        }
    }

    private func value(of text: String) throws(CellProblem) -> Value {
        switch field.kind {
        case .personName:
            let name = Self.withoutNote(Cleaning.personName(text))
            // A rare character that an encoding lacks becomes a question mark.
            if name.contains("?") || name.contains("？") { throw .charactersLost }
            return .text(name)
        case .code:
            return .text(try code(text))
        case .integer(let range) where range.lowerBound >= 1900 && range.upperBound <= 2200:
            // Such a field holds years, which people write as they write dates: 2025届, 25级, 2025年6月.
            return .integer(Int64(try DateCell.read(text).year))
        case .integer:
            return .integer(try number(text))
        case .boolean:
            switch NameIndex.key(text) {
            case "是", "有", "y", "yes", "true", "1", "√", "✓": return true
            case "否", "n", "no", "false", "0", "×", "✗": return false
            default: throw .unknownCode
            }
        case .partialDate:
            return .text(try DateCell.read(text).text)
        case .date:
            let date = try DateCell.read(text)
            guard date.day != nil else { throw .malformed }
            return .text(date.text)
        case .instant:
            let date = try DateCell.read(text)
            let day = PartialDate.daysSinceEpoch(year: date.year, month: date.month ?? 1, day: date.day ?? 1)
            // A day in a sheet is a day in China: it begins eight hours before that of UTC.
            return .integer(Int64(day) * 86_400_000 - 8 * 3_600_000)
        case .email, .url:
            return .text(Cleaning.compatible(text))
        case .tags:
            let words = text.split { "、,，;；/|\n".contains($0) }.map { Cleaning.text(String($0)) }
            return .list(words.filter { !$0.isEmpty }.map(Value.text))
        default:
            return .text(Cleaning.composed(text))
        }
    }

    /// A name looked up in its list; without a list an open code is taken as it is.
    private func name(_ text: String) throws(CellProblem) -> CellOutcome {
        if let value = index?.value(for: text) { return .value(value) }
        if case .openCode = field.kind {
            let plain = Cleaning.compatible(text)
            if index == nil || plain.utf8.allSatisfy(isDigit) { return try checked(.text(plain)) }
        }
        return .unresolved(Cleaning.composed(text))
    }

    /// A code by its value, labels and synonyms; a bracketed remark or a word for the manner does not matter.
    private func code(_ text: String) throws(CellProblem) -> String {
        var key = NameIndex.key(text)
        if let value = codes[key] { return value }
        if key.hasSuffix(")"), let open = key.firstIndex(of: "("), open != key.startIndex {
            key = String(key[..<open])
            if let value = codes[key] { return value }
        }
        throw .unknownCode
    }

    /// A whole number, also as a spreadsheet or a person decorates it: `3.0`, `3人`, `3名`.
    private func number(_ text: String) throws(CellProblem) -> Int64 {
        var compact = Cleaning.compatible(text).filter { $0 != "," && $0 != " " }
        if PhoneCell.isScientific(compact) { throw .malformed }
        if let unit = compact.last, "人名个年级届月".contains(unit) { compact.removeLast() }
        if let point = compact.firstIndex(of: "."), compact[compact.index(after: point)...].allSatisfy({ $0 == "0" }) {
            compact = String(compact[..<point])
        }
        guard let number = Int64(compact) else { throw .malformed }
        return number
    }

    /// The outcome for a value, if the field accepts it.
    private func checked(_ value: Value) throws(CellProblem) -> CellOutcome {
        if case .list(let list) = value, list.isEmpty { return .blank }
        switch field.kind.problem(with: value) {
        case nil: return .value(value)
        case .tooLong: throw .tooLong
        case .outOfRange: throw .numberOutOfRange
        case .unknownCode: throw .unknownCode
        case .wrongType, .malformed, .required, .derived: throw .malformed
        }
    }

    /// A Han name without a short remark in brackets behind it, such as （女） or （班长）.
    private static func withoutNote(_ name: String) -> String {
        let brackets: [(Character, Character)] = [("（", "）"), ("(", ")")]
        for (open, close) in brackets {
            guard name.last == close, let start = name.lastIndex(of: open), start != name.startIndex else { continue }
            let note = name[name.index(after: start)...].dropLast()
            if note.count <= 4, Cleaning.hasHan(String(note)) { return String(name[..<start]) }
        }
        return name
    }
}
