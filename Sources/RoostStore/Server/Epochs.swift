import GRDB
import RoostSchema
package import RoostSync
import Synchronization

/// A break in the server's history, from which devices begin anew and bring back what was lost.
package struct EpochRecord: Hashable, Sendable {
    package enum Reason: String, Hashable, Sendable {
        /// A backup was restored by `roostd restore`.
        case restored
        /// The epoch beside the database was another one, or there was none.
        case putBack = "put_back"
        /// The database knew less than it is known to have given out.
        case sequenceLost = "sequence_lost"
        /// A device had more than the server has, or something else.
        case deviceAhead = "device_ahead"
    }

    package let epoch: String
    package let former: String
    package let reason: Reason
    /// The device by which it came out.
    package let replica: ReplicaID?
    package let begun: Milliseconds
    /// The last sequence the database knew of.
    package let sequence: ServerSequence
    package let highWater: ServerSequence?
}

/// Which history a store tells, and what it knows of histories it lost.
struct History: Sendable {
    var epoch: String
    /// When the latest epoch was begun for a loss; stamps up to then may belong to what was lost.
    var lostUntil: Milliseconds?
    /// All runs of the server in their order, the first of which has the number 1.
    var runs: [BegunRun] = []
}

/// A run, and how far the history had come when it began.
struct BegunRun: Hashable, Sendable {
    let run: ServerRun
    let after: ServerSequence
}

extension History {
    /// Whether what was seen in a run up to a sequence is a part of this history: it was not if the next run began before it.
    func holds(_ run: ServerRun, upTo seen: ServerSequence) -> Bool {
        let index = Int(clamping: run.number - 1)
        guard runs.indices.contains(index), runs[index].run == run else { return false }
        return index + 1 == runs.count || seen <= runs[index + 1].after
    }
}

/// A device has more than this database knows of: found inside a transaction, which is given up.
struct HistoryLost: Error {}

extension ServerStore {
    /// Names the server's history.
    package var epoch: String { history.withLock(\.epoch) }
    /// Up to when stamps may have been issued that this history lost; nil if it never lost any.
    var lostUntil: Milliseconds? { history.withLock(\.lostUntil) }
    /// The epoch that is kept beside the database; nil if the file is gone.
    package var epochBeside: String? { EpochFile(in: directory)?.epoch }

    /// Compares the database with what stands beside it, and begins a new epoch if it was put back from a copy.
    ///
    /// `isNew` says that the database was made just now.
    func checkHistory(isNew: Bool) throws -> EpochRecord? {
        let beside = EpochFile(in: directory)
        let (epoch, sequence) = try pool.read { db in (self.epoch, try self.lastSequence(db)) }
        if isNew, beside == nil {
            try EpochFile(epoch: epoch, highWater: sequence).write(in: directory)
            return nil
        }
        let reason: EpochRecord.Reason
        if let beside, beside.epoch == epoch {
            guard beside.highWater > sequence else { return nil }
            reason = .sequenceLost
        } else {
            reason = beside?.epoch == EpochFile.restoring ? .restored : .putBack
        }
        return try pool.write { db in
            try self.beginEpoch(reason, foundBy: nil, highWater: beside?.highWater, db)
        }
    }

