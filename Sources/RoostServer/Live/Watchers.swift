import RoostSchema
package import RoostStore
package import RoostSync
import RoostAPI
import Synchronization

/// The devices that watch, by what moves them.
///
/// A commit is matched here in memory: nobody asks the database whether there is something for them.
package final class Watchers: Sendable {
    private struct Seat {
        let watcher: Watcher
        let officer: RowID
        var scopes: [ScopeKey]
    }

    private struct State {
        var seats: [ReplicaID: Seat] = [:]
        var byScope: [ScopeKey: Set<ReplicaID>] = [:]
        var byOfficer: [RowID: Set<ReplicaID>] = [:]
        var isClosed = false

        mutating func add(_ seat: Seat) {
            let replica = seat.watcher.replica
            for scope in seat.scopes { byScope[scope, default: []].insert(replica) }
            byOfficer[seat.officer, default: []].insert(replica)
            seats[replica] = seat
        }

        mutating func remove(_ replica: ReplicaID) -> Seat? {
            guard let seat = seats.removeValue(forKey: replica) else { return nil }
            for scope in seat.scopes { byScope.remove(replica, under: scope) }
            byOfficer.remove(replica, under: seat.officer)
            return seat
        }
    }

    private let state = Mutex(State())
    /// How many devices may watch at once.
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    package var count: Int { state.withLock { $0.seats.count } }

    /// Takes in a device, which may watch once: a newer stream ends the older one.
    ///
    /// It is in no scope yet. Place it once its scopes were looked up: a grant that changes meanwhile is told.
    /// - Throws: ``Refusal`` with `unavailable` when all places are taken or the server stops.
    package func admit(_ device: Device, cut: @escaping @Sendable () -> Void) throws -> Watcher {
        let watcher = Watcher(device.replica, cut: cut)
        let replaced = try state.withLock { state in
            guard !state.isClosed else { throw Refusal(.unavailable, "the server is stopping", retryAfter: 5) }
            let former = state.remove(device.replica)
            guard state.seats.count < limit else {
                throw Refusal(.unavailable, "as many devices watch as may; ask now and then instead", retryAfter: 300)
            }
            state.add(Seat(watcher: watcher, officer: device.officer, scopes: []))
            return former?.watcher
        }
        replaced?.end(.replaced)
        return watcher
    }

    /// Forgets a device whose stream is over, unless it opened another one since.
    package func dismiss(_ watcher: Watcher) {
        state.withLock { state in
            if state.seats[watcher.replica]?.watcher === watcher { _ = state.remove(watcher.replica) }
        }
    }

    /// Follows a watcher into the scopes that are its device's now.
    package func place(_ watcher: Watcher, in scopes: [ScopeKey]) {
        state.withLock { state in
            guard var seat = state.seats[watcher.replica], seat.watcher === watcher, seat.scopes != scopes else {
                return
            }
            _ = state.remove(watcher.replica)
            seat.scopes = scopes
            state.add(seat)
        }
    }

    /// Tells everybody concerned of a commit.
    package func tell(_ movement: Movement) {
        state.withLock { state in
            guard !state.seats.isEmpty else { return }
            var moved: [ReplicaID: Set<ScopeKey>] = [:]
            for scope in movement.scopes {
                for replica in state.byScope[scope] ?? [] where replica != movement.author {
                    moved[replica, default: []].insert(scope)
                }
            }
            // A review tells of everything.
            let reviewed = movement.officers.reduce(into: Set()) { $0.formUnion(state.byOfficer[$1] ?? []) }
            for replica in reviewed { state.seats[replica]?.watcher.review() }
            for (replica, scopes) in moved where !reviewed.contains(replica) {
                state.seats[replica]?.watcher.move(scopes)
            }
            for replica in movement.ended { state.remove(replica)?.watcher.end(.credentials) }
        }
    }

    /// Has everybody's standing looked up anew: something happened that no movement told of.
    package func reviewAll() {
        state.withLock { state in for seat in state.seats.values { seat.watcher.review() } }
    }

    /// Sends a sign of life down every line, and lets go those where none was taken for long.
    package func beat() {
        let lost = state.withLock { state in
            let lost = state.seats.values.map(\.watcher).filter { !$0.beat() }
            for watcher in lost { _ = state.remove(watcher.replica) }
            return lost
        }
        for watcher in lost { watcher.abandon() }
    }

    /// Ends all streams and takes in no more.
    package func close() {
        let seats = state.withLock { state in
            defer { state = State(isClosed: true) }
            return state.seats.values
        }
        for seat in seats { seat.watcher.end(.stopping) }
    }
}

extension Dictionary where Value == Set<ReplicaID> {
    fileprivate mutating func remove(_ replica: ReplicaID, under key: Key) {
        self[key]?.remove(replica)
        if self[key]?.isEmpty ?? false { self[key] = nil }
    }
}
