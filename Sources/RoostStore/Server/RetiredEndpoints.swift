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
        try wipe(record, db)
        try giveUpWaiting(for: record.id, db)
    }

    private func wipe(_ record: EndpointRecord, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            UPDATE endpoint SET state = 'retired', name = ?, note = NULL, address = x'', secrets = x'', authority = NULL,
                held_until_ms = NULL, failures = 0, open_until_ms = NULL, exhausted = 0, exhausted_since_ms = NULL
            WHERE id = ?
            """)
        try statement.bind(1, "\(record.name)（已弃用 retired \(record.id.description.suffix(6))）")
        try statement.bind(2, record.id)
        try statement.run()
        // It has not recovered: nobody is told that it did.
        let notice = try BoundStatement(
            db,
            "UPDATE notice SET closed_ms = ?1, recovery_told_ms = ?1 WHERE endpoint = ?2 AND closed_ms IS NULL")
        try notice.bind(1, clock().value)
        try notice.bind(2, record.id)
        try notice.run()
    }

    private func giveUpWaiting(for endpoint: RowID, _ db: Database) throws {
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
    }

    /// Stops again what an old copy revived: endpoints that were given up for good, and mailboxes whose owners want no more.
    ///
    /// What waits for them stays until sending goes on; see ``doubtStopped(before:_:)``.
    func stopAgain(_ db: Database) throws {
        let reader = RosterReader(store: self, db: db)
        let (retired, unsubscribed) = ledger.stopped()
        for endpoint in try reader.endpoints() where !endpoint.isRetired {
            if retired.contains(endpoint.id) {
                try wipe(endpoint, db)
            } else if unsubscribed[endpoint.id]?.contains(endpoint.addressMark) == true {
                try markUnsubscribed(endpoint.id, db)
            }
        }
    }

    /// Takes what waits for stopped endpoints for uncertain if it is older than the break of the history: it may have gone
    /// out, or been posted, before they were stopped.
    /// - Returns: The digest of each delivery.
    func doubtStopped(before moment: RowID, _ db: Database) throws -> [RowID] {
        let statement = try BoundStatement(
            db,
            """
            UPDATE delivery SET state = 'uncertain', next_ms = NULL, outcome = 'uncertain', code = '\(Self.restoredCode)'
            WHERE (\(Self.waiting) OR state = 'manual_pending') AND id < ? AND endpoint IN (
                SELECT id FROM endpoint
                WHERE state = 'retired' OR state = 'paused' AND note = '\(EndpointRecord.unsubscribedNote)')
            RETURNING digest
            """)
        defer { statement.reset() }
        try statement.bind(1, moment)
        var digests: [RowID] = []
        while try statement.step() { digests.append(statement.id(0)) }
        return digests
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
