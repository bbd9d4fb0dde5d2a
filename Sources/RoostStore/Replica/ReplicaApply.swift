package import RoostSchema
package import RoostSync
import GRDB

/// What applying one answer did, to be shown to the person.
package struct AppliedAnswer: Hashable, Sendable {
    /// Why nothing further can be exchanged for now; the outbox is kept in every case.
    package enum Obstacle: String, Hashable, Sendable {
        /// The server expects numbers this replica had acknowledged long ago, and knows of no break in its history.
        case serverLostHistory = "server_lost_history"
        /// The server has numbers this replica never gave out: a copy of this database is in use elsewhere.
        case replicaCopied = "replica_copied"
    }

    package var verdicts: [Verdict.Outcome: Int] = [:]
    package var rowsReceived = 0
    /// Rows that left every scope held and are gone from this device.
    package var rowsPurged = 0
    /// Of those, rows that left because of an edit made here, which this answer has the verdict of.
    package var leftByOwnEdit = 0
    package var lost: [Scope] = []
    package var gained: [Scope] = []
    /// Whether the server has more to show, or mutations still wait to be sent.
    package var more = false
    /// Whether some scope's cursor moved.
    package var advanced = false
    /// Device clock minus server clock in milliseconds; 0 within the tolerance.
    package var offset: Int64 = 0
    package var epochChanged = false
    /// Refused edits of rows that left, which the server has now and this device no longer.
    package var surrendered = 0
    /// Rows that somebody had deleted when edits made here came to them: they keep what was written and stay deleted.
    package var deletedMeanwhile: [RowID: CollectionName] = [:]
    /// Whether one more exchange would give the server what must go there, or tell it that what left is gone.
    package var owesConfirmation = false
    /// What happens to this replica's edits because the server lost a part of its history.
    package var recovery: ReplicaRecovery?
    /// Whether a scope begins anew because this replica had been away for longer than the server keeps departures.
    package var hasBegunAnew = false
    package var obstacle: Obstacle?
}

extension Replica {
    /// Applies an answer in one transaction: verdicts, rows and cursors together or not at all.
    ///
    /// If the process dies before the commit, the next exchange repeats the same mutations and gets the same verdicts;
    /// an answer applied twice changes nothing the second time.
    package func apply(_ answer: ExchangeAnswer, now: Milliseconds) throws -> AppliedAnswer {
        let applied = try writing { db in
            var application = try Application(self, db, now)
            return try application.apply(answer)
        }
        if !answer.lost.isEmpty { sweepDownloads() }
        if !applied.more { try scrubIfOwed(at: now) }
        return applied
    }
}

/// One answer, or a part of a snapshot, being applied within a transaction.
struct Application {
    let replica: Replica
    let db: Database
    let now: Milliseconds
    /// What the server's clock says: the journal goes by it, which a wrong clock of this device must not empty.
    var serverTime: Milliseconds
    var touched: Set<RowKey> = []
    /// Rows that lost a copy.
    var departed: Set<RowKey> = []
    /// Rows of which some scope shows less than it did.
    var narrowed: Set<RowKey> = []
    /// Rows with an edit of this device that stands, of which the server has now shown everything.
    var stood: Set<RowKey> = []
    /// Rows of which the answer says that an edit of this device was kept.
    var keptOwnEdit: Set<RowKey> = []
    /// Whether anything was removed that must not stay readable on disk.
    var hasWiped = false
    /// Whether rows were deleted: what they held goes from the disk too, but not at once.
    var hasDeleted = false
    /// Whether anything left of which the server waits to hear that it is gone.
    var owesWord = false
    var result = AppliedAnswer()

    init(_ replica: Replica, _ db: Database, _ now: Milliseconds) throws {
        self.replica = replica
        self.db = db
        self.now = now
        serverTime = now
    }

