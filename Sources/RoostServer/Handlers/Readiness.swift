package import RoostSync
import Synchronization

/// Whether the database can be written, found out at most once a second however often anybody asks.
///
/// Finding out takes a transaction, and whoever asks needs no token.
package final class Readiness: Sendable {
    private struct Answer {
        var isWritable = true
        var asked: Milliseconds?
    }

    /// How many milliseconds an answer holds.
    private static let lifetime: Int64 = 1000

    private let last = Mutex(Answer())
    private let clock: @Sendable () -> Milliseconds
    private let check: @Sendable () async throws -> Void

    package init(
        clock: @escaping @Sendable () -> Milliseconds, check: @escaping @Sendable () async throws -> Void
    ) {
        self.clock = clock
        self.check = check
    }

    /// The answer of the last second; whoever asks while one is being found is given the one before.
    package var isWritable: Bool {
        get async {
            let now = clock()
            let known: Bool? = last.withLock { last in
                if let asked = last.asked, abs(now.value - asked.value) < Self.lifetime { return last.isWritable }
                last.asked = now
                return nil
            }
            if let known { return known }
            let isWritable: Bool
            do {
                try await check()
                isWritable = true
            } catch { isWritable = false }
            last.withLock { $0.isWritable = isWritable }
            return isWritable
        }
    }
}
