package import RoostSchema
package import RoostSync
import GRDB

/// A run of failures at one endpoint, told once.
package struct NoticeRecord: Hashable, Sendable {
    package let endpoint: RowID
    /// Class and code of the latest outcome.
    package let outcome: String
    package let code: String
    package let failures: Int
    package let openedAt: Milliseconds
    package let latestAt: Milliseconds
    /// When the endpoint took something again.
    package let closedAt: Milliseconds?
    /// When those who get notices were told.
    package let toldAt: Milliseconds?
}

extension RosterReader {
    /// The notices, open ones first, each the latest first.
    package func notices(limit: Int) throws -> [NoticeRecord] {
        let statement = try BoundStatement(
            db,
            """
            SELECT endpoint, outcome, code, failures, opened_ms, latest_ms, closed_ms, told_ms FROM notice
            ORDER BY closed_ms IS NOT NULL, latest_ms DESC LIMIT ?
            """)
        defer { statement.reset() }
        try statement.bind(1, Int64(limit))
        var notices: [NoticeRecord] = []
        while try statement.step() {
            notices.append(
                NoticeRecord(
                    endpoint: statement.id(0), outcome: statement.text(1), code: statement.text(2),
                    failures: Int(statement.integer(3)), openedAt: Milliseconds(statement.integer(4)),
                    latestAt: Milliseconds(statement.integer(5)),
                    closedAt: statement.isNull(6) ? nil : Milliseconds(statement.integer(6)),
                    toldAt: statement.isNull(7) ? nil : Milliseconds(statement.integer(7))))
        }
        return notices
    }
}

extension ServerStore {
    /// Opens the notice about an endpoint, or brings the open one up to date.
    func openNotice(
        about endpoint: RowID, _ result: DeliveryResult, failures: Int, now: Milliseconds, _ db: Database
    ) throws {
        let update = try BoundStatement(
            db,
            """
            UPDATE notice SET outcome = ?, code = ?, failures = ?, latest_ms = ?
            WHERE endpoint = ? AND closed_ms IS NULL
            """)
        try update.bind(1, result.outcome)
        try update.bind(2, result.code)
        try update.bind(3, Int64(failures))
        try update.bind(4, now.value)
        try update.bind(5, endpoint)
        try update.run()
        guard db.changesCount == 0 else { return }
        let insert = try BoundStatement(
            db,
            """
            INSERT INTO notice (endpoint, outcome, code, failures, opened_ms, latest_ms) VALUES (?5, ?1, ?2, ?3, ?4, ?4)
            """)
        try insert.bind(1, result.outcome)
        try insert.bind(2, result.code)
        try insert.bind(3, Int64(failures))
        try insert.bind(4, now.value)
        try insert.bind(5, endpoint)
        try insert.run()
    }

    /// How many failures the open notice about an endpoint counts.
    func openFailures(of endpoint: RowID, _ db: Database) throws -> Int {
        let statement = try BoundStatement(
            db, "SELECT failures FROM notice WHERE endpoint = ? AND closed_ms IS NULL")
        defer { statement.reset() }
        try statement.bind(1, endpoint)
        return try statement.step() ? Int(statement.integer(0)) : 0
    }

    /// Closes the notice about an endpoint that takes something again.
    func closeNotice(about endpoint: RowID, now: Milliseconds, _ db: Database) throws {
        let statement = try BoundStatement(
            db, "UPDATE notice SET closed_ms = ? WHERE endpoint = ? AND closed_ms IS NULL")
        try statement.bind(1, now.value)
        try statement.bind(2, endpoint)
        try statement.run()
    }
}
