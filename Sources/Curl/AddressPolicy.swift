/// Which addresses a transfer may connect to.
///
/// It is asked for every candidate address before a socket is opened and again before each request, so that neither a
/// name that resolves differently the second time nor a connection kept from an earlier transfer gets past it.
package enum AddressPolicy: Hashable, Sendable {
    /// Any address at all: for a client that talks to the server its user named.
    case anyAddress
    /// Only addresses reachable from the whole internet: for URLs that somebody typed into the product.
    ///
    /// This machine's own addresses are none of them. Loopback is let through on request, which only tests have reason to
    /// make; `networks` are let through for services on an intranet, this machine's own addresses in them only where such
    /// an address is named by itself: whoever names a network means the machines around this one.
    case publicOnly(allowingLoopback: Bool, networks: [AddressRange] = [])

    /// Whether a connection to the address is permitted.
    package func allows(_ address: IPAddress) -> Bool {
        switch self {
        case .anyAddress: true
        case .publicOnly(let allowingLoopback, let networks):
            if networks.contains(where: { $0.isSingleAddress && $0.contains(address) })
                || allowingLoopback && address.isLoopback
            {
                true
            } else {
                (address.isPublic || networks.contains { $0.contains(address) })
                    && !address.isLoopback && !OwnAddresses.contains(address)
            }
        }
    }
}

extension IPAddress {
    /// Whether this is 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let bits): bits == 1
        }
    }

    /// Whether the whole internet can reach this address, by the special-purpose registries of IANA.
    ///
    /// IPv6 is public only inside 2000::/3, which leaves out loopback, IPv4-mapped, unique-local, link-local,
    /// site-local and multicast addresses at once. A NAT64 address (64:ff9b::/96) is judged by the IPv4 address in it.
    package var isPublic: Bool {
        switch self {
        case .v4(let bits):
            return !Self.specialV4.contains { bits >> (32 - $0.length) == $0.prefix >> (32 - $0.length) }
        case .v6(let bits):
            if bits >> 32 == 0x0064_FF9B_0000_0000_0000_0000 {
                return IPAddress.v4(UInt32(truncatingIfNeeded: bits)).isPublic
            }
            let head = UInt32(truncatingIfNeeded: bits >> 96)
            return head >> 29 == 0b001
                && !Self.specialV6.contains { head >> (32 - $0.length) == $0.prefix >> (32 - $0.length) }
        }
    }

    private typealias Range = (prefix: UInt32, length: UInt32)

    private static let specialV4: [Range] = [
        (0x0000_0000, 8),  // 0.0.0.0/8, this network
        (0x0A00_0000, 8),  // 10.0.0.0/8, private
        (0x6440_0000, 10),  // 100.64.0.0/10, carrier-grade NAT
        (0x7F00_0000, 8),  // 127.0.0.0/8, loopback
        (0xA9FE_0000, 16),  // 169.254.0.0/16, link-local and cloud metadata
        (0xAC10_0000, 12),  // 172.16.0.0/12, private
        (0xC000_0000, 24),  // 192.0.0.0/24, protocol assignments
        (0xC000_0200, 24),  // 192.0.2.0/24, documentation
        (0xC058_6300, 24),  // 192.88.99.0/24, 6to4 relays
        (0xC0A8_0000, 16),  // 192.168.0.0/16, private
        (0xC612_0000, 15),  // 198.18.0.0/15, benchmarks
        (0xC633_6400, 24),  // 198.51.100.0/24, documentation
        (0xCB00_7100, 24),  // 203.0.113.0/24, documentation
        (0xE000_0000, 4),  // 224.0.0.0/4, multicast
        (0xF000_0000, 4),  // 240.0.0.0/4, reserved, and the broadcast address
    ]

    /// Ranges inside 2000::/3, by their first 32 bits.
    private static let specialV6: [Range] = [
        (0x2001_0000, 23),  // 2001::/23, protocol assignments, Teredo among them
        (0x2001_0DB8, 32),  // 2001:db8::/32, documentation
        (0x2002_0000, 16),  // 2002::/16, 6to4, which embeds any IPv4 address
        (0x3FFF_0000, 20),  // 3fff::/20, documentation
    ]
}
