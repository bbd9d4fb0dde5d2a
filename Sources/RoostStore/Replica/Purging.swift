import GRDB
import RoostSchema
import RoostSync

/// Making sure, and saying, that what left this device is nowhere on its disk.
///
/// Deleting rows overwrites them in the database (`secure_delete`), but their bytes stay in the write-ahead log until it
/// is truncated. That cannot be part of the transaction, so the transaction notes that it is owed; nothing is confirmed
/// to the server before it is done.
extension Replica {
    /// Empties the write-ahead log if something in it must not stay; whether it is clean now.
    ///
    /// Not clean means that another process is reading: the next exchange tries again.
    @discardableResult
    func truncateLogIfOwed() throws -> Bool {
        guard try reading({ db in try self.fact(.logHoldsPurged, db) }) != nil else { return true }
        do {
            try queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED
        {
            return false
        }
        try writing { db in try self.removeFact(.logHoldsPurged, db) }
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
            """)
        defer { statement.reset() }
        while try statement.step() {
            digest.add(scope: statement.text(0), collection: statement.text(1), row: statement.id(2))
        }
        return PurgeConfirmation(rows: rows, digest: digest.bits)
    }
}
