import GRDB
import RoostSchema
import RoostSync

/// Departures and deleted rows that nobody needs to be told of any more.
struct Tombstones {
    /// An event of a row in a scope, as it was when found.
    struct Event: Hashable {
        let scope: Int64
        let row: RowKey
        let sequence: Int64
    }

    var departures: [Event] = []
    /// Deleted rows with their events in scopes.
    var rows: [(key: RowKey, events: [Event])] = []

    var isEmpty: Bool { departures.isEmpty && rows.isEmpty }

    /// Up to which sequence something goes, by scope.
    var scopes: [Int64: Int64] {
        var scopes: [Int64: Int64] = [:]
        for event in departures + rows.flatMap(\.events) {
            scopes[event.scope] = max(scopes[event.scope] ?? 0, event.sequence)
        }
        return scopes
    }
}

/// Looks for tombstones below a horizon, and below what every device that still comes has of a scope, within one read of
/// the database.
///
/// One pass over the members; an index by row would spare it and cost every push.
struct TombstoneFinder {
    let store: ServerStore
    let db: Database
    let horizon: ServerSequence
    /// Devices that were here since are waited for.
    let liveSince: Milliseconds

    func find() throws -> Tombstones {
        var candidates = try deletedRows()
        try keepReferenced(&candidates)
        let acknowledged = try floors()
        var found = Tombstones()
        var events: [RowKey: [Tombstones.Event]] = [:]
        func isNews(_ event: Tombstones.Event) -> Bool {
            event.sequence > min(horizon.value, acknowledged[event.scope] ?? .max)
        }
        let members = try BoundStatement(db, "SELECT scope, collection, row, sequence, present FROM member")
        defer { members.reset() }
        while try members.step() {
            guard let collection = store.positions[members.integer(1)] else { continue }
            let key = RowKey(collection, members.id(2))
            let event = Tombstones.Event(scope: members.integer(0), row: key, sequence: members.integer(3))
            if candidates.contains(key) {
                // A deleted row whom a link moved lately has news for somebody.
                if isNews(event) {
                    candidates.remove(key)
                } else {
                    events[key, default: []] += [event]
                }
            } else if members.integer(4) == 0, !isNews(event) {
                found.departures.append(event)
            }
        }
        found.rows = candidates.sorted().map { ($0, events[$0] ?? []) }
        return found
    }

    /// What all devices that still come have of each scope.
    private func floors() throws -> [Int64: Int64] {
        let statement = try BoundStatement(
            db,
            """
            SELECT scope.id, min(acknowledged.cursor) FROM acknowledged
            JOIN scope ON scope.name = acknowledged.scope JOIN replica ON replica.id = acknowledged.replica
            WHERE replica.revoked_ms IS NULL AND replica.seen_ms >= ? GROUP BY scope.id
            """)
        try statement.bind(1, liveSince.value)
        defer { statement.reset() }
        var floors: [Int64: Int64] = [:]
        while try statement.step() { floors[statement.integer(0)] = statement.integer(1) }
        return floors
    }

    private func deletedRows() throws -> Set<RowKey> {
        var rows: Set<RowKey> = []
        for (position, table) in store.tables.enumerated() {
            let statement = try BoundStatement(
                db, "SELECT id FROM \"\(table.declaration.name)\" WHERE deleted = 1 AND sequence <= ?")
            try statement.bind(1, horizon.value)
            while try statement.step() { rows.insert(RowKey(position, statement.id(0))) }
            statement.reset()
        }
        return rows
    }

