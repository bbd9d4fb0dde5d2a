import GRDB
package import RoostSchema
package import RoostSync

/// Why an account cannot be changed as asked.
package enum AccountError: Error, Hashable, Sendable {
    /// The code is unknown, used or expired: whoever asks is not told which.
    case codeInvalid
    case unknownOfficer
    case unknownReplica
    /// The replica belongs to another officer, to the server itself, or was revoked: a device must draw a new identity.
    case replicaTaken
    /// The code is good, but for another officer than the one whose data the device holds.
    case otherOfficer
}

/// A device as the operator and its owner see it.
package struct DeviceRecord: Hashable, Sendable {
    package let device: Device
    package let enrolled: Milliseconds
    /// The last exchange, to within five minutes where it brought no mutations.
    package let seen: Milliseconds?
    package let revoked: Milliseconds?
    /// Device clock minus server clock at the last exchange, in milliseconds.
    package let offset: Int64
    /// When it last confirmed a purge, and whether its digest was the server's (nil: nobody could tell, or it has owed
    /// something since).
    package let purged: Milliseconds?
    package let purgeAgreed: Bool?
    package let unconfirmed: UnconfirmedPurge
}

extension ServerStore {
    /// The collection that officers are rows of, by the catalogue's own declaration of authority.
    private var officers: CollectionName? {
        rules.catalogue[rules.catalogue.authority.collection]?[rules.catalogue.authority.officer]?.target
    }

    /// Keeps a one-time code that makes a device the officer's, and forgets codes that nobody can use any more.
    ///
    /// `hash` is a digest: the code itself never reaches the store. `maker` is the officer who had it made, nil for the
    /// command line.
    package func keepCode(
        hash: [UInt8], for officer: RowID, until expiry: Milliseconds, madeBy maker: RowID?
    ) async throws {
        guard let officers, try await !rows(officers, ids: [officer]).isEmpty else {
            throw AccountError.unknownOfficer
        }
        let now = clock()
        try await pool.write { db in
            // A day is kept so that an operator can see what became of a code.
            let stale = try BoundStatement(db, "DELETE FROM enrolment_code WHERE expires_ms < ?")
            try stale.bind(1, now.value - 86_400_000)
            try stale.run()
            let statement = try BoundStatement(
                db,
                "INSERT OR REPLACE INTO enrolment_code (hash, officer, expires_ms, used_ms, made_by) "
                    + "VALUES (?, ?, ?, NULL, ?)")
            try statement.bind(1, hash)
            try statement.bind(2, officer)
            try statement.bind(3, expiry.value)
            if let maker { try statement.bind(4, maker) } else { try statement.bindNull(4) }
            try statement.run()
        }
    }

    /// Trades a code for a device, in one transaction: of two devices with one code, one gets in.
    ///
    /// The same device may enrol again for the same officer; its former token then ends. `expected` is the officer whose
    /// data the device holds already: a code for another is refused and not spent.
    package func redeemCode(
        hash: [UInt8], replica: ReplicaID, label: String, tokenHash: [UInt8], expecting expected: RowID? = nil
    ) async throws -> Device {
        let now = clock()
        return try await pool.write { db in
            let code = try BoundStatement(
                db, "SELECT officer, hash FROM enrolment_code WHERE hash = ? AND used_ms IS NULL AND expires_ms > ?")
            try code.bind(1, hash)
            try code.bind(2, now.value)
            guard try code.step(), areEqual(code.blob(1), hash) else {
                code.reset()
                throw AccountError.codeInvalid
            }
            let officer = code.id(0)
            code.reset()
            guard expected.map({ $0 == officer }) ?? true else { throw AccountError.otherOfficer }
            try self.requireFree(replica, for: officer, db)
            let used = try BoundStatement(db, "UPDATE enrolment_code SET used_ms = ? WHERE hash = ?")
            try used.bind(1, now.value)
            try used.bind(2, hash)
            try used.run()
            let statement = try BoundStatement(
                db,
                "INSERT INTO replica (id, officer, label, token_hash, enrolled_ms) VALUES (?1, ?2, ?3, ?4, ?5) "
                    + "ON CONFLICT (id) DO UPDATE SET label = ?3, token_hash = ?4, enrolled_ms = ?5")
            try statement.bind(1, replica)
            try statement.bind(2, officer)
            try statement.bind(3, label)
            try statement.bind(4, tokenHash)
            try statement.bind(5, now.value)
            try statement.run()
            self.announce(Movement(ended: [replica]), db)
            return Device(replica: replica, officer: officer, label: label)
        }
    }

