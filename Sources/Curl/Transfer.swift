internal import CCurl

/// One libcurl easy handle from configuration to result.
///
/// It lives on the loop's thread alone: created, called back and read there. libcurl holds unretained pointers to it, so
/// its owner keeps it until the handle has left the multi handle. A POST that is over can be begun anew with another that
/// is carried out the same way: most of the options need not be set again then.
@safe
final class Transfer {
    let handle: UnsafeMutableRawPointer
    private let options: TransferOptions
    /// Takes the body as it comes, in place of ``body``.
    private let pieces: (@Sendable (HTTPPiece) -> Bool)?
    private var hasToldHead = false
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerLines: UnsafeMutablePointer<curl_slist>?
    private var outgoing = LentBody()
    private var departing: DepartingBody?

    /// The head of the answer as it came.
    private var head: [UInt8] = []
    private var headerBytes = 0
    /// Whether it carries out a POST whose answer is kept.
    private let isPost: Bool
    private var body: [UInt8] = []
    private var overflowed = false
    private var refusedAddress: IPAddress?
    private var openedSocket = false
    /// Set by libcurl's last call before it sends a request, on new and reused connections alike; for a letter, when the
    /// last of it has been handed to libcurl, because a server keeps no half letter.
    private(set) var requestMayHaveLeft = false
    /// The letter and how much of it libcurl has fetched; nil for HTTP.
    private var upload: (letter: [UInt8], sent: Int)?

    /// Header bytes beyond this are no honest answer.
    private static let headerLimit = 64 << 10

    init(_ order: TransferOrder) throws(CurlError) {
        let fault =
            switch order {
            case .request(let request), .stream(let request, _): request.firstFault
            case .letter(let letter): letter.firstFault
            }
        if let fault { throw CurlError(fault) }
        guard let handle = unsafe curl_easy_init() else { throw CurlError(.failed, detail: "no easy handle") }
        unsafe self.handle = unsafe handle
        if case .stream(_, let pieces) = order { self.pieces = pieces } else { pieces = nil }
        if case .request(let request) = order { isPost = request.method == .post } else { isPost = false }
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        switch order {
        case .request(let request), .stream(let request, _):
            options = request.options
            try configure(request)
        case .letter(let letter):
            options = letter.options
            upload = (letter.letter, 0)
            try configure(letter)
        }
    }

    /// Whether ``begin(anew:)`` makes the same of it as a new transfer of the request would be.
    func suits(_ request: HTTPRequest) -> Bool {
        isPost && request.method == .post && request.options == options
    }

    /// Makes a transfer that is over into one of another request, which it suits.
    func begin(anew request: HTTPRequest) throws(CurlError) {
        if let fault = request.firstFault { throw CurlError(fault) }
        try set(CURLOPT_URL, request.url)
        try setBody(request)
        try setHeaders(request)
    }

