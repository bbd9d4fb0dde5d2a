import RoostStore
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Held while a process exchanges for a replica, so that a watch and a synchronisation by hand take turns.
///
/// An advisory lock on a file beside the database, which the kernel releases when the process ends however it ends. Editing
/// and looking need no lock.
final class SyncLock {
    static let fileName = "sync.lock"
    private static let pause = Duration.milliseconds(200)
    /// How often it is tried: a minute in all, in which a watch ends what it has begun or a large scope goes on.
    private static let attempts = 300

    private let file: FileHandle

    /// Waits for its turn.
    ///
    /// - Throws: ``ClientError/synchronising`` where another process goes on and on.
    init(of replica: Replica, _ environment: Environment) async throws {
        let path = replica.directory + "/" + Self.fileName
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        guard let file = try? FileHandle(forUpdating: URL(fileURLWithPath: path)) else {
            throw ClientError.unwritableFile(path)
        }
        for _ in 0..<Self.attempts {
            if flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0 {
                self.file = file
                return
            }
            try await environment.sleep(Self.pause)
        }
        try? file.close()
        throw ClientError.synchronising
    }

    func release() {
        // Closing alone would not do while a child process that is just being started has the file too.
        _ = flock(file.fileDescriptor, LOCK_UN)
        try? file.close()
    }
}
