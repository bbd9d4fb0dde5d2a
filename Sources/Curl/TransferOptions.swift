/// How one transfer is carried out: time, size, addresses, protocols.
///
/// The defaults are the cautious ones, those of a request to an address a stranger typed: HTTPS only, public addresses
/// only, a small answer. A caller that talks to its own server widens them. Redirects are never followed.
package struct TransferOptions: Hashable, Sendable {
    /// A protocol a transfer may use.
    package enum Scheme: String, Hashable, Sendable {
        case http
        case https
    }

    /// What happens to an answer larger than ``responseLimit``.
    package enum Overflow: Hashable, Sendable {
        /// The transfer fails with ``CurlError/Reason/tooLarge``.
        case refuse
        /// The transfer ends there and succeeds with the first bytes; status and headers are what mattered.
        case truncate
    }

    /// Time for name resolution, connection and TLS handshake together.
    package var connectTimeout: Duration
    /// Time for the whole transfer.
    package var totalTimeout: Duration
    /// Time after which a transfer that moves no byte is given up, or nil to rely on ``totalTimeout`` alone.
    package var stallTimeout: Duration?
    /// The most bytes of body kept, counted after decompression.
    package var responseLimit: Int
    package var overflow: Overflow
    /// Whether to open a new connection.
    ///
    /// On a reused one libcurl silently repeats a POST when the connection turns out to be dead, so a receiver
    /// that cannot recognise a repetition must be given a fresh connection each time.
    package var freshConnection: Bool
    package var allowedSchemes: Set<Scheme>
    /// The ports that the URL may name, or mean by its protocol.
    package var allowedPorts: PortList
    package var addressPolicy: AddressPolicy
    /// The proxy's URL; empty means none, whatever the environment variables say.
    package var proxy: String
    /// Whether to ask for a compressed answer, which libcurl then inflates.
    package var acceptCompressed: Bool
    /// A PEM file of certificate authorities to trust in place of the system's.
    package var caFile: String?
    /// The PEM text of certificate authorities to trust beside the system's; not to be given together with ``caFile``.
    package var authorities: String?

    package init(
        connectTimeout: Duration = .seconds(5),
        totalTimeout: Duration = .seconds(30),
        stallTimeout: Duration? = nil,
        responseLimit: Int = 64 << 10,
        overflow: Overflow = .refuse,
        freshConnection: Bool = false,
        allowedSchemes: Set<Scheme> = [.https],
        allowedPorts: PortList = .all,
        addressPolicy: AddressPolicy = .publicOnly(allowingLoopback: false),
        proxy: String = "",
        acceptCompressed: Bool = false,
        caFile: String? = nil,
        authorities: String? = nil
    ) {
        self.connectTimeout = connectTimeout
        self.totalTimeout = totalTimeout
        self.stallTimeout = stallTimeout
        self.responseLimit = responseLimit
        self.overflow = overflow
        self.freshConnection = freshConnection
        self.allowedSchemes = allowedSchemes
        self.allowedPorts = allowedPorts
        self.addressPolicy = addressPolicy
        self.proxy = proxy
        self.acceptCompressed = acceptCompressed
        self.caFile = caFile
        self.authorities = authorities
    }
}

extension Duration {
    /// Milliseconds, at least 1 and rounded down: libcurl takes zero for "no limit".
    var wholeMilliseconds: Int {
        let parts = components
        guard parts.seconds < Int64(Int32.max) / 1000 else { return Int(Int32.max) }
        return max(1, Int(parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000))
    }
}
