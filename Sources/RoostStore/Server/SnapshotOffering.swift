package import RoostSchema
import GRDB
import RoostSync

/// What a replica that begins a scope is told in place of pages.
enum SnapshotNews {
    case ready(SnapshotOffer)
    /// One is being made; ask again after so many milliseconds.
    case wait(Int64)
}

extension ServerStore {
    /// How many changes a snapshot may lie behind before another is made.
    private static let largestDelta = 2000
    private static let patience: Int64 = 400
    /// For how many milliseconds a scope is paged whose last snapshot was of no use, or could not be made.
    private static let respite: Int64 = 30_000

    /// The snapshot for a replica that begins a scope, or word that it is being made; nil where pages serve as well.
    func snapshotNews(of name: String, kind: Int, _ state: ScopeState, _ db: Database) throws -> SnapshotNews? {
        guard let minimum = snapshots.minimumRows else { return nil }
        if let newest = snapshots.newest(of: name) {
            if try isServable(newest, kind: kind, state, within: Self.largestDelta, db) { return .ready(newest.offer) }
            // A scope that outruns its snapshots is paged; those that wait are not kept waiting for ever.
            guard abs(clock().value - newest.madeAt.value) > Self.respite else { return nil }
        } else if !snapshots.isWanted(name) {
            guard try holds(state.id, atLeast: minimum, db) else { return nil }
        }
        // Nor for one that cannot be made.
        if let unmade = snapshots.unmade(name), abs(clock().value - unmade.value) <= Self.respite { return nil }
        snapshots.want(name)
        return .wait(Self.patience)
    }

    /// Makes a snapshot of a scope and keeps it for whoever asks.
    package func makeSnapshot(of scope: String) async throws -> Snapshot? {
        do {
            let made = try await pool.read { db in try SnapshotWriter(store: self, db: db).write(scope) }
            snapshots.fulfil(scope, with: made, now: clock())
            return made
        } catch {
            snapshots.fulfil(scope, with: nil, now: clock())
            throw error
        }
    }

    /// A snapshot for an officer who holds its scope now; nil for everybody else, and once it is out of date.
    package func snapshot(_ id: String, for officer: RowID) async throws -> Snapshot? {
        guard let snapshot = snapshots.snapshot(id), let scope = Scope(snapshot.scope).flatMap({ rules.key(of: $0) })
        else { return nil }
        return try await pool.read { db in
            let grants = try ServerRows(store: self, db: db).grants(of: officer)
            guard Principal(officer: officer, grants: grants).scopes(at: self.clock(), self.rules).contains(scope),
                let state = try self.state(ofScope: snapshot.scope, db)
            else { return nil }
            // Twice as much as where it is offered, so that a download is rarely cut off at its end.
            let isServable = try self.isServable(
                snapshot, kind: scope.kind, state, within: Self.largestDelta * 2, db)
            return isServable ? snapshot : nil
        }
    }

    /// Removes the files of snapshots that are too old or too many, and of those that show what their scope has withdrawn.
    package func sweepSnapshots() async throws {
        try await pool.read { db in
            for snapshot in self.snapshots.all {
                guard let scope = Scope(snapshot.scope).flatMap({ self.rules.key(of: $0) }),
                    let state = try self.state(ofScope: snapshot.scope, db),
                    try self.isServable(snapshot, kind: scope.kind, state, within: Self.largestDelta * 2, db)
                else {
                    self.snapshots.remove(snapshot)
                    continue
                }
            }
        }
        snapshots.sweep(now: clock())
    }

    /// Whether a snapshot shows nothing that its scope has withdrawn since.
    ///
    /// It may show values that were edited since, of fields that are still shown, and be behind by `limit` changes. Once a
    /// row has left the scope or was deleted, or may be shown with less, nobody else gets it.
    private func isServable(
        _ snapshot: Snapshot, kind: Int, _ state: ScopeState, within limit: Int, _ db: Database
    ) throws -> Bool {
        guard snapshot.epoch == state.epoch,
            abs(clock().value - snapshot.madeAt.value) < SnapshotShelf.maximumAge
        else { return false }
        let count = try BoundStatement(
            db,
            """
            SELECT count(*), max(sequence) FROM (
                SELECT sequence FROM member INDEXED BY member_feed WHERE scope = ? AND sequence > ? LIMIT ?)
            """)
        defer { count.reset() }
        try count.bind(1, state.id)
        try count.bind(2, snapshot.offer.sequence.value)
        try count.bind(3, Int64(limit) + 1)
        guard try count.step(), count.integer(0) <= limit else { return false }
        guard count.integer(0) > 0 else { return true }
        let newest = count.integer(1)
        let events = try BoundStatement(
            db,
            """
            SELECT collection, row, present FROM member INDEXED BY member_feed
            WHERE scope = ? AND sequence > ? ORDER BY sequence
            """)
        defer { events.reset() }
        try events.bind(1, state.id)
        try events.bind(2, snapshots.verified(snapshot))
        var rows = ScopeRows(store: self, db: db, kind: kind)
        while try events.step() {
            guard events.integer(2) != 0 else { return false }
            guard let collection = positions[events.integer(0)] else { continue }
            if try rows.isWithheld(RowKey(collection, events.id(1))) { return false }
        }
        snapshots.verify(snapshot, upTo: newest)
        return true
    }

    private func holds(_ scope: Int64, atLeast minimum: Int, _ db: Database) throws -> Bool {
        let statement = try BoundStatement(
            db, "SELECT count(*) FROM (SELECT 1 FROM member WHERE scope = ? AND present = 1 LIMIT ?)")
        defer { statement.reset() }
        try statement.bind(1, scope)
        try statement.bind(2, Int64(minimum))
        return try statement.step() && statement.integer(0) >= minimum
    }
}
