package import RoostSchema
package import RoostSync
import GRDB
import Synchronization

/// What one commit moved, for whoever must tell the devices concerned.
package struct Movement: Hashable, Sendable {
    /// Scopes whose feed has something new.
    package var scopes: Set<ScopeKey> = []
    /// Officers who gained or lost a grant, and with it scopes.
    package var officers: Set<RowID> = []
    /// Devices whose token holds no more.
    package var ended: Set<ReplicaID> = []
    /// The replica whose own mutations did it; the answer to them shows it everything.
    package var author: ReplicaID?

    package init(
        scopes: Set<ScopeKey> = [], officers: Set<RowID> = [], ended: Set<ReplicaID> = [], author: ReplicaID? = nil
    ) {
        self.scopes = scopes
        self.officers = officers
        self.ended = ended
        self.author = author
    }

    /// What a plan moves once it is written.
    init(_ plan: Plan, author: ReplicaID?) {
        self.author = author
        for change in plan.memberships { scopes.insert(change.scope) }
        for change in plan.authority {
            if case .grant(let officer, _, _) = change.kind { officers.insert(officer) }
        }
    }

    var isEmpty: Bool { scopes.isEmpty && officers.isEmpty && ended.isEmpty }
}

/// Where commits of this process tell what they moved.
package final class MovementFeed: Sendable {
    private let listeners = Mutex<[@Sendable (Movement) -> Void]>([])

    /// Calls `listener` after each commit that moved something, on the thread that committed: it must not wait.
    package func listen(_ listener: @escaping @Sendable (Movement) -> Void) {
        listeners.withLock { $0.append(listener) }
    }

    func publish(_ movement: Movement) {
        for listener in listeners.withLock({ $0 }) { listener(movement) }
    }
}

extension ServerStore {
    /// Tells of a movement once the transaction under way has committed.
    ///
    /// Where only its savepoint is rolled back, the telling was for nothing, which costs a device one look.
    func announce(_ movement: Movement, _ db: Database) {
        guard !movement.isEmpty else { return }
        let movements = movements
        db.afterNextTransaction { _ in movements.publish(movement) }
    }

    /// Whether another process wrote to the database since this was last asked.
    ///
    /// Such commits are in nobody's ``movements``. SQLite answers from memory shared by all who have the file open.
    package func wasWrittenElsewhere() async throws -> Bool {
        try await pool.writeWithoutTransaction { db in
            // The writer's own commits do not change its data version (sqlite.org/pragma.html#pragma_data_version).
            let version = try Int64.fetchOne(db, sql: "PRAGMA data_version") ?? 0
            let before = self.dataVersion.exchange(version, ordering: .relaxed)
            return before != version && before != 0
        }
    }
}
