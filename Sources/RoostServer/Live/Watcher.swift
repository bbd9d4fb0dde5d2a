package import RoostAPI
package import RoostSync
import Synchronization

/// One device that waits to be told that something of its own moved.
///
/// It costs a few sets and no timer. News that nobody has taken yet run together, so a slow reader never holds more than
/// the names of its own scopes.
package final class Watcher: Sendable {
    /// What to tell the device.
    package enum News: Hashable, Sendable {
        /// These scopes have something new.
        case moved([ScopeKey])
        /// Which scopes are the device's may have changed; it must be looked up, and the device told to synchronise.
        case review
        /// Nothing, but the line must be seen to live.
        case heartbeat
        case end(WireEvent.Ending)
    }

    private struct State {
        var moved: Set<ScopeKey> = []
        var mustReview = false
        /// Heartbeats that nobody has taken.
        var beats = 0
        var ending: WireEvent.Ending?
        var reader: CheckedContinuation<Void, Never>?

        var hasNews: Bool { ending != nil || mustReview || !moved.isEmpty || beats > 0 }
    }

    package let replica: ReplicaID
    private let state = Mutex(State())
    /// Cuts the connection, for a reader that takes nothing any more.
    private let cut: @Sendable () -> Void

    package init(_ replica: ReplicaID, cut: @escaping @Sendable () -> Void) {
        self.replica = replica
        self.cut = cut
    }

    /// Waits for news.
    package func next() async -> News {
        await withTaskCancellationHandler {
            while true {
                if let news = take() { return news }
                await withCheckedContinuation { reader in
                    let hasNews = state.withLock { state in
                        if state.hasNews { return true }
                        state.reader = reader
                        return false
                    }
                    if hasNews { reader.resume() }
                }
            }
        } onCancel: {
            end(.stopping)
        }
    }

    private func take() -> News? {
        state.withLock { state in
            if let ending = state.ending { return .end(ending) }
            if state.mustReview {
                state.mustReview = false
                state.moved = []
                return .review
            }
            if !state.moved.isEmpty {
                defer { state.moved = [] }
                return .moved(state.moved.sorted())
            }
            guard state.beats > 0 else { return nil }
            state.beats = 0
            return .heartbeat
        }
    }

    func move(_ scopes: Set<ScopeKey>) { change { $0.moved.formUnion(scopes) } }

    func review() { change { $0.mustReview = true } }

    /// Asks for a sign of life; false if the last few were not taken.
    func beat() -> Bool {
        var isTaking = true
        change { state in
            state.beats += 1
            isTaking = state.beats < 4
        }
        return isTaking
    }

    func end(_ ending: WireEvent.Ending) { change { $0.ending = $0.ending ?? ending } }

    /// Cuts the connection of a reader that may never come back for its news.
    func abandon() {
        end(.stopping)
        cut()
    }

    private func change(_ body: (inout State) -> Void) {
        let reader = state.withLock { state in
            body(&state)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }
}
