import GRDB
import RoostSync

/// Forgets verdicts that their replica has long had, within one transaction.
///
/// Verdicts bear no time: beside them stand marks of how far each replica had come at some moment. A verdict goes when it
/// is behind an old mark and its replica has shown that it has it, by sending what comes after; one that was never
/// fetched stays, however old, because its replica will ask for it.
struct VerdictCollector {
    let db: Database

    private static let chunk: Int64 = 2000

    /// Marks how far every replica has come.
    func note(_ now: Milliseconds) throws {
        try db.execute(sql: "UPDATE verdict_mark SET noted_ms = ?1 WHERE noted_ms > ?1", arguments: [now.value])
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO verdict_mark (replica, incarnation, number, noted_ms)
                SELECT id, incarnation, last_number, ? FROM replica WHERE last_number > 0
                """,
            arguments: [now.value])
    }

    /// - Returns: How many verdicts went; there may be more.
    func forget(notedBefore moment: Int64) throws -> Int {
        let marks = try BoundStatement(
            db,
            """
            SELECT mark.replica, mark.incarnation,
                CASE WHEN replica.incarnation > mark.incarnation THEN max(mark.number)
                ELSE min(max(mark.number), replica.acknowledged) END
            FROM verdict_mark AS mark JOIN replica ON replica.id = mark.replica
            WHERE mark.noted_ms <= ? GROUP BY mark.replica, mark.incarnation
            """)
        try marks.bind(1, moment)
        var bounds: [(replica: Int64, incarnation: Int64, number: Int64)] = []
        while try marks.step() { bounds.append((marks.integer(0), marks.integer(1), marks.integer(2))) }
        marks.reset()
        var count = 0
        for bound in bounds {
            let verdicts = try BoundStatement(
                db,
                """
                DELETE FROM verdict WHERE replica = ?1 AND incarnation = ?2 AND number IN (
                    SELECT number FROM verdict WHERE replica = ?1 AND incarnation = ?2 AND number <= ?3 LIMIT ?4)
                """)
            try verdicts.bind(1, bound.replica)
            try verdicts.bind(2, bound.incarnation)
            try verdicts.bind(3, bound.number)
            try verdicts.bind(4, Self.chunk - Int64(count))
            try verdicts.run()
            count += db.changesCount
            if count >= Self.chunk { return count }
            // All behind the mark are gone: the newest old mark alone says so.
            let marks = try BoundStatement(
                db,
                """
                DELETE FROM verdict_mark WHERE replica = ?1 AND incarnation = ?2 AND number < (
                    SELECT max(number) FROM verdict_mark WHERE replica = ?1 AND incarnation = ?2 AND noted_ms <= ?3)
                """)
            try marks.bind(1, bound.replica)
            try marks.bind(2, bound.incarnation)
            try marks.bind(3, moment)
            try marks.run()
        }
        return count
    }
}
