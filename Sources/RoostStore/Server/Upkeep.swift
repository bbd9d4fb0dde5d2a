import Foundation
import GRDB
package import RoostSchema
package import RoostSync

/// What an operator checks and does beside the daily work.
extension ServerStore {
    /// What a look at a database tells that neither migrates nor changes it.
    package struct Inspection: Hashable, Sendable {
        /// What SQLite finds wrong with the file, at most ten lines; empty if nothing.
        package var damage: [String] = []
        package var pendingMigrations: [String] = []
        /// Whether a later version of the program wrote it.
        package var isNewer = false
        package var epoch: String?
        /// Keyed scopes with members whose key row is gone or deleted: rows that nobody can be given.
        package var orphanScopes: [String] = []
        /// Devices that have not come since the latest epoch that was begun for a loss, and may bring something back.
        package var awaited = 0
        /// By what the database tells its key from another; nil if it was never served with one that left a mark.
        package var keyMark: String?
        /// Endpoints that fail now, and the mail server if it does.
        package var failing: [FailingEndpoint] = []
        /// The latest moment the server's clock is known to have told.
        package var lastMoment = Milliseconds(0)
    }

    /// The latest moment the server's clock is known to have told.
    package func lastMoment() throws -> Milliseconds { try pool.read { db in try Self.lastMoment(db) } }

    private static func lastMoment(_ db: Database) throws -> Milliseconds {
        let moment = try Int64.fetchOne(
            db,
            sql: """
                SELECT max((SELECT coalesce(max(max(enrolled_ms, coalesce(seen_ms, 0))), 0) FROM replica),
                    (SELECT coalesce(max(from_ms), 0) FROM authority))
                """)
        return Milliseconds(moment ?? 0)
    }

    /// Looks at the database of a directory without opening it for writing.
    package static func inspect(directory: String, catalogue: Catalogue) throws -> Inspection {
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: directory + "/" + fileName, configuration: configuration)
        return try queue.read { db in
            var found = Inspection()
            found.damage = try String.fetchAll(db, sql: "PRAGMA integrity_check(10)").filter { $0 != "ok" }
            let applied = try ServerSchema.migrator.appliedIdentifiers(db)
            found.pendingMigrations = ServerSchema.migrator.migrations.filter { !applied.contains($0) }
            found.isNewer = try ServerSchema.migrator.hasBeenSuperseded(db)
            guard found.pendingMigrations.isEmpty else { return found }
            found.epoch = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'epoch'")
            found.lastMoment = try lastMoment(db)
            found.keyMark = try keyMark(db)
            found.failing = try FailingEndpoint.all(db)
            found.awaited =
                try Int.fetchOne(
                    db,
                    sql: """
                        SELECT count(*) FROM replica, (SELECT epoch, max(begun_ms) AS begun_ms FROM epoch_begun) AS latest
                        WHERE token_hash IS NOT NULL AND revoked_ms IS NULL AND enrolled_ms < latest.begun_ms
                            AND NOT EXISTS (
                                SELECT 1 FROM recovery WHERE recovery.epoch = latest.epoch AND recovery.replica = replica.id)
                        """) ?? 0
            let names = try String.fetchAll(
                db,
                sql: "SELECT name FROM scope WHERE id IN (SELECT scope FROM member WHERE present = 1) ORDER BY name")
            found.orphanScopes = try names.filter { name in
                guard let scope = Scope(name), let key = scope.key,
                    let collection = catalogue[scope: scope.kind]?.key
                else { return false }
                let statement = try BoundStatement(db, "SELECT 1 FROM \"\(collection)\" WHERE id = ? AND deleted = 0")
                defer { statement.reset() }
                try statement.bind(1, key)
                return try !statement.step()
            }
            return found
        }
    }

    /// Writes a consistent copy of the database to a file while the server goes on working.
    ///
    /// SQLite's online backup; the copy is a single file without a log beside it.
    package func backUp(to path: String) throws {
        let copy = try DatabaseQueue(path: path)
        try pool.backup(to: copy)
        try copy.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA journal_mode = DELETE") }
        try copy.close()
    }

    /// Moves the log's content into the database file and empties the log.
    package func checkpoint() throws {
        _ = try pool.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
    }
}
