import Dispatch
import Synchronization

/// Nothing happened for as long as a test is willing to wait.
struct WaitedInVain: Error, CustomStringConvertible {
    let awaited: String
    let limit: Duration

    var description: String { "waited \(limit) in vain for \(awaited)" }
}

/// A value that other threads change and that a test waits for, without asking again and again.
final class Watched<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var waiters: [Int: @Sendable (Value) -> Bool] = [:]
        var nextWaiter = 0
    }

    private let state: Mutex<State>

    init(_ value: Value) { state = Mutex(State(value: value)) }

    var value: Value { state.withLock { $0.value } }

    /// Changes the value and wakes those who waited for what it is now.
    func update(_ change: @Sendable (inout Value) -> Void) {
        state.withLock { state in
            change(&state.value)
            for (number, isServed) in state.waiters where isServed(state.value) { state.waiters[number] = nil }
        }
    }

    /// Waits until the value yields something.
    /// - Throws: ``WaitedInVain`` after the limit.
    func first<Found: Sendable>(
        _ awaited: String, within limit: Duration = .seconds(120),
        _ find: @escaping @Sendable (Value) -> Found?
    ) async throws -> Found {
        let found: Found? = await withCheckedContinuation { continuation in
            let number: Int? = state.withLock { state in
                if let found = find(state.value) {
                    continuation.resume(returning: found)
                    return nil
                }
                let number = state.nextWaiter
                state.nextWaiter += 1
                state.waiters[number] = { value in
                    guard let found = find(value) else { return false }
                    continuation.resume(returning: found)
                    return true
                }
                return number
            }
            guard let number else { return }
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(limit.components.seconds))) {
                let isWaiting = self.state.withLock { $0.waiters.removeValue(forKey: number) != nil }
                if isWaiting { continuation.resume(returning: nil) }
            }
        }
        guard let found else { throw WaitedInVain(awaited: awaited, limit: limit) }
        return found
    }
}
