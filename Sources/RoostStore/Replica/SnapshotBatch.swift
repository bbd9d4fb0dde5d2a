import GRDB
import RoostSchema
import RoostSync

/// A run of a snapshot's rows being applied within one transaction.
///
/// A row that no other scope held can have, and that nothing pending touches, is written straight into its table; all
/// others go the way of any answer's.
struct SnapshotBatch {
    private let db: Database
    private let download: Download
    private let held: Int64
    private let isFresh: Bool
    private var sole: SoleCopies
    private let copy: BoundStatement
    private var application: Application

    init(_ replica: Replica, _ db: Database, _ download: Download, now: Milliseconds) throws {
        self.db = db
        self.download = download
        application = try Application(replica, db, now)
        guard let held = try application.held(download.scope)?.id else {
            throw ReplicaError.damaged("a snapshot's scope is not held")
        }
        self.held = held
        isFresh = try Self.prepare(download, held, db)
        sole = try SoleCopies(of: held, replica, db)
        copy = try BoundStatement(
            db,
            """
            INSERT INTO copy (held, collection, row, sequence, body) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (row, collection, held) DO UPDATE SET sequence = excluded.sequence, body = excluded.body, stale = 0
            """)
        try copy.bind(1, held)
    }

    /// Before the first row: everything the scope had may be gone, and is until the snapshot brings it.
    ///
    /// - Returns: Whether it had nothing.
    private static func prepare(_ download: Download, _ held: Int64, _ db: Database) throws -> Bool {
        if download.applied == 0 {
            for sql in [
                "UPDATE copy SET stale = 1 WHERE held = ?1",
                """
                UPDATE download SET fresh = NOT EXISTS (SELECT 1 FROM copy WHERE held = ?1)
                WHERE scope = (SELECT scope FROM held WHERE id = ?1)
                """,
            ] {
                let statement = try BoundStatement(db, sql)
                try statement.bind(1, held)
                try statement.run()
            }
        }
        let fresh = try BoundStatement(db, "SELECT fresh FROM download WHERE scope = ?")
        defer { fresh.reset() }
        try fresh.bind(1, download.scope.description)
        return try fresh.step() && fresh.integer(0) != 0
    }

    mutating func keep(_ line: SnapshotLine) throws {
        let row = line.row
        // What a scope read anew shows less of is withdrawn from what was typed here too.
        if !isFresh, try application.narrows(row, from: held) { application.narrow(row) }
        try copy.bind(2, row.collection)
        try copy.bind(3, row.row)
        try copy.bind(4, row.sequence.value)
        try copy.bind(5, line.bytes)
        try copy.run()
        guard let shown = line.shown else { return }
        guard sole.admits(shown.row.key) else { return application.touch(row.collection, row.row) }
        try sole.show(shown, keys: line.keys)
    }

    /// Notes how far the snapshot is applied and, with the last batch, moves the cursor.
    mutating func finish(applied: Int, isLast: Bool) throws -> AppliedAnswer {
        if isLast {
            try application.complete(download.scope, epoch: download.epoch, cursor: download.offer.sequence)
            application.result.rowsReceived = download.offer.rows
            if isFresh { application.result.gained = [download.scope] }
        } else {
            let statement = try BoundStatement(db, "UPDATE download SET applied = ? WHERE scope = ?")
            try statement.bind(1, Int64(applied))
            try statement.bind(2, download.scope.description)
            try statement.run()
        }
        try application.settle()
        // What is read anew may show less of a row than before.
        if !isFresh { (application.hasWiped, application.owesWord) = (true, application.owesWord || isLast) }
        try application.noteWiped()
        return application.result
    }
}
