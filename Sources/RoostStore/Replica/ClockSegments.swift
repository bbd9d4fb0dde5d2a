package import RoostSync
import GRDB

/// What this device knows of its clocks, boot by boot, so that an edit is filed at its true time even if the machine was
/// restarted and its wall clock set right since.
///
/// The steady clock of a boot counts from a moment of its own. An exchange tells what the server's clock said at a
/// reading, which places the whole boot. A boot without any exchange is placed by the one after it: a wall clock goes on
/// over a restart as wrong as it was.
extension Replica {
    /// A wall clock that moved against the steady one by more than this was set.
    private static let tolerance: Int64 = ClockCorrection.tolerance

    /// Writes down how the clocks stand, where that is news: in a new boot, and after the wall clock was set.
    package func noteClocks(at moment: DeviceMoment) throws {
        guard let mark = moment.mark else { return }
        let isKnown = try reading { db in
            try self.boot(mark.boot, db).map {
                abs(($0.last.wall - $0.last.steady) - (moment.now.value - mark.monotonic)) <= Self.tolerance
            } ?? false
        }
        if !isKnown { try writing { db in try self.noteClocks(at: moment, db) } }
    }

    func noteClocks(at moment: DeviceMoment, _ db: Database) throws {
        guard let mark = moment.mark else { return }
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO clock_boot (boot, first_wall_ms, first_steady_ms, last_wall_ms, last_steady_ms)
            VALUES (?1, ?2, ?3, ?2, ?3)
            ON CONFLICT (boot) DO UPDATE SET last_wall_ms = ?2, last_steady_ms = ?3 WHERE last_steady_ms <= ?3
            """)
        try statement.bind(1, mark.boot)
        try statement.bind(2, moment.now.value)
        try statement.bind(3, mark.monotonic)
        try statement.run()
    }

    /// Learns from the server's clock where this boot stands; whether that is news.
    package func placeBoot(server now: Milliseconds, at moment: DeviceMoment) throws -> Bool {
        guard let mark = moment.mark, try reading({ db in try self.boot(mark.boot, db)?.zero }) == nil else {
            return false
        }
        try writing { db in
            try self.noteClocks(at: moment, db)
            let statement = try BoundStatement(db, "UPDATE clock_boot SET zero_ms = ? WHERE boot = ?")
            try statement.bind(1, now.value - mark.monotonic)
            try statement.bind(2, mark.boot)
            try statement.run()
        }
        return true
    }

    /// Where the earlier boots stand in which mutations were made; nil while that hangs on where this one stands, which
    /// the next answer tells.
    func placedBoots(of mutations: [Mutation], at moment: DeviceMoment, _ db: Database) throws -> [String:
        Milliseconds]?
    {
        guard let current = moment.mark?.boot else { return [:] }
        let wanted = Set(mutations.compactMap { $0.mark?.boot }).subtracting([current])
        guard !wanted.isEmpty else { return [:] }
        if try boot(current, db) == nil { try noteClocks(at: moment, db) }
        var placed: [String: Milliseconds] = [:]
        var later: (boot: Boot, zero: Int64)?
        for boot in try boots(db) {
            var zero = boot.zero
            if zero == nil, let later {
                let begin = later.zero + later.boot.first.steady
                var offset = later.boot.first.wall - begin
                if abs(offset) <= Self.tolerance { offset = 0 }
                // It ended before the next one began.
                zero = min(boot.last.wall - offset, begin) - boot.last.steady
            }
            if let zero {
                later = (boot, zero)
                if wanted.contains(boot.name) { placed[boot.name] = Milliseconds(zero) }
            } else if boot.name == current {
                return nil
            }
        }
        return placed
    }

    /// Forgets earlier boots once no edit of theirs waits.
    func forgetBoots(but current: String, _ db: Database) throws {
        let statement = try BoundStatement(
            db,
            """
            DELETE FROM clock_boot WHERE boot != ?
            AND NOT EXISTS (SELECT 1 FROM outbox WHERE answered = 0)
            """)
        try statement.bind(1, current)
        try statement.run()
    }

    /// One boot of the machine.
    private struct Boot {
        struct Reading {
            let wall: Int64
            let steady: Int64
        }

        let name: String
        /// What the server's clock said when the steady clock read 0; nil before the first exchange in this boot.
        let zero: Int64?
        let first: Reading
        let last: Reading

        init(_ statement: BoundStatement) throws {
            name = statement.text(0)
            zero = statement.isNull(1) ? nil : statement.integer(1)
            first = Reading(wall: statement.integer(2), steady: statement.integer(3))
            last = Reading(wall: statement.integer(4), steady: statement.integer(5))
        }
    }

    private static let columns =
        "SELECT boot, zero_ms, first_wall_ms, first_steady_ms, last_wall_ms, last_steady_ms FROM clock_boot"

    private func boot(_ name: String, _ db: Database) throws -> Boot? {
        let statement = try BoundStatement(db, Self.columns + " WHERE boot = ?")
        defer { statement.reset() }
        try statement.bind(1, name)
        return try statement.step() ? Boot(statement) : nil
    }

    /// The latest first.
    private func boots(_ db: Database) throws -> [Boot] {
        let statement = try BoundStatement(db, Self.columns + " ORDER BY id DESC")
        defer { statement.reset() }
        var found: [Boot] = []
        while try statement.step() { found.append(try Boot(statement)) }
        return found
    }
}
