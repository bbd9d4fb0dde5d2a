import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Held while a process works on a data directory in a way that stands no other: serving, restoring.
///
/// An advisory lock on a file, which the kernel releases when the process ends however it ends.
package final class ServerLock: Sendable {
    /// Another process holds the lock.
    package struct Taken: Error, Hashable, Sendable {}

    package static let fileName = "lock"

    private let handle: Mutex<FileHandle>

    package init(directory: String) throws {
        let path = directory + "/" + Self.fileName
        let files = FileManager.default
        try files.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if !files.fileExists(atPath: path) {
            _ = files.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        guard flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else { throw Taken() }
        handle = Mutex(file)
    }

    package func release() { handle.withLock { try? $0.close() } }
}
