import GRDB
import RoostSchema
import RoostSync

/// Making sure, and saying, that what left this device is nowhere on its disk.
///
/// Deleting rows overwrites them where they stand (`secure_delete`), but not everywhere they ever stood: when SQLite moves
/// rows to another page their bytes stay in the unused part of the old one, and the write-ahead log has every page as it
/// was. So the database is written anew, and the log truncated. That cannot be part of the transaction, so the
/// transaction notes that it is owed; nothing is confirmed to the server before it is done.
extension Replica {
    /// Frees the files of what must not stay, if something is owed; whether they are clean now.
    ///
    /// Not clean means that another process is reading, or that the disk has no room for the database a second time: the
    /// next exchange tries again. Costs a copy of the whole database, so it is done once for all that an exchange wiped.
    @discardableResult
    func scrubIfOwed() throws -> Bool {
        guard try reading({ db in try self.fact(.filesHoldPurged, db) }) != nil else { return true }
        do {
            try queue.writeWithoutTransaction { db in
                // First, because it is cheap and fails while somebody reads.
                _ = try db.checkpoint(.truncate)
                try db.execute(sql: "VACUUM")
                _ = try db.checkpoint(.truncate)
            }
        } catch let error as DatabaseError
            where [.SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL].contains(error.resultCode)
        {
            return false
        }
        try writing { db in try self.removeFact(.filesHoldPurged, db) }
        return true
    }

    /// What to confirm with the next request; nil if nothing is owed, or something is still to be surrendered.
    func confirmation(_ db: Database) throws -> PurgeConfirmation? {
        guard try !mustSurrender(db), let rows = try fact(.purgedRows, db).flatMap({ Int($0) }) else { return nil }
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