    /// Forgets everything about a transfer that is over; false if it is of a kind that is not begun anew.
    func rest() -> Bool {
        guard isPost else { return false }
        unsafe errorText.update(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe curl_slist_free_all(headerLines)
        unsafe headerLines = nil
        (head, headerBytes, body, overflowed) = ([], 0, [], false)
        (refusedAddress, openedSocket, requestMayHaveLeft, departing) = (nil, false, false, nil)
        // Not even the handle keeps what was sent.
        return unsafe ccurl_set_list(handle, CURLOPT_HTTPHEADER, nil) == CURLE_OK
            && outgoing.wipe(at: handle) == CURLE_OK
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(headerLines)
        unsafe errorText.deallocate()
    }

    /// The outcome, given libcurl's result for this handle.
    func result(_ code: CURLcode) -> Result<HTTPResponse, CurlError> {
        let wasTruncated = code == CURLE_WRITE_ERROR && overflowed && options.overflow == .truncate
        guard code == CURLE_OK || wasTruncated else { return .failure(error(reason(code))) }
        return .success(
            HTTPResponse(
                status: status, headers: HTTPHeader.lines(of: head), body: body, bodyIsTruncated: wasTruncated,
                connectedAddress: connectedAddress, timings: timings))
    }

    /// The error this transfer ends with, as far as it has come.
    func error(_ reason: CurlError.Reason) -> CurlError {
        var detail = unsafe String(cString: errorText)
        if reason == .blocked, let refusedAddress { detail = "refused address \(refusedAddress)" }
        return CurlError(
            reason, requestMayHaveLeft: requestMayHaveLeft, status: status == 0 ? nil : status,
            connectedAddress: connectedAddress, timings: timings, detail: detail,
            answer: upload == nil ? "" : String(decoding: body, as: UTF8.self))
    }

    private func reason(_ code: CURLcode) -> CurlError.Reason {
        // The codes by which libcurl tells that a mail server answered with anything but yes.
        if upload != nil, status >= 400 {
            let words = unsafe String(cString: errorText)
            // By these it refuses the letter for its size, or us for lack of a login, and nobody for being the sender.
            let isOfSender = words.hasPrefix("MAIL failed") && ![552, 530, 534, 535, 538].contains(status)
            return switch code {
            case CURLE_LOGIN_DENIED: .loginRefused
            // Of the greeting and of EHLO; of the letter's end too, but then the letter has left.
            case CURLE_WEIRD_SERVER_REPLY, CURLE_REMOTE_ACCESS_DENIED: requestMayHaveLeft ? .refused : .unwelcome
            // Only libcurl's words tell whether the sender or the recipient was refused.
            case CURLE_SEND_ERROR where status >= 500 && isOfSender:
                .senderRefused
            default: .refused
            }
        }
        // libcurl has no code of its own for a proxy that says no to a CONNECT.
        let isBehindProxy = !options.proxy.isEmpty && !requestMayHaveLeft
        if isBehindProxy, code == CURLE_COULDNT_CONNECT || proxyStatus >= 300 { return .proxy }
        return switch code {
        // libcurl says the same of an answer that does not begin like HTTP.
        case CURLE_UNSUPPORTED_PROTOCOL: requestMayHaveLeft ? .badResponse : .unsupportedProtocol
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED: .invalidURL
        case CURLE_COULDNT_RESOLVE_HOST: .unresolved
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
        case CURLE_COULDNT_CONNECT: refusedAddress != nil && !openedSocket ? .blocked : .unreachable
        case CURLE_ABORTED_BY_CALLBACK: .blocked
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS: .certificate
        case CURLE_USE_SSL_FAILED, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER,
            CURLE_SSL_CLIENTCERT:
            .tls
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE: .interrupted
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: .badResponse
        case CURLE_WRITE_ERROR where overflowed: .tooLarge
        default: .failed
        }
    }
}

// MARK: Options

extension Transfer {
    private func configure(_ request: HTTPRequest) throws(CurlError) {
        try configure(request.url, schemes: options.allowedSchemes.map(\.rawValue).sorted())
        // Over HTTP/2, libcurl 7.88 reports a stream error when a server answers before it has read the whole
        // body, although the request was served.
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_FOLLOWLOCATION, 0)
        if options.acceptCompressed { try set(CURLOPT_ACCEPT_ENCODING, "gzip") }
        try setBody(request)
        try setHeaders(request)
    }

    private func configure(_ letter: MailRequest) throws(CurlError) {
        try configure(letter.url, schemes: [letter.server.security == .tls ? "smtps" : "smtp"])
        if letter.server.security == .startTLS { try set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        if let name = letter.server.userName { try set(CURLOPT_USERNAME, name) }
        if let password = letter.server.password { try set(CURLOPT_PASSWORD, password) }
        try set(CURLOPT_MAIL_FROM, "<\(letter.sender)>")
        // One recipient, so that one who is refused takes the letter from nobody else.
        guard let list = unsafe curl_slist_append(nil, "<\(letter.recipient)>") else {
            throw CurlError(.failed, detail: "no memory for the recipient")
        }
        unsafe headerLines = unsafe list
        try unsafe check(ccurl_set_list(handle, CURLOPT_MAIL_RCPT, list))
        try set(CURLOPT_UPLOAD, 1)
        // Also for the answer to our goodbye, for which libcurl would wait two minutes and hold up every other letter.
        try set(CURLOPT_SERVER_RESPONSE_TIMEOUT, max(1, options.totalTimeout.wholeMilliseconds / 1000))
        try unsafe check(ccurl_set_data_callback(handle, CURLOPT_READFUNCTION, provideLetter))
        try unsafe check(ccurl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(self).toOpaque()))
    }

