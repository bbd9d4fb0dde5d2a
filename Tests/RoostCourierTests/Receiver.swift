import Glibc
import Synchronization

import class Foundation.Thread

/// One request as it came over the wire.
struct ReceivedRequest: Sendable {
    /// Everything before the body, line ends included.
    let head: String
    let body: [UInt8]
    /// Counts connections from 0.
    let connection: Int

    var requestLine: String { lines.first ?? "" }

    /// All values sent under the name, in order.
    func values(of name: String) -> [String] {
        lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name.lowercased() else {
                return nil
            }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }

    private var lines: [String] { head.split(separator: "\r\n").map(String.init) }
}

/// What a receiver does with a request.
enum Reply: Sendable {
    case answer(Int, headers: [String] = [], body: [UInt8] = [])
    /// Bytes as they are, after which the connection is closed.
    case raw([UInt8])
    /// Nothing, until the sender gives up.
    case hang
    /// Nothing, and the connection is closed.
    case close

    static func json(_ text: String, status: Int = 200) -> Reply {
        .answer(status, headers: ["Content-Type: application/json"], body: Array(text.utf8))
    }
}

/// An HTTP/1.1 server on a free port of 127.0.0.1 that keeps what it is sent; it stops when it is released.
final class Receiver: Sendable {
    private final class Shared: Sendable {
        let requests = Mutex<[ReceivedRequest]>([])
        let reply: @Sendable (ReceivedRequest) -> Reply

        init(reply: @escaping @Sendable (ReceivedRequest) -> Reply) { self.reply = reply }
    }

    let port: UInt16
    private let socket: Int32
    private let shared: Shared

    var base: String { "http://127.0.0.1:\(port)" }
    var requests: [ReceivedRequest] { shared.requests.withLock { $0 } }

    init(reply: @escaping @Sendable (ReceivedRequest) -> Reply = { _ in .answer(200) }) throws {
        (socket, port) = try listeningSocket(backlog: 512)
        shared = Shared(reply: reply)
        let (socket, shared) = (socket, shared)
        Thread {
            var count = 0
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { break }
                let number = count
                count += 1
                Thread { Self.serve(connection, number: number, shared: shared) }.start()
            }
            close(socket)
        }.start()
    }

    deinit { shutdown(socket, Int32(SHUT_RDWR)) }

    private static func serve(_ connection: Int32, number: Int, shared: Shared) {
        defer { close(connection) }
        var pending: [UInt8] = []
        while let request = nextRequest(connection, number: number, pending: &pending) {
            shared.requests.withLock { $0.append(request) }
            switch shared.reply(request) {
            case .answer(let status, let headers, let body):
                let lines = ["HTTP/1.1 \(status) Answer", "Content-Length: \(body.count)"] + headers
                let isHead = request.requestLine.hasPrefix("HEAD ")
                write(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (isHead ? [] : body), to: connection)
            case .raw(let bytes):
                write(bytes, to: connection)
                return
            case .hang:
                while let piece = read(connection), !piece.isEmpty {}
                return
            case .close:
                return
            }
        }
    }

    private static func nextRequest(
        _ connection: Int32, number: Int, pending: inout [UInt8]
    ) -> ReceivedRequest? {
        let end = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            if let range = pending[max(0, searched - 3)...].firstRange(of: end) {
                let head = String(decoding: pending[..<range.lowerBound], as: UTF8.self)
                let probe = ReceivedRequest(head: head, body: [], connection: number)
                let length = probe.values(of: "content-length").first.flatMap(Int.init) ?? 0
                while pending.count < range.upperBound + length {
                    guard let piece = read(connection), !piece.isEmpty else { return nil }
                    pending += piece
                }
                let body = Array(pending[range.upperBound..<range.upperBound + length])
                pending.removeFirst(range.upperBound + length)
                return ReceivedRequest(head: head, body: body, connection: number)
            }
            searched = pending.count
            guard let piece = read(connection), !piece.isEmpty else { return nil }
            pending += piece
        }
    }

    private static func read(_ connection: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe recv(connection, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    private static func write(_ bytes: [UInt8], to connection: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes {
                unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }
}

struct SocketError: Error {
    let code: Int32
}

/// A socket listening on a free port of 127.0.0.1, and that port.
func listeningSocket(backlog: Int32) throws -> (socket: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError(code: errno) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Int32 in
            guard unsafe bind(descriptor, generic, length) == 0, listen(descriptor, backlog) == 0 else { return errno }
            return unsafe getsockname(descriptor, generic, &length) == 0 ? 0 : errno
        }
    }
    guard code == 0 else {
        close(descriptor)
        throw SocketError(code: code)
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}
