import Glibc
import Synchronization

import class Foundation.Thread

/// A digest receiver on loopback: it keeps every request it gets, and answers as a test tells it to.
final class Receiver: Sendable {
    /// One request as it came over the wire.
    struct Request: Sendable {
        let head: String
        let body: [UInt8]

        var path: Substring { head.split(separator: " ").dropFirst().first ?? "" }

        /// All values sent under a name, in order.
        func values(of name: String) -> [String] {
            head.split(separator: "\r\n").dropFirst().compactMap { line in
                guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { return nil }
                return String(line[line.index(after: colon)...].drop { $0 == " " })
            }
        }
    }

    enum Behaviour: Sendable {
        case answer(Int)
        /// Answers 200 with this body, as robots want to be answered.
        case say(String)
        /// Reads the request and then says nothing until the sender goes away.
        case hang
    }

    let port: UInt16
    let requests = Watched<[Request]>([])
    private let behaviour: Mutex<Behaviour>
    private let socket: Int32

    init(_ behaviour: Behaviour) throws {
        (socket, port) = try Descriptor.listening()
        self.behaviour = Mutex(behaviour)
        let socket = socket
        Thread { [weak self] in
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0, let receiver = self else { break }
                Thread { receiver.serve(connection) }.start()
            }
            close(socket)
        }.start()
    }

    deinit { Descriptor.end(socket) }

    var url: String { "http://127.0.0.1:\(port)" }

    func behave(_ behaviour: Behaviour) { self.behaviour.withLock { $0 = behaviour } }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var pending: [UInt8] = []
        while let request = Self.nextRequest(connection, pending: &pending) {
            let behaviour = behaviour.withLock { $0 }
            requests.update { $0.append(request) }
            switch behaviour {
            case .answer(let status):
                Descriptor.write(Array("HTTP/1.1 \(status) Answer\r\nContent-Length: 0\r\n\r\n".utf8), to: connection)
            case .say(let text):
                let head = "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
                Descriptor.write(Array((head + text).utf8), to: connection)
            case .hang:
                while let bytes = Descriptor.read(connection), !bytes.isEmpty {}
                return
            }
        }
    }

    private static func nextRequest(_ connection: Int32, pending: inout [UInt8]) -> Request? {
        while true {
            if let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) {
                let head = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
                let length = Request(head: head, body: []).values(of: "content-length").first.flatMap { Int($0) } ?? 0
                if pending.count >= end.upperBound + length {
                    let body = Array(pending[end.upperBound..<end.upperBound + length])
                    pending.removeFirst(end.upperBound + length)
                    return Request(head: head, body: body)
                }
            }
            guard let bytes = Descriptor.read(connection), !bytes.isEmpty else { return nil }
            pending += bytes
        }
    }
}
