import RoostAPI
package import RoostSync
import Synchronization

/// Counts what each key did in the last minute, in memory.
///
/// A sliding window of two fixed ones: the count of the minute before is weighted by how much of it still lies in the
/// last sixty seconds. It errs by little, and a key costs a few words instead of a list of moments.
package final class RateLimiter: Sendable {
    private struct Window {
        /// The minute since the epoch that ``current`` counts.
        var minute: Int64
        var current = 0
        var previous = 0
    }

    private static let span: Int64 = 60_000
    /// Beyond this many keys, those silent for two minutes are forgotten, once in each minute.
    private static let crowded = 10_000

    private struct State {
        var windows: [String: Window] = [:]
        /// The minute in which silent keys were last forgotten.
        var pruned: Int64 = 0

        mutating func prune(at minute: Int64) {
            guard windows.count > RateLimiter.crowded, pruned != minute else { return }
            windows = windows.filter { $0.value.minute >= minute - 1 }
            pruned = minute
        }
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> Milliseconds

    package init(clock: @escaping @Sendable () -> Milliseconds) { self.clock = clock }

    /// Counts one more for the key, unless that would exceed the limit; then tells in how many seconds to come again.
    package func secondsToWait(for key: String, perMinute limit: Int) -> Int? {
        let now = clock().value
        let minute = now / Self.span
        return state.withLock { state in
            state.prune(at: minute)
            var window = state.windows[key] ?? Window(minute: minute)
            if window.minute != minute {
                // A clock set back starts afresh: a stuck limit would lock people out.
                window.previous = window.minute == minute - 1 ? window.current : 0
                window.current = 0
                window.minute = minute
            }
            let left = Self.span - now % Self.span
            let weighed = window.previous * Int(left) / Int(Self.span) + window.current
            guard weighed < limit else {
                state.windows[key] = window
                return Int((left + 999) / 1000)
            }
            window.current += 1
            state.windows[key] = window
            return nil
        }
    }

    /// Counts one more for the key.
    /// - Throws: ``Refusal`` with `rate_limited` when the limit is reached.
    package func admit(_ key: String, perMinute limit: Int) throws {
        guard let seconds = secondsToWait(for: key, perMinute: limit) else { return }
        throw Refusal(.rateLimited, "more than \(limit) requests in a minute", retryAfter: seconds)
    }
}
