import GRDB
import RoostSchema
import RoostSync
import Synchronization

/// Making sure, and saying, that what left this device is nowhere on its disk.
///
/// Deleting rows overwrites them where they stand (`secure_delete`), but not everywhere they ever stood: when SQLite moves
/// rows to another page their bytes stay in the unused part of the old one, and the write-ahead log has every page as it
/// was. So the database is written anew, and the log truncated. That cannot be part of the transaction, so the
/// transaction notes that it is owed; nothing is confirmed to the server before it is done.
extension Replica {
    /// What deleted rows held goes from the files within so many milliseconds, and the contact after: it was not taken from
    /// anybody, and whoever tidies a roster all day would have the whole database written anew for each row.
    private static let patience: Int64 = 3_600_000

    /// Frees the files of what must not stay, if something is owed; whether they are clean now of what left.
    ///
    /// Not clean means that another process is reading, or that there is no room for the database a second time: the
    /// next exchange tries again. Costs a copy of the whole database, so it is done once for all that an exchange wiped;
    /// for rows that were only deleted, once an hour, and only where `now` is given.
    @discardableResult
    func scrubIfOwed(at now: Milliseconds? = nil) throws -> Bool {
        let isOwed = try reading { db in
            if try self.fact(.filesHoldPurged, db) != nil { return true }
            guard let now, let since = try self.fact(.filesHoldDeleted, db).flatMap({ Int64($0) }) else { return false }
            // A clock set back must not put it off.
            return abs(now.value - since) >= Self.patience
        }
        guard isOwed else { return true }
        do {
            try queue.writeWithoutTransaction { db in
                // First, because it is cheap and fails while somebody reads.
                _ = try db.checkpoint(.truncate)
                try vacuum(db)
                _ = try db.checkpoint(.truncate)
            }
        } catch let error as DatabaseError where Self.isWantOfRoom(error.resultCode) {
            return false
        }
        try writing { db in
            try self.removeFact(.filesHoldPurged, db)
            try self.removeFact(.filesHoldDeleted, db)
        }
        return true
    }

    /// Whether an error of SQLite means that the files could not be written anew for now, and are as they were.
    private static func isWantOfRoom(_ code: ResultCode) -> Bool {
        [.SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_NOMEM, .SQLITE_IOERR, .SQLITE_CANTOPEN].contains(code)
    }

    /// Writes the database anew by way of a file beside it.
    ///
    /// Everything else that is temporary stays in memory; but a copy of the whole database must not: a county's has hundreds
    /// of megabytes. The file is readable by its owner only and has no name from the moment it is opened, so that it goes
    /// whatever happens; it holds nothing but what stays. The system's own folders may be in memory, or on a smaller disk.
    private func vacuum(_ db: Database) throws {
        // The folder is a setting of the process, not of the connection.
        try Self.vacuuming.withLock { _ in
            let folder = directory.replacing("'", with: "''")
            try db.execute(sql: "PRAGMA temp_store = FILE; PRAGMA temp_store_directory = '\(folder)'")
            defer { try? db.execute(sql: "PRAGMA temp_store_directory = ''; PRAGMA temp_store = MEMORY") }
            try db.execute(sql: "VACUUM")
        }
    }

    private static let vacuuming = Mutex(())

    /// Whether the files may still hold bytes of what left this device, because they could not be written anew.
    package func owesScrub() throws -> Bool { try reading { db in try self.fact(.filesHoldPurged, db) != nil } }

    /// What to confirm with the next request; nil if nothing is owed, if something is still to be surrendered, or while a
    /// scope is read anew whose former rows go at its end.
    func confirmation(_ db: Database) throws -> PurgeConfirmation? {
        guard let rows = try fact(.purgedRows, db).flatMap({ Int($0) }), try !mustSurrender(db),
            try Bool.fetchOne(db, sql: "SELECT NOT EXISTS (SELECT 1 FROM copy WHERE stale = 1)") == true
        else { return nil }
        var digest = HoldingDigest()
        let statement = try BoundStatement(
            db,
            """
            SELECT h.scope, c.collection, c.row FROM copy AS c JOIN held AS h ON h.id = c.held
            -- What came back because the server cannot place it is nobody's to give or take.
            WHERE h.scope NOT LIKE 'parked:%'
            -- That a row was deleted the server forgets before this device does.
            AND CAST(c.body AS TEXT) ->> '$.deleted' IS NULL
            """)
        defer { statement.reset() }
        while try statement.step() {
            digest.add(scope: statement.text(0), collection: statement.text(1), row: statement.id(2))
        }
        return PurgeConfirmation(rows: rows, digest: digest.bits)
    }
}
