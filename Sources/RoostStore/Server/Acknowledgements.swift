import GRDB
package import RoostSchema
package import RoostSync
import Synchronization

/// What a replica last said it holds, remembered so that an idle exchange neither reads nor writes it.
struct Acknowledged: Sendable {
    var cursors: [Scope: ScopeCursor] = [:]
    /// Scopes it was told to give up and still names.
    var told: Set<Scope> = []
    /// When its cursors were last written down.
    var writtenAt: Milliseconds
    /// When it was last noted that the device was here.
    var seenAt: Milliseconds
}

/// What a device has not confirmed to be gone from its disk.
package struct UnconfirmedPurge: Hashable, Sendable {
    /// Scopes its owner holds no longer; for a revoked device, all it had.
    package var scopes: [Scope] = []
    /// Rows that left scopes it still holds since it last told where it stands; at most so many.
    package var rows = 0
    /// Scopes it still holds, but last read so long ago that the server has forgotten what left them since, or under a
    /// history that is no more: anything may have left.
    package var unknown: [Scope] = []
    /// When the device was first told; nil if it was not here since.
    package var told: Milliseconds?

    package var isEmpty: Bool { scopes.isEmpty && rows == 0 && unknown.isEmpty }
}

extension ServerStore {
    /// How many milliseconds a note of where a device stands may be behind, while nothing is purged.
    private static let noteInterval: Int64 = 300_000
    /// The noted cursor of a device that has not read the scope under the present epoch.
    static let otherHistory = ServerSequence(-1)

    /// Notes what a replica says it holds: at once if a scope came, went or was told to go, or if a purge is confirmed,
    /// and every few minutes otherwise.
    ///
    /// A noted cursor means that the replica has nothing of the scope, or at least so much: `given` are the scopes it
    /// gets from their beginning with this answer, which must not be sent before this returns. `lost` are the scopes the
    /// answer tells it to give up, as far as it ever held them; `foreign` ones it never held and are not noted.
    func note(
        _ request: ExchangeRequest, given: [ScopeCursor], lost: Set<Scope>, foreign: Set<Scope>, pushed: Bool,
        now: Milliseconds,
        offset: Int64
    ) async throws {
        let replica = request.replica
        let known =
            try acknowledged.withLock { $0[replica] } ?? readHere { db in try self.noted(of: replica, db) }
        var cursors: [Scope: ScopeCursor] = [:]
        for cursor in request.scopes where !foreign.contains(cursor.scope) { cursors[cursor.scope] = cursor }
        for cursor in given { cursors[cursor.scope] = cursor }
        let isOther =
            !given.isEmpty || known.cursors.count != cursors.count || known.told != lost
            || cursors.contains { known.cursors[$0.key]?.epoch != $0.value.epoch }
        let isDue = abs(now - known.writtenAt) >= Self.noteInterval && known.cursors != cursors
        let isUnseen = !pushed && abs(now - known.seenAt) >= Self.noteInterval
        var after = known
        if pushed { after.seenAt = now }
        if isOther || isDue || isUnseen || request.purged != nil {
            after = Acknowledged(cursors: cursors, told: lost, writtenAt: now, seenAt: now)
            let digest =
                request.purged == nil ? nil : try readHere { db in try self.digest(of: after.cursors.values, db) }
            try await commits.run { [after] db in
                try self.write(after, of: replica, now: now, offset: offset, db)
                if let purged = request.purged {
                    try self.confirm(purged, expecting: digest, of: replica, now: now, db)
                }
            }
        }
        acknowledged.withLock { [after] in $0[replica] = after }
    }

    /// Notes that a revoked device has nothing left of what it was sent.
    package func confirmRevoked(_ replica: ReplicaID) async throws {
        let now = clock()
        try await pool.write { db in
            let forget = try BoundStatement(db, "DELETE FROM acknowledged WHERE replica = ?")
            try forget.bind(1, replica)
            try forget.run()
            let note = try BoundStatement(
                db, "UPDATE replica SET purged_ms = ?1, seen_ms = ?1, purge_agreed = NULL WHERE id = ?2")
            try note.bind(1, now.value)
            try note.bind(2, replica)
            try note.run()
        }
        _ = acknowledged.withLock { $0.removeValue(forKey: replica) }
    }

    private func noted(of replica: ReplicaID, _ db: Database) throws -> Acknowledged {
        var known = Acknowledged(writtenAt: Milliseconds(0), seenAt: Milliseconds(0))
        let seen = try BoundStatement(db, "SELECT seen_ms FROM replica WHERE id = ?")
        try seen.bind(1, replica)
        if try seen.step(), !seen.isNull(0) {
            known.seenAt = Milliseconds(seen.integer(0))
            known.writtenAt = known.seenAt
        }
        seen.reset()
        let statement = try BoundStatement(
            db, "SELECT scope, epoch, cursor, told_ms FROM acknowledged WHERE replica = ?")
        defer { statement.reset() }
        try statement.bind(1, replica)
        while try statement.step() {
            guard let scope = Scope(statement.text(0)) else { continue }
            known.cursors[scope] = ScopeCursor(
                scope: scope, epoch: statement.integer(1), cursor: ServerSequence(statement.integer(2)))
            if !statement.isNull(3) { known.told.insert(scope) }
        }
        return known
    }

