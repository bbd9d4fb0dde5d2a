import RoostSync
import Synchronization

/// The true time, which moves only when told.
final class TrueClock: Sendable {
    private let milliseconds: Mutex<Int64>

    init(_ start: Int64) { milliseconds = Mutex(start) }

    var now: Int64 { milliseconds.withLock { $0 } }
    func advance(_ by: Int64) { milliseconds.withLock { $0 += by } }
}

/// A device's clocks: the one on the wall, wrong by some amount, and the steady one, which counts from its boot.
final class DeviceClock: Sendable {
    private struct State {
        var skew: Int64
        var boot = 1
        var bootedAt: Int64
    }

    private let truth: TrueClock
    private let hasMarks: Bool
    private let state: Mutex<State>

    init(_ truth: TrueClock, skew: Int64, hasMarks: Bool) {
        self.truth = truth
        self.hasMarks = hasMarks
        state = Mutex(State(skew: skew, bootedAt: truth.now - 60_000))
    }

    var now: Milliseconds { Milliseconds(truth.now + state.withLock { $0.skew }) }

    var mark: Mutation.Mark? {
        guard hasMarks else { return nil }
        return state.withLock { Mutation.Mark(monotonic: truth.now - $0.bootedAt, boot: "boot \($0.boot)") }
    }

    func set(skew: Int64) { state.withLock { $0.skew = skew } }

    func reboot() {
        state.withLock { state in
            state.boot += 1
            state.bootedAt = truth.now
        }
    }
}
