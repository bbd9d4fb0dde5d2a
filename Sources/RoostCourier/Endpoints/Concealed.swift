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
/// Hook addresses are passwords: whoever has one can post. Of the path, plain short words such as `cgi-bin` and versions such
/// as `v2` are shown; other segments are not, except for the first four characters of those with 16 and more.
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
        .map { segment in
            if isPlain(segment) { return Array(segment) }
            return (segment.count < 16 ? [] : Array(segment.prefix(4))) + Array("***".utf8)
        }.joined(separator: "/".utf8)
    let pairs = query.split(separator: UInt8(ascii: "&")).map { pair in
        let name = pair.prefix { $0 != UInt8(ascii: "=") }
        return name.count == pair.count ? Array("***".utf8) : name + Array("=***".utf8)
    }
    if !pairs.isEmpty { shown += Array("?".utf8) + pairs.joined(separator: "&".utf8) }
    return String(decoding: shown, as: UTF8.self)
}

/// Whether part of a path is a word anybody could have chosen, and no token.
private func isPlain(_ segment: ArraySlice<UInt8>) -> Bool {
    let isLetter: (UInt8) -> Bool = { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    if segment.first == UInt8(ascii: "v"), segment.count <= 3 {
        return segment.dropFirst().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
    return segment.count <= 12 && segment.allSatisfy { isLetter($0) || $0 == UInt8(ascii: "-") }
}
