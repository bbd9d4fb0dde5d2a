package import RoostSchema
package import RoostSync
import GRDB

/// A digest that is proposed again and again.
package struct ScheduleRecord: Hashable, Sendable {
    package var id: RowID
    package var name: String
    /// In whose name drafts are made.
    package var officer: RowID
    /// `weekly` or `monthly`.
    package var cadence: String
    package var day: Int
    /// Minute of the day in China.
    package var minute: Int
    package var audience: String
    package var channels: [String]
    /// What becomes of a digest whose time passed while the server was down.
    package var missed: String
    /// Within how many days of its time what it reminds of ends; nil for digests of what is new.
    package var endingWithin: Int?
    package var nextAt: Milliseconds
    package var draftAt: Milliseconds
    package var isPaused: Bool
    /// What became of the last draft.
    package var note: String?

    package init(
        id: RowID, name: String, officer: RowID, cadence: String, day: Int, minute: Int, audience: String,
        channels: [String], missed: String, endingWithin: Int? = nil, nextAt: Milliseconds, draftAt: Milliseconds,
        isPaused: Bool = false, note: String? = nil
    ) {
        self.id = id
        self.name = name
        self.officer = officer
        self.cadence = cadence
        self.day = day
        self.minute = minute
        self.audience = audience
        self.channels = channels
        self.missed = missed
        self.endingWithin = endingWithin
        self.nextAt = nextAt
        self.draftAt = draftAt
        self.isPaused = isPaused
        self.note = note
    }
}

extension ServerStore {
    /// Every schedule, by name.
    package func schedules() async throws -> [ScheduleRecord] {
        try await pool.read { db in
            let statement = try BoundStatement(
                db,
                """
                SELECT id, name, officer, cadence, day, minute, audience, channels, missed, next_ms, draft_ms, paused,
                    note, ending_within FROM schedule ORDER BY name
                """)
            defer { statement.reset() }
            var schedules: [ScheduleRecord] = []
            while try statement.step() {
                schedules.append(
                    ScheduleRecord(
                        id: statement.id(0), name: statement.text(1), officer: statement.id(2),
                        cadence: statement.text(3), day: Int(statement.integer(4)), minute: Int(statement.integer(5)),
                        audience: statement.text(6), channels: statement.texts(7) ?? [], missed: statement.text(8),
                        endingWithin: statement.isNull(13) ? nil : Int(statement.integer(13)),
                        nextAt: Milliseconds(statement.integer(9)), draftAt: Milliseconds(statement.integer(10)),
                        isPaused: statement.integer(11) == 1, note: statement.isNull(12) ? nil : statement.text(12)))
            }
            return schedules
        }
    }

    /// Keeps a schedule, new or changed.
    package func keep(_ schedule: ScheduleRecord) async throws {
        try await pool.write { db in
            let statement = try BoundStatement(
                db,
                """
                INSERT OR REPLACE INTO schedule (id, name, officer, cadence, day, minute, audience, channels, missed,
                    next_ms, draft_ms, paused, note, ending_within) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
            try statement.bind(1, schedule.id)
            try statement.bind(2, schedule.name)
            try statement.bind(3, schedule.officer)
            try statement.bind(4, schedule.cadence)
            try statement.bind(5, Int64(schedule.day))
            try statement.bind(6, Int64(schedule.minute))
            try statement.bind(7, schedule.audience)
            try statement.bind(8, BoundStatement.json(schedule.channels))
            try statement.bind(9, schedule.missed)
            try statement.bind(10, schedule.nextAt.value)
            try statement.bind(11, schedule.draftAt.value)
            try statement.bind(12, schedule.isPaused ? 1 : 0 as Int64)
            try statement.bind(13, optional: schedule.note)
            try statement.bind(14, optional: schedule.endingWithin.map(Int64.init))
            try statement.run()
        }
    }

    /// Forgets a schedule; drafts it made stay.
    package func removeSchedule(_ id: RowID) async throws {
        try await pool.write { db in
            let statement = try BoundStatement(db, "DELETE FROM schedule WHERE id = ?")
            try statement.bind(1, id)
            try statement.run()
        }
    }
}
