package import RoostSchema
package import RoostSync
import GRDB

/// Something to tell about an endpoint: that it fails, or that it took something again.
package struct Announcement: Hashable, Sendable {
    package let endpoint: EndpointRecord
    /// Class and code of the latest outcome.
    package let outcome: String
    package let code: String
    package let failures: Int
    package let since: Milliseconds
    package let isRecovery: Bool
    /// How many deliveries wait for the endpoint.
    package let waiting: Int
    /// Names the message among all that go to a receiver.
    package let id: RowID

    fileprivate let notice: Int64

    /// Stands where deliveries have the version of their digest.
    static let version = Stamp(bits: 0)
}

/// A message to a receiver, as the sender takes it.
package struct AnnouncedPart: Hashable, Sendable {
    package var contentType: String
    package var body: [UInt8]

    package init(contentType: String, body: [UInt8]) {
        self.contentType = contentType
        self.body = body
    }
}

extension ServerStore {
    /// Puts what is to be told about endpoints into the outbox, for each endpoint that is for notices, and marks it as told
    /// in the same transaction.
    ///
    /// Of an endpoint that fails, recovers and fails again within `window` milliseconds only the first is told, and the next
    /// only if it lasts longer; of the mail server, which may just be starting, only what was found twice. A recovery is told if the failure was. Nothing is marked as long as nobody is there to be
    /// told. What cannot be sent for `lifetime` is given up.
    /// - Returns: What was told.
    package func announce(
        window: Int64, lifetime: Int64,
        render: @Sendable (Announcement, _ to: EndpointRecord) throws -> [AnnouncedPart]
    ) async throws -> [Announcement] {
        let now = clock()
        guard try await pool.read({ db in try !self.untold(now: now, window: window, db).isEmpty }) else { return [] }
        return try await pool.write { db in
            let reader = RosterReader(store: self, db: db)
            let endpoints = try reader.endpoints()
            let receivers = endpoints.filter {
                $0.isForNotices && !$0.isForTests && !$0.isUnsubscribed && !$0.isRetired && $0.channel != "manual"
            }
            let waiting = try reader.waitingByEndpoint()
            var told: [Announcement] = []
            for note in try self.untold(now: now, window: window, db) {
                // Who fails is told by nobody of it, but by others.
                let mailServer = EndpointRecord.mailServer
                let isOfMail = note.endpoint == mailServer.id
                let others = receivers.filter {
                    $0.id != note.endpoint && !(isOfMail && $0.channel == mailServer.channel)
                }
                let known = isOfMail ? mailServer : endpoints.first { $0.id == note.endpoint }
                guard !others.isEmpty, let endpoint = known else { continue }
                let affected = isOfMail ? endpoints.filter { $0.channel == mailServer.channel } : [endpoint]
                let announcement = Announcement(
                    endpoint: endpoint, outcome: note.outcome, code: note.code, failures: note.failures,
                    since: note.since, isRecovery: note.isRecovery,
                    waiting: affected.reduce(0) { $0 + (waiting[$1.id] ?? 0) },
                    id: RowID(naming: note.isRecovery ? "recovery" : "failure", "\(note.id)"), notice: note.id)
                for receiver in others {
                    try self.queue(
                        try render(announcement, receiver), of: announcement.id, to: receiver.id, now: now,
                        until: now + lifetime, db)
                }
                try self.mark(announcement, now: now, db)
                told.append(announcement)
            }
            return told
        }
    }

    private struct Untold {
        let id: Int64
        let endpoint: RowID
        let outcome: String
        let code: String
        let failures: Int
        let since: Milliseconds
        let isRecovery: Bool
    }

    private func untold(now: Milliseconds, window: Int64, _ db: Database) throws -> [Untold] {
        let statement = try BoundStatement(
            db,
            """
            SELECT id, endpoint, outcome, code, failures, opened_ms, closed_ms IS NOT NULL FROM notice
            WHERE told_ms IS NULL AND closed_ms IS NULL AND (endpoint != ?2 OR latest_ms - opened_ms >= 180000) AND NOT EXISTS (SELECT 1 FROM notice AS earlier
                    WHERE earlier.endpoint = notice.endpoint AND earlier.told_ms > ?1)
                OR told_ms IS NOT NULL AND closed_ms IS NOT NULL AND recovery_told_ms IS NULL
            ORDER BY id
            """)
        defer { statement.reset() }
        try statement.bind(1, now.value - window)
        try statement.bind(2, EndpointRecord.mailServer.id)
        var untold: [Untold] = []
        while try statement.step() {
            untold.append(
                Untold(
                    id: statement.integer(0), endpoint: statement.id(1), outcome: statement.text(2),
                    code: statement.text(3), failures: Int(statement.integer(4)),
                    since: Milliseconds(statement.integer(5)), isRecovery: statement.integer(6) == 1))
        }
        return untold
    }

    /// The digest that the deliveries name does not exist: nothing but the outbox knows of them.
    private func queue(
        _ parts: [AnnouncedPart], of id: RowID, to endpoint: RowID, now: Milliseconds, until: Milliseconds,
        _ db: Database
    ) throws {
        let statement = try BoundStatement(
            db,
            """
            INSERT INTO delivery (id, digest, version, endpoint, part, parts, content_type, body, state, next_ms,
                not_after_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?) ON CONFLICT DO NOTHING
            """)
        for (index, part) in parts.enumerated() {
            try statement.bind(1, RowID(milliseconds: now.value, random: UInt128.random(in: .min ... .max)))
            try statement.bind(2, id)
            try statement.bind(3, Announcement.version)
            try statement.bind(4, endpoint)
            try statement.bind(5, Int64(index + 1))
            try statement.bind(6, Int64(parts.count))
            try statement.bind(7, part.contentType)
            try statement.bind(8, part.body)
            try statement.bind(9, now.value)
            try statement.bind(10, until.value)
            try statement.run()
        }
    }

    private func mark(_ announcement: Announcement, now: Milliseconds, _ db: Database) throws {
        let column = announcement.isRecovery ? "recovery_told_ms" : "told_ms"
        let statement = try BoundStatement(db, "UPDATE notice SET \(column) = ? WHERE id = ?")
        try statement.bind(1, now.value)
        try statement.bind(2, announcement.notice)
        try statement.run()
    }
}
