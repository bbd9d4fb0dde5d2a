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
    }

    private let held = Mutex(Held.nothing)
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

    func hold(_ held: Held) { self.held.withLock { $0 = held } }

    /// Passes on one side's bytes and starts a thread for the other's.
    private func relay(_ device: Int32, to port: UInt16) {
        guard let server = try? Descriptor.connected(to: port) else {
            close(device)
            return
        }
        let silenced = Mutex(false)
        let answers = Thread { [self] in
            while let bytes = Descriptor.read(server), !bytes.isEmpty {
                guard case .answers = held.withLock({ $0 }), silenced.withLock({ $0 }) else {
                    Descriptor.write(bytes, to: device)
                    continue
                }
                stopped.update { $0 += 1 }
            }
            Descriptor.end(device)
        }
        answers.start()
        while let bytes = Descriptor.read(device), !bytes.isEmpty {
            let text = String(decoding: bytes.prefix(200), as: UTF8.self)
            switch held.withLock({ $0 }) {
            case .requests(let path) where text.hasPrefix("POST \(path) "):
                stopped.update { $0 += 1 }
                while let bytes = Descriptor.read(device), !bytes.isEmpty {}
            case .answers(let path):
                silenced.withLock { $0 = text.hasPrefix("POST \(path) ") || $0 }
                Descriptor.write(bytes, to: server)
            default: Descriptor.write(bytes, to: server)
            }
        }
        Descriptor.end(server)
    }
}
