import CCurl
import Foundation
import Synchronization

/// A receiver of webhooks on 127.0.0.1 that costs as little as one can: one thread, one fixed answer that every
/// vendor's sender takes for yes.
final class LoopbackSink: BenchSink {
    struct Failure: Error { let code: Int32 }

    static let answer = Array(
        "HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n{\"errcode\":0,\"errmsg\":\"ok\"}".utf8)

    private let listener: Int32
    let arrivals = Arrivals()
    /// Told of each request that is not answered; nil while requests are.
    private let held = Mutex<AsyncStream<Void>.Continuation?>(nil)
    private let latest = Mutex(ContinuousClock.now)
    private let port: UInt16

    var latestArrival: ContinuousClock.Instant { latest.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)" }

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw Failure(code: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Int32 in
                guard unsafe bind(listener, generic, length) == 0, listen(listener, 4096) == 0 else { return errno }
                return unsafe getsockname(listener, generic, &length) == 0 ? 0 : errno
            }
        }
        guard code == 0 else { throw Failure(code: code) }
        port = UInt16(bigEndian: address.sin_port)
        Thread { self.run() }.start()
    }

    /// From now on requests are taken, told of and not answered.
    func hold() -> AsyncStream<Void> {
        let (requests, request) = AsyncStream<Void>.makeStream()
        held.withLock { $0 = request }
        return requests
    }

    /// Ends with the process.
    private func run() {
        let poller = epoll_create1(0)
        ccurl_watch(poller, listener, CURL_POLL_IN)
        var requests: [Int32: RequestEnd] = [:]
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var ready = [Int32](repeating: 0, count: 64)
        var happenings = ready
        while true {
            let count = unsafe ccurl_wait(poller, -1, &ready, &happenings)
            for descriptor in ready[..<Int(count)] {
                guard descriptor != listener else {
                    let connection = accept(listener, nil, nil)
                    guard connection >= 0 else { continue }
                    ccurl_watch(poller, connection, CURL_POLL_IN)
                    requests[connection] = RequestEnd()
                    continue
                }
                let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0, var request = requests[descriptor] else {
                    close(descriptor)
                    requests[descriptor] = nil
                    continue
                }
                if request.isNew { latest.withLock { $0 = .now } }
                requests[descriptor] = nil
                let ended = request.take(buffer[..<count])
                requests[descriptor] = request
                guard ended > 0 else { continue }
                arrivals.note(ended)
                if let request = held.withLock({ $0 }) {
                    for _ in 0..<ended { request.yield() }
                    continue
                }
                for _ in 0..<ended {
                    unsafe _ = send(descriptor, Self.answer, Self.answer.count, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }
}

/// What receives webhooks in a measurement.
protocol BenchSink: Sendable {
    /// Requests whose last byte has come.
    var arrivals: Arrivals { get }
    var url: String { get }
}

/// Counts requests for one who waits for a number of them.
final class Arrivals: Sendable {
    private struct Awaited {
        var left = 0
        var arrival: AsyncStream<Void>.Continuation?
    }

    private let awaited = Mutex(Awaited())

    /// One element, when so many more have come; none if it is given up before.
    func next(_ count: Int) -> AsyncStream<Void> {
        let (arrivals, arrival) = AsyncStream<Void>.makeStream()
        awaited.withLock { $0 = Awaited(left: count, arrival: arrival) }
        return arrivals
    }

    func note(_ count: Int) {
        awaited.withLock { awaited in
            awaited.left -= count
            guard awaited.left <= 0 else { return }
            awaited.arrival?.yield()
            awaited.arrival = nil
        }
    }

    func giveUp() { awaited.withLock { $0.arrival?.finish() } }
}

/// Finds the ends of requests in what arrives.
struct RequestEnd {
    /// Of the body, once the head is complete.
    private var missing: Int?
    private var head: [UInt8] = []

    /// Whether nothing of the next request has come.
    var isNew: Bool { missing == nil && head.isEmpty }

    /// Takes bytes; how many requests ended with them.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> Int {
        var rest = bytes
        var ended = 0
        while true {
            if let left = missing {
                let piece = min(left, rest.count)
                rest = rest.dropFirst(piece)
                missing = left - piece
                guard left == piece else { return ended }
                missing = nil
                ended += 1
            }
            guard !rest.isEmpty else { return ended }
            head += rest
            guard let end = Self.end(of: head) else { return ended }
            missing = Self.length(head[..<end])
            rest = head[end...]
            head = []
        }
    }

    private static func end(of bytes: [UInt8]) -> Int? {
        var index = 3
        while index < bytes.count {
            if bytes[index] == 10, bytes[index - 1] == 13, bytes[index - 2] == 10 { return index + 1 }
            index += bytes[index] == 13 ? 1 : bytes[index] == 10 ? 2 : 1
        }
        return nil
    }

    private static let name = Array("\ncontent-length: ".utf8)

    private static func length(_ head: ArraySlice<UInt8>) -> Int {
        var start = head.startIndex
        while let line = head[start...].firstIndex(of: 10), line + name.count < head.endIndex {
            start = line + 1
            guard zip(head[line...], name).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { continue }
            return head[(line + name.count)...].prefix { (0x30...0x39).contains($0) }
                .reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        return 0
    }
}
