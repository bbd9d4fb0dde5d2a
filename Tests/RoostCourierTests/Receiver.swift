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
    /// These bytes, and the connection is reset as when the receiver's machine goes down.
    case reset([UInt8])
    /// These bytes, and then one zero after another until the sender gives up.
    case drip([UInt8])

    static func json(_ text: String, status: Int = 200) -> Reply {
        .answer(status, headers: ["Content-Type: application/json"], body: Array(text.utf8))
    }
}

/// An HTTP/1.1 server on a free port of 127.0.0.1 that keeps what it is sent; it stops when it is released.
final class Receiver: Sendable {
    private final class Shared: Sendable {
        let requests = Mutex<[ReceivedRequest]>([])
        let early: @Sendable (ReceivedRequest) -> Reply?
        let reply: @Sendable (ReceivedRequest) -> Reply

        init(
            early: @escaping @Sendable (ReceivedRequest) -> Reply?,
            reply: @escaping @Sendable (ReceivedRequest) -> Reply
        ) {
            self.early = early
            self.reply = reply
        }
    }

    let port: UInt16
    private let socket: Int32
    private let shared: Shared

    var base: String { "http://127.0.0.1:\(port)" }
    var requests: [ReceivedRequest] { shared.requests.withLock { $0 } }

    /// `early` may answer, or break off, when only the head of a request has come.
    init(
        onEveryAddress: Bool = false,
        reply: @escaping @Sendable (ReceivedRequest) -> Reply = { _ in .answer(200) },
        early: @escaping @Sendable (ReceivedRequest) -> Reply? = { _ in nil }
    ) throws {
        (socket, port) = try listeningSocket(backlog: 512, onEveryAddress: onEveryAddress)
        shared = Shared(early: early, reply: reply)
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
        while true {
            var isAnswered = false
            let next = nextRequest(connection, number: number, pending: &pending) { head in
                guard let reply = shared.early(head) else { return true }
                isAnswered = true
                return perform(reply, to: head, on: connection)
            }
            guard let request = next else { return }
            shared.requests.withLock { $0.append(request) }
            guard isAnswered || perform(shared.reply(request), to: request, on: connection) else { return }
        }
    }

    /// Whether the connection goes on.
    private static func perform(_ reply: Reply, to request: ReceivedRequest, on connection: Int32) -> Bool {
        switch reply {
        case .answer(let status, let headers, let body):
            let lines = ["HTTP/1.1 \(status) Answer", "Content-Length: \(body.count)"] + headers
            let isHead = request.requestLine.hasPrefix("HEAD ")
            let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
            Wire.write(head + (isHead ? [] : body), to: connection)
            return true
        case .raw(let bytes):
            Wire.write(bytes, to: connection)
        case .hang:
            while let piece = Wire.read(connection), !piece.isEmpty {}
        case .close:
            break
        case .reset(let bytes):
            Wire.write(bytes, to: connection)
            Wire.reset(connection)
        case .drip(let bytes):
            Wire.write(bytes, to: connection)
            while !Wire.isGone(connection, after: 20) { Wire.write([0x20], to: connection) }
        }
        return false
    }

    private static func nextRequest(
        _ connection: Int32, number: Int, pending: inout [UInt8], onHead goesOn: (ReceivedRequest) -> Bool
    ) -> ReceivedRequest? {
        let end = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            if let range = pending[max(0, searched - 3)...].firstRange(of: end) {
                let head = String(decoding: pending[..<range.lowerBound], as: UTF8.self)
                let probe = ReceivedRequest(head: head, body: [], connection: number)
                guard goesOn(probe) else { return nil }
                let length = probe.values(of: "content-length").first.flatMap(Int.init) ?? 0
                while pending.count < range.upperBound + length {
                    guard let piece = Wire.read(connection), !piece.isEmpty else { return nil }
                    pending += piece
                }
                let body = Array(pending[range.upperBound..<range.upperBound + length])
                pending.removeFirst(range.upperBound + length)
                return ReceivedRequest(head: head, body: body, connection: number)
            }
            searched = pending.count
            guard let piece = Wire.read(connection), !piece.isEmpty else { return nil }
            pending += piece
        }
    }
}
