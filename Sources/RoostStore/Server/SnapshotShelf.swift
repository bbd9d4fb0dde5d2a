package import RoostSync
import Foundation
import Synchronization

/// A file with everything a scope showed at one sequence, made once for all replicas that begin with the scope.
package struct Snapshot: Hashable, Sendable {
    package let scope: String
    /// The scope's epoch when it was made.
    package let epoch: Int64
    package let offer: SnapshotOffer
    package let path: String
    package let madeAt: Milliseconds
}

/// The snapshots there are, and those that are wanted.
///
/// Files live as long as the process that made them, and an hour at most: they hold what was true when they were made.
/// Closed until ``open(minimumRows:)``, so that only the serving process makes or removes any.
package final class SnapshotShelf: Sendable {
    private struct State {
        var minimumRows: Int?
        var newest: [String: Snapshot] = [:]
        var byID: [String: Snapshot] = [:]
        /// Up to which sequence a snapshot's scope is known to have lost and narrowed nothing since.
        var verified: [String: Int64] = [:]
        var wanted: Set<String> = []
        /// Scopes of which none could be made when it was last tried, and when that was.
        var unmade: [String: Milliseconds] = [:]
        var requests: AsyncStream<String>.Continuation?
    }

    package let directory: String
    private let state = Mutex(State())

    static let maximumAge: Int64 = 3_600_000
    static let maximumCount = 64

    init(directory: String) { self.directory = directory }

    /// Begins to take requests, told as the names of scopes; what an earlier process left behind is removed.
    package func open(minimumRows: Int) throws -> AsyncStream<String> {
        try? FileManager.default.removeItem(atPath: directory)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let (stream, requests) = AsyncStream.makeStream(of: String.self)
        state.withLock { $0 = State(minimumRows: minimumRows, requests: requests) }
        return stream
    }

    /// Ends the requests; from now on scopes are paged.
    package func close() {
        removeAll()
        state.withLock { state in
            state.requests?.finish()
            state = State()
        }
    }

    /// Forgets and removes every snapshot: at the end, and when something must survive nowhere.
    package func removeAll() { remove(where: { _ in true }) }

    /// Removes what is too old or too much.
    package func sweep(now: Milliseconds) {
        let surplus = state.withLock { state in
            Set(state.byID.values.sorted { $0.madeAt > $1.madeAt }.dropFirst(Self.maximumCount).map(\.offer.id))
        }
        remove(where: { surplus.contains($0.offer.id) || abs(now.value - $0.madeAt.value) >= Self.maximumAge })
    }

    var all: [Snapshot] { state.withLock { Array($0.byID.values) } }

    func remove(_ snapshot: Snapshot) { remove(where: { $0.offer.id == snapshot.offer.id }) }

    private func remove(where isDoomed: (Snapshot) -> Bool) {
        let doomed = state.withLock { state in
            let doomed = state.byID.values.filter(isDoomed)
            for snapshot in doomed {
                state.byID[snapshot.offer.id] = nil
                state.verified[snapshot.offer.id] = nil
                if state.newest[snapshot.scope]?.offer.id == snapshot.offer.id { state.newest[snapshot.scope] = nil }
            }
            return doomed
        }
        for snapshot in doomed { try? FileManager.default.removeItem(atPath: snapshot.path) }
    }

    /// How many rows make a scope worth a snapshot; nil while closed.
    var minimumRows: Int? { state.withLock { $0.minimumRows } }

    func newest(of scope: String) -> Snapshot? { state.withLock { $0.newest[scope] } }
    func snapshot(_ id: String) -> Snapshot? { state.withLock { $0.byID[id] } }
    func isWanted(_ scope: String) -> Bool { state.withLock { $0.wanted.contains(scope) } }

    func verified(_ snapshot: Snapshot) -> Int64 {
        state.withLock { $0.verified[snapshot.offer.id] } ?? snapshot.offer.sequence.value
    }

    func verify(_ snapshot: Snapshot, upTo sequence: Int64) {
        state.withLock { if $0.byID[snapshot.offer.id] != nil { $0.verified[snapshot.offer.id] = sequence } }
    }

    func want(_ scope: String) {
        state.withLock { state in
            if state.wanted.insert(scope).inserted { state.requests?.yield(scope) }
        }
    }

    /// When it was last tried in vain to make one of a scope.
    func unmade(_ scope: String) -> Milliseconds? { state.withLock { $0.unmade[scope] } }

    /// Takes a request off the list, with what came of it: nothing if the scope has become empty, or the disk is full.
    func fulfil(_ scope: String, with snapshot: Snapshot?, now: Milliseconds) {
        state.withLock { state in
            state.wanted.remove(scope)
            state.unmade[scope] = snapshot == nil ? now : nil
            guard let snapshot else { return }
            state.newest[scope] = snapshot
            state.byID[snapshot.offer.id] = snapshot
        }
    }
}
