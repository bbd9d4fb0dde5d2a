import Crypto
import Foundation
import RoostAPI
import RoostCourier
import RoostSchema

/// The address in a letter by which whoever gets it stops them, without an account and without anybody's help.
///
/// It names an endpoint and proves that it stood in a letter to the mailbox the endpoint has now: nobody can stop letters to
/// somebody else, not even who had them before.
struct UnsubscribeLink: Sendable {
    private let key: SymmetricKey

    init(key: ServerKey) { self.key = key.derived("unsubscribe") }

    /// The link for letters to a mailbox; nil where the settings do not say how this server is reached from outside.
    func url(for endpoint: RowID, at mailbox: MailAddress, settings: CourierSettings) -> WebhookURL? {
        guard let base = settings.mail?.publicURL else { return nil }
        return try? WebhookURL(
            "\(base.revealed.trimmingTrailingSlashes)\(Path.unsubscribe)/\(endpoint).\(code(endpoint, mailbox))",
            settings: settings)
    }

    /// The endpoint that a link's last part names, genuine or not.
    static func endpoint(in token: String) -> RowID? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 ? RowID(parts[0]) : nil
    }

    /// Whether a link's last part stood in letters to this mailbox of the endpoint.
    func isGenuine(_ token: String, for endpoint: RowID, at mailbox: MailAddress) -> Bool {
        let expected = "\(endpoint).\(code(endpoint, mailbox))"
        guard token.utf8.count == expected.utf8.count else { return false }
        // Compared without a shortcut, so that the time taken tells nothing of the right one.
        return zip(token.utf8, expected.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func code(_ endpoint: RowID, _ mailbox: MailAddress) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data("\(endpoint) \(mailbox.revealed)".utf8), using: key)
        return hexadecimal(Array(code.prefix(16)))
    }
}

extension String {
    fileprivate var trimmingTrailingSlashes: String { String(reversed().drop { $0 == "/" }.reversed()) }
}
