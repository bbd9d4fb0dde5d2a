import Foundation
import Glibc

/// A bare connection to loopback, for what no proper client would send.
///
/// Its calls block, so they have threads of their own: the server under test shares this process' few.
struct RawConnection {
    struct Failed: Error { let code: Int32 }

    private let descriptor: Int32

    /// Connects and sends the first bytes.
    static func open(port: Int, sending bytes: [UInt8]) async throws -> RawConnection {
        try await onThread {
            let connection = RawConnection(descriptor: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
            guard connection.descriptor >= 0 else { throw Failed(code: errno) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let connected = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(connection.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0 else { throw Failed(code: errno) }
            try connection.send(bytes)
            return connection
        }
    }

    /// Sends the last bytes and reads until the server ends the connection.
    ///
    /// With `closing`, our half is ended after the last byte, as when a network breaks in the middle of an upload.
    func finish(sending bytes: [UInt8], closing: Bool) async throws -> String {
        try await Self.onThread {
            defer { close(descriptor) }
            try send(bytes)
            if closing { shutdown(descriptor, Int32(SHUT_WR)) }
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
                answer += buffer[..<count]
            }
        }
    }

    private func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failed(code: errno) }
            sent += count
        }
    }

    private static func onThread<Success: Sendable>(
        _ work: @escaping @Sendable () throws -> Success
    ) async throws -> Success {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
        }
    }
}
