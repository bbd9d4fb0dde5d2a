import Glibc

/// Reading from and writing to a connected socket.
enum Wire {
    /// The next bytes, none at the end, nil after an error.
    static func read(_ connection: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe recv(connection, &buffer, buffer.count, 0)
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    static func write(_ bytes: [UInt8], to connection: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes {
                unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    /// Makes closing the connection a reset, which also throws away what the other side has not read yet.
    static func reset(_ connection: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe _ = setsockopt(
            connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Whether the other side has closed the connection within so many milliseconds.
    static func isGone(_ connection: Int32, after milliseconds: Int32) -> Bool {
        var descriptor = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&descriptor, 1, milliseconds) != 0
    }
}

struct SocketError: Error {
    let code: Int32
}

/// A socket listening on a free port of 127.0.0.1, or of every address, and that port.
func listeningSocket(backlog: Int32, onEveryAddress: Bool = false) throws -> (socket: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError(code: errno) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = onEveryAddress ? 0 : UInt32(0x7F00_0001).bigEndian
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
