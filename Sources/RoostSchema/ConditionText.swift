/// Why a predicate cannot be read, and where (a count of characters from its start).
package struct ConditionProblem: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        case empty, unexpectedEnd = "unexpected_end", unexpectedText = "unexpected_text", tooDeep = "too_deep"
    }

    package let code: Code
    package let position: Int

    package init(code: Code, position: Int) {
        self.code = code
        self.position = position
    }
}

/// The text form of predicates: `cohort>=2026 and level in (本科,硕士) and not stage=returned`.
///
/// `not` binds tightest, then `and`, then `or`; words are bare (letters, digits, `_-.·` and everything beyond ASCII) or
/// quoted with `"` (doubled inside). Digits alone are read as a number; `yes`, `no` and `null` as boolean and cleared.
extension Condition {
    package init(parsing text: String) throws(ConditionProblem) {
        var parser = ConditionParser(text)
        self = try parser.condition(depth: 0)
        try parser.expectEnd()
    }

    /// The text form; reading it again gives an equal condition.
    ///
    /// Save for what no audience says: the principal, and groups of fewer than two parts.
    package var text: String {
        switch self {
        case .always: return "always"
        case .never: return "never"
        case .not(let part): return "not (\(part.text))"
        case .all(let parts):
            return parts.isEmpty ? "always" : parts.map { $0.text(within: [.all, .any]) }.joined(separator: " and ")
        case .any(let parts):
            return parts.isEmpty ? "never" : parts.map { $0.text(within: [.any]) }.joined(separator: " or ")
        case .compare(let name, .oneOf, .value(.list(let values))):
            return "\(name) in (\(values.map(Self.word).joined(separator: ",")))"
        case .compare(let name, let comparison, .value(let value)):
            return "\(name)\(comparison.rawValue)\(Self.word(value))"
        case .compare(let name, let comparison, .principal):
            return "\(name)\(comparison.rawValue)me"
        }
    }

    private enum Grouping { case all, any }

    /// The text form as a part of a longer one: in parentheses where it would be read differently without.
    private func text(within groupings: Set<Grouping>) -> String {
        let parenthesised =
            switch self {
            case .all: groupings.contains(.all)
            case .any: groupings.contains(.any)
            case .always, .never, .compare, .not: false
            }
        return parenthesised ? "(\(text))" : text
    }

    private static func word(_ value: Value) -> String {
        switch value {
        case .null: return "null"
        case .boolean(let boolean): return boolean ? "yes" : "no"
        case .integer(let integer): return "\(integer)"
        case .id(let id): return "\"\(id)\""
        case .text(let text):
            let bare = !text.isEmpty && text.utf8.allSatisfy(ConditionParser.isBare) && !text.contains("\u{3000}")
            let reserved = ["and", "or", "not", "in", "yes", "no", "null", "always", "never", "me"]
            return bare && Int64(text) == nil && !reserved.contains(text) ? text : ConditionParser.quoted(text)
        case .real, .list, .object: return "null"
        }
    }
}

private struct ConditionParser {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The text between quotation marks, with those inside it doubled.
    static func quoted(_ text: String) -> String {
        "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x2E: true
        default: byte >= 0x80
        }
    }

    mutating func condition(depth: Int) throws(ConditionProblem) -> Condition {
        guard depth < 16 else { throw problem(.tooDeep) }
        var parts = [try conjunction(depth: depth)]
        while takeWord("or") { parts.append(try conjunction(depth: depth)) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction(depth: Int) throws(ConditionProblem) -> Condition {
        var parts = [try term(depth: depth)]
        while takeWord("and") { parts.append(try term(depth: depth)) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func term(depth: Int) throws(ConditionProblem) -> Condition {
        guard depth < 16 else { throw problem(.tooDeep) }
        if takeWord("not") { return .not(try term(depth: depth + 1)) }
        if take("(") {
            let inner = try condition(depth: depth + 1)
            guard take(")") else { throw unexpected }
            return inner
        }
        if takeWord("always") { return .always }
        if takeWord("never") { return .never }
        let name = try word().text
        if takeWord("in") {
            guard take("(") else { throw unexpected }
            var values = [try value()]
            while take(",") { values.append(try value()) }
            guard take(")") else { throw unexpected }
            return .compare(name, .oneOf, .value(.list(values)))
        }
        let symbols: [(String, Condition.Comparison)] = [
            ("!=", .notEqual), ("<>", .notEqual), ("<=", .lessOrEqual), (">=", .greaterOrEqual), ("^=", .hasPrefix),
            ("<", .less),
            (">", .greater), ("=", .equal),
        ]
        for (symbol, comparison) in symbols where take(symbol) {
            return .compare(name, comparison, .value(try value()))
        }
        throw unexpected
    }

    private mutating func value() throws(ConditionProblem) -> Value {
        let (text, quoted) = try word()
        if quoted { return RowID(text).map { .id($0) } ?? .text(text) }
        if let integer = Int64(text) { return .integer(integer) }
        switch text {
        case "yes": return true
        case "no": return false
        case "null": return .null
        default: return .text(text)
        }
    }

    private mutating func word() throws(ConditionProblem) -> (text: String, quoted: Bool) {
        skipSpace()
        if take("\"") {
            var text: [UInt8] = []
            while position < bytes.count {
                position += 1
                if bytes[position - 1] != 0x22 {
                    text.append(bytes[position - 1])
                } else if position < bytes.count, bytes[position] == 0x22 {
                    text.append(0x22)
                    position += 1
                } else {
                    return (String(decoding: text, as: UTF8.self), true)
                }
            }
            throw unexpected
        }
        let start = position
        while position < bytes.count, Self.isBare(bytes[position]), !isWideSpace { position += 1 }
        guard position > start else {
            throw bytes.isEmpty ? problem(.empty) : unexpected
        }
        return (String(decoding: bytes[start..<position], as: UTF8.self), false)
    }

    func expectEnd() throws(ConditionProblem) {
        var rest = self
        rest.skipSpace()
        guard rest.position == bytes.count else { throw rest.unexpected }
    }

    /// U+3000, which Chinese keyboards type for a space.
    private var isWideSpace: Bool {
        position + 2 < bytes.count && bytes[position] == 0xE3 && bytes[position + 1] == 0x80
            && bytes[position + 2] == 0x80
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            if bytes[position] == 0x20 || bytes[position] == 0x09 {
                position += 1
            } else if isWideSpace {
                position += 3
            } else {
                return
            }
        }
    }

    private mutating func take(_ symbol: String) -> Bool {
        skipSpace()
        guard bytes[position...].starts(with: symbol.utf8) else { return false }
        position += symbol.utf8.count
        return true
    }

    private mutating func takeWord(_ word: String) -> Bool {
        skipSpace()
        guard bytes[position...].starts(with: word.utf8) else { return false }
        let end = position + word.utf8.count
        guard end == bytes.count || !Self.isBare(bytes[end]) else { return false }
        position = end
        return true
    }

    private var unexpected: ConditionProblem {
        problem(position < bytes.count ? .unexpectedText : .unexpectedEnd)
    }

    private func problem(_ code: ConditionProblem.Code) -> ConditionProblem {
        ConditionProblem(
            code: code, position: String(decoding: bytes[..<min(position, bytes.count)], as: UTF8.self).count)
    }
}