    /// Begins an epoch because a device has more than the server.
    ///
    /// - Throws: ``ExchangeError/lostHistory`` if the same device made the server begin one within the hour: it is
    ///   wrong about itself, and every epoch costs every device a new beginning.
    func beginEpoch(foundBy replica: ReplicaID) async throws -> EpochRecord {
        let now = clock()
        return try await pool.write { db in
            let recent = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM epoch_begun WHERE replica = ? AND begun_ms > ?)",
                arguments: [Int64(bitPattern: replica.bits), now.value - 3_600_000])
            guard recent != true else { throw ExchangeError.lostHistory }
            return try self.beginEpoch(.deviceAhead, foundBy: replica, highWater: nil, db)
        }
    }

    private func beginEpoch(
        _ reason: EpochRecord.Reason, foundBy replica: ReplicaID?, highWater: ServerSequence?, _ db: Database
    ) throws -> EpochRecord {
        let record = EpochRecord(
            epoch: ReplicaID(random()).description, former: epoch, reason: reason, replica: replica, begun: clock(),
            sequence: try lastSequence(db), highWater: highWater)
        try db.execute(
            sql: """
                INSERT INTO epoch_begun (epoch, former, reason, replica, begun_ms, sequence, high_water)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                record.epoch, record.former, reason.rawValue, replica.map { Int64(bitPattern: $0.bits) },
                record.begun.value, record.sequence.value, highWater?.value,
            ])
        try db.execute(sql: "UPDATE meta SET value = ? WHERE name = 'epoch'", arguments: [record.epoch])
        // Whatever was sent since the copy was made would be sent again: a person looks first.
        try db.execute(
            sql: "INSERT OR REPLACE INTO meta (name, value) VALUES ('sending_paused', ?)",
            arguments: [Self.pausedByEpoch])
        try endAgain(db)
        try eraseAgain(db)
        try stopAgain(db)
        // Everybody reads every scope again; which scopes a device still holds stays noted.
        try db.execute(sql: "UPDATE acknowledged SET cursor = ?", arguments: [Self.otherHistory.value])
        // Codes that were used since would be good again.
        if reason != .restored, reason != .deviceAhead { try db.execute(sql: "DELETE FROM enrolment_code") }
        db.afterNextTransaction { _ in
            self.acknowledged.withLock { $0 = [:] }
            self.history.withLock { ($0.epoch, $0.lostUntil) = (record.epoch, record.begun) }
            // If this fails, the next start finds another epoch beside and begins one more.
            try? EpochFile(epoch: record.epoch, highWater: record.sequence).write(in: self.directory)
        }
        return record
    }

    /// Ends access that the ledger knows to be over and that the copy revived.
    private func endAgain(_ db: Database) throws {
        let (devices, grants) = ledger.ends()
        for (replica, moment) in devices {
            // A device the copy does not know yet must not come in again under its name either.
            try db.execute(
                sql: """
                    INSERT INTO replica (id, officer, label, enrolled_ms, revoked_ms) VALUES (?1, zeroblob(16), '', ?2, ?2)
                    ON CONFLICT (id) DO UPDATE SET revoked_ms = coalesce(revoked_ms, ?2)
                    """, arguments: [Int64(bitPattern: replica.bits), moment.value])
        }
        try endAgain(grants, db)
    }

    /// Ends grants that are over and that a copy, or what a device brought back to it, revived.
    func endAgain(_ grants: [RowID], _ db: Database) throws {
        let collection = rules.catalogue.authority.collection
        guard let position = rules.catalogue.position(of: collection) else { return }
        let source = ServerRows(store: self, db: db)
        let open = try BoundStatement(
            db, "SELECT 1 FROM authority WHERE row = ? AND kind = 'grant' AND until_sequence IS NULL")
        let revived = try grants.filter { row in
            defer { open.reset() }
            try open.bind(1, row)
            return try open.step() && source.row(RowKey(position, row))?.isDeleted == false
        }
        guard !revived.isEmpty else { return }
        _ = try write(revived.map { TrustedEdit(collection, $0, .delete) }, by: RowID(bits: 0), as: writer, db)
    }

    /// Writes beside the database how far it has come, so that an older copy of it is told by that.
    package func keepHighWater() throws {
        guard let beside = EpochFile(in: directory), beside.epoch == epoch else { return }
        let sequence = try pool.read { db in try self.lastSequence(db) }
        guard sequence > beside.highWater else { return }
        try EpochFile(epoch: beside.epoch, highWater: sequence).write(in: directory)
    }

    /// The run that this store answers in; nil if it is open beside a server.
    var latestRun: ServerRun? { history.withLock { $0.runs.last?.run } }

    /// Notes that a run begins.
    func beginRun(_ db: Database) throws {
        let (mark, now, after) = (random(), clock(), try lastSequence(db))
        try db.execute(
            sql: "INSERT INTO server_run (mark, begun_ms, after_sequence) VALUES (?, ?, ?)",
            arguments: [Int64(bitPattern: mark), now.value, after.value])
        let rows = try GRDB.Row.fetchAll(db, sql: "SELECT number, mark, after_sequence FROM server_run ORDER BY number")
        let runs = rows.map {
            BegunRun(
                run: ServerRun(number: $0[0], mark: UInt64(bitPattern: $0[1] as Int64)), after: ServerSequence($0[2]))
        }
        history.withLock { $0.runs = runs }
    }

    /// Whether a request was written under another history than this one.
    func isForeign(_ request: ExchangeRequest) -> Bool { request.epoch.map { $0 != epoch } ?? false }

    /// Whether a request of this epoch tells of more than the database has: of verdicts, of sequences or of runs.
    ///
    /// `last` is the number of the last mutation decided in `incarnation`.
    func isBehind(
        _ request: ExchangeRequest, incarnation: Int64, last: Int64, head: ServerSequence
    ) -> Bool {
        let history = history.withLock(\.self)
        guard request.epoch == history.epoch else { return false }
        if let answered = request.answered, request.incarnation >= incarnation,
            answered > (request.incarnation == incarnation ? last : 0)
        {
            return true
        }
        let seen = request.scopes.map(\.cursor).max() ?? .zero
        return seen > head || request.run.map { !history.holds($0, upTo: seen) } ?? false
    }
}
