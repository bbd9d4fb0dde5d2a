import Synchronization

/// Lets a test wait for something that others change: whoever changes it rings afterwards.
final class Bell: Sendable {
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])

    /// Has everybody who waits look again; not to be called under a lock that `isSo` takes.
    func ring() {
        let woken = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for one in woken { one.resume() }
    }

    /// Waits until `isSo`, or until the test is cancelled.
    func until(_ isSo: @Sendable () -> Bool) async {
        await withTaskCancellationHandler {
            while !Task.isCancelled, !isSo() {
                await withCheckedContinuation { continuation in
                    // Looked at once more under the lock: a change since rings after this, and finds the continuation.
                    let isOver = waiting.withLock { waiting in
                        guard !Task.isCancelled, !isSo() else { return true }
                        waiting.append(continuation)
                        return false
                    }
                    if isOver { continuation.resume() }
                }
            }
        } onCancel: {
            ring()
        }
    }
}