    private func requireFree(_ replica: ReplicaID, for officer: RowID, _ db: Database) throws {
        guard replica != writer, replica != undoer else { throw AccountError.replicaTaken }
        let statement = try BoundStatement(db, "SELECT officer, revoked_ms FROM replica WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, replica)
        guard try statement.step() else { return }
        guard statement.id(0) == officer, statement.isNull(1) else { throw AccountError.replicaTaken }
    }

    /// The device that a token belongs to, and whether it may still come; nil if no device has it.
    package func device(tokenHash: [UInt8]) throws -> (device: Device, isRevoked: Bool)? {
        try near.look { db in
            let statement = try BoundStatement(
                db, "SELECT id, officer, label, revoked_ms, token_hash FROM replica WHERE token_hash = ?")
            defer { statement.reset() }
            try statement.bind(1, tokenHash)
            guard try statement.step(), areEqual(statement.blob(4), tokenHash) else { return nil }
            let device = Device(
                replica: statement.replica(0), officer: statement.id(1), label: statement.text(2))
            return (device, !statement.isNull(3))
        }
    }

    /// Whether a device may not come any more.
    package func isRevoked(_ replica: ReplicaID) throws -> Bool {
        try near.look { db in
            let statement = try BoundStatement(db, "SELECT 1 FROM replica WHERE id = ? AND revoked_ms IS NULL")
            defer { statement.reset() }
            try statement.bind(1, replica)
            return try !statement.step()
        }
    }

    /// The devices of one officer, or all of them, in the order they were enrolled.
    package func devices(of officer: RowID? = nil) async throws -> [DeviceRecord] {
        let now = clock()
        return try await pool.read { db in
            let statement = try BoundStatement(
                db,
                "SELECT id, officer, label, enrolled_ms, seen_ms, revoked_ms, offset_ms, purged_ms, purge_agreed "
                    + "FROM replica WHERE token_hash IS NOT NULL AND (?1 IS NULL OR officer = ?1) ORDER BY enrolled_ms, id"
            )
            defer { statement.reset() }
            if let officer { try statement.bind(1, officer) } else { try statement.bindNull(1) }
            var records: [DeviceRecord] = []
            while try statement.step() {
                let device = Device(
                    replica: statement.replica(0), officer: statement.id(1), label: statement.text(2))
                let unconfirmed = try self.unconfirmed(
                    device.replica, of: device.officer, isRevoked: !statement.isNull(5), now: now, db)
                var agreed = statement.isNull(8) ? nil : statement.integer(8) != 0
                // That it agreed then says nothing of what it owes now; that it did not still stands.
                if unconfirmed.isOwed, agreed == true { agreed = nil }
                records.append(
                    DeviceRecord(
                        device: device,
                        enrolled: Milliseconds(statement.integer(3)),
                        seen: statement.isNull(4) ? nil : Milliseconds(statement.integer(4)),
                        revoked: statement.isNull(5) ? nil : Milliseconds(statement.integer(5)),
                        offset: statement.integer(6),
                        purged: statement.isNull(7) ? nil : Milliseconds(statement.integer(7)),
                        purgeAgreed: agreed, unconfirmed: unconfirmed))
            }
            return records
        }
    }

    /// Ends a device's access at once and for good; revoking it again changes nothing.
    ///
    /// The hash of its token stays, so that the device is told why it is refused.
    package func revoke(_ replica: ReplicaID) async throws {
        let now = clock()
        try await pool.write { db in
            let statement = try BoundStatement(
                db,
                "UPDATE replica SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ? AND token_hash IS NOT NULL "
                    + "RETURNING id")
            defer { statement.reset() }
            try statement.bind(1, now.value)
            try statement.bind(2, replica)
            guard try statement.step() else { throw AccountError.unknownReplica }
            while try statement.step() {}
            try self.ledger.append([.revoked(replica, at: now)])
            self.announce(Movement(ended: [replica]), db)
        }
    }
}

/// Whether two digests are the same, in a time that does not depend on where they differ.
private func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
}
