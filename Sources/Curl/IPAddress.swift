internal import CCurl

/// An IPv4 or IPv6 address as a number, so that ranges can be compared.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(UInt128)

    /// The address whose canonical spelling this is (dotted quad, or RFC 4291 text), or nil.
    ///
    /// Octal, decimal, hexadecimal and short IPv4 spellings are no addresses here: libcurl decodes those itself, and the
    /// address policy sees only what it decoded.
    package init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe ccurl_parse_address(text, &bytes)
        self.init(networkOrder: bytes.prefix(Int(count)))
    }

    /// The address of 4 or 16 bytes in network order, or nil for any other count.
    init?(networkOrder bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16: self = .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted quad, or eight hexadecimal groups without the `::` abbreviation.
    package var description: String {
        switch self {
        case .v4(let bits):
            return [24, 16, 8, 0].map { String(bits >> UInt32($0) & 0xFF) }.joined(separator: ".")
        case .v6(let bits):
            return stride(from: UInt128(112), through: 0, by: -16)
                .map { String(bits >> $0 & 0xFFFF, radix: 16) }.joined(separator: ":")
        }
    }
}