    mutating func apply(_ answer: ExchangeAnswer) throws -> AppliedAnswer {
        serverTime = answer.now
        for verdict in answer.verdicts { try take(verdict) }
        for name in answer.surrendered where try replica.forgetSurrendered(name, at: serverTime, db) {
            result.surrendered += 1
            hasWiped = true
        }
        for scope in answer.lost { try lose(scope) }
        if let epoch = try replica.fact(.epoch, db), epoch != answer.epoch { result.epochChanged = true }
        // Pages of another history say nothing about what is kept from this one: every scope is read again.
        if result.epochChanged {
            try dropAnswered()
            let (recovery, rows) = try replica.recover(
                after: answer.known
                    ?? KnownProgress(
                        incarnation: try replica.number(.incarnation, db), number: answer.expected - 1), now: now, db)
            for row in rows { touched.insert(row) }
            result.recovery = recovery
            try BoundStatement(db, "UPDATE held SET epoch = -1, cursor = 0").run()
            result.advanced = true
        } else {
            for page in answer.scopes { try take(page) }
            // The request that brought this answer told it.
            try replica.setFact(.unrecovered, "0", db)
            try replica.trimJournal(now: serverTime, db)
        }
        let morePages = result.epochChanged || answer.scopes.contains(where: \.more)
        if !morePages { try dropAnswered() }
        try settle()
        // While more is on its way, a person who is not here may only not have come yet.
        if !morePages, !answer.verdicts.isEmpty || !answer.scopes.isEmpty || !answer.lost.isEmpty {
            try replica.markRefusedOfStrangers(db)
        }
        try replica.setFact(.epoch, answer.epoch, db)
        try take(answer.run)
        try replica.setFact(.offset, "\(answer.offset)", db)
        try replica.setFact(.exchangedAt, "\(now.value)", db)
        if answer.purged { try replica.removeFact(.purgedRows, db) }
        try noteWiped()
        result.offset = answer.offset
        let next = try replica.number(.nextNumber, db)
        let waiting = try integer("SELECT min(number) FROM outbox WHERE answered = 0")
        if result.epochChanged {
            // The numbers of the answer count mutations of the incarnation that ended.
        } else if answer.copied || answer.expected > next {
            result.obstacle = .replicaCopied
            try replica.setFact(.copied, "1", db)
        } else if try replica.number(.copied, db) != 0 {
            // The other copy has become a device of its own.
            try replica.setFact(.copied, "0", db)
        } else if answer.expected < waiting ?? next {
            result.obstacle = .serverLostHistory
        }
        result.more = morePages || waiting != nil
        // The server waits for word of what this replica never had, or had confirmed to a server that was put back since.
        if answer.owed, !result.more, try replica.fact(.purgedRows, db) == nil {
            try replica.setFact(.purgedRows, "0", db)
        }
        result.owesConfirmation = try replica.fact(.purgedRows, db) != nil || replica.mustSurrender(db)
        return result
    }

    /// Keeps the server's run unless the answer is one of an earlier run that arrives after later ones.
    private func take(_ run: ServerRun?) throws {
        let known = try replica.fact(.serverRun, db).flatMap { ServerRun($0) }
        guard let run, result.epochChanged || run.number > known?.number ?? 0 else { return }
        try replica.setFact(.serverRun, run.description, db)
    }

    private func integer(_ sql: String) throws -> Int64? {
        let statement = try BoundStatement(db, sql)
        defer { statement.reset() }
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return statement.integer(0)
    }

    // MARK: Verdicts

