package import RoostSchema
import GRDB
import RoostSync

/// Endpoints that are given up for good: a group that was dissolved, a receiver that is no more.
extension ServerStore {
    /// The code of what was not sent because its endpoint was given up.
    static let retiredCode = "endpoint_retired"

    /// Gives an endpoint up, and what waits for it.
    ///
    /// What is secret in it is wiped, and its name and its address are free for another. What was sent there stays known, under
    /// a name that says so. What is approved and not yet released is left as it was approved, and given up when it is released.
    /// - Throws: ``EndpointProblem/unknown``.
    package func retire(_ endpoint: RowID) async throws {
        try await pool.write { db in
            guard let record = try RosterReader(store: self, db: db).endpoint(endpoint) else {
                throw EndpointProblem.unknown
            }
            guard !record.isRetired else { return }
            try self.ledger.append([.retired(endpoint, at: self.clock())])
            try self.retire(record, db)
        }
    }

    private func retire(_ record: EndpointRecord, _ db: Database) throws {
        let endpoint = record.id
        let statement = try BoundStatement(
            db,
            """
            UPDATE endpoint SET state = 'retired', name = ?, note = NULL, address = x'', secrets = x'', authority = NULL,
                held_until_ms = NULL, failures = 0, open_until_ms = NULL, exhausted = 0, exhausted_since_ms = NULL
            WHERE id = ?
            """)
        try statement.bind(1, "\(record.name)（已弃用 retired \(endpoint.description.suffix(6))）")
        try statement.bind(2, endpoint)
        try statement.run()
        let byHand = try BoundStatement(
            db,
            """
            UPDATE delivery INDEXED BY delivery_by_hand SET state = 'cancelled', outcome = 'deferred', code = ?
            WHERE endpoint = ? AND state = 'manual_pending' RETURNING digest
            """)
        try byHand.bind(1, Self.retiredCode)
        try byHand.bind(2, endpoint)
        var digests: Set<RowID> = []
        while try byHand.step() { digests.insert(byHand.id(0)) }
        byHand.reset()
        try settle(digests, db)
        _ = try skipBacklog(of: endpoint, as: Self.retiredCode, db)
        // It has not recovered: nobody is told that it did.
        let notice = try BoundStatement(
            db,
            "UPDATE notice SET closed_ms = ?1, recovery_told_ms = ?1 WHERE endpoint = ?2 AND closed_ms IS NULL")
        try notice.bind(1, clock().value)
        try notice.bind(2, endpoint)
        try notice.run()
    }

    /// Stops again what an old copy revived: endpoints that were given up for good, and those whose owners want no more.
    func stopAgain(_ db: Database) throws {
        let (retired, unsubscribed) = ledger.stopped()
        for endpoint in retired {
            guard let record = try RosterReader(store: self, db: db).endpoint(endpoint), !record.isRetired else {
                continue
            }
            try retire(record, db)
        }
        for endpoint in unsubscribed { try unsubscribe(endpoint, db) }
    }

    /// Gives up what of an approved digest is for endpoints that were given up since; what may have gone out long ago stays
    /// in doubt.
    func giveUpRetired(of digest: RowID, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            UPDATE delivery SET state = 'cancelled', outcome = 'deferred', code = ?
            WHERE digest = ? AND state = 'frozen' AND code IS NOT '\(Self.restoredCode)'
                AND endpoint IN (SELECT id FROM endpoint WHERE state = 'retired')
            """)
        try statement.bind(1, Self.retiredCode)
        try statement.bind(2, digest)
        try statement.run()
    }
}

extension EndpointRecord {
    /// Whether it was given up for good: nothing goes there again, and only what was sent there is known of it.
    package var isRetired: Bool { state == .retired }
}
