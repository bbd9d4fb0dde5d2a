/// The answer to one request: what came back, from where, and how long each phase took.
package struct HTTPResponse: Sendable {
    package let status: Int
    /// Header lines of the final answer in order of arrival.
    package let headers: [HTTPHeader]
    package let body: [UInt8]
    /// Whether ``body`` is only the beginning, cut at the limit by ``TransferOptions/Overflow/truncate``.
    package let bodyIsTruncated: Bool
    /// The address and port that answered, such as `203.0.113.7:443`.
    package let connectedAddress: String?
    package let timings: TransferTimings

    package init(
        status: Int, headers: [HTTPHeader] = [], body: [UInt8] = [], bodyIsTruncated: Bool = false,
        connectedAddress: String? = nil, timings: TransferTimings = .zero
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.bodyIsTruncated = bodyIsTruncated
        self.connectedAddress = connectedAddress
        self.timings = timings
    }

    /// The value of the first header with this name, compared without regard to ASCII case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// A part of an answer that is taken as it arrives.
package enum HTTPPiece: Sendable {
    /// Status and headers; the response has no body.
    case head(HTTPResponse)
    case body([UInt8])
}

/// How long after the start each phase of a transfer had ended; zero for a phase that was not reached.
package struct TransferTimings: Hashable, Sendable {
    package let resolved: Duration
    package let connected: Duration
    package let secured: Duration
    package let firstByte: Duration
    package let total: Duration

    package init(resolved: Duration, connected: Duration, secured: Duration, firstByte: Duration, total: Duration) {
        self.resolved = resolved
        self.connected = connected
        self.secured = secured
        self.firstByte = firstByte
        self.total = total
    }

    /// The timings of a transfer that never started.
    package static let zero = TransferTimings(
        resolved: .zero, connected: .zero, secured: .zero, firstByte: .zero, total: .zero)
}

extension HTTPHeader {
    /// The header lines of an answer's head; what has no colon is none.
    static func lines(of head: [UInt8]) -> [HTTPHeader] {
        head.split(separator: 0x0A).compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            let value = line[(colon + 1)...].drop(while: isBlank)
            let end = value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex
            return HTTPHeader(
                String(decoding: line[..<colon], as: UTF8.self),
                String(decoding: value[..<end], as: UTF8.self))
        }
    }
}
