import GRDB

/// The system tables of a replica's database, as append-only numbered migrations.
///
/// Besides these there is one table per collection (see ``RowTable``) that holds what the person sees: the union of the
/// copies of a row over the scopes held, with pending mutations on top. It is derived and can be rebuilt at any time.
enum ReplicaSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("0001-replica") { db in
            try db.execute(
                sql: """
                    -- Facts about this replica, by name: see ReplicaFact.
                    CREATE TABLE meta (
                        name TEXT NOT NULL PRIMARY KEY
                        , value TEXT NOT NULL
                    ) STRICT, WITHOUT ROWID;

                    -- What the replica has of each scope.
                    CREATE TABLE held (
                        id INTEGER PRIMARY KEY
                        , scope TEXT NOT NULL UNIQUE
                        , epoch INTEGER NOT NULL
                        -- The last sequence of the scope's feed that is applied.
                        , cursor INTEGER NOT NULL
                    ) STRICT;

                    -- A row as one scope shows it, in the wire form, fields unknown to this catalogue included.
                    CREATE TABLE copy (
                        id INTEGER PRIMARY KEY
                        , held INTEGER NOT NULL REFERENCES held (id)
                        , collection TEXT NOT NULL
                        , row BLOB NOT NULL CHECK (length(row) = 16)
                        -- When the server last changed the row.
                        , sequence INTEGER NOT NULL
                        , body BLOB NOT NULL
                        -- 1 while the scope is read from the beginning and has not brought the row again.
                        , stale INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1))
                        , UNIQUE (row, collection, held)
                    ) STRICT;
                    CREATE INDEX copy_by_held ON copy (held);

                    -- Mutations that have no verdict yet, encoded once so that a retry sends the same bytes; and those
                    -- with a verdict whose rows the server has not shown yet.
                    CREATE TABLE outbox (
                        number INTEGER PRIMARY KEY
                        , group_number INTEGER
                        , collection TEXT NOT NULL
                        , row BLOB NOT NULL CHECK (length(row) = 16)
                        , made_at_ms INTEGER NOT NULL
                        , body BLOB NOT NULL
                        -- Whether some attempt to send it has begun: from then on the number is spent.
                        , sent INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1))
                        , answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1))
                        -- The sheet import it belongs to.
                        , batch TEXT
                    ) STRICT;
                    CREATE INDEX outbox_by_row ON outbox (row, collection);

                    -- Mutations the server refused: kept until the person edits, exports or discards them.
                    CREATE TABLE refused (
                        id INTEGER PRIMARY KEY
                        , incarnation INTEGER NOT NULL
                        , number INTEGER NOT NULL
                        , collection TEXT NOT NULL
                        , row BLOB NOT NULL CHECK (length(row) = 16)
                        , refused_at_ms INTEGER NOT NULL
                        , body BLOB NOT NULL
                        , verdict BLOB NOT NULL
                        , UNIQUE (incarnation, number)
                    ) STRICT;

                    -- Mutations with another verdict, so that a server restored from an old copy can be given them again.
                    CREATE TABLE journal (
                        incarnation INTEGER NOT NULL
                        , number INTEGER NOT NULL
                        , collection TEXT NOT NULL
                        , row BLOB NOT NULL CHECK (length(row) = 16)
                        , outcome TEXT NOT NULL
                        , answered_at_ms INTEGER NOT NULL
                        -- NULL once the row has left every scope of this replica: what it said has moved to the server.
                        , body BLOB
                        , verdict BLOB NOT NULL
                        , PRIMARY KEY (incarnation, number)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX journal_by_row ON journal (row, collection);

                    -- What the row tables do not say of a row: fields seen through their mask (a JSON list of names) and
                    -- whether something of it is pending. Rows without either are absent.
                    CREATE TABLE shown (
                        collection TEXT NOT NULL
                        , row BLOB NOT NULL CHECK (length(row) = 16)
                        , masked TEXT
                        , pending INTEGER NOT NULL CHECK (pending IN (0, 1))
                        , PRIMARY KEY (row, collection)
                    ) STRICT, WITHOUT ROWID;

                    -- Names in the forms people search by.
                    CREATE TABLE name_search (
                        collection TEXT NOT NULL
                        , row BLOB NOT NULL CHECK (length(row) = 16)
                        -- The names without regard to script and blanks, separated by line feeds.
                        , folded TEXT NOT NULL
                        -- Without tones, from each syllable on, each behind a blank: ` tanzisen zisen sen`.
                        , spelled TEXT NOT NULL
                        -- The same for initials: ` tzs zs s`.
                        , initials TEXT NOT NULL
                        -- Orders as an address book does.
                        , sort_key TEXT NOT NULL
                        , PRIMARY KEY (row, collection)
                    ) STRICT, WITHOUT ROWID;

                    -- Sheets imported offline, with what they replaced.
                    CREATE TABLE batch (
                        id TEXT NOT NULL PRIMARY KEY
                        , source TEXT NOT NULL
                        , made_at_ms INTEGER NOT NULL
                        , undone_at_ms INTEGER
                        -- Per row: collection, row, and for each field the value before and after.
                        , changes BLOB NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("0002-departed") { db in
            try db.execute(
                sql: """
                    -- 1 once the row left this device: the server is given the edit, which is then forgotten here.
                    ALTER TABLE refused ADD COLUMN departed INTEGER NOT NULL DEFAULT 0 CHECK (departed IN (0, 1));
                    """)
        }
        migrator.registerMigration("0003-download") { db in
            try db.execute(
                sql: """
                    -- Snapshots that are fetched or applied; the file lies beside the database (see Replica.part).
                    CREATE TABLE download (
                        scope TEXT NOT NULL PRIMARY KEY
                        , epoch INTEGER NOT NULL
                        , id TEXT NOT NULL
                        , sequence INTEGER NOT NULL
                        , rows INTEGER NOT NULL
                        , bytes INTEGER NOT NULL
                        , size INTEGER NOT NULL
                        -- Rows of the file that are applied.
                        , applied INTEGER NOT NULL DEFAULT 0
                        -- 1 if the replica had no rows of the scope when it began to apply.
                        , fresh INTEGER NOT NULL DEFAULT 0 CHECK (fresh IN (0, 1))
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("0004-clock") { db in
            try db.execute(
                sql: """
                    -- How the device's clocks stood in each boot that edits wait from (see Replica.noteClocks).
                    CREATE TABLE clock_boot (
                        -- Rises from boot to boot.
                        id INTEGER PRIMARY KEY
                        , boot TEXT NOT NULL UNIQUE
                        -- What the server's clock said when the steady clock read 0; NULL before the first exchange.
                        , zero_ms INTEGER
                        -- The first and the last reading of both clocks that was noted.
                        , first_wall_ms INTEGER NOT NULL
                        , first_steady_ms INTEGER NOT NULL
                        , last_wall_ms INTEGER NOT NULL
                        , last_steady_ms INTEGER NOT NULL
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("0005-stale") { db in
            try db.execute(
                sql: """
                    -- Asked with every page, and empty but while a scope is read from the beginning.
                    CREATE INDEX copy_stale ON copy (held) WHERE stale = 1;
                    """)
        }
        migrator.registerMigration("0006-cut") { db in
            try db.execute(
                sql: """
                    -- 1 once the body says less than was said: fields went that no scope shows this replica any more.
                    ALTER TABLE journal ADD COLUMN cut INTEGER NOT NULL DEFAULT 0 CHECK (cut IN (0, 1));
                    """)
        }
        return migrator
    }
}
