/// Why a transfer brought no answer, and whether the receiver may have got the request all the same.
package struct CurlError: Error, Hashable, Sendable {
    /// The closed list of reasons; the raw value is the stable code.
    package enum Reason: String, CaseIterable, Hashable, Sendable {
        /// The URL is not absolute printable ASCII, carries a user name, or cannot be parsed.
        case invalidURL = "invalid_url"
        /// A header name is no token, or a value holds a line break or another control character.
        case invalidHeader = "invalid_header"
        /// An address policy was asked for together with a proxy, behind which it cannot see.
        case policyBehindProxy = "policy_behind_proxy"
        /// The URL's protocol is not among the allowed ones.
        case unsupportedProtocol = "unsupported_protocol"
        /// The URL's port is not among the allowed ones.
        case forbiddenPort = "forbidden_port"
        /// The address policy refused every address of the host.
        case blocked = "blocked"
        /// The host name has no address.
        case unresolved = "unresolved"
        /// No address of the host accepted a connection.
        case unreachable = "unreachable"
        /// The proxy could not be reached, or did not let the request through.
        case proxy = "proxy"
        /// The TLS handshake failed for another reason than the certificate.
        case tls = "tls"
        /// The host's certificate is not trusted, has expired, or names another host.
        case certificate = "certificate"
        case timedOut = "timed_out"
        /// The connection broke before the answer was complete.
        case interrupted = "interrupted"
        /// What came back is not HTTP, or its encoding is broken.
        case badResponse = "bad_response"
        /// The mail server refused a step; ``CurlError/status`` has its code.
        case refused = "refused"
        /// The mail server takes no letters from this sender, whoever they are for.
        case senderRefused = "sender_refused"
        /// The mail server takes no letters from us at all: it said so as soon as it was connected to.
        case unwelcome = "unwelcome"
        /// The mail server does not accept our user name and password.
        case loginRefused = "login_refused"
        /// The answer is larger than the caller accepts.
        case tooLarge = "too_large"
        /// The calling task was cancelled.
        case cancelled = "cancelled"
        /// The client was shut down before or during the transfer.
        case closed = "closed"
        /// libcurl refused an option or ran out of memory; ``CurlError/detail`` says more.
        case failed = "failed"
    }

    package let reason: Reason
    /// Whether any byte of the request may have reached the receiver.
    ///
    /// False is certain: libcurl never came to the point of sending. True means that only an answer could have told.
    package let requestMayHaveLeft: Bool
    /// The status of the answer, when its head had arrived before the transfer failed.
    package let status: Int?
    package let connectedAddress: String?
    package let timings: TransferTimings
    /// libcurl's own words for the log: may name host and port, never path, query or content.
    package let detail: String
    /// What a mail server said last, which may name the mailbox; empty for HTTP.
    package let answer: String

    package init(
        _ reason: Reason, requestMayHaveLeft: Bool = false, status: Int? = nil, connectedAddress: String? = nil,
        timings: TransferTimings = .zero, detail: String = "", answer: String = ""
    ) {
        self.reason = reason
        self.requestMayHaveLeft = requestMayHaveLeft
        self.status = status
        self.connectedAddress = connectedAddress
        self.timings = timings
        self.detail = detail
        self.answer = answer
    }

    /// Whether the receiver certainly got nothing, so that sending again cannot repeat anything.
    package var surelyNotSent: Bool { !requestMayHaveLeft }
}
