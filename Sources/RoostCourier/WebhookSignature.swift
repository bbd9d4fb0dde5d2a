internal import Crypto
internal import Foundation

/// A signing secret of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes.
package struct WebhookSecret: Hashable, Sendable {
    /// Why a text is no secret.
    package enum ParseError: String, Error, Hashable, Sendable {
        case missingPrefix = "secret_missing_prefix"
        case invalidBase64 = "secret_invalid_base64"
        case wrongLength = "secret_wrong_length"
    }

    private let key: [UInt8]

    private static let prefix = "whsec_"
    private static let lengths = 24...64

    /// Parses the form in which secrets are shown and stored.
    package init(_ text: String) throws(ParseError) {
        guard text.hasPrefix(Self.prefix) else { throw .missingPrefix }
        guard let bytes = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))) else { throw .invalidBase64 }
        guard Self.lengths.contains(bytes.count) else { throw .wrongLength }
        key = Array(bytes)
    }

    private init(key: [UInt8]) { self.key = key }

    /// A new secret of 32 bytes from the system's generator.
    package static func random() -> WebhookSecret {
        var generator = SystemRandomNumberGenerator()
        return WebhookSecret(key: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// The secret itself as `whsec_…`, to be shown to its owner once and stored encrypted.
    package var revealed: String { Self.prefix + Data(key).base64EncodedString() }

    fileprivate var hmacKey: SymmetricKey { SymmetricKey(data: key) }
}

extension WebhookSecret: Concealed {
    package var concealed: String { "whsec_***" }
}

/// The `v1` signature of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.
package enum WebhookSignature {
    /// The value of the `webhook-signature` header: one signature for each secret, so that receivers can change theirs
    /// at their own time during a rotation.
    package static func header(
        id: WebhookID, timestamp: Int64, body: [UInt8], secrets: [WebhookSecret]
    ) -> String {
        secrets.map { secret in
            let code = HMAC<SHA256>.authenticationCode(
                for: signedContent(id: id, timestamp: timestamp, body: body), using: secret.hmacKey)
            return "v1," + Data(code).base64EncodedString()
        }.joined(separator: " ")
    }

    /// Whether the header holds a `v1` signature of this content by the secret, and the timestamp is not too far from now.
    ///
    /// Codes are compared in constant time; signatures of other versions are skipped.
    package static func verify(
        header: String, id: WebhookID, timestamp: Int64, body: [UInt8], secret: WebhookSecret, now: Moment,
        toleranceSeconds: Int64 = 300
    ) -> Bool {
        guard (now.seconds - toleranceSeconds...now.seconds + toleranceSeconds).contains(timestamp) else {
            return false
        }
        let content = signedContent(id: id, timestamp: timestamp, body: body)
        return header.split(separator: " ").contains { entry in
            guard entry.hasPrefix("v1,"), let code = Data(base64Encoded: String(entry.dropFirst(3))) else {
                return false
            }
            return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: content, using: secret.hmacKey)
        }
    }

    private static func signedContent(id: WebhookID, timestamp: Int64, body: [UInt8]) -> [UInt8] {
        Array("\(id).\(timestamp).".utf8) + body
    }
}
