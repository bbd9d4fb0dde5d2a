/// The HTTP methods Roost's clients use.
package enum HTTPMethod: String, Hashable, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
}

/// One header line, name and value, of a request or a response.
package struct HTTPHeader: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A whole HTTP request, body included, and how it is to be carried out.
///
/// libcurl sanitises nothing: a line break inside a header value becomes a second header. So a request is judged by
/// ``firstFault`` before it reaches libcurl.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod
    /// An absolute URL in printable ASCII, already percent-encoded, without user name or password.
    package var url: String
    package var headers: [HTTPHeader]
    package var body: [UInt8]
    /// Makes the body anew as the request leaves, on a connection that stands, each time it does; on libcurl's thread.
    ///
    /// For what tells the time: connecting may take long. Its length is announced already, so a body of another length than
    /// ``body`` is left out, and that one sent.
    package var departingBody: (@Sendable () -> [UInt8])?
    /// Whether its receiver may well keep silent: it is carried out apart from those of others then.
    package var isDoubtful = false
    package var options: TransferOptions

    package init(
        method: HTTPMethod, url: String, headers: [HTTPHeader] = [], body: [UInt8] = [],
        options: TransferOptions = TransferOptions()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.options = options
    }

    /// Why this request must not be handed to libcurl, or nil when it may be.
    var firstFault: CurlError.Reason? {
        let bytes = url.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon != bytes.startIndex,
            bytes[colon...].starts(with: "://".utf8),
            bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") })
        else { return .invalidURL }
        let authority = bytes[colon...].dropFirst(3).prefix { !"/?#".utf8.contains($0) }
        guard !authority.isEmpty, !authority.contains(UInt8(ascii: "@")) else { return .invalidURL }
        guard headers.allSatisfy(\.isWellFormed) else { return .invalidHeader }
        guard options.allowedPorts.allows(url) else { return .forbiddenPort }
        // Behind a proxy the address seen is the proxy's, so a policy about addresses would judge nothing.
        if options.addressPolicy != .anyAddress, !options.proxy.isEmpty { return .policyBehindProxy }
        return nil
    }
}

extension HTTPHeader {
    /// Whether the name is a token of RFC 9110 and the value holds no control character but the tab.
    var isWellFormed: Bool {
        !name.isEmpty && name.utf8.allSatisfy(Self.isTokenByte)
            && value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"): true
        default: "!#$%&'*+.^_`|~".utf8.contains(byte)
        }
    }
}
