import CoreMetrics
import Synchronization

/// A number that only rises.
final class CounterSeries: CounterHandler, Sendable {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }
    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }
}

/// A number that rises and falls.
final class GaugeSeries: MeterHandler, RecorderHandler, Sendable {
    private let current = Mutex(0.0)

    var value: Double { current.withLock { $0 } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { current.withLock { $0 = value } }
    func increment(by amount: Double) { current.withLock { $0 += amount } }
    func decrement(by amount: Double) { current.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

/// How often values fell at or below each of some bounds.
final class HistogramSeries: TimerHandler, RecorderHandler, Sendable {
    private struct State {
        /// One more than there are bounds: the last counts what exceeds them all.
        var buckets: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// Bounds, the last infinite, each with how many values are at or below it.
    var counts: [(bound: Double, count: Int)] {
        let buckets = state.withLock { $0.buckets }
        var total = 0
        return zip(bounds + [.infinity], buckets).map { bound, count in
            total += count
            return (bound, total)
        }
    }

    var sum: Double { state.withLock { $0.sum } }

    func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.buckets[bucket] += 1
            state.sum += value
        }
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// Timers are told in seconds, as is the custom with Prometheus.
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
