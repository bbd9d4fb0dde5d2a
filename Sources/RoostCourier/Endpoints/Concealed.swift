/// A value that must not appear in a log, whichever way it gets printed.
package protocol Concealed: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What may be printed in its place.
    var concealed: String { get }
}

extension Concealed {
    package var description: String { concealed }
    package var debugDescription: String { concealed }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The URL as it may be logged: no user name, no query values, no path segment that could be a token.
///
/// Hook addresses are passwords: whoever has one can post. Path segments of 16 and more characters keep their first four.
package func redactedURL(_ url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return "***" }
    let rest = url[scheme.upperBound...].prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
    let path = rest.dropFirst(authority.count).prefix { $0 != "?" }
    let query = rest.dropFirst(authority.count + path.count).dropFirst()

    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        .map { $0.count < 16 ? String($0) : "\($0.prefix(4))***" }
    let pairs = query.split(separator: "&").map { pair in
        let name: Substring = pair.prefix { $0 != "=" }
        return name.count == pair.count ? "***" : "\(name)=***"
    }
    return url[..<scheme.upperBound] + host + segments.joined(separator: "/")
        + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
}
