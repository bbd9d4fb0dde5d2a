import GRDB
import Synchronization

/// Lets writes that come at the same time share one transaction, and with it one flush to the disk.
///
/// A write that finds none under way begins at once, alone; those that come meanwhile are taken together by the next
/// transaction, so that nobody ever waits for company. Each runs in a savepoint of its own: what fails takes nobody with it.
/// Nobody is told of success before the commit.
final class SharedCommit: Sendable {
    /// One write, and whoever waits for it.
    private struct Job: Sendable {
        let work: @Sendable (Database) throws -> Void
        /// Told once, after the commit with nil, or with the error that stands for the write.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var isUnderWay = false
    }

    /// How many writes share a transaction at most.
    private static let crowd = 64

    private let pool: DatabasePool
    /// After how long a transaction takes no further write: other writers of the store wait behind it.
    private let patience: Duration
    private let state = Mutex(State())

    init(_ pool: DatabasePool, patience: Duration = .milliseconds(50)) {
        self.pool = pool
        self.patience = patience
    }

    /// How many writes wait for their turn.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Runs `body` in a transaction that others may share, and returns once that is durable.
    ///
    /// A task that was cancelled before its turn came writes nothing.
    func run<Success: Sendable>(_ body: @escaping @Sendable (Database) throws -> Success) async throws -> Success {
        let isCancelled = Atomic(false)
        let written = Mutex<Success?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                enqueue(
                    Job { db in
                        guard !isCancelled.load(ordering: .relaxed) else { throw CancellationError() }
                        let success = try body(db)
                        written.withLock { $0 = success }
                    } finish: { error in
                        if let error { continuation.resume(throwing: error) } else { continuation.resume() }
                    })
            }
            guard let success = written.withLock({ $0 }) else { throw CancellationError() }
            return success
        } onCancel: {
            isCancelled.store(true, ordering: .relaxed)
        }
    }

    private func enqueue(_ job: Job) {
        let isFirst = state.withLock { state in
            state.waiting.append(job)
            defer { state.isUnderWay = true }
            return !state.isUnderWay
        }
        if isFirst { order() }
    }

    /// Takes a place in the queue of all who write, behind those who came before.
    private func order() { pool.asyncWriteWithoutTransaction { db in self.writeTogether(db) } }

    private func writeTogether(_ db: Database) {
        let jobs = state.withLock { state in
            let taken = Array(state.waiting.prefix(Self.crowd))
            state.waiting.removeFirst(taken.count)
            return taken
        }
        let begin = ContinuousClock.now
        var outcomes: [(any Error)?] = []
        var begun = 0
        do {
            try db.inTransaction(.immediate) {
                for job in jobs {
                    if begun > 0, ContinuousClock.now - begin > patience { break }
                    begun += 1
                    outcomes.append(try outcome(of: job, isAlone: jobs.count == 1, db))
                }
                return .commit
            }
        } catch {
            // Nothing of the transaction is there, whatever became of each write in it.
            begun = max(1, begun)
            outcomes = Array(repeating: error, count: begun)
        }
        let goesOn = state.withLock { state in
            state.waiting.insert(contentsOf: jobs[begun...], at: 0)
            state.isUnderWay = !state.waiting.isEmpty
            return state.isUnderWay
        }
        if goesOn { order() }
        for (job, error) in zip(jobs, outcomes) { job.finish(error) }
    }

    /// Runs one write; returns the error it ended with, and throws where that ended the whole transaction.
    private func outcome(of job: Job, isAlone: Bool, _ db: Database) throws -> (any Error)? {
        guard !isAlone else {
            try job.work(db)
            return nil
        }
        do {
            try db.inSavepoint {
                try job.work(db)
                return .commit
            }
            return nil
        } catch {
            // SQLite rolls everything back by itself when, say, the disk is full.
            guard db.isInsideTransaction else { throw error }
            return error
        }
    }
}
