import GRDB

extension Database {
    /// Reads one state of the database, whatever others write meanwhile.
    ///
    /// Where GRDB's `DatabaseQueue.read` would set `PRAGMA query_only` and take it back: setting a pragma that is a flag
    /// expires every statement of the connection (`OP_Expire` in SQLite's `pragma.c`), which is then compiled again at its
    /// next use and costs more than it does.
    func oneState<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try BoundStatement(self, "BEGIN DEFERRED").run()
        // The end of a transaction that wrote nothing cannot fail for want of space or of a lock.
        defer { try? BoundStatement(self, "COMMIT").run() }
        return try body(self)
    }
}
