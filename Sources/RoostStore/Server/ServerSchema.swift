import GRDB

/// The server's own tables, beside those derived from the catalogue.
///
/// Migrations are numbered and never edited once
/// released; a database of each released version is kept and opened by a test.
enum ServerSchema {
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("0001-roster") { db in try db.execute(sql: roster) }
        migrator.registerMigration("0002-acknowledged") { db in try db.execute(sql: acknowledged) }
        migrator.registerMigration("0003-history") { db in try db.execute(sql: history) }
        // Quarantine became a collection, whose table has the name.
        migrator.registerMigration("0004-quarantine") { db in
            try db.execute(
                sql: "DROP INDEX quarantine_by_row; ALTER TABLE quarantine RENAME TO former_quarantine")
        }
        migrator.registerMigration("0005-outreach") { db in try db.execute(sql: OutreachSchema.outreach) }
        migrator.registerMigration("0006-recovery") { db in try db.execute(sql: recovery) }
        migrator.registerMigration("0007-horizon") { db in try db.execute(sql: horizon) }
        migrator.registerMigration("0008-admission") { db in try db.execute(sql: admission) }
        migrator.registerMigration("0009-notices") { db in try db.execute(sql: OutreachSchema.notices) }
        migrator.registerMigration("0010-claimed") { db in try db.execute(sql: claimed) }
        migrator.registerMigration("0011-waiting") { db in try db.execute(sql: OutreachSchema.waiting) }
        // Fingerprints say more than they did; a verdict without one is that of any edit of its number.
        migrator.registerMigration("0012-fingerprint") { db in
            try db.execute(sql: "UPDATE verdict SET fingerprint = NULL")
        }
        migrator.registerMigration("0013-told-parts") { db in try db.execute(sql: OutreachSchema.toldParts) }
        migrator.registerMigration("0014-runs") { db in try db.execute(sql: runs) }
        migrator.registerMigration("0015-recovering") { db in try db.execute(sql: recovering) }
        migrator.registerMigration("0016-owed") { db in try db.execute(sql: owed) }
        return migrator
    }()

    private static let owed = """
        -- When the replica was first told of what it has not confirmed since to be gone; NULL if it owes nothing. While it
        -- does, `acknowledged` says what it held before.
        ALTER TABLE replica ADD COLUMN purge_owed_ms INTEGER;
        UPDATE replica SET purge_owed_ms =
            (SELECT min(told_ms) FROM acknowledged WHERE acknowledged.replica = replica.id);
        """

    private static let claimed = """
        -- When the author's device said that the edit was made, as the 64 bits of a hybrid time, where it was filed under
        -- another time or under none.
        ALTER TABLE verdict ADD COLUMN claimed INTEGER;
        """

    private static let admission = """
        -- When what lets a row into the scopes of a kind turned; before the first of these it was always as it was then.
        CREATE TABLE admission (
            id INTEGER PRIMARY KEY,
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            -- Scope kind.
            kind TEXT NOT NULL,
            -- 1 for what a link asks of its subject, 0 for what a view asks of its row.
            link INTEGER NOT NULL CHECK (link IN (0, 1)),
            -- 1 if the row was let in before.
            was INTEGER NOT NULL CHECK (was IN (0, 1)),
            at_ms INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX admission_by_row ON admission (row, collection);
        """

    private static let acknowledged = """
        -- What each replica may hold: a scope is entered before it is first sent, and deleted when the replica, which
        -- was told that it may not hold it, names it no longer.
        CREATE TABLE acknowledged (
            replica INTEGER NOT NULL,
            scope TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            -- A sequence of the scope's feed: the replica has nothing of the scope, or everything up to at least here.
            -- Some minutes behind what it last said.
            cursor INTEGER NOT NULL,
            -- When it was first told to give the scope up; NULL while it may hold it.
            told_ms INTEGER,
            PRIMARY KEY (replica, scope)
        ) STRICT, WITHOUT ROWID;
        -- When the replica last confirmed that what left it is gone from its disk.
        ALTER TABLE replica ADD COLUMN purged_ms INTEGER;
        -- Whether its digest of what is left was the server's; NULL if that could not be told.
        ALTER TABLE replica ADD COLUMN purge_agreed INTEGER CHECK (purge_agreed IN (0, 1));
        """

    /// One row for all that gave way to one edit, where there was one for each field: an edit of three fields writes one
    /// row instead of three.
    private static let history = """
        CREATE TABLE history_by_edit (
            id INTEGER PRIMARY KEY,
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            -- JSON list of [field, value, its stamp, the winner's stamp, whether neither author had seen the other's].
            losses TEXT NOT NULL,
            sequence INTEGER NOT NULL
        ) STRICT;
        INSERT INTO history_by_edit (collection, row, losses, sequence)
            SELECT collection, row, json_array(json_array(field, json(value),
                lower(substr(hex(stamp), 1, 16) || '-' || substr(hex(stamp), 17)),
                lower(substr(hex(winner), 1, 16) || '-' || substr(hex(winner), 17)),
                json(iif(hard, 'true', 'false')))), sequence
            FROM history ORDER BY id;
        DROP TABLE history;
        ALTER TABLE history_by_edit RENAME TO history;
        CREATE INDEX history_by_row ON history (row, collection);
        """

    private static let roster = """
        -- Facts about this database, by name: epoch, sequence (the last one given out), writer (the server's replica).
        CREATE TABLE meta (
            name TEXT NOT NULL PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- Collections by a number that stays when the catalogue is reordered.
        CREATE TABLE collection (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE
        ) STRICT;

        -- Scopes that ever had a member.
        CREATE TABLE scope (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            -- Rises when replicas must read the scope from its beginning.
            epoch INTEGER NOT NULL DEFAULT 1
        ) STRICT;

        -- The newest event of each row in each scope: it changed there, or left.
        CREATE TABLE member (
            scope INTEGER NOT NULL,
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            sequence INTEGER NOT NULL,
            present INTEGER NOT NULL CHECK (present IN (0, 1)),
            PRIMARY KEY (scope, collection, row)
        ) STRICT, WITHOUT ROWID;
        -- The feed of a scope, read by sequence alone.
        CREATE INDEX member_feed ON member (scope, sequence, present);

        -- Intervals of authority: grants of roles, and links of subjects to scopes. Never overwritten, only ended.
        CREATE TABLE authority (
            id INTEGER PRIMARY KEY,
            -- 'grant', or the name of the scope kind a link leads to.
            kind TEXT NOT NULL,
            -- The grant or link row.
            row BLOB NOT NULL,
            -- The officer of a grant; the subject of a link.
            subject BLOB NOT NULL,
            -- The role of a grant.
            role TEXT,
            -- The target of a grant, or the key of the scope a link leads to.
            target BLOB,
            from_sequence INTEGER NOT NULL,
            from_ms INTEGER NOT NULL,
            until_sequence INTEGER,
            until_ms INTEGER
        ) STRICT;
        CREATE INDEX authority_by_subject ON authority (subject, kind);
        CREATE INDEX authority_open ON authority (row, kind) WHERE until_sequence IS NULL;

        -- Replicas: enrolled devices, and the server's own writers (which have no token).
        CREATE TABLE replica (
            id INTEGER PRIMARY KEY,
            officer BLOB NOT NULL,
            label TEXT NOT NULL,
            -- SHA-256 of the device token.
            token_hash BLOB UNIQUE,
            incarnation INTEGER NOT NULL DEFAULT 1,
            -- The number of the last mutation decided, in this incarnation.
            last_number INTEGER NOT NULL DEFAULT 0,
            -- The effective time of the last mutation decided, as the 64 bits of a hybrid time.
            last_effective INTEGER,
            enrolled_ms INTEGER NOT NULL,
            seen_ms INTEGER,
            revoked_ms INTEGER,
            -- Device clock minus server clock at the last exchange.
            offset_ms INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX replica_by_officer ON replica (officer);

        -- What became of each mutation: the bytes of its verdict, for ever the same.
        CREATE TABLE verdict (
            replica INTEGER NOT NULL,
            incarnation INTEGER NOT NULL,
            number INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (replica, incarnation, number)
        ) STRICT, WITHOUT ROWID;

        -- Rows whose creation was refused, so that edits that hang on them are told so.
        CREATE TABLE refused_creation (
            replica INTEGER NOT NULL,
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            PRIMARY KEY (replica, collection, row)
        ) STRICT, WITHOUT ROWID;

        -- Values that gave way.
        CREATE TABLE history (
            id INTEGER PRIMARY KEY,
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            field TEXT NOT NULL,
            -- JSON of the value.
            value TEXT NOT NULL,
            stamp BLOB NOT NULL,
            winner BLOB NOT NULL,
            -- 1 if neither author had seen the other's value.
            hard INTEGER NOT NULL CHECK (hard IN (0, 1)),
            sequence INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX history_by_row ON history (row, collection);

        -- Edits that wait for a person's decision.
        CREATE TABLE quarantine (
            id INTEGER PRIMARY KEY,
            replica INTEGER NOT NULL,
            incarnation INTEGER NOT NULL,
            number INTEGER NOT NULL,
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            action TEXT NOT NULL,
            -- JSON object of field to value.
            fields TEXT NOT NULL,
            stamp BLOB NOT NULL,
            reason TEXT NOT NULL,
            received_ms INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX quarantine_by_row ON quarantine (row, collection);

        -- Identities that were erased and may never come back.
        CREATE TABLE erased (
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            PRIMARY KEY (collection, row)
        ) STRICT, WITHOUT ROWID;

        -- One-time codes that make a device an officer's.
        CREATE TABLE enrolment_code (
            -- HMAC-SHA256 of the code in its canonical spelling, under the key file's key: forty bits alone could be tried out.
            hash BLOB NOT NULL PRIMARY KEY,
            officer BLOB NOT NULL,
            expires_ms INTEGER NOT NULL,
            used_ms INTEGER,
            -- The officer who had it made; NULL for the command line.
            made_by BLOB
        ) STRICT, WITHOUT ROWID;

        -- Imports of sheets.
        CREATE TABLE batch (
            id BLOB NOT NULL PRIMARY KEY,
            officer BLOB NOT NULL,
            -- File name as uploaded.
            source TEXT NOT NULL,
            template TEXT NOT NULL,
            -- JSON of the counts: read, new, updated, unchanged, suspect, refused.
            counts TEXT NOT NULL,
            committed_ms INTEGER NOT NULL,
            undone_ms INTEGER
        ) STRICT, WITHOUT ROWID;

        -- What a batch wrote, so that it can be undone.
        CREATE TABLE batch_row (
            batch BLOB NOT NULL,
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            created INTEGER NOT NULL CHECK (created IN (0, 1)),
            -- The stamp of the batch's write.
            stamp BLOB NOT NULL,
            -- JSON object of field to earlier value; NULL for a row the batch created.
            before TEXT,
            PRIMARY KEY (batch, collection, row)
        ) STRICT, WITHOUT ROWID;

        -- Where digests go.
        CREATE TABLE endpoint (
            id BLOB NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            -- wecom, generic, manual
            channel TEXT NOT NULL,
            -- The contact group it speaks to, if any.
            contact_group BLOB,
            -- Robot key or URL, sealed with the key file's key.
            address BLOB,
            -- Signing secrets, newest first, sealed likewise.
            secrets BLOB,
            -- A word every message must contain, which some robots demand.
            keyword TEXT,
            -- active, paused, disabled
            state TEXT NOT NULL,
            -- Code of the outcome for which it was disabled.
            note TEXT,
            -- Until when nothing is sent there, because the receiver limits the rate.
            held_until_ms INTEGER,
            created_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- One row per digest x endpoint x part; the bytes are frozen at approval.
        CREATE TABLE delivery (
            id BLOB NOT NULL PRIMARY KEY,
            digest BLOB NOT NULL,
            -- The digest row's version when its bytes were frozen.
            version BLOB NOT NULL,
            endpoint BLOB NOT NULL,
            part INTEGER NOT NULL,
            parts INTEGER NOT NULL,
            content_type TEXT NOT NULL,
            body BLOB NOT NULL,
            -- frozen, queued, leased, retry_wait, held, uncertain, sent, failed, expired, cancelled, manual_pending, manual_done
            state TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            next_ms INTEGER,
            lease_until_ms INTEGER,
            not_after_ms INTEGER,
            -- Class and code of the last outcome; what to do about it follows from them.
            outcome TEXT,
            code TEXT,
            -- How many people it reached, told by whoever posted it by hand.
            reach INTEGER,
            sent_ms INTEGER,
            UNIQUE (digest, endpoint, part)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX delivery_due ON delivery (state, next_ms);

        CREATE TABLE attempt (
            id INTEGER PRIMARY KEY,
            delivery BLOB NOT NULL,
            started_ms INTEGER NOT NULL,
            finished_ms INTEGER,
            outcome TEXT,
            http_status INTEGER,
            code TEXT,
            -- What the receiver said, at most 4 KiB, addresses and keys removed.
            response TEXT
        ) STRICT;
        CREATE INDEX attempt_by_delivery ON attempt (delivery);
        """

    private static let horizon = """
        -- The first epoch of the scope from which a replica may go on whose cursor is not behind `collected`.
        ALTER TABLE scope ADD COLUMN since INTEGER NOT NULL DEFAULT 1;
        -- Up to which sequence departures and deleted rows may be gone from its feed.
        ALTER TABLE scope ADD COLUMN collected INTEGER NOT NULL DEFAULT 0;

        -- Identities of deleted rows that were collected: like the erased, they may never come back.
        CREATE TABLE collected (
            collection INTEGER NOT NULL,
            row BLOB NOT NULL,
            PRIMARY KEY (collection, row)
        ) STRICT, WITHOUT ROWID;

        -- How far the server had come at some moments: sequences are no times.
        CREATE TABLE milestone (
            at_ms INTEGER NOT NULL PRIMARY KEY,
            sequence INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- The number of the last mutation whose verdict the replica is known to have, in its incarnation.
        ALTER TABLE replica ADD COLUMN acknowledged INTEGER NOT NULL DEFAULT 0;
        -- How far each replica had come at some moments.
        CREATE TABLE verdict_mark (
            replica INTEGER NOT NULL,
            incarnation INTEGER NOT NULL,
            number INTEGER NOT NULL,
            noted_ms INTEGER NOT NULL,
            PRIMARY KEY (replica, incarnation, number)
        ) STRICT, WITHOUT ROWID;
        """
}
