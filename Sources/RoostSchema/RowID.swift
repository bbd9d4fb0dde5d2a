/// The identity of a row: a UUID chosen by whoever creates the row, version 7 preferred.
///
/// Kept as 16 bytes in SQLite and as the canonical lower-case text of RFC 9562 on the wire.
package struct RowID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let bits: UInt128

    package init(bits: UInt128) { self.bits = bits }

    /// A version 7 identifier.
    ///
    /// - Parameters:
    ///   - milliseconds: Unix time; its low 48 bits are used.
    ///   - random: source of the 74 random bits.
    package init(milliseconds: Int64, random: UInt128) {
        let time = UInt128(truncatingIfNeeded: milliseconds) & 0xFFFF_FFFF_FFFF
        let high = (random >> 64) & 0x0FFF
        let low = random & 0x3FFF_FFFF_FFFF_FFFF
        bits = time << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low
    }

    /// The same identifier for the same natural key everywhere (version 8), for rows that exist once by nature.
    ///
    /// FNV-1a of 128 bits: these keys are public codes, so no resistance to chosen collisions is needed.
    package init(naming space: String, _ key: String) {
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in space.utf8 { hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B }
        hash = (hash ^ 0xFF) &* 0x0000_0000_0100_0000_0000_0000_0000_013B
        for byte in key.utf8 { hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B }
        let cleared = hash & ~(0xF << 76) & ~(0x3 << 62)
        bits = cleared | 0x8 << 76 | 0x2 << 62
    }

    /// Reads the canonical text; upper-case digits are accepted, anything else is not.
    package init?(_ text: some StringProtocol) {
        var bits: UInt128 = 0
        var position = 0
        for byte in text.utf8 {
            switch position {
            case 8, 13, 18, 23:
                guard byte == 0x2D else { return nil }
            default:
                guard let digit = hexDigit(byte) else { return nil }
                bits = bits << 4 | UInt128(digit)
            }
            position += 1
        }
        guard position == 36 else { return nil }
        self.bits = bits
    }

    /// Reads the canonical text from its 36 bytes.
    package init?(utf8: borrowing Span<UInt8>) {
        guard utf8.count == 36 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for position in 0..<36 {
            let byte = utf8[position]
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == 0x2D else { return nil }
                continue
            }
            guard let digit = hexDigit(byte) else { return nil }
            if position < 18 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
        }
        bits = UInt128(high) << 64 | UInt128(low)
    }

    package var description: String {
        unsafe String(unsafeUninitializedCapacity: 36) { buffer in
            var shift = 124
            for position in 0..<36 {
                if position == 8 || position == 13 || position == 18 || position == 23 {
                    unsafe buffer[position] = 0x2D
                } else {
                    unsafe buffer[position] = hexByte(UInt8(truncatingIfNeeded: bits >> UInt128(shift)) & 0xF)
                    shift -= 4
                }
            }
            return 36
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

/// The value of an ASCII hexadecimal digit, or nil.
@inlinable
package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x61...0x66: byte - 0x57
    case 0x41...0x46: byte - 0x37
    default: nil
    }
}

/// The lower-case ASCII digit of a value from 0 to 15.
@inlinable
package func hexByte(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
