import Glibc
import Synchronization

import class Foundation.Thread

/// A relay between devices and a server that can hold back what passes, so that a test can interrupt an exchange in its
/// very middle.
///
/// While it holds, connections stay open and silent.
final class Tollgate: Sendable {
    /// What is held back from now on.
    enum Held: Hashable, Sendable {
        case nothing
        /// The server never sees the requests to the path.
        case requests(to: String)
        /// The server does its work, but its answers to requests to the path do not arrive.
        case answers(to: String)
        /// Of each request to the path only so many bytes come through.
        case rest(after: Int, to: String)
        /// As `answers`, but for the first few.
        case answersAfter(Int, to: String)
    }

    private struct Order {
        var held = Held.nothing
        /// Requests that may still pass before answers are held back.
        var allowance = 0
    }

    private let order = Mutex(Order())
    /// How many requests were held back or answered into the void so far.
    let stopped = Watched(0)
    let port: UInt16
    private let socket: Int32

    init(to server: UInt16) throws {
        (socket, port) = try Descriptor.listening()
        let socket = socket
        Thread { [weak self] in
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0, let gate = self else { break }
                Thread { gate.relay(connection, to: server) }.start()
            }
            close(socket)
        }.start()
    }

    deinit { Descriptor.end(socket) }

    var url: String { "http://127.0.0.1:\(port)" }

    func hold(_ held: Held) {
        order.withLock { order in
            order.held = held
            if case .answersAfter(let count, _) = held { order.allowance = count } else { order.allowance = 0 }
        }
    }

    private enum Passage {
        case free
        case stopped
        case unanswered
        case upTo(Int)
    }

    /// What becomes of a request that begins with these bytes.
    private func passage(of bytes: [UInt8]) -> Passage {
        let text = String(decoding: bytes.prefix(200), as: UTF8.self)
        return order.withLock { order in
            switch order.held {
            case .requests(let path) where text.hasPrefix("POST \(path) "): return .stopped
            case .rest(let count, let path) where text.hasPrefix("POST \(path) "): return .upTo(count)
            case .answers(let path) where text.hasPrefix("POST \(path) "): return .unanswered
            case .answersAfter(_, let path) where text.hasPrefix("POST \(path) "):
                order.allowance -= 1
                return order.allowance < 0 ? .unanswered : .free
            default: return .free
            }
        }
    }

    private func pass(_ bytes: [UInt8], upTo count: Int, to server: Int32) {
        if count > 0 { Descriptor.write(Array(bytes.prefix(count)), to: server) }
        if count >= 0, bytes.count > count { stopped.update { $0 += 1 } }
    }

    /// Passes on one side's bytes and starts a thread for the other's.
    private func relay(_ device: Int32, to port: UInt16) {
        guard let server = try? Descriptor.connected(to: port) else {
            close(device)
            return
        }
        let isSilenced = Mutex(false)
        Thread { [self] in
            while let bytes = Descriptor.read(server), !bytes.isEmpty {
                if isSilenced.withLock({ $0 }) {
                    stopped.update { $0 += 1 }
                } else {
                    Descriptor.write(bytes, to: device)
                }
            }
            Descriptor.end(device)
        }.start()
        // What may still pass of the request at hand; nil for all.
        var allowance: Int?
        while let bytes = Descriptor.read(device), !bytes.isEmpty {
            switch passage(of: bytes) {
            case .free:
                if let left = allowance {
                    pass(bytes, upTo: left, to: server)
                    allowance = left - bytes.count
                } else {
                    Descriptor.write(bytes, to: server)
                }
            case .upTo(let count):
                pass(bytes, upTo: count, to: server)
                allowance = count - bytes.count
            case .stopped:
                stopped.update { $0 += 1 }
                while let bytes = Descriptor.read(device), !bytes.isEmpty {}
            case .unanswered:
                isSilenced.withLock { $0 = true }
                Descriptor.write(bytes, to: server)
            }
        }
        Descriptor.end(server)
    }
}
