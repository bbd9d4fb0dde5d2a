import GRDB
import RoostSchema
import RoostSync

/// Refused edits of rows that left this device: nothing but the refused box has what they say, and it may not stay here.
///
/// They are given to the server, which sets them aside for whoever holds the rows now; when it says that it has them they
/// are wiped, and only then is the purge confirmed. So the purge wins and nothing is lost.
extension Replica {
    /// How many are given to the server at once.
    private static let surrenderLimit: Int64 = 200

    /// Marks the refused edits of a row that is not shown any more.
    ///
    /// A row that only ever was on this device, because its creation was refused, has not left it: `departed` tells
    /// whether some scope had it.
    func markRefused(of key: RowKey, departed: Bool, _ db: Database) throws {
        let name = rules.catalogue.collections[key.collection].name.text
        if !departed {
            let own = try BoundStatement(db, "SELECT body FROM refused WHERE row = ? AND collection = ?")
            defer { own.reset() }
            try own.bind(1, key.id)
            try own.bind(2, name)
            while try own.step() {
                if (try? Mutation(stored: own.blob(0)))?.action == .create { return }
            }
        }
        let statement = try BoundStatement(
            db, "UPDATE refused SET departed = 1 WHERE row = ? AND collection = ?")
        try statement.bind(1, key.id)
        try statement.bind(2, name)
        try statement.run()
    }

    /// Marks the refused edits of a row that stays which name a field this device sees no more; tells whether there were any.
    func markRefused(of key: RowKey, beyond open: Set<String>, _ db: Database) throws -> Bool {
        let find = try BoundStatement(
            db, "SELECT id, body FROM refused WHERE row = ? AND collection = ? AND departed = 0")
        try find.bind(1, key.id)
        try find.bind(2, rules.catalogue.collections[key.collection].name.text)
        var found: [Int64] = []
        while try find.step() {
            guard let mutation = try? Mutation(stored: find.blob(1)) else { continue }
            if mutation.changes.contains(where: { !open.contains($0.field) }) { found.append(find.integer(0)) }
        }
        find.reset()
        let mark = try BoundStatement(db, "UPDATE refused SET departed = 1 WHERE id = ?")
        for id in found {
            try mark.bind(1, id)
            try mark.run()
        }
        return !found.isEmpty
    }

    /// Marks refused edits that say something about people who left, such as a schooling that was to be added.
    func markRefused(about rows: Set<RowKey>, _ db: Database) throws {
        guard !rows.isEmpty else { return }
        try markRefused(db) { subject in rows.contains(subject) }
    }

    /// Marks refused creations about people of whom this device has nothing: they left before the refusal came.
    ///
    /// Whoever waits in the outbox or was refused themselves was entered here and has not left.
    func markRefusedOfStrangers(_ db: Database) throws {
        try markRefused(db, .create) { subject in
            let name = rules.catalogue.collections[subject.collection].name.text
            let known = try BoundStatement(
                db,
                """
                SELECT EXISTS (SELECT 1 FROM copy WHERE row = ?1 AND collection = ?2)
                OR EXISTS (SELECT 1 FROM outbox WHERE row = ?1 AND collection = ?2)
                OR EXISTS (SELECT 1 FROM refused WHERE row = ?1 AND collection = ?2)
                """)
            defer { known.reset() }
            try known.bind(1, subject.id)
            try known.bind(2, name)
            return try known.step() && known.integer(0) == 0
        }
    }

    /// Marks refused edits, or those of one action, that name a person of whom something is true.
    private func markRefused(
        _ db: Database, _ action: Mutation.Action? = nil, where holds: (_ subject: RowKey) throws -> Bool
    ) throws {
        let find = try BoundStatement(db, "SELECT id, body FROM refused WHERE departed = 0")
        var found: [Int64] = []
        while try find.step() {
            guard let mutation = try? Mutation(stored: find.blob(1)), action == nil || mutation.action == action,
                let collection = rules.catalogue.position(of: mutation.collection),
                let subject = rules.subjects[collection]
            else { continue }
            let field = rules.catalogue.collections[collection].fields[subject.position].name.text
            guard let id = mutation.changes.first(where: { $0.field == field })?.value.text.flatMap({ RowID($0) }),
                try holds(RowKey(subject.collection, id))
            else { continue }
            found.append(find.integer(0))
        }
        find.reset()
        let mark = try BoundStatement(db, "UPDATE refused SET departed = 1 WHERE id = ?")
        for id in found {
            try mark.bind(1, id)
            try mark.run()
        }
    }

    func mustSurrender(_ db: Database) throws -> Bool {
        let statement = try BoundStatement(db, "SELECT 1 FROM refused WHERE departed = 1 LIMIT 1")
        defer { statement.reset() }
        return try statement.step()
    }

    /// What to give to the server with the next request, oldest first, as far as the room goes.
    ///
    /// A request that carries nothing else gives `atLeastOne`, so that a narrow room never stops the giving.
    func surrenders(within room: ChangesetLimits, atLeastOne: Bool, _ db: Database) throws -> [Surrender] {
        let statement = try BoundStatement(
            db, "SELECT incarnation, body FROM refused WHERE departed = 1 ORDER BY id LIMIT ?")
        defer { statement.reset() }
        try statement.bind(1, min(Self.surrenderLimit, Int64(max(atLeastOne ? 1 : 0, room.mutations))))
        var surrenders: [Surrender] = []
        var size = 0
        while try statement.step() {
            let body = statement.blob(1)
            // With the braces and names around it.
            size += body.count + 64
            guard size <= room.bytes || atLeastOne && surrenders.isEmpty else { break }
            guard let mutation = try? Mutation(stored: body) else {
                throw ReplicaError.damaged("a refused edit cannot be read")
            }
            surrenders.append(Surrender(incarnation: statement.integer(0), mutation: mutation))
        }
        return surrenders
    }

    /// Forgets what an edit said, which the server has now; the journal keeps that there was one.
    ///
    /// - Returns: whether it was still here.
    func forgetSurrendered(_ name: Surrender.Name, at now: Milliseconds, _ db: Database) throws -> Bool {
        let note = try BoundStatement(
            db,
            """
            INSERT INTO journal (incarnation, number, collection, row, outcome, answered_at_ms, body, verdict)
            SELECT incarnation, number, collection, row, 'quarantined', ?3, NULL, verdict FROM refused
            WHERE departed = 1 AND incarnation = ?1 AND number = ?2
            ON CONFLICT DO UPDATE SET outcome = 'quarantined', body = NULL, answered_at_ms = ?3
            """)
        try note.bind(1, name.incarnation)
        try note.bind(2, name.number)
        try note.bind(3, now.value)
        try note.run()
        let delete = try BoundStatement(
            db, "DELETE FROM refused WHERE departed = 1 AND incarnation = ? AND number = ? RETURNING id")
        defer { delete.reset() }
        try delete.bind(1, name.incarnation)
        try delete.bind(2, name.number)
        guard try delete.step() else { return false }
        while try delete.step() {}
        return true
    }
}
