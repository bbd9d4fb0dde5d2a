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
    let bytes = Array(url.utf8)
    guard let scheme = bytes.indices.first(where: { bytes[$0...].starts(with: "://".utf8) }) else { return "***" }
    let rest = bytes[(scheme + 3)...].prefix { $0 != UInt8(ascii: "#") }
    let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    let path = rest.dropFirst(authority.count).prefix { $0 != UInt8(ascii: "?") }
    let query = rest.dropFirst(authority.count + path.count).dropFirst()

    var shown = Array(bytes[..<(scheme + 3)])
    shown += authority.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false).last ?? []
    // A character of several bytes is none of a token's; what is cut there is shown as such.
    shown += path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        .map { $0.count < 16 ? Array($0) : $0.prefix(4) + Array("***".utf8) }.joined(separator: "/".utf8)
    let pairs = query.split(separator: UInt8(ascii: "&")).map { pair in
        let name = pair.prefix { $0 != UInt8(ascii: "=") }
        return name.count == pair.count ? Array("***".utf8) : name + Array("=***".utf8)
    }
    if !pairs.isEmpty { shown += Array("?".utf8) + pairs.joined(separator: "&".utf8) }
    return String(decoding: shown, as: UTF8.self)
}
