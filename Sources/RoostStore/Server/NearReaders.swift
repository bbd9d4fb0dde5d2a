import GRDB
import Synchronization

/// Connections for short reads on the calling thread.
///
/// GRDB's pool hands out a reader through two queues and a semaphore, asks for the schema's version, and prepares BEGIN and
/// COMMIT anew: some thirty microseconds, where an idle exchange's own look-ups take ten. There is one connection for each
/// thread that reads at the same time; the schema never changes once the store is open.
final class NearReaders: Sendable {
    private struct State {
        var free: [DatabaseQueue] = []
        var isClosed = false
    }

    private let path: String
    private let configuration: Configuration
    private let state = Mutex(State())

    init(path: String, configuration: Configuration) {
        self.path = path
        var configuration = configuration
        configuration.readonly = true
        self.configuration = configuration
    }

    /// Reads outside a transaction: for one statement, or several that need not agree.
    func look<Result>(_ body: (Database) throws -> Result) throws -> Result {
        let free = try state.withLock { state in
            guard !state.isClosed else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
            return state.free.popLast()
        }
        let reader = try free ?? DatabaseQueue(path: path, configuration: configuration)
        defer { give(reader) }
        return try reader.unsafeRead(body)
    }

    /// Reads one state of the database.
    func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try look { db in try db.oneState(body) }
    }

    /// Closes what is not in use at this moment, and everything else as it comes back.
    func close() throws {
        let free = state.withLock { state in
            state.isClosed = true
            defer { state.free = [] }
            return state.free
        }
        for reader in free { try reader.close() }
    }

    private func give(_ reader: DatabaseQueue) {
        let isKept = state.withLock { state in
            guard !state.isClosed else { return false }
            state.free.append(reader)
            return true
        }
        if !isKept { try? reader.close() }
    }
}
