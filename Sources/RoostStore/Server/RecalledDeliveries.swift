package import RoostSchema
import GRDB
import RoostSync
import Synchronization

/// Deliveries that a sender of this process has taken and is to give back unless it has begun them.
///
/// Somebody cancelled or paused after they were taken. They are noted in the transaction that does so, before it is committed:
/// what asks here just before it begins something begins nothing after that commit. The note goes when a result is kept.
package final class RecalledDeliveries: Sendable {
    private let ids = Mutex<Set<RowID>>([])

    init() {}

    package var isEmpty: Bool { ids.withLock { $0.isEmpty } }

    package func contains(_ delivery: RowID) -> Bool { ids.withLock { $0.contains(delivery) } }

    func insert(_ deliveries: [RowID]) { ids.withLock { $0.formUnion(deliveries) } }

    func remove(_ delivery: RowID) { ids.withLock { _ = $0.remove(delivery) } }
}

extension ServerStore {
    /// Codes of deliveries that were given up while a sender had them: what was not begun, or did not arrive, is not queued again.
    static let givenUpCodes: Set<String> = [
        "digest_cancelled", "backlog_skipped", EndpointRecord.unsubscribedNote, retiredCode,
    ]

    /// Asks back what of an endpoint has been taken and not begun.
    func recall(of endpoint: RowID, _ db: Database) throws {
        let statement = try BoundStatement(
            db, "SELECT id FROM delivery INDEXED BY delivery_leased WHERE state = 'leased' AND endpoint = ?")
        defer { statement.reset() }
        try statement.bind(1, endpoint)
        try recall(statement)
    }

    /// Asks back all that has been taken and not begun.
    func recallAll(_ db: Database) throws {
        let statement = try BoundStatement(
            db, "SELECT id FROM delivery INDEXED BY delivery_leased WHERE state = 'leased'")
        defer { statement.reset() }
        try recall(statement)
    }

    /// Gives up what of a digest or an endpoint has been taken, unless it arrives: it is asked back, and not tried again.
    func giveUpTaken(_ column: String, _ id: RowID, as code: String, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            "UPDATE delivery SET not_after_ms = ?, code = ? WHERE \(column) = ? AND state = 'leased' RETURNING id")
        defer { statement.reset() }
        try statement.bind(1, clock().value)
        try statement.bind(2, code)
        try statement.bind(3, id)
        try recall(statement)
    }

    private func recall(_ statement: BoundStatement) throws {
        var ids: [RowID] = []
        while try statement.step() { ids.append(statement.id(0)) }
        recalled.insert(ids)
    }
}