    /// Takes out of the candidates what rows that stay refer to, until nothing changes.
    private func keepReferenced(_ candidates: inout Set<RowKey>) throws {
        var references: [(from: RowKey, to: RowKey)] = []
        let wanted = Set(candidates.map(\.collection))
        for (position, table) in store.tables.enumerated() {
            for field in table.declaration.fields {
                guard let target = field.target.flatMap({ store.rules.catalogue.position(of: $0) }),
                    wanted.contains(target)
                else { continue }
                let statement = try BoundStatement(
                    db,
                    "SELECT id, \"\(field.name)\" FROM \"\(table.declaration.name)\" WHERE \"\(field.name)\" IS NOT NULL"
                )
                while try statement.step() {
                    let to = RowKey(target, statement.id(1))
                    if candidates.contains(to) { references.append((RowKey(position, statement.id(0)), to)) }
                }
                statement.reset()
            }
        }
        // Conflicts and edits set aside go where the row is that they are about, which they name in text.
        for position in store.rules.concerning.keys {
            let name = store.rules.catalogue.collections[position].name
            let statement = try BoundStatement(db, "SELECT id, concerned_collection, concerned_row FROM \"\(name)\"")
            while try statement.step() {
                guard let target = store.rules.catalogue.position(of: statement.text(1)),
                    let id = RowID(statement.text(2))
                else { continue }
                let to = RowKey(target, id)
                if candidates.contains(to) { references.append((RowKey(position, statement.id(0)), to)) }
            }
            statement.reset()
        }
        var count: Int
        repeat {
            count = candidates.count
            for reference in references where !candidates.contains(reference.from) { candidates.remove(reference.to) }
        } while candidates.count < count
    }
}

/// Removes what a ``TombstoneFinder`` found, unless it has changed since.
struct TombstoneCollector {
    let store: ServerStore
    let db: Database

    func forget(departures: ArraySlice<Tombstones.Event>) throws -> Int {
        let statement = try BoundStatement(
            db,
            "DELETE FROM member WHERE scope = ? AND collection = ? AND row = ? AND sequence = ? AND present = 0")
        var count = 0
        for event in departures {
            try bind(event, to: statement)
            count += db.changesCount
        }
        return count
    }

    /// - Returns: How many rows went.
    func forget(rows: ArraySlice<(key: RowKey, events: [Tombstones.Event])>, upTo horizon: ServerSequence) throws -> Int
    {
        var count = 0
        for (key, events) in rows where try isStill(key, upTo: horizon) {
            let member = try BoundStatement(
                db, "DELETE FROM member WHERE scope = ? AND collection = ? AND row = ? AND sequence = ?")
            for event in events { try bind(event, to: member) }
            for sql in [
                "INSERT OR IGNORE INTO collected (collection, row) VALUES (?, ?)",
                "DELETE FROM history WHERE collection = ? AND row = ?",
                "DELETE FROM admission WHERE collection = ? AND row = ?",
            ] {
                let statement = try BoundStatement(db, sql)
                try statement.bind(1, store.numbers[key.collection])
                try statement.bind(2, key.id)
                try statement.run()
            }
            let name = store.rules.catalogue.collections[key.collection].name
            let row = try BoundStatement(db, "DELETE FROM \"\(name)\" WHERE id = ?")
            try row.bind(1, key.id)
            try row.run()
            count += 1
        }
        return count
    }

    private func bind(_ event: Tombstones.Event, to statement: BoundStatement) throws {
        try statement.bind(1, event.scope)
        try statement.bind(2, store.numbers[event.row.collection])
        try statement.bind(3, event.row.id)
        try statement.bind(4, event.sequence)
        try statement.run()
    }

    /// Whether the row is deleted as before, and nothing has come to refer to it where such references are indexed.
    private func isStill(_ key: RowKey, upTo horizon: ServerSequence) throws -> Bool {
        let rules = store.rules
        let name = rules.catalogue.collections[key.collection].name
        let row = try BoundStatement(db, "SELECT 1 FROM \"\(name)\" WHERE id = ? AND deleted = 1 AND sequence <= ?")
        defer { row.reset() }
        try row.bind(1, key.id)
        try row.bind(2, horizon.value)
        guard try row.step() else { return false }
        for (position, collection) in rules.catalogue.collections.enumerated() {
            for index in rules.indexed[position] where collection.fields[index].target == name {
                let field = collection.fields[index].name
                let reference = try BoundStatement(
                    db, "SELECT 1 FROM \"\(collection.name)\" WHERE \"\(field)\" = ? AND sequence > ? LIMIT 1")
                defer { reference.reset() }
                try reference.bind(1, key.id)
                try reference.bind(2, horizon.value)
                if try reference.step() { return false }
            }
        }
        return true
    }
}