    /// Moves the mutation out of the outbox; a verdict for one that is not there was taken before.
    private mutating func take(_ verdict: Verdict) throws {
        let find = try BoundStatement(db, "SELECT collection, row, body, answered FROM outbox WHERE number = ?")
        try find.bind(1, verdict.number)
        guard try find.step(), find.integer(3) == 0 else { return find.reset() }
        let (collection, row, body) = (find.text(0), find.id(1), find.blob(2))
        find.reset()
        result.verdicts[verdict.outcome, default: 0] += 1
        let incarnation = try replica.number(.incarnation, db)
        if verdict.outcome == .rejected {
            let keep = try BoundStatement(
                db,
                """
                INSERT OR IGNORE INTO refused (incarnation, number, collection, row, refused_at_ms, body, verdict)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
            try keep.bind(1, incarnation)
            try keep.bind(2, verdict.number)
            try keep.bind(3, collection)
            try keep.bind(4, row)
            try keep.bind(5, now.value)
            try keep.bind(6, body)
            try keep.bind(7, verdict.json)
            try keep.run()
        }
        let note = try BoundStatement(
            db,
            """
            INSERT OR IGNORE INTO journal
            (incarnation, number, collection, row, outcome, answered_at_ms, body, verdict)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """)
        try note.bind(1, incarnation)
        try note.bind(2, verdict.number)
        try note.bind(3, collection)
        try note.bind(4, row)
        try note.bind(5, verdict.outcome.rawValue)
        try note.bind(6, serverTime.value)
        // Of what was refused the journal only counts the number: its values are in the refused box.
        if verdict.outcome == .rejected { try note.bindNull(7) } else { try note.bind(7, body) }
        try note.bind(8, verdict.json)
        try note.run()
        try leaveOutbox(verdict, body)
        touch(collection, row)
        if verdict.deleted { result.deletedMeanwhile[row] = CollectionName(collection) }
        if verdict.outcome != .rejected, let position = replica.rules.catalogue.position(of: collection) {
            keptOwnEdit.insert(RowKey(position, row))
        }
    }

    /// What was applied stays on top until the server has shown everything, so that nobody sees the old value again in
    /// between; what was not must go at once, and of a merged edit the values that lost.
    private func leaveOutbox(_ verdict: Verdict, _ body: [UInt8]) throws {
        let staysWhole = verdict.outcome == .applied || verdict.outcome == .late
        let standing = verdict.outcome == .merged ? (try? Mutation(stored: body))?.without(verdict.lost) : nil
        let leave = try BoundStatement(
            db,
            staysWhole
                ? "UPDATE outbox SET answered = 1 WHERE number = ?1"
                : standing != nil
                    ? "UPDATE outbox SET answered = 1, body = ?2 WHERE number = ?1"
                    : "DELETE FROM outbox WHERE number = ?1")
        try leave.bind(1, verdict.number)
        if let standing { try leave.bind(2, standing.json) }
        try leave.run()
    }

    private mutating func dropAnswered() throws {
        let statement = try BoundStatement(db, "SELECT collection, row FROM outbox WHERE answered = 1")
        while try statement.step() {
            touch(statement.text(0), statement.id(1))
            if let position = replica.rules.catalogue.position(of: statement.text(0)) {
                stood.insert(RowKey(position, statement.id(1)))
            }
        }
        statement.reset()
        try BoundStatement(db, "DELETE FROM outbox WHERE answered = 1").run()
    }

    // MARK: Scopes

    private mutating func lose(_ scope: Scope) throws {
        try replica.forgetDownload(of: scope, db)
        guard let held = try held(scope) else { return }
        try dropCopies(of: held.id)
        let statement = try BoundStatement(db, "DELETE FROM held WHERE id = ?")
        try statement.bind(1, held.id)
        try statement.run()
        result.lost.append(scope)
    }

    /// Ends the reading of a scope from its beginning: what it did not bring again is in it no more.
    mutating func complete(_ scope: Scope, epoch: Int64, cursor: ServerSequence) throws {
        guard let held = try held(scope) else { return }
        try dropCopies(of: held.id, where: "stale = 1")
        let move = try BoundStatement(db, "UPDATE held SET epoch = ?, cursor = ? WHERE id = ?")
        try move.bind(1, epoch)
        try move.bind(2, cursor.value)
        try move.bind(3, held.id)
        try move.run()
        try replica.forgetDownload(of: scope, db)
        result.advanced = true
    }

    func held(_ scope: Scope) throws -> (id: Int64, epoch: Int64, cursor: Int64)? {
        let statement = try BoundStatement(db, "SELECT id, epoch, cursor FROM held WHERE scope = ?")
        defer { statement.reset() }
        try statement.bind(1, scope.description)
        return try statement.step() ? (statement.integer(0), statement.integer(1), statement.integer(2)) : nil
    }

    private mutating func dropCopies(of held: Int64, where condition: String = "1") throws {
        let find = try BoundStatement(db, "SELECT collection, row FROM copy WHERE held = ? AND \(condition)")
        try find.bind(1, held)
        while try find.step() {
            let (collection, row) = (find.text(0), find.id(1))
            touch(collection, row)
            depart(collection, row)
        }
        find.reset()
        let delete = try BoundStatement(db, "DELETE FROM copy WHERE held = ? AND \(condition)")
        try delete.bind(1, held)
        try delete.run()
    }

    private mutating func take(_ page: ScopePage) throws {
        if page.mustResnapshot { result.hasBegunAnew = true }
        // Its rows come in a file.
        guard page.snapshot == nil, page.wait == nil else { return }
        // A snapshot begun before is overtaken by pages.
        try replica.forgetDownload(of: page.scope, db)
        let number: Int64
        if let held = try held(page.scope) {
            if held.epoch == page.epoch, held.cursor > 0 {
                // An answer that arrives after a later one says nothing new.
                guard page.cursor.value >= held.cursor else { return }
            } else {
                // Kept until the scope is read to its end, so that nothing seems to leave that only comes later.
                let mark = try BoundStatement(db, "UPDATE copy SET stale = 1 WHERE held = ?")
                try mark.bind(1, held.id)
                try mark.run()
            }
            number = held.id
        } else {
            let insert = try BoundStatement(db, "INSERT INTO held (scope, epoch, cursor) VALUES (?, 0, 0)")
            try insert.bind(1, page.scope.description)
            try insert.run()
            number = db.lastInsertedRowID
            result.gained.append(page.scope)
        }
        let canNarrow = narrowing(in: page.scope)
        // What is read anew may show less of any row, as after an upgrade of the server.
        let isAnew = try isReadAnew(number)
        // Worth its few queries for more than a handful of rows.
        var sole = page.rows.count > 32 ? try SoleCopies(of: number, replica, db) : nil
        for row in page.rows {
            if isAnew || row.deleted != nil || mayNarrow(row.collection, canNarrow), try narrows(row, from: number) {
                narrow(row)
            }
            let isNews = try keep(row, from: number)
            guard let position = replica.rules.catalogue.position(of: row.collection) else { continue }
            let key = RowKey(position, row.row)
            if sole?.admits(key) ?? false {
                guard isNews else { continue }
                let shown = Overlay(rules: replica.rules, key: key).alone(row)
                try sole?.show(shown, keys: replica.searches[position]?.keys(shown.row.values))
            } else {
                touched.insert(key)
            }
        }
        for departure in page.left {
            let delete = try BoundStatement(db, "DELETE FROM copy WHERE row = ? AND collection = ? AND held = ?")
            try delete.bind(1, departure.row)
            try delete.bind(2, departure.collection)
            try delete.bind(3, number)
            try delete.run()
            touch(departure.collection, departure.row)
            depart(departure.collection, departure.row)
        }
        if !page.more { try dropCopies(of: number, where: "stale = 1") }
        result.rowsReceived += page.rows.count
        if try held(page.scope).map({ $0.cursor != page.cursor.value || $0.epoch != page.epoch }) ?? true {
            result.advanced = true
        }
        let move = try BoundStatement(db, "UPDATE held SET epoch = ?, cursor = ? WHERE id = ?")
        try move.bind(1, page.epoch)
        try move.bind(2, page.cursor.value)
        try move.bind(3, number)
        try move.run()
    }

    /// Keeps a row unless a newer image of it is kept already from the same history; tells whether it did.
    private func keep(_ row: WireRow, from held: Int64) throws -> Bool {
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO copy (held, collection, row, sequence, body) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (row, collection, held) DO UPDATE SET sequence = excluded.sequence, body = excluded.body, stale = 0
            WHERE excluded.sequence >= sequence OR stale = 1
            """)
        try statement.bind(1, held)
        try statement.bind(2, row.collection)
        try statement.bind(3, row.row)
        try statement.bind(4, row.sequence.value)
        try statement.bind(5, row.json)
        try statement.run()
        return db.changesCount > 0
    }

    // MARK: Rows

    mutating func touch(_ collection: String, _ row: RowID) {
        // Rows of collections this catalogue lacks are kept for a later one and shown nowhere.
        if let position = replica.rules.catalogue.position(of: collection) { touched.insert(RowKey(position, row)) }
    }
}
