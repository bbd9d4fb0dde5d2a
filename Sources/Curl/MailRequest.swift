/// The server that takes mail for delivery.
package struct MailServer: Hashable, Sendable {
    /// How the connection is protected.
    package enum Security: String, CaseIterable, Hashable, Sendable {
        /// TLS from the first byte, usually on port 465.
        case tls
        /// Plain until STARTTLS, which the server has to offer; usually on port 587.
        case startTLS = "starttls"
        /// None, for a server on this machine.
        case plain
    }

    /// A host name or numeric address, as in a URL.
    package var host: String
    package var port: Int
    package var security: Security
    package var userName: String?
    package var password: String?
    /// The name to greet with, in place of this machine's.
    package var greeting: String?
    /// A PEM file of certificate authorities to trust beside those in the system's directory, in place of its bundle.
    package var caFile: String?

    package init(
        host: String, port: Int, security: Security, userName: String? = nil, password: String? = nil,
        greeting: String? = nil, caFile: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.userName = userName
        self.password = password
        self.greeting = greeting
        self.caFile = caFile
    }
}

extension MailServer: CustomStringConvertible, CustomReflectable {
    /// Host and port; never the password.
    package var description: String { "\(host):\(port)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// One letter to one mailbox.
///
/// libcurl hands addresses to the server as they are: a line break in one would be a command of its own. So a letter is
/// judged by ``firstFault`` before it reaches libcurl.
package struct MailRequest: Sendable {
    package var server: MailServer
    /// The address bounces go to.
    package var sender: String
    package var recipient: String
    /// Head and body, every line ending with CRLF; libcurl passes single line feeds on, which servers refuse.
    package var letter: [UInt8]
    package var connectTimeout = Duration.seconds(10)
    package var totalTimeout = Duration.seconds(30)

    package init(server: MailServer, sender: String, recipient: String, letter: [UInt8]) {
        self.server = server
        self.sender = sender
        self.recipient = recipient
        self.letter = letter
    }

    /// Why this letter must not be handed to libcurl, or nil when it may be.
    var firstFault: CurlError.Reason? {
        let isPlain: (String) -> Bool = { text in
            !text.isEmpty
                && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
        }
        guard isPlain(server.host), !server.host.contains(where: { "/?#@\\".contains($0) }),
            (1...65_535).contains(server.port)
        else { return .invalidURL }
        if let greeting = server.greeting {
            guard isPlain(greeting), !greeting.contains(where: { "/?#@\\".contains($0) }) else { return .invalidURL }
        }
        guard isPlain(sender), isPlain(recipient), hasCompleteLines else { return .invalidHeader }
        return nil
    }

    /// Whether every line feed follows a carriage return and the other way round.
    private var hasCompleteLines: Bool {
        var isAfterReturn = false
        for byte in letter {
            guard (byte == UInt8(ascii: "\n")) == isAfterReturn else { return false }
            isAfterReturn = byte == UInt8(ascii: "\r")
        }
        return !isAfterReturn
    }

    var url: String {
        let scheme = server.security == .tls ? "smtps" : "smtp"
        return "\(scheme)://\(server.host):\(server.port)/\(server.greeting ?? "")"
    }

    /// The options of its transfer; the operator, not a stranger, has named the server, so that it may be an inner one.
    var options: TransferOptions {
        TransferOptions(
            connectTimeout: connectTimeout, totalTimeout: totalTimeout, responseLimit: 4096, overflow: .truncate,
            freshConnection: true, addressPolicy: .anyAddress, caFile: server.caFile)
    }
}

/// The mail server's last answer to a letter it has taken.
package struct MailReply: Sendable {
    /// Such as 250.
    package let code: Int
    /// The end of what the server said.
    package let text: String
    package let connectedAddress: String?
    package let timings: TransferTimings

    package init(code: Int, text: String, connectedAddress: String? = nil, timings: TransferTimings = .zero) {
        self.code = code
        self.text = text
        self.connectedAddress = connectedAddress
        self.timings = timings
    }
}
