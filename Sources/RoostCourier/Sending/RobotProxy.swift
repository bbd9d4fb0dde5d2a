import Foundation

/// The proxy by which a network lets its machines reach the vendors' robots: a URL that may hold its password.
package struct RobotProxy: Hashable, Sendable, Concealed {
    package let revealed: String
    package var concealed: String { redactedURL(revealed) }

    /// Takes `http`, `https` and `socks5h`, which leave it to the proxy to look up the vendors' hosts; nil for any other text.
    package init?(_ text: String) {
        guard let url = URLComponents(string: text), let scheme = url.scheme, let host = url.host, !host.isEmpty,
            ["http", "https", "socks5h"].contains(scheme), ["", "/"].contains(url.path), url.query == nil
        else { return nil }
        revealed = text
    }
}
