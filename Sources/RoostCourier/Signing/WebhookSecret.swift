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
    /// An authentication code by the key over nothing yet: what each message's begins with.
    let emptyCode: HMAC<SHA256>

    private static let prefix = "whsec_"
    private static let lengths = 24...64

    /// Parses the form in which secrets are shown and stored.
    package init(_ text: String) throws(ParseError) {
        guard text.hasPrefix(Self.prefix) else { throw .missingPrefix }
        guard let bytes = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))) else { throw .invalidBase64 }
        guard Self.lengths.contains(bytes.count) else { throw .wrongLength }
        self.init(key: Array(bytes))
    }

    private init(key: [UInt8]) {
        self.key = key
        emptyCode = HMAC(key: SymmetricKey(data: key))
    }

    package static func == (one: WebhookSecret, other: WebhookSecret) -> Bool { one.key == other.key }

    package func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// A new secret of 32 bytes from the system's generator.
    package static func random() -> WebhookSecret {
        var generator = SystemRandomNumberGenerator()
        return WebhookSecret(key: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// The secret itself as `whsec_…`, to be shown to its owner once and stored encrypted.
    package var revealed: String { Self.prefix + Data(key).base64EncodedString() }

    var hmacKey: SymmetricKey { SymmetricKey(data: key) }
}

extension WebhookSecret: Concealed {
    package var concealed: String { "whsec_***" }
}

/// The signing secrets of one endpoint during a rotation: the newest, and earlier ones until their last moment.
///
/// Receivers change theirs at their own time within the overlap: every message is signed with all that still count.
package struct WebhookSecretRing: Hashable, Sendable {
    /// A secret and until when it signs; the newest has no end.
    package struct Entry: Hashable, Sendable {
        package let secret: WebhookSecret
        package let until: Moment?
    }

    /// As long as the overlap may last, and how long it does unless somebody says otherwise.
    package static let longestOverlapHours = 7 * 24
    package static let usualOverlapHours = 24
    /// The most secrets beside the newest; the header grows with each.
    static let mostEarlier = 10

    /// Newest first.
    package private(set) var entries: [Entry]

    package init(_ secret: WebhookSecret) { entries = [Entry(secret: secret, until: nil)] }

    /// Reads what ``revealed`` wrote: a line for each secret, after a space the millisecond until which it signs.
    package init(revealed text: String) throws(WebhookSecret.ParseError) {
        entries = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            let secret = try WebhookSecret(String(words.first ?? ""))
            entries.append(Entry(secret: secret, until: words.dropFirst().first.flatMap { Int64($0) }.map(Moment.init)))
        }
        guard !entries.isEmpty else { throw .missingPrefix }
    }

    /// All secrets with their ends, to be stored encrypted.
    package var revealed: String {
        entries.map { entry in
            entry.until.map { "\(entry.secret.revealed) \($0.milliseconds)" } ?? entry.secret.revealed
        }.joined(separator: "\n")
    }

    /// The secrets to sign with at this moment, the newest first; never none.
    package func signing(at now: Moment) -> [WebhookSecret] {
        entries.enumerated().filter { index, entry in
            index == 0 || entry.until.map { now < $0 } ?? true
        }.map(\.element.secret)
    }

    /// The ring with a new secret first, all others ending after the overlap at the latest.
    ///
    /// An overlap of zero is for a secret that leaked: it signs nothing any more.
    package func rotated(
        to secret: WebhookSecret, now: Moment, overlap: Duration = .seconds(usualOverlapHours * 3600)
    ) -> WebhookSecretRing {
        let end = now + min(max(overlap, .zero), .seconds(Self.longestOverlapHours * 3600))
        var ring = WebhookSecretRing(secret)
        let earlier = entries.filter { $0.secret != secret }
            .map { Entry(secret: $0.secret, until: min($0.until ?? end, end)) }
            .filter { entry in entry.until.map { now < $0 } ?? true }
        ring.entries += earlier.prefix(Self.mostEarlier)
        return ring
    }
}
