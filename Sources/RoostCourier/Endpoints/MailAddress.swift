/// A mailbox such as `liaison@example.org`.
///
/// libcurl passes addresses on as they are, so a line break in one would be another command to the mail server. Only
/// what RFC 5321 allows without quotes is an address here: ASCII, no comments, no white space.
package struct MailAddress: Hashable, Sendable, Concealed {
    /// The address itself.
    package let revealed: String

    /// Accepts an address, white space around it ignored.
    package init(_ entered: String) throws(EndpointAddressError) {
        let text = entered.singleLine
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= 254, (1...64).contains(parts[0].utf8.count),
            Self.isDotted(parts[0], { Self.isLetterOrDigit($0) || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }),
            parts[1].contains("."), Self.isDotted(parts[1], { Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }),
            parts[1].split(separator: ".").allSatisfy({
                $0.utf8.count <= 63 && !$0.hasPrefix("-") && !$0.hasSuffix("-")
            })
        else { throw .malformedMailbox }
        revealed = text
    }

    /// The domain, which also names the sender in message ids.
    package var domain: String { String(revealed.drop { $0 != "@" }.dropFirst()) }

    package var concealed: String { "\(revealed.prefix(1))***@\(domain)" }

    /// Whether this is one or more runs of such bytes with single dots between them.
    private static func isDotted(_ text: Substring, _ isAllowed: (UInt8) -> Bool) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { run in
            !run.isEmpty && run.utf8.allSatisfy(isAllowed)
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
