extension ServerSchema {
    /// What the server remembers of breaks in its own history.
    static let recovery = """
        -- Epochs begun because the history was no continuation of what clients had seen.
        CREATE TABLE epoch_begun (
            epoch TEXT NOT NULL PRIMARY KEY,
            -- The epoch it follows.
            former TEXT NOT NULL,
            -- restored, put_back, sequence_lost, device_ahead
            reason TEXT NOT NULL,
            -- The device by which it came out, for device_ahead.
            replica INTEGER,
            begun_ms INTEGER NOT NULL,
            -- The last sequence the database knew of.
            sequence INTEGER NOT NULL,
            -- The last one known to have been given out.
            high_water INTEGER
        ) STRICT, WITHOUT ROWID;

        -- What devices that had seen another epoch brought back to this one.
        CREATE TABLE recovery (
            epoch TEXT NOT NULL,
            replica INTEGER NOT NULL,
            -- When the device learned of the epoch.
            met_ms INTEGER NOT NULL,
            applied INTEGER NOT NULL DEFAULT 0,
            merged INTEGER NOT NULL DEFAULT 0,
            late INTEGER NOT NULL DEFAULT 0,
            quarantined INTEGER NOT NULL DEFAULT 0,
            rejected INTEGER NOT NULL DEFAULT 0,
            -- Mutations acknowledged before that the device could not give again.
            unrecovered INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (epoch, replica)
        ) STRICT, WITHOUT ROWID;

        -- Recovered mutations that wait until a row they need is back.
        CREATE TABLE parked (
            id INTEGER PRIMARY KEY,
            replica INTEGER NOT NULL,
            incarnation INTEGER NOT NULL,
            -- The row waited for.
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            -- The mutation as it was sent.
            body BLOB NOT NULL,
            stamp BLOB NOT NULL,
            received_ms INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX parked_by_row ON parked (row, collection);

        -- Mutations of collections that no catalogue declared when they came.
        CREATE TABLE stranger (
            -- Their position in the feed of what their author has parked.
            sequence INTEGER PRIMARY KEY,
            replica INTEGER NOT NULL,
            officer BLOB NOT NULL,
            incarnation INTEGER NOT NULL,
            collection TEXT NOT NULL,
            -- The mutation as it was sent.
            body BLOB NOT NULL,
            stamp BLOB NOT NULL,
            received_ms INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX stranger_by_officer ON stranger (officer);

        -- Tells a repeated mutation from another one under the same number; NULL in verdicts of earlier versions.
        ALTER TABLE verdict ADD COLUMN fingerprint INTEGER;
        """

    static let runs = """
        -- Starts of the server over this database.
        CREATE TABLE server_run (
            -- From 1, without gaps.
            number INTEGER PRIMARY KEY,
            -- 64 random bits.
            mark INTEGER NOT NULL,
            begun_ms INTEGER NOT NULL,
            -- The last sequence given out before.
            after_sequence INTEGER NOT NULL
        ) STRICT;
        """

    static let recovering = """
        -- The last incarnation known of the replica when it met the epoch; from the first thing it gave again on, the one in
        -- which it gives again. NULL where an earlier version of this program noted the meeting.
        ALTER TABLE recovery ADD COLUMN incarnation INTEGER;
        """
}
