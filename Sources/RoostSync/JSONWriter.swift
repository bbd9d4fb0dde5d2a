package import RoostSchema

/// Appends JSON to a buffer: raw UTF-8, escaping only what RFC 8259 requires, members in the order written.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving capacity: Int = 1024) { bytes.reserveCapacity(capacity) }

    package var count: Int { bytes.count }

    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        separate()
        bytes.append(0x7B)
        needsComma = false
        try body(&self)
        bytes.append(0x7D)
        needsComma = true
    }

    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        separate()
        bytes.append(0x5B)
        needsComma = false
        try body(&self)
        bytes.append(0x5D)
        needsComma = true
    }

    package mutating func name(_ name: StaticString) {
        separate()
        bytes.append(0x22)
        name.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
        bytes.append(0x22)
        bytes.append(0x3A)
        needsComma = false
    }

    /// A name that need not be escaped, such as a declared field's.
    package mutating func name(plain name: String) {
        separate()
        bytes.append(0x22)
        bytes.append(contentsOf: name.utf8)
        bytes.append(0x22)
        bytes.append(0x3A)
        needsComma = false
    }

    /// A name already quoted and followed by its colon.
    mutating func name(encoded name: [UInt8]) {
        separate()
        bytes.append(contentsOf: name)
        needsComma = false
    }

    package mutating func name(escaping name: String) {
        separate()
        quoted(name)
        bytes.append(0x3A)
        needsComma = false
    }

    package mutating func string(_ text: String) {
        separate()
        quoted(text)
        needsComma = true
    }

    /// A string given as the bytes of valid UTF-8.
    package mutating func string(utf8: borrowing Span<UInt8>) {
        separate()
        quoted(utf8)
        needsComma = true
    }

    /// Appends the members of a JSON object that was written before, without its braces.
    package mutating func members(ofObject utf8: borrowing Span<UInt8>) {
        guard utf8.count > 2 else { return }
        separate()
        append(utf8.extracting(1..<utf8.count - 1))
        needsComma = true
    }

    /// Appends a JSON text that was written before, byte for byte.
    package mutating func raw(utf8: borrowing Span<UInt8>) {
        separate()
        append(utf8)
        needsComma = true
    }

    private mutating func append(_ utf8: borrowing Span<UInt8>) {
        unsafe utf8.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    /// Text that needs no escaping: identities, stamps, codes.
    package mutating func plain(_ text: String) {
        separate()
        bytes.append(0x22)
        bytes.append(contentsOf: text.utf8)
        bytes.append(0x22)
        needsComma = true
    }

    package mutating func integer(_ integer: Int64) {
        separate()
        guard integer >= 0 else {
            bytes.append(contentsOf: String(integer).utf8)
            needsComma = true
            return
        }
        let start = bytes.count
        var rest = integer
        repeat {
            bytes.append(0x30 + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
        needsComma = true
    }

    package mutating func boolean(_ boolean: Bool) {
        separate()
        bytes.append(contentsOf: boolean ? [0x74, 0x72, 0x75, 0x65] : [0x66, 0x61, 0x6C, 0x73, 0x65])
        needsComma = true
    }

    package mutating func id(_ id: RowID) {
        separate()
        bytes.append(addingCapacity: 38) { span in
            span.append(0x22)
            var shift: UInt128 = 124
            for position in 0..<36 {
                if position == 8 || position == 13 || position == 18 || position == 23 {
                    span.append(0x2D)
                } else {
                    span.append(hexByte(UInt8(truncatingIfNeeded: id.bits >> shift) & 0xF))
                    shift = shift &- 4
                }
            }
            span.append(0x22)
        }
        needsComma = true
    }

    package mutating func stamp(_ stamp: Stamp) {
        separate()
        bytes.append(addingCapacity: 35) { span in
            span.append(0x22)
            appendHexadecimal(stamp.time.bits, to: &span)
            span.append(0x2D)
            appendHexadecimal(stamp.replica.bits, to: &span)
            span.append(0x22)
        }
        needsComma = true
    }

    package mutating func time(_ time: HybridTime) {
        separate()
        bytes.append(addingCapacity: 18) { span in
            span.append(0x22)
            appendHexadecimal(time.bits, to: &span)
            span.append(0x22)
        }
        needsComma = true
    }

    package mutating func value(_ value: Value) {
        switch value {
        case .null:
            separate()
            bytes.append(contentsOf: [0x6E, 0x75, 0x6C, 0x6C])
            needsComma = true
        case .boolean(let boolean): self.boolean(boolean)
        case .integer(let integer): self.integer(integer)
        case .real(let real):
            separate()
            bytes.append(contentsOf: real.description.utf8)
            needsComma = true
        case .text(let text): string(text)
        case .id(let id): self.id(id)
        case .list(let list):
            array { writer in for value in list { writer.value(value) } }
        case .object(let members):
            object { writer in
                for member in members {
                    writer.name(escaping: member.name)
                    writer.value(member.value)
                }
            }
        }
    }

    /// Appends a JSON text that was written before, byte for byte.
    package mutating func raw(_ text: some Swift.Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: text)
        needsComma = true
    }

    /// Ends one JSON text of several, each on a line of its own.
    package mutating func endLine() {
        bytes.append(0x0A)
        needsComma = false
    }

    /// Begins anew in the same memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    private mutating func separate() { if needsComma { bytes.append(0x2C) } }

    private mutating func quoted(_ text: String) {
        quoted(text.utf8Span.span)
    }

    private mutating func quoted(_ utf8: borrowing Span<UInt8>) {
        bytes.append(0x22)
        var needsEscape = false
        for index in utf8.indices where needsEscaping(utf8[index]) {
            needsEscape = true
            break
        }
        if needsEscape {
            for index in utf8.indices { escape(utf8[index]) }
        } else {
            append(utf8)
        }
        bytes.append(0x22)
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22, 0x5C: bytes.append(contentsOf: [0x5C, byte])
        case 0x0A: bytes.append(contentsOf: [0x5C, 0x6E])
        case 0x0D: bytes.append(contentsOf: [0x5C, 0x72])
        case 0x09: bytes.append(contentsOf: [0x5C, 0x74])
        case 0..<0x20:
            bytes.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, hexByte(byte >> 4), hexByte(byte & 0xF)])
        default: bytes.append(byte)
        }
    }
}

/// Whether RFC 8259 wants a byte of a string escaped.
private func needsEscaping(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

private func appendHexadecimal(_ bits: UInt64, to span: inout OutputSpan<UInt8>) {
    var shift: UInt64 = 60
    for _ in 0..<16 {
        span.append(hexByte(UInt8(truncatingIfNeeded: bits >> shift) & 0xF))
        shift = shift &- 4
    }
}

extension Value {
    /// The JSON text of the value.
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 64)
        writer.value(self)
        return writer.bytes
    }

    package init(json: [UInt8]) throws(WireProblem) {
        var reader = JSONReader(json)
        self = try reader.value()
        try reader.end()
    }
}