    private func write(
        _ state: Acknowledged, of replica: ReplicaID, now: Milliseconds, offset: Int64, _ db: Database
    ) throws {
        let find = try BoundStatement(db, "SELECT scope FROM acknowledged WHERE replica = ?")
        try find.bind(1, replica)
        var gone: [String] = []
        while try find.step() {
            let name = find.text(0)
            if Scope(name).flatMap({ state.cursors[$0] }) == nil { gone.append(name) }
        }
        find.reset()
        let delete = try BoundStatement(db, "DELETE FROM acknowledged WHERE replica = ? AND scope = ?")
        for name in gone {
            try delete.bind(1, replica)
            try delete.bind(2, name)
            try delete.run()
        }
        let keep = try BoundStatement(
            db,
            """
            INSERT INTO acknowledged (replica, scope, epoch, cursor, told_ms) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor,
                told_ms = iif(excluded.told_ms IS NULL, NULL, coalesce(told_ms, excluded.told_ms))
            """)
        for cursor in state.cursors.values {
            try keep.bind(1, replica)
            try keep.bind(2, cursor.scope.description)
            try keep.bind(3, cursor.epoch)
            try keep.bind(4, cursor.cursor.value)
            if state.told.contains(cursor.scope) { try keep.bind(5, now.value) } else { try keep.bindNull(5) }
            try keep.run()
        }
        let seen = try BoundStatement(db, "UPDATE replica SET seen_ms = ?, offset_ms = ? WHERE id = ?")
        try seen.bind(1, now.value)
        try seen.bind(2, offset)
        try seen.bind(3, replica)
        try seen.run()
    }

    /// Notes a confirmed purge, and whether its digest is that of what the replica should hold; nil if nobody can tell.
    private func confirm(
        _ purged: PurgeConfirmation, expecting digest: UInt64?, of replica: ReplicaID, now: Milliseconds, _ db: Database
    ) throws {
        let statement = try BoundStatement(db, "UPDATE replica SET purged_ms = ?, purge_agreed = ? WHERE id = ?")
        try statement.bind(1, now.value)
        if let digest {
            try statement.bind(2, digest == purged.digest ? 1 : 0 as Int64)
        } else {
            try statement.bindNull(2)
        }
        try statement.bind(3, replica)
        try statement.run()
    }

    /// The digest of what a replica with these cursors holds; nil if something moved since, so that nobody can tell.
    ///
    /// Deleted rows are left out: once they are collected the server knows nothing of them, while devices may keep that they
    /// were deleted. It reads whole scopes, so it is worked out before the write that notes it.
    private func digest(of cursors: some Sequence<ScopeCursor>, _ db: Database) throws -> UInt64? {
        var digest = HoldingDigest()
        let deletions = try tables.map { table in
            try BoundStatement(db, "SELECT deleted FROM \"\(table.declaration.name)\" WHERE id = ?")
        }
        let statement = try BoundStatement(
            db, "SELECT collection, row, present, sequence FROM member WHERE scope = ?")
        for cursor in cursors {
            let name = cursor.scope.description
            guard let scope = try state(ofScope: name, db) else { continue }
            try statement.bind(1, scope.id)
            defer { statement.reset() }
            while try statement.step() {
                guard statement.integer(3) <= cursor.cursor.value else { return nil }
                guard statement.integer(2) != 0 else { continue }
                guard let collection = positions[statement.integer(0)] else { return nil }
                let deletion = deletions[collection]
                defer { deletion.reset() }
                try deletion.bind(1, statement.id(1))
                guard try deletion.step(), deletion.integer(0) == 0 else { continue }
                digest.add(
                    scope: name, collection: rules.catalogue.collections[collection].name.text, row: statement.id(1))
            }
        }
        return digest.bits
    }

    /// What a device has not confirmed to be gone, from what it last said and what its owner may hold now.
    func unconfirmed(
        _ replica: ReplicaID, of officer: RowID, isRevoked: Bool, now: Milliseconds, _ db: Database
    ) throws -> UnconfirmedPurge {
        let known = try noted(of: replica, db)
        let grants = try ServerRows(store: self, db: db).grants(of: officer)
        let held = Set(
            isRevoked ? [] : Principal(officer: officer, grants: grants).scopes(at: now, rules).map(rules.scope))
        var unconfirmed = UnconfirmedPurge()
        unconfirmed.scopes = known.cursors.keys.filter { !held.contains($0) }.sorted()
        let told = try BoundStatement(db, "SELECT min(told_ms) FROM acknowledged WHERE replica = ?")
        try told.bind(1, replica)
        if try told.step(), !told.isNull(0) { unconfirmed.told = Milliseconds(told.integer(0)) }
        told.reset()
        let left = try BoundStatement(
            db,
            """
            SELECT count(*) FROM member AS m WHERE m.scope = ?1 AND m.sequence > ?2 AND m.present = 0
            AND NOT EXISTS (
                SELECT 1 FROM acknowledged AS a JOIN scope AS s ON s.name = a.scope
                JOIN member AS o ON o.scope = s.id AND o.collection = m.collection AND o.row = m.row AND o.present = 1
                WHERE a.replica = ?3)
            """)
        for (scope, cursor) in known.cursors where held.contains(scope) && cursor.cursor != .zero {
            guard let number = try state(ofScope: scope.description, db) else { continue }
            guard cursor.cursor.value >= number.collected else {
                unconfirmed.unknown.append(scope)
                continue
            }
            try left.bind(1, number.id)
            try left.bind(2, cursor.cursor.value)
            try left.bind(3, replica)
            if try left.step() { unconfirmed.rows += Int(left.integer(0)) }
            left.reset()
        }
        unconfirmed.unknown.sort()
        return unconfirmed
    }
}
