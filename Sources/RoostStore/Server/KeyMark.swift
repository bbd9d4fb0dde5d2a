import GRDB

/// What the database keeps to tell its key from another, without knowing it.
extension ServerStore {
    private static let fact = "key_mark"

    /// Whether `mark` is that of the key which this database belongs to.
    ///
    /// One that has no mark yet is asked about by `fits`, given every endpoint, and gets this one if it does.
    package func checkKeyMark(_ mark: String, fits: ([EndpointRecord]) -> Bool) throws -> Bool {
        if let known = try pool.read({ db in try Self.keyMark(db) }) { return known == mark }
        return try pool.write { db in
            guard fits(try RosterReader(store: self, db: db).endpoints()) else { return false }
            try db.execute(
                sql: "INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)", arguments: [Self.fact, mark])
            return true
        }
    }

    /// The mark of the key which the database belongs to; nil for one that has none yet.
    static func keyMark(_ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = ?", arguments: [fact])
    }

    /// Makes this the key's mark, whatever it was; endpoints that `opens` denies wait until their address has been entered
    /// again and tested.
    /// - Returns: How many those are.
    package func adoptKeyMark(_ mark: String, opens: (EndpointRecord) -> Bool) throws -> Int {
        try pool.write { db in
            let lost = try RosterReader(store: self, db: db).endpoints()
                .filter { !$0.sealedAddress.isEmpty && !opens($0) }
            let statement = try BoundStatement(db, "UPDATE endpoint SET state = 'untested' WHERE id = ?")
            for endpoint in lost {
                try statement.bind(1, endpoint.id)
                try statement.run()
            }
            try db.execute(
                sql: "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", arguments: [Self.fact, mark])
            return lost.count
        }
    }
}
