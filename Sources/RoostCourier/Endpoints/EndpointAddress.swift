internal import Curl

/// Why what somebody entered as an endpoint's address is none; the raw value is the stable code.
package enum EndpointAddressError: String, Error, Hashable, Sendable {
    /// A pasted robot URL leads to another host or path than the vendor's.
    case foreignHost = "foreign_host"
    case missingKey = "missing_key"
    case malformedKey = "malformed_key"
    case malformedURL = "malformed_url"
    /// Only https is delivered to, but for the setting for tests.
    case insecureScheme = "insecure_scheme"
    /// The address leads to this machine or into an internal network that the settings do not allow.
    case innerAddress = "inner_address"
    /// The settings allow no webhook at this port.
    case forbiddenPort = "forbidden_port"
    /// No mailbox, or one that only quotes or characters beyond ASCII could express.
    case malformedMailbox = "malformed_mailbox"
    /// The signing secret of a robot is empty or holds white space.
    case malformedSecret = "malformed_secret"
}

/// The address of a generic webhook.
///
/// Whether it may be connected to is decided when the connection is made, by the addresses its host then has.
package struct WebhookURL: Hashable, Sendable, Concealed {
    /// The URL itself; it may hold a token.
    package let revealed: String
    /// Without what may be a token; kept, because every attempt is noted with it.
    package let concealed: String

    /// Accepts an absolute https URL without user name; plain http only where the settings allow it.
    package init(_ entered: String, settings: CourierSettings) throws(EndpointAddressError) {
        let text = entered.singleLine
        guard let separator = text.firstRange(of: "://"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") })
        else { throw .malformedURL }
        let authority = text[separator.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@") else { throw .malformedURL }
        guard settings.allowedSchemes.contains(where: { $0.rawValue == text[..<separator.lowerBound].lowercased() })
        else { throw .insecureScheme }
        revealed = text
        concealed = redactedURL(text)
    }

    /// Throws for a URL whose port the settings do not allow.
    ///
    /// For the moment when somebody enters it; it is judged again whenever something is sent.
    package func checkPort(settings: CourierSettings) throws(EndpointAddressError) {
        guard settings.webhookPorts.allows(revealed) else { throw .forbiddenPort }
    }

    /// Throws for a URL that could never be connected to: its host is written as an address the settings refuse, or is
    /// a name that by definition means this machine.
    ///
    /// For the moment when somebody enters it; names are judged by their addresses at every connection.
    package func checkHost(settings: CourierSettings) throws(EndpointAddressError) {
        guard let host = hostOfURL(revealed) else { throw .malformedURL }
        let name = host.lowercased().split(separator: ".").joined(separator: ".")
        if let address = IPAddress(host) {
            guard settings.addressPolicy.allows(address) else { throw .innerAddress }
        } else if name == "localhost" || name.hasSuffix(".localhost") {
            guard settings.addressPolicy.allows(.v4(0x7F00_0001)) else { throw .innerAddress }
        }
    }
}
