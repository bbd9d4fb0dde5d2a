package import RoostSchema
package import RoostSync
import GRDB

/// An endpoint that fails now, or the mail server, as an operator is told of it.
package struct FailingEndpoint: Hashable, Sendable {
    /// The endpoint, or ``EndpointRecord/mailServer``.
    package let id: RowID
    package let name: String
    package let channel: String
    /// Class and code of the latest outcome.
    package let outcome: String
    package let code: String
    package let since: Milliseconds
    /// Whether those who get notices were told.
    package let isTold: Bool
    /// Whether an endpoint for notices is in use that can be told of it: another one, and of the mail server no mailbox.
    package let canBeTold: Bool
    /// Whether it is paused or disabled, so that nothing goes there by itself; never the mail server.
    package let isStopped: Bool

    /// What fails now, the longest failing first; of endpoints that are there.
    static func all(_ db: Database) throws -> [FailingEndpoint] {
        let statement = try BoundStatement(
            db,
            """
            SELECT notice.endpoint, endpoint.name, endpoint.channel, notice.outcome, notice.code, opened_ms,
                told_ms IS NOT NULL,
                EXISTS (SELECT 1 FROM endpoint AS receiver WHERE receiver.for_notices = 1 AND receiver.for_tests = 0
                    AND receiver.state = 'active' AND receiver.channel != 'manual' AND receiver.id != notice.endpoint
                    AND (notice.endpoint != ?1 OR receiver.channel != ?2)), coalesce(endpoint.state != 'active', 0)
            FROM notice LEFT JOIN endpoint ON endpoint.id = notice.endpoint
            WHERE closed_ms IS NULL AND (endpoint.id IS NOT NULL OR notice.endpoint = ?1) ORDER BY opened_ms, notice.id
            """)
        defer { statement.reset() }
        let mailServer = EndpointRecord.mailServer
        try statement.bind(1, mailServer.id)
        try statement.bind(2, mailServer.channel)
        var failing: [FailingEndpoint] = []
        while try statement.step() {
            let isMailServer = statement.id(0) == mailServer.id
            failing.append(
                FailingEndpoint(
                    id: statement.id(0), name: isMailServer ? mailServer.name : statement.text(1),
                    channel: isMailServer ? mailServer.channel : statement.text(2), outcome: statement.text(3),
                    code: statement.text(4), since: Milliseconds(statement.integer(5)),
                    isTold: statement.integer(6) == 1, canBeTold: statement.integer(7) == 1,
                    isStopped: statement.integer(8) == 1))
        }
        return failing
    }
}

extension RosterReader {
    /// What fails now, the longest failing first.
    package func failingEndpoints() throws -> [FailingEndpoint] { try FailingEndpoint.all(db) }
}
