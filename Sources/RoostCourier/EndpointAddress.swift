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
}

/// The key of a WeCom robot: all there is to know to post in its group.
///
/// Only the key is kept. The URL is built from the vendor's pinned host, so that nothing anybody enters can lead elsewhere.
package struct WeComKey: Hashable, Sendable, Concealed {
    /// The key itself, to be stored encrypted.
    package let revealed: String

    private static let urlPrefix = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?"

    /// Accepts the key alone or the whole URL as the vendor's app shows it.
    package init(_ entered: String) throws(EndpointAddressError) {
        let text = entered.singleLine
        var key = text[...]
        if text.contains("://") {
            guard text.hasPrefix(Self.urlPrefix) else { throw .foreignHost }
            let pairs = text.dropFirst(Self.urlPrefix.count).split(separator: "&")
            guard let pair = pairs.first(where: { $0.hasPrefix("key=") }) else { throw .missingKey }
            key = pair.dropFirst(4)
        }
        guard !key.isEmpty else { throw .missingKey }
        let isPlain: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard (16...64).contains(key.utf8.count), key.utf8.allSatisfy(isPlain) else { throw .malformedKey }
        revealed = String(key)
    }

    package var concealed: String { "\(revealed.prefix(4))***" }
}

/// The address of a generic webhook.
///
/// Whether it may be connected to is decided when the connection is made, by the addresses its host then has.
package struct WebhookURL: Hashable, Sendable, Concealed {
    /// The URL itself; it may hold a token.
    package let revealed: String

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
    }

    package var concealed: String { redactedURL(revealed) }
}
