internal import Crypto
internal import Foundation

/// The `v1` signature of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.
package enum WebhookSignature {
    /// The value of the `webhook-signature` header: one signature for each secret, so that receivers can change theirs
    /// at their own time during a rotation.
    package static func header(
        id: WebhookID, timestamp: Int64, body: [UInt8], secrets: [WebhookSecret]
    ) -> String {
        let content = content(id: id, timestamp: timestamp, body: body)
        return secrets.map { secret in
            var hash = secret.emptyCode
            hash.update(data: content)
            return "v1," + Data(hash.finalize()).base64EncodedString()
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
        let content = content(id: id, timestamp: timestamp, body: body)
        return header.split(separator: " ").contains { entry in
            guard entry.hasPrefix("v1,"), let code = Data(base64Encoded: String(entry.dropFirst(3))) else {
                return false
            }
            return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: content, using: secret.hmacKey)
        }
    }

    /// What is signed.
    ///
    /// In one piece: what a call of the hash costs beside hashing is more than copying a body.
    private static func content(id: WebhookID, timestamp: Int64, body: [UInt8]) -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(id.description.utf8.count + 22 + body.count)
        content += id.description.utf8
        content += ".\(timestamp).".utf8
        content += body
        return content
    }
}
