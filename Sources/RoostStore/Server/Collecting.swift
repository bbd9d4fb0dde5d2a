import GRDB
import RoostSync

extension ServerStore {
    /// Takes away what nobody needs any more: old departures, deleted rows, history and verdicts.
    ///
    /// Sequences are no times, so each run notes how far the server had come by now; later runs find by these notes what
    /// was written before a moment. After a gap of weeks between two notes a run only notes: if it is the clock that
    /// jumped, it may be set right before the next. A replica whose cursor is behind what was collected from a scope reads
    /// that scope from the beginning (see ``FeedPosition``), and keeps its outbox.
    ///
    /// Work is cut into short transactions, so that no push waits long; stopping anywhere is safe, because scopes are
    /// marked before anything of theirs goes.
    package func collect(_ retention: Retention) async throws -> CollectionReport {
        let now = clock()
        let last = try await pool.write { db in
            // Notes from the future were taken by a clock that has been set right since.
            try db.execute(sql: "DELETE FROM milestone WHERE at_ms > ?", arguments: [now.value])
            let last = try Int64.fetchOne(db, sql: "SELECT max(at_ms) FROM milestone")
            try db.execute(
                sql: "INSERT OR REPLACE INTO milestone (at_ms, sequence) VALUES (?, ?)",
                arguments: [now.value, try self.lastSequence(db).value])
            try VerdictCollector(db: db).note(now)
            return last
        }
        var report = CollectionReport()
        guard let last, now.value - last < 21 * Retention.day else { return report }
        func horizon(_ days: Int) async throws -> ServerSequence {
            try await pool.read { db in
                let sequence = try Int64.fetchOne(
                    db, sql: "SELECT max(sequence) FROM milestone WHERE at_ms <= ?",
                    arguments: [now.value - Int64(days) * Retention.day])
                return ServerSequence(sequence ?? 0)
            }
        }
        try await collectTombstones(
            upTo: try await horizon(retention.tombstoneDays),
            liveSince: Milliseconds(now.value - Int64(retention.tombstoneDays) * Retention.day), &report)
        let history = try await horizon(retention.historyDays)
        try await collectHistory(upTo: history, &report)
        report.notes = try await deleteSpentNotes(
            upTo: history, orDeletedUpTo: try await horizon(retention.tombstoneDays))
        try await collectVerdicts(notedBefore: now.value - Int64(retention.verdictDays) * Retention.day, &report)
        let oldest = max(retention.tombstoneDays, retention.historyDays)
        try await pool.write { db in
            // The newest note before the oldest horizon stays: it tells that horizon.
            let bound = now.value - Int64(oldest) * Retention.day
            try db.execute(
                sql: """
                    DELETE FROM milestone
                    WHERE at_ms < (SELECT max(at_ms) FROM milestone WHERE at_ms <= ?)
                    """,
                arguments: [bound])
        }
        return report
    }

    private func collectTombstones(
        upTo horizon: ServerSequence, liveSince: Milliseconds, _ report: inout CollectionReport
    ) async throws {
        guard horizon > .zero else { return }
        let found = try await pool.read { db in
            try TombstoneFinder(store: self, db: db, horizon: horizon, liveSince: liveSince).find()
        }
        guard !found.isEmpty else { return }
        try await pool.write { db in
            let mark = try BoundStatement(
                db, "UPDATE scope SET epoch = epoch + 1, collected = max(collected, ?) WHERE id = ?")
            for (scope, sequence) in found.scopes.sorted(by: { $0.key < $1.key }) {
                try mark.bind(1, sequence)
                try mark.bind(2, scope)
                try mark.run()
            }
        }
        for chunk in found.departures.chunks(of: 2000) {
            report.departures += try await pool.write { db in
                try TombstoneCollector(store: self, db: db).forget(departures: chunk)
            }
        }
        for chunk in found.rows.chunks(of: 200) {
            report.rows += try await pool.write { db in
                try TombstoneCollector(store: self, db: db).forget(rows: chunk, upTo: horizon)
            }
        }
        guard report.rows > 0 else { return }
        // No import can be taken back of what is gone for good, and nothing else is to remember what it said before.
        try await pool.write { db in
            try db.execute(
                sql: """
                    DELETE FROM batch_row WHERE EXISTS (
                        SELECT 1 FROM collected
                        WHERE collected.collection = batch_row.collection AND collected.row = batch_row.row)
                    """)
        }
    }

    private func collectHistory(upTo horizon: ServerSequence, _ report: inout CollectionReport) async throws {
        guard horizon > .zero else { return }
        while true {
            let count = try await pool.write { db in
                // Entries are numbered in the order of their sequences, so the first that is too young ends the search.
                try db.execute(
                    sql: """
                        DELETE FROM history WHERE id IN (
                            SELECT id FROM (SELECT id, sequence FROM history ORDER BY id LIMIT 2000)
                            WHERE sequence <= ?)
                        """,
                    arguments: [horizon.value])
                return db.changesCount
            }
            report.history += count
            guard count > 0 else { return }
        }
    }

    private func collectVerdicts(notedBefore moment: Int64, _ report: inout CollectionReport) async throws {
        while true {
            let count = try await pool.write { db in try VerdictCollector(db: db).forget(notedBefore: moment) }
            report.verdicts += count
            guard count > 0 else { return }
        }
    }
}

extension Array {
    /// The elements in runs of at most so many.
    fileprivate func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
