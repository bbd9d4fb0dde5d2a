import Foundation
import Synchronization

/// One request as a receiver got it.
struct ReceivedPost: Sendable {
    let head: String
    let body: [UInt8]

    /// The value of a header.
    func header(_ name: String) -> String? {
        head.split(separator: "\r\n").dropFirst().lazy
            .compactMap { line -> String? in
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2, parts[0].lowercased() == name else { return nil }
                return parts[1].trimmingCharacters(in: .whitespaces)
            }.first
    }
}

/// A web server on a free port of 127.0.0.1 that takes one request a connection and keeps it.
final class LoopbackReceiver: Sendable {
    struct Failure: Error {}

    let port: UInt16
    private let socket: Int32
    private let posts: Mutex<[ReceivedPost]>
    private let arrivals: AsyncStream<ReceivedPost>

    /// `words` is the body of every answer; `answer` tells the status of that to the n-th request, counted from 0.
    /// - Throws: ``Failure`` if there is no free port.
    init(saying words: String = "", answer: @escaping @Sendable (Int) -> Int = { _ in 200 }) throws {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isListening else { throw Failure() }
        let (arrivals, arrival) = AsyncStream<ReceivedPost>.makeStream()
        socket = descriptor
        port = UInt16(bigEndian: address.sin_port)
        posts = Mutex([])
        self.arrivals = arrivals
        Thread {
            var count = 0
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { break }
                if let post = Self.read(connection) {
                    let text =
                        "HTTP/1.1 \(answer(count)) Answer\r\nContent-Length: \(words.utf8.count)\r\n"
                        + "Connection: close\r\n\r\n\(words)"
                    count += 1
                    let bytes = Array(text.utf8)
                    _ = unsafe send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                    arrival.yield(post)
                }
                close(connection)
            }
            close(descriptor)
        }.start()
    }

    deinit { shutdown(socket, Int32(SHUT_RDWR)) }

    /// Waits for the next request.
    func next() async -> ReceivedPost? {
        for await post in arrivals { return post }
        return nil
    }

    private static func read(_ connection: Int32) -> ReceivedPost? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = bytes.firstRange(of: end) {
                let post = ReceivedPost(
                    head: String(decoding: bytes[..<range.lowerBound], as: UTF8.self),
                    body: Array(bytes[range.upperBound...]))
                if post.body.count >= Int(post.header("content-length") ?? "0") ?? 0 { return post }
            }
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer.prefix(count)
        }
    }
}
