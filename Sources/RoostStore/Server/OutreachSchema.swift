/// The tables of outward delivery as the second version of them adds to the first.
enum OutreachSchema {
    static let outreach = """
        -- The kind of message it wants of its channel; NULL for the usual one.
        ALTER TABLE endpoint ADD COLUMN form TEXT;
        -- JSON list of the sorts of section it takes; NULL for all.
        ALTER TABLE endpoint ADD COLUMN topics TEXT;
        -- Hours of the day in China in which nothing is sent, as 22:00-08:00; NULL for none.
        ALTER TABLE endpoint ADD COLUMN quiet TEXT;
        -- PEM of the authority its certificate is from, where that is none of the system's.
        ALTER TABLE endpoint ADD COLUMN authority TEXT;
        -- 1 where only drafts are tried out and no digest goes.
        ALTER TABLE endpoint ADD COLUMN for_tests INTEGER NOT NULL DEFAULT 0 CHECK (for_tests IN (0, 1));
        -- The last time it took something.
        ALTER TABLE endpoint ADD COLUMN answered_ms INTEGER;
        -- Attempts failed since, and until when sending to it is suspended for that.
        ALTER TABLE endpoint ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE endpoint ADD COLUMN open_until_ms INTEGER;
        -- Deliveries given up since it last took something, and when the first of them was.
        ALTER TABLE endpoint ADD COLUMN exhausted INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE endpoint ADD COLUMN exhausted_since_ms INTEGER;

        -- Bytes that many deliveries of a digest share.
        CREATE TABLE content (
            id INTEGER PRIMARY KEY,
            digest BLOB NOT NULL,
            body BLOB NOT NULL
        ) STRICT;
        CREATE INDEX content_by_digest ON content (digest);
        -- The row of content; NULL where the body stands in the delivery itself.
        ALTER TABLE delivery ADD COLUMN content INTEGER;
        -- What waits: by endpoint, by when it is due, by when it is given up.
        CREATE INDEX delivery_queue ON delivery (endpoint, next_ms) WHERE state IN ('queued', 'retry_wait', 'held');
        DROP INDEX delivery_due;
        CREATE INDEX delivery_due ON delivery (next_ms) WHERE state IN ('queued', 'retry_wait', 'held');
        CREATE INDEX delivery_expiry ON delivery (not_after_ms) WHERE state IN ('queued', 'retry_wait', 'held');
        -- What is under way: by endpoint, by the end of its lease.
        CREATE INDEX delivery_leased ON delivery (endpoint, attempts) WHERE state = 'leased';
        CREATE INDEX delivery_lease ON delivery (lease_until_ms) WHERE state = 'leased';
        -- Digests that are not finished.
        CREATE INDEX delivery_open ON delivery (digest)
            WHERE state IN ('frozen', 'queued', 'leased', 'retry_wait', 'held', 'uncertain', 'manual_pending');

        ALTER TABLE attempt ADD COLUMN endpoint BLOB;
        -- Where it went: the URL without anything secret, and the address that was connected to.
        ALTER TABLE attempt ADD COLUMN url TEXT;
        ALTER TABLE attempt ADD COLUMN address TEXT;
        -- The vendor's own code and words.
        ALTER TABLE attempt ADD COLUMN vendor_code INTEGER;
        ALTER TABLE attempt ADD COLUMN vendor_message TEXT;
        -- Microseconds from the start to the end of each phase; NULL for one that was not reached.
        ALTER TABLE attempt ADD COLUMN resolved_us INTEGER;
        ALTER TABLE attempt ADD COLUMN connected_us INTEGER;
        ALTER TABLE attempt ADD COLUMN secured_us INTEGER;
        ALTER TABLE attempt ADD COLUMN first_byte_us INTEGER;
        UPDATE attempt SET endpoint = (SELECT endpoint FROM delivery WHERE delivery.id = attempt.delivery);
        -- What an endpoint was sent lately, by which vendors' limits are kept across a restart.
        CREATE INDEX attempt_by_endpoint ON attempt (endpoint, finished_ms);

        -- Which items a digest brings to which endpoint, in which version.
        CREATE TABLE told (
            digest BLOB NOT NULL,
            endpoint BLOB NOT NULL,
            item BLOB NOT NULL,
            collection TEXT NOT NULL,
            -- Version of the item's row when the digest was frozen.
            version BLOB NOT NULL,
            -- SHA-256 of what is said of it.
            fingerprint BLOB NOT NULL,
            PRIMARY KEY (digest, endpoint, item)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX told_by_endpoint ON told (endpoint, item);

        -- Whom a digest was for when it was frozen.
        CREATE TABLE audience (
            digest BLOB NOT NULL PRIMARY KEY,
            sentence_zh TEXT NOT NULL,
            sentence_en TEXT NOT NULL,
            students INTEGER NOT NULL,
            frozen_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE audience_member (
            digest BLOB NOT NULL,
            -- student, contact_group, officer
            collection TEXT NOT NULL,
            row BLOB NOT NULL,
            PRIMARY KEY (digest, collection, row)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX audience_by_member ON audience_member (row, collection);

        -- Endpoints that fail, one row for each run of failures, closed when the endpoint takes something again.
        CREATE TABLE notice (
            id INTEGER PRIMARY KEY,
            endpoint BLOB NOT NULL,
            -- Class and code of the latest outcome.
            outcome TEXT NOT NULL,
            code TEXT NOT NULL,
            failures INTEGER NOT NULL,
            opened_ms INTEGER NOT NULL,
            latest_ms INTEGER NOT NULL,
            closed_ms INTEGER
        ) STRICT;
        CREATE INDEX notice_open ON notice (endpoint) WHERE closed_ms IS NULL;

        -- Digests that are proposed again and again.
        CREATE TABLE schedule (
            id BLOB NOT NULL PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            -- The officer in whose name drafts are made.
            officer BLOB NOT NULL,
            -- weekly or monthly
            cadence TEXT NOT NULL,
            -- 1 (Monday) to 7, or 1 to 31; the last day of a shorter month.
            day INTEGER NOT NULL,
            -- Minute of the day in China.
            minute INTEGER NOT NULL,
            audience TEXT NOT NULL,
            -- JSON list
            channels TEXT NOT NULL,
            -- skip, send or ask: what becomes of a digest whose time passed while the server was down.
            missed TEXT NOT NULL,
            -- The next time of sending, and when its draft is made.
            next_ms INTEGER NOT NULL,
            draft_ms INTEGER NOT NULL,
            paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
            -- What became of the last draft: made, or nothing_new.
            note TEXT
        ) STRICT, WITHOUT ROWID;
        """

