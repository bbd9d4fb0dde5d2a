import GRDB
package import RoostSchema
package import RoostSync
import Synchronization

/// What a replica last said it holds, remembered so that an idle exchange neither reads nor writes it.
struct Acknowledged: Sendable {
    var cursors: [Scope: ScopeCursor] = [:]
    /// Scopes it was told to give up and still names, or has not confirmed to be gone.
    var told: Set<Scope> = []
    /// When it was first told of what it has not confirmed to be gone; nil while it owes nothing.
    var owedSince: Milliseconds?
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
    /// Whether it was told and has not confirmed, be it of values only that a row which stays shows no longer.
    package var isOwed = false

    package var isEmpty: Bool { scopes.isEmpty && rows == 0 && unknown.isEmpty && !isOwed }
}

/// What an answer means for what its replica holds.
struct Entitlement {
    /// Scopes the replica begins with, and how far it gets.
    var given: [ScopeCursor] = []
    /// Scopes the replica names and its owner held once, but not now.
    var lost: Set<Scope> = []
    /// Scopes the replica names and its owner never held.
    var foreign: Set<Scope> = []
    /// Whether the answer takes anything away of what the replica says it holds, as far as the server can know.
    var takesAway = false
}

extension Acknowledged {
    /// What is known once a request was answered.
    ///
    /// Until the replica confirms that what it was told to give up is gone, it counts as holding what it held before: the
    /// scopes it lost stay, and no cursor moves. What it has applied is not yet off its disk, and it may never come back.
    /// A confirmation speaks for all that lies before the cursors of the same request; what its answer takes away is owed anew.
    func after(_ request: ExchangeRequest, _ answer: Entitlement, now: Milliseconds) -> Acknowledged {
        var after = self
        after.told = answer.lost
        after.cursors = [:]
        for cursor in request.scopes where !answer.foreign.contains(cursor.scope) {
            after.cursors[cursor.scope] = cursor
        }
        for cursor in answer.given {
            // One that begins anew with a scope has what it had until it says otherwise.
            if let had = after.cursors[cursor.scope], had.hasBegun {
                after.cursors[cursor.scope] = cursors[cursor.scope] ?? had
            } else {
                after.cursors[cursor.scope] = cursor
            }
        }
        if request.purged != nil { after.owedSince = nil }
        if after.owedSince != nil {
            for (scope, cursor) in cursors where after.cursors[scope] != nil || told.contains(scope) {
                if after.cursors[scope] == nil { after.told.insert(scope) }
                after.cursors[scope] = cursor
            }
        } else if answer.takesAway || request.owed {
            after.owedSince = now
        }
        return after
    }
}

extension ScopeCursor {
    /// Whether the replica has anything of the scope.
    var hasBegun: Bool { epoch != 0 || cursor != .zero }
}

extension ServerStore {
    /// How many milliseconds a note of where a device stands may be behind, while nothing is purged.
    private static let noteInterval: Int64 = 300_000
    /// The noted cursor of a device that has not read the scope under the present epoch.
    static let otherHistory = ServerSequence(-1)

    /// Notes what a replica says it holds: at once if a scope came, went or was told to go, if something is owed or a purge
    /// confirmed, and every few minutes otherwise.
    ///
    /// A noted cursor means that the replica has nothing of the scope, or at least so much. What the answer gives and takes
    /// must not be sent before this returns.
    func note(
        _ request: ExchangeRequest, _ answer: Entitlement, knowing known: Acknowledged, pushed: Bool,
        now: Milliseconds, offset: Int64
    ) async throws {
        let replica = request.replica
        // Another exchange of the same device may have been noted meanwhile.
        let known = acknowledged.withLock { $0[replica] } ?? known
        var after = known.after(request, answer, now: now)
        let isOther =
            !answer.given.isEmpty || known.cursors.count != after.cursors.count || known.told != after.told
            || known.owedSince != after.owedSince
            || after.cursors.contains { known.cursors[$0.key]?.epoch != $0.value.epoch }
        let isDue = abs(now - known.writtenAt) >= Self.noteInterval && known.cursors != after.cursors
        let isUnseen = !pushed && abs(now - known.seenAt) >= Self.noteInterval
        if isOther || isDue || isUnseen || request.purged != nil {
            after.writtenAt = now
            after.seenAt = now
            // Of what it had as it wrote the request, not of what the answer brings.
            let digest =
                request.purged == nil
                ? nil
                : try readHere { db in
                    try self.digest(of: request.scopes.filter { !answer.foreign.contains($0.scope) }, db)
                }
            try await commits.run { [after] db in
                try self.write(after, of: replica, now: now, offset: offset, db)
                if let purged = request.purged {
                    try self.confirm(purged, expecting: digest, of: replica, now: now, db)
                }
            }
        } else {
            after.cursors = known.cursors
            if pushed { after.seenAt = now }
        }
        acknowledged.withLock { [after] in $0[replica] = after }
    }

    /// What is known of a replica so far.
    func known(of replica: ReplicaID, _ db: Database) throws -> Acknowledged {
        try acknowledged.withLock { $0[replica] } ?? noted(of: replica, db)
    }

    /// Notes that a revoked device has nothing left of what it was sent.
    package func confirmRevoked(_ replica: ReplicaID) async throws {
        let now = clock()
        try await pool.write { db in
            let forget = try BoundStatement(db, "DELETE FROM acknowledged WHERE replica = ?")
            try forget.bind(1, replica)
            try forget.run()
            let note = try BoundStatement(
                db,
                """
                UPDATE replica SET purged_ms = ?1, seen_ms = ?1, purge_agreed = NULL, purge_owed_ms = NULL WHERE id = ?2
                """)
            try note.bind(1, now.value)
            try note.bind(2, replica)
            try note.run()
        }
        _ = acknowledged.withLock { $0.removeValue(forKey: replica) }
    }

    private func noted(of replica: ReplicaID, _ db: Database) throws -> Acknowledged {
        var known = Acknowledged(writtenAt: Milliseconds(0), seenAt: Milliseconds(0))
        let seen = try BoundStatement(db, "SELECT seen_ms, purge_owed_ms FROM replica WHERE id = ?")
        try seen.bind(1, replica)
        if try seen.step() {
            if !seen.isNull(0) {
                known.seenAt = Milliseconds(seen.integer(0))
                known.writtenAt = known.seenAt
            }
            if !seen.isNull(1) { known.owedSince = Milliseconds(seen.integer(1)) }
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
        let seen = try BoundStatement(
            db, "UPDATE replica SET seen_ms = ?, offset_ms = ?, purge_owed_ms = ? WHERE id = ?")
        try seen.bind(1, now.value)
        try seen.bind(2, offset)
        if let owed = state.owedSince { try seen.bind(3, owed.value) } else { try seen.bindNull(3) }
        try seen.bind(4, replica)
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
        unconfirmed.isOwed = known.owedSince != nil
        unconfirmed.told = known.owedSince
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
