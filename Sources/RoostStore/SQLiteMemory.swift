import CSQLite

/// How SQLite manages memory in this process.
package enum SQLiteMemory {
    /// With the count, SQLite takes and gives back one lock for all threads some forty times a row.
    private static let isUncounted: Bool = csqlite_stop_counting_memory() == SQLITE_OK

    /// To be called before a database is first opened; later it changes nothing.
    package static func settle() { _ = isUncounted }
}