    /// Who is told that endpoints fail, what a receiver's role may see, reminders that come back, and work by hand.
    static let notices = """
        -- 1 where notices about other endpoints go.
        ALTER TABLE endpoint ADD COLUMN for_notices INTEGER NOT NULL DEFAULT 0 CHECK (for_notices IN (0, 1));
        -- The role whose sight of rows its payload has; NULL for what everybody sees.
        ALTER TABLE endpoint ADD COLUMN payload_role TEXT;
        -- When those who get notices were told that the endpoint fails, and that it recovered.
        ALTER TABLE notice ADD COLUMN told_ms INTEGER;
        ALTER TABLE notice ADD COLUMN recovery_told_ms INTEGER;
        -- For a plan of reminders: within how many days of its time what it reminds of ends; NULL for what is new.
        ALTER TABLE schedule ADD COLUMN ending_within INTEGER;
        -- What a person has not yet posted, by when that is given up.
        CREATE INDEX delivery_by_hand ON delivery (not_after_ms) WHERE state = 'manual_pending';
        """

    /// In which part of a digest an endpoint is told of an item: if a part is lost, no other is told again.
    static let toldParts = """
        -- From 1; NULL for what was told before this was kept.
        ALTER TABLE told ADD COLUMN part INTEGER;
        """

    /// The indexes of what waits, of what is under way and of what is open: fewer, as each costs every delivery two writes,
    /// and under conditions that cost little to judge.
    ///
    /// For each row it writes, SQLite makes a table in memory of every list of more than two in the condition of an index.
    static let waiting = """
        DROP INDEX delivery_queue;
        DROP INDEX delivery_due;
        DROP INDEX delivery_expiry;
        DROP INDEX delivery_leased;
        DROP INDEX delivery_lease;
        DROP INDEX delivery_open;
        -- What waits: by endpoint, by when it is given up.
        CREATE INDEX delivery_queue ON delivery (endpoint, next_ms)
            WHERE state = 'queued' OR state = 'retry_wait' OR state = 'held';
        CREATE INDEX delivery_expiry ON delivery (not_after_ms)
            WHERE state = 'queued' OR state = 'retry_wait' OR state = 'held';
        -- What is under way, which is never much.
        CREATE INDEX delivery_leased ON delivery (endpoint, attempts, lease_until_ms) WHERE state = 'leased';
        -- Digests that are not finished.
        CREATE INDEX delivery_open ON delivery (digest)
            WHERE state = 'frozen' OR state = 'queued' OR state = 'leased' OR state = 'retry_wait' OR state = 'held'
                OR state = 'uncertain' OR state = 'manual_pending';
        """
}
