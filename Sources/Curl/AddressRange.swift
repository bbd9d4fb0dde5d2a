/// A block of addresses in the notation `10.20.0.0/16` or `fd00:1::/32`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    private let first: IPAddress
    private let length: Int

    /// The range in this notation, bits after the prefix ignored; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])), parts.count <= 2 else { return nil }
        let bits = if case .v4 = address { 32 } else { 128 }
        guard let length = parts.count == 2 ? Int(parts[1]) : bits, (0...bits).contains(length) else { return nil }
        first = address
        self.length = length
    }

    /// Whether it holds no more than one address.
    var isSingleAddress: Bool {
        switch first {
        case .v4: length == 32
        case .v6: length == 128
        }
    }

    /// Whether the address is in the range; IPv4 and IPv6 never are in each other's.
    package func contains(_ address: IPAddress) -> Bool {
        switch (first, address) {
        // Shifting by the full width leaves zero on both sides, which makes "/0" everything.
        case (.v4(let first), .v4(let bits)): first >> UInt32(32 - length) == bits >> UInt32(32 - length)
        case (.v6(let first), .v6(let bits)): first >> UInt128(128 - length) == bits >> UInt128(128 - length)
        default: false
        }
    }

    package var description: String { "\(first)/\(length)" }
}
