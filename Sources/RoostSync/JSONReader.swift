package import RoostSchema

/// Why bytes are not what the wire format says, and where.
package struct WireProblem: Error, Hashable, Sendable {
    package enum Code: String, Hashable, Sendable {
        case malformed = "malformed_json"
        case tooDeep = "too_deep"
        case notUTF8 = "not_utf8"
        case wrongType = "wrong_type"
        case missing = "missing_member"
        case outOfRange = "out_of_range"
        case unsupportedVersion = "unsupported_version"
    }

    package let code: Code
    /// Bytes from the start of the body.
    package let position: Int
    /// The member the problem is about, by its declared name; never content.
    package let member: String?

    package init(_ code: Code, at position: Int, member: String? = nil) {
        self.code = code
        self.position = position
        self.member = member
    }
}

/// Reads JSON from bytes in one pass, without an intermediate tree where the caller knows the shape.
///
/// Strict: RFC 8259, valid UTF-8, no trailing commas, nesting of at most ``maximumDepth``. Duplicate members are left to
/// the caller, who sees them in order.
package struct JSONReader: Sendable {
    package static let maximumDepth = 32

    private let bytes: [UInt8]
    package private(set) var position = 0
    private var depth = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package func problem(_ code: WireProblem.Code, _ member: String? = nil) -> WireProblem {
        WireProblem(code, at: position, member: member)
    }

    /// Reads an object, handing each member's name to `member`, which must read the value.
    package mutating func object(
        _ member: (inout JSONReader, String) throws(WireProblem) -> Void
    ) throws(WireProblem) {
        try open(0x7B)
        if close(0x7D) { return }
        repeat {
            let name = try string()
            skipSpace()
            guard take(0x3A) else { throw problem(.malformed) }
            try member(&self, name)
        } while try more(0x7D)
    }

    /// Reads an array; `element` must read one element.
    package mutating func array(
        _ element: (inout JSONReader) throws(WireProblem) -> Void
    ) throws(WireProblem) {
        try open(0x5B)
        if close(0x5D) { return }
        repeat { try element(&self) } while try more(0x5D)
    }

    package mutating func string() throws(WireProblem) -> String {
        skipSpace()
        guard take(0x22) else { throw problem(.wrongType) }
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x22 {
                let text = Self.text(bytes, start..<position)
                guard let text else { throw problem(.notUTF8) }
                position += 1
                return text
            }
            if byte == 0x5C { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw problem(.malformed) }
            position += 1
        }
        throw problem(.malformed)
    }

    /// Reads a string of exactly so many bytes without escapes if `read` makes something of it; otherwise nothing is read.
    ///
    /// For identities and stamps, of which every row has some: no string is made of them on the way.
    mutating func fixed<Result>(_ count: Int, _ read: (borrowing Span<UInt8>) -> Result?) -> Result? {
        skipSpace()
        let end = position + count + 1
        guard end < bytes.count, bytes[position] == 0x22, bytes[end] == 0x22,
            let result = read(bytes.span.extracting(position + 1..<end))
        else { return nil }
        position = end + 1
        return result
    }

    package mutating func integer() throws(WireProblem) -> Int64 {
        skipSpace()
        if position < bytes.count {
            switch bytes[position] {
            // Another value begins here.
            case 0x22, 0x5B, 0x7B, 0x66, 0x6E, 0x74: throw problem(.wrongType)
            default: break
            }
        }
        guard case .integer(let integer) = try number() else { throw problem(.wrongType) }
        return integer
    }

    package mutating func boolean() throws(WireProblem) -> Bool {
        skipSpace()
        if takeWord("true") { return true }
        if takeWord("false") { return false }
        throw problem(.wrongType)
    }

    /// Reads `null` if it stands here.
    package mutating func null() -> Bool {
        skipSpace()
        return takeWord("null")
    }

    /// Reads any value.
    package mutating func value() throws(WireProblem) -> Value {
        skipSpace()
        guard position < bytes.count else { throw problem(.malformed) }
        switch bytes[position] {
        case 0x22: return .text(try string())
        case 0x7B:
            var members: [Value.Member] = []
            try object { reader, name throws(WireProblem) in
                members.append(Value.Member(name, try reader.value()))
            }
            return .object(members)
        case 0x5B:
            var list: [Value] = []
            try array { reader throws(WireProblem) in list.append(try reader.value()) }
            return .list(list)
        case 0x74, 0x66: return .boolean(try boolean())
        case 0x6E:
            guard takeWord("null") else { throw problem(.malformed) }
            return .null
        default: return try number()
        }
    }

    /// Requires that nothing but space follows.
    package mutating func end() throws(WireProblem) {
        skipSpace()
        guard position == bytes.count else { throw problem(.malformed) }
    }

    private mutating func number() throws(WireProblem) -> Value {
        skipSpace()
        let start = position
        let negative = take(0x2D)
        var magnitude: UInt64 = 0
        var overflow = false
        let digits = position
        while position < bytes.count, isDigit(bytes[position]) {
            let (product, first) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, second) = product.addingReportingOverflow(UInt64(bytes[position] - 0x30))
            overflow = overflow || first || second
            magnitude = sum
            position += 1
        }
        guard position > digits, bytes[digits] != 0x30 || position == digits + 1 else { throw problem(.malformed) }
        var whole = true
        if take(0x2E) {
            whole = false
            try takeDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == 0x65 {
            whole = false
            position += 1
            if !take(0x2B) { _ = take(0x2D) }
            try takeDigits()
        }
        if whole, !overflow {
            if negative, magnitude <= UInt64(Int64.max) + 1 {
                return .integer(Int64(truncatingIfNeeded: 0 &- magnitude))
            }
            if !negative, let integer = Int64(exactly: magnitude) { return .integer(integer) }
        }
        guard let real = Double(String(decoding: bytes[start..<position], as: UTF8.self)), real.isFinite else {
            throw problem(.outOfRange)
        }
        return .real(real)
    }

    private mutating func takeDigits() throws(WireProblem) {
        let start = position
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
        guard position > start else { throw problem(.malformed) }
    }

    /// The text of a range of bytes, or nil if it is not UTF-8.
    ///
    /// A span is validated several times as fast as a slice.
    private static func text(_ bytes: [UInt8], _ range: Range<Int>) -> String? {
        guard let text = try? UTF8Span(validating: bytes.span.extracting(range)) else { return nil }
        return String(copying: text)
    }

    private mutating func escapedString(from start: Int) throws(WireProblem) -> String {
        var decoded = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x22:
                guard let text = String(validating: decoded, as: UTF8.self) else { throw problem(.notUTF8) }
                return text
            case 0x5C:
                guard position < bytes.count else { throw problem(.malformed) }
                let escape = bytes[position]
                position += 1
                switch escape {
                case 0x22, 0x5C, 0x2F: decoded.append(escape)
                case 0x62: decoded.append(0x08)
                case 0x66: decoded.append(0x0C)
                case 0x6E: decoded.append(0x0A)
                case 0x72: decoded.append(0x0D)
                case 0x74: decoded.append(0x09)
                case 0x75: decoded.append(contentsOf: try escapedScalar())
                default: throw problem(.malformed)
                }
            case 0..<0x20: throw problem(.malformed)
            default: decoded.append(byte)
            }
        }
        throw problem(.malformed)
    }

    private mutating func escapedScalar() throws(WireProblem) -> [UInt8] {
        let unit = try escapedUnit()
        if (0xD800...0xDBFF).contains(unit) {
            guard take(0x5C), take(0x75) else { throw problem(.notUTF8) }
            let low = try escapedUnit()
            guard (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw problem(.notUTF8) }
            return Array(String(Character(scalar)).utf8)
        }
        guard let scalar = Unicode.Scalar(unit) else { throw problem(.notUTF8) }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func escapedUnit() throws(WireProblem) -> UInt32 {
        guard position + 4 <= bytes.count else { throw problem(.malformed) }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = hexDigit(bytes[position]) else { throw problem(.malformed) }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    private mutating func open(_ bracket: UInt8) throws(WireProblem) {
        skipSpace()
        guard take(bracket) else { throw problem(.wrongType) }
        depth += 1
        guard depth <= Self.maximumDepth else { throw problem(.tooDeep) }
    }

    private mutating func close(_ bracket: UInt8) -> Bool {
        skipSpace()
        guard take(bracket) else { return false }
        depth -= 1
        return true
    }

    private mutating func more(_ bracket: UInt8) throws(WireProblem) -> Bool {
        skipSpace()
        if take(0x2C) { return true }
        guard close(bracket) else { throw problem(.malformed) }
        return false
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for index in 0..<count where unsafe bytes[position + index] != word.utf8Start[index] { return false }
        position += count
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }
}
