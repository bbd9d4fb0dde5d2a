import Glibc
import Synchronization

import class Foundation.Thread

/// A letter as a mail server got it.
struct ReceivedLetter: Hashable, Sendable {
    let sender: String
    let recipients: [String]
    /// Dots at the beginning of lines taken back.
    let bytes: [UInt8]

    /// Head lines, those that continue another joined to it.
    var head: [String] {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines: [String] = []
        for line in text.components(of: "\r\n") {
            if line.isEmpty { break }
            if line.first == " ", let last = lines.popLast() { lines.append(last + line) } else { lines.append(line) }
        }
        return lines
    }

    func values(of name: String) -> [String] {
        head.filter { $0.lowercased().hasPrefix(name.lowercased() + ": ") }.map {
            String($0.dropFirst(name.count + 2))
        }
    }
}

extension String {
    fileprivate func components(of separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}

/// A mail server on a free port of 127.0.0.1 that keeps what it is handed; it stops when it is released.
final class MailSink: Sendable {
    /// Where in a session something else happens than yes.
    enum Step: String, CaseIterable, Hashable, Sendable {
        case greeting
        case mail = "MAIL"
        case recipient = "RCPT"
        case data = "DATA"
        /// After the last line of a letter.
        case letter
    }

    enum Reply: Sendable {
        case say(String)
        case hang
        case close
    }

    private struct State {
        var letters: [ReceivedLetter] = []
        var commands: [String] = []
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
        let replies: [Step: Reply]
        let offers: [String]

        init(replies: [Step: Reply], offers: [String]) {
            self.replies = replies
            self.offers = offers
        }
    }

    let port: UInt16
    private let socket: Int32
    private let shared: Shared

    var letters: [ReceivedLetter] { shared.state.withLock { $0.letters } }
    var commands: [String] { shared.state.withLock { $0.commands } }

    init(_ replies: [Step: Reply] = [:], offers: [String] = ["SIZE 1000000", "8BITMIME"]) throws {
        (socket, port) = try listeningSocket(backlog: 64)
        shared = Shared(replies: replies, offers: offers)
        let (socket, shared) = (socket, shared)
        Thread {
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { break }
                Thread {
                    var session = Session(connection: connection, shared: shared)
                    session.run()
                    close(connection)
                }.start()
            }
            close(socket)
        }.start()
    }

    deinit { shutdown(socket, Int32(SHUT_RDWR)) }

    private struct Session {
        let connection: Int32
        let shared: Shared
        var pending: [UInt8] = []
        var sender = ""
        var recipients: [String] = []

        init(connection: Int32, shared: Shared) {
            self.connection = connection
            self.shared = shared
        }

        mutating func run() {
            guard reply(.greeting, "220 sink ready") else { return }
            while let line = nextLine() {
                shared.state.withLock { $0.commands.append(line) }
                let verb = line.prefix { $0 != " " }.uppercased()
                switch verb {
                case "EHLO":
                    let lines = ["sink"] + shared.offers
                    for (index, offer) in lines.enumerated() {
                        say("250\(index == lines.count - 1 ? " " : "-")\(offer)")
                    }
                case "AUTH": say("535 5.7.8 authentication failed")
                case "MAIL":
                    sender = line
                    guard reply(.mail, "250 ok") else { return }
                case "RCPT":
                    recipients.append(line)
                    guard reply(.recipient, "250 ok") else { return }
                case "DATA":
                    guard reply(.data, "354 go on") else { return }
                    guard shared.replies[.data] == nil else { continue }
                    guard let letter = nextLetter() else { return }
                    if shared.replies[.letter] == nil { shared.state.withLock { $0.letters.append(letter) } }
                    guard reply(.letter, "250 2.0.0 kept") else { return }
                case "QUIT":
                    say("221 bye")
                    return
                default: say("250 ok")
                }
            }
        }

        private func say(_ line: String) { Wire.write(Array((line + "\r\n").utf8), to: connection) }

        /// Whether the session goes on.
        private func reply(_ step: Step, _ usual: String) -> Bool {
            switch shared.replies[step] {
            case nil: say(usual)
            case .say(let line): say(line)
            case .hang:
                while let piece = Wire.read(connection), !piece.isEmpty {}
                return false
            case .close: return false
            }
            return true
        }

        private mutating func nextLetter() -> ReceivedLetter? {
            var bytes: [UInt8] = []
            while let line = nextLine() {
                if line == "." { return ReceivedLetter(sender: sender, recipients: recipients, bytes: bytes) }
                bytes += Self.unstuffed(line) + [13, 10]
            }
            return nil
        }

        private static func unstuffed(_ line: String) -> [UInt8] {
            line.hasPrefix("..") ? Array(line.utf8.dropFirst()) : Array(line.utf8)
        }

        private mutating func nextLine() -> String? {
            while true {
                if let end = pending.firstRange(of: [13, 10]) {
                    let line = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
                    pending.removeSubrange(..<end.upperBound)
                    return line
                }
                guard let piece = Wire.read(connection), !piece.isEmpty else { return nil }
                pending += piece
            }
        }
    }
}