    private func configure(_ url: String, schemes: [String]) throws(CurlError) {
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        try unsafe check(ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
        try set(CURLOPT_NOSIGNAL, 1)
        // A name lookup runs on a thread of its own; without this, giving up on one would wait for that thread, and
        // with it every other transfer of the loop.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_URL, url)
        try set(CURLOPT_PROTOCOLS_STR, schemes.joined(separator: ","))
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        // An empty string, unlike an unset option, also keeps http_proxy in the environment from being used.
        try set(CURLOPT_PROXY, options.proxy)
        // What a proxy answers before the receiver does is none of the receiver's answer.
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeout.wholeMilliseconds)
        try set(CURLOPT_TIMEOUT_MS, options.totalTimeout.wholeMilliseconds)
        if let stall = options.stallTimeout {
            try set(CURLOPT_LOW_SPEED_LIMIT, 1)
            try set(CURLOPT_LOW_SPEED_TIME, max(1, stall.wholeMilliseconds / 1000))
        }
        try set(CURLOPT_FRESH_CONNECT, options.freshConnection ? 1 : 0)
        try set(CURLOPT_FORBID_REUSE, options.freshConnection ? 1 : 0)
        // A kept connection or a cached address older than a minute is less likely to work than to have moved.
        try set(CURLOPT_MAXAGE_CONN, 60)
        try set(CURLOPT_DNS_CACHE_TIMEOUT, 60)
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        // Either takes the place of the system's bundle, but not of its directory of single authorities (CURLOPT_CAPATH,
        // which Debian builds in): with that directory there, these count beside the system's.
        if let caFile = options.caFile { try set(CURLOPT_CAINFO, caFile) }
        if let authorities = options.authorities {
            try unsafe check(ccurl_set_blob(handle, CURLOPT_CAINFO_BLOB, authorities, authorities.utf8.count))
        }

        try unsafe check(ccurl_set_data_callback(handle, CURLOPT_WRITEFUNCTION, receiveBody))
        try unsafe check(ccurl_set_pointer(handle, CURLOPT_WRITEDATA, me))
        try unsafe check(ccurl_set_data_callback(handle, CURLOPT_HEADERFUNCTION, receiveHeader))
        try unsafe check(ccurl_set_pointer(handle, CURLOPT_HEADERDATA, me))
        try unsafe check(ccurl_set_open_socket(handle, openSocket))
        try unsafe check(ccurl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, me))
        try unsafe check(ccurl_set_prereq(handle, beforeRequest))
        try unsafe check(ccurl_set_pointer(handle, CURLOPT_PREREQDATA, me))
    }

    private func setBody(_ request: HTTPRequest) throws(CurlError) {
        switch request.method {
        case .get: try set(CURLOPT_HTTPGET, 1)
        case .head: try set(CURLOPT_NOBODY, 1)
        case .post: try set(CURLOPT_POST, 1)
        case .put, .patch, .delete: try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
        departing = request.departingBody.map { DepartingBody(count: request.body.count, make: $0) }
        guard request.method == .post || !request.body.isEmpty else { return }
        try unsafe check(outgoing.lend(request.body, to: handle))
        if request.method != .post { try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
    }

    private func setHeaders(_ request: HTTPRequest) throws(CurlError) {
        // libcurl waits for "100 Continue" before larger bodies and invents a content type; a name followed by
        // nothing takes its line out.
        try append("Expect:")
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) { try append("Content-Type:") }
        for header in request.headers {
            // "Name:" would remove the header; "Name;" is libcurl's way to send it empty.
            try append(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        try unsafe check(ccurl_set_list(handle, CURLOPT_HTTPHEADER, headerLines))
    }

    private func append(_ line: String) throws(CurlError) {
        guard let longer = unsafe curl_slist_append(headerLines, line) else {
            throw CurlError(.failed, detail: "no memory for headers")
        }
        unsafe headerLines = unsafe longer
    }

    private func set(_ option: CURLoption, _ value: Int) throws(CurlError) {
        try unsafe check(ccurl_set_long(handle, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) throws(CurlError) {
        try unsafe check(ccurl_set_string(handle, option, value))
    }

    private func check(_ code: CURLcode) throws(CurlError) {
        guard code == CURLE_OK else {
            throw CurlError(.failed, detail: "libcurl refused an option (\(code.rawValue))")
        }
    }
}

// MARK: What libcurl asks and tells

extension Transfer {
    /// Takes a piece of body; answering with another count than its length ends the transfer.
    func receive(body piece: UnsafeRawBufferPointer) -> Int {
        if let pieces {
            guard tellHead(), pieces(unsafe .body(Array(piece))) else {
                overflowed = true
                return 0
            }
            return piece.count
        }
        let room = options.responseLimit - body.count
        guard piece.count <= room else {
            overflowed = true
            if options.overflow == .truncate { unsafe body.append(contentsOf: piece.prefix(room)) }
            return 0
        }
        unsafe body.append(contentsOf: piece)
        return piece.count
    }

    /// Hands on status and headers before the first piece of body.
    private func tellHead() -> Bool {
        guard let pieces, !hasToldHead else { return true }
        hasToldHead = true
        return pieces(
            .head(HTTPResponse(status: status, headers: HTTPHeader.lines(of: head), connectedAddress: connectedAddress))
        )
    }

    /// Takes one header line; a status line begins another answer, so that only the last one's headers stay.
    func receive(header line: UnsafeRawBufferPointer) -> Int {
        if upload != nil {
            // What a mail server says; the end of it is what matters.
            unsafe body.append(contentsOf: line)
            if body.count > options.responseLimit { body.removeFirst(body.count - options.responseLimit) }
            return line.count
        }
        headerBytes += line.count
        guard headerBytes <= Self.headerLimit else {
            overflowed = true
            return 0
        }
        // The empty line ends the head; of what comes before a final answer nothing is told.
        if unsafe line.first == 0x0D || line.first == 0x0A { return status < 200 || tellHead() ? line.count : 0 }
        // A status line begins another answer.
        if unsafe line.starts(with: "HTTP/".utf8) { head = [] } else { unsafe head.append(contentsOf: line) }
        return line.count
    }

    /// Gives the next piece of the letter; nothing at its end.
    func provide(into room: UnsafeMutableRawBufferPointer) -> Int {
        guard let (letter, sent) = upload else { return 0 }
        let piece = letter[sent...].prefix(room.count)
        guard !piece.isEmpty else {
            requestMayHaveLeft = true
            return 0
        }
        unsafe room.copyBytes(from: piece)
        upload?.sent = sent + piece.count
        return piece.count
    }

    /// Whether a socket to the address may be opened; nil is an address that is neither IPv4 nor IPv6.
    func mayOpenSocket(to address: IPAddress?) -> Bool {
        guard isAllowed(address) else { return false }
        openedSocket = true
        return true
    }

    /// Whether the request may be sent to the address that the connection, new or reused, leads to.
    func maySendRequest(to address: IPAddress?) -> Bool {
        guard isAllowed(address) else { return false }
        if let body = departing?.now, unsafe outgoing.lend(body, to: handle) != CURLE_OK { return false }
        if upload == nil { requestMayHaveLeft = true }
        return true
    }

    private func isAllowed(_ address: IPAddress?) -> Bool {
        if options.addressPolicy == .anyAddress { return true }
        if let address, options.addressPolicy.allows(address) { return true }
        refusedAddress = address ?? .v4(0)
        return false
    }
}
