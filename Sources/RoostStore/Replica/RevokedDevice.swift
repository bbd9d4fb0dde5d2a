package import RoostSync
import GRDB
import RoostSchema

/// What a device whose access was ended still has.
package struct RevokedDevice: Hashable, Sendable {
    /// When it learned of it.
    package let since: Milliseconds
    /// Edits that never reached the server, and refused ones: what nobody else has.
    package let kept: Int
    /// Whether the server has yet to be told that everything else is gone.
    package let owesWord: Bool
}

extension Replica {
    /// Nil while the device may come.
    package func revokedDevice() throws -> RevokedDevice? {
        try reading { db in
            guard let since = try self.fact(.revokedAt, db).flatMap({ Int64($0) }) else { return nil }
            let kept = try Int.fetchOne(
                db,
                sql: "SELECT (SELECT count(*) FROM outbox WHERE answered = 0) + (SELECT count(*) FROM refused)")
            return RevokedDevice(
                since: Milliseconds(since), kept: kept ?? 0,
                owesWord: try self.fact(.purgedRows, db) != nil)
        }
    }

    /// Wipes what the server gave to this device, once it says that the device may come no more.
    ///
    /// What the person typed and the server never took stays, so that it can be exported, or sent once the device is
    /// enrolled again. Everything else goes in one transaction; the files are written anew before anybody is told.
    package func purgeRevoked(at now: Milliseconds) throws {
        try writing { db in
            guard try self.fact(.revokedAt, db) == nil else { return }
            let rows = try Int.fetchOne(db, sql: "SELECT count(*) FROM copy") ?? 0
            for table in self.tables { try db.execute(sql: "DELETE FROM \"\(table.declaration.name)\"") }
            // What was acknowledged is the server's; the journal keeps that something was said.
            try db.execute(
                sql: """
                    DELETE FROM copy;
                    DELETE FROM held;
                    DELETE FROM shown;
                    DELETE FROM name_search;
                    DELETE FROM download;
                    DELETE FROM outbox WHERE answered = 1;
                    UPDATE journal SET body = NULL;
                    UPDATE batch SET changes = CAST('[]' AS BLOB)
                    """)
            try self.setFact(.revokedAt, "\(now.value)", db)
            try self.setFact(.purgedRows, "\(rows)", db)
            try self.setFact(.filesHoldPurged, "1", db)
            // People whom this device entered and the server never heard of stay in view.
            try Materialiser(self, db).everything()
        }
        sweepDownloads()
        try scrubIfOwed()
    }

    /// Whether the disk is clean, so that the server may be told.
    package func isPurged() throws -> Bool { try scrubIfOwed() }

    /// Notes that the server knows.
    package func notePurgeTold() throws { try writing { db in try self.removeFact(.purgedRows, db) } }

    /// The edits that never reached the server, oldest first.
    package func unsent() throws -> [Mutation] {
        try reading { db in
            let statement = try BoundStatement(db, "SELECT body FROM outbox WHERE answered = 0 ORDER BY number")
            defer { statement.reset() }
            var found: [Mutation] = []
            while try statement.step() {
                guard let mutation = try? Mutation(stored: statement.blob(0)) else {
                    throw ReplicaError.damaged("a pending edit cannot be read")
                }
                found.append(mutation)
            }
            return found
        }
    }
}
