package import RoostSchema
import RoostSync
import GRDB

/// What an erasure takes, or took.
package struct Erasure: Hashable, Sendable {
    /// Rows by collection, with those deleted before.
    package var rows: [CollectionName: Int] = [:]
    /// Devices that may hold some of them until they come.
    package var devices = 0
}

/// Erasure: what somebody may ask to be forgotten, wiped wherever the server keeps it.
///
/// Deletion keeps every value so that it can be taken back; erasure keeps the identities, which answer `gone` to who would
/// use them again. Somebody's row goes with all rows about them: history, conflicts, edits set aside or waiting, what
/// imports noted in order to be undone. Devices are told that the rows left their scopes, wipe them as they do whatever they
/// may not keep, and are listed until they confirm it. A ledger beside the database has an old backup erased anew.
extension ServerStore {
    /// What ``erase(_:of:)`` would take; nil if there is no such row.
    package func erasure(of row: RowID, in collection: CollectionName) async throws -> Erasure? {
        guard let position = rules.catalogue.position(of: collection) else { return nil }
        return try await pool.read { db in
            let keys = try self.whatIsKnown(of: RowKey(position, row), db)
            return keys.isEmpty ? nil : try self.erasure(of: keys, db)
        }
    }

    /// Erases a row with all that is about it; nil if there is no such row.
    ///
    /// Rewrites the database file, during which others' writes wait, so that no page of it holds a value any more.
    package func erase(_ row: RowID, of collection: CollectionName) async throws -> Erasure? {
        guard let position = rules.catalogue.position(of: collection) else { return nil }
        let erased: Erasure? = try await pool.write { db in
            let keys = try self.whatIsKnown(of: RowKey(position, row), db)
            guard !keys.isEmpty else { return nil }
            let erasure = try self.erasure(of: keys, db)
            try self.ledger.append([.erased(row, of: collection, at: self.clock())])
            try self.erase(keys, db)
            return erasure
        }
        guard erased != nil else { return nil }
        try await pool.writeWithoutTransaction { db in
            try db.execute(sql: "VACUUM")
            _ = try GRDB.Row.fetchAll(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
        return erased
    }

    /// Erases again what an old copy brought back.
    func eraseAgain(_ db: Database) throws {
        for (row, collection) in ledger.erasures() {
            guard let position = rules.catalogue.position(of: collection) else { continue }
            let key = RowKey(position, row)
            // Also where the copy never had it: a device that was away may give it back.
            try erase(try whatIsKnown(of: key, db).union([key]), db)
        }
    }

    /// Edits of an import that is filed again, without those about rows erased since.
    func withoutErased(_ edits: [TrustedEdit], _ db: Database) throws -> [TrustedEdit] {
        let source = ServerRows(store: self, db: db)
        return try edits.filter { edit in
            guard let position = rules.catalogue.position(of: edit.collection) else { return true }
            var named = [RowKey(position, edit.row)]
            for (name, value) in edit.fields {
                guard let id = value.id ?? value.text.flatMap({ RowID($0) }),
                    let target = rules.catalogue.collections[position][name]?.target,
                    let other = rules.catalogue.position(of: target)
                else { continue }
                named.append(RowKey(other, id))
            }
            return try source.erased(named).isEmpty
        }
    }

    /// The row, all rows about it, and the notes about any of these; empty if there is no such row, or if it is of a kind that
    /// nothing is about: an officer's work is other people's.
    private func whatIsKnown(of key: RowKey, _ db: Database) throws -> Set<RowKey> {
        guard rules.subjects.contains(where: { $0?.collection == key.collection }),
            try ServerRows(store: self, db: db).row(key) != nil
        else {
            return []
        }
        var keys: Set<RowKey> = [key]
        for (position, subject) in rules.subjects.enumerated() where subject?.collection == key.collection {
            guard let subject else { continue }
            let field = rules.catalogue.collections[position].fields[subject.position].name
            try collect(position, "\"\(field)\" = ?", &keys, db) { try $0.bind(1, key.id) }
        }
        for (position, _) in rules.concerning {
            for known in keys {
                let concerned = rules.catalogue.collections[known.collection].name.text
                try collect(position, "concerned_row = ? AND concerned_collection = ?", &keys, db) {
                    try $0.bind(1, known.id.description)
                    try $0.bind(2, concerned)
                }
            }
        }
        return keys
    }

    private func collect(
        _ collection: Int, _ condition: String, _ keys: inout Set<RowKey>, _ db: Database,
        bind: (BoundStatement) throws -> Void
    ) throws {
        let name = rules.catalogue.collections[collection].name
        let statement = try BoundStatement(db, "SELECT id FROM \"\(name)\" WHERE \(condition)")
        defer { statement.reset() }
        try bind(statement)
        while try statement.step() { keys.insert(RowKey(collection, statement.id(0))) }
    }

    private func erasure(of keys: Set<RowKey>, _ db: Database) throws -> Erasure {
        var erasure = Erasure()
        var devices: Set<Int64> = []
        let holders = try BoundStatement(
            db,
            """
            SELECT DISTINCT replica.id FROM member JOIN scope ON scope.id = member.scope
            JOIN acknowledged ON acknowledged.scope = scope.name JOIN replica ON replica.id = acknowledged.replica
            WHERE member.collection = ? AND member.row = ? AND present = 1 AND revoked_ms IS NULL
            """)
        for key in keys {
            erasure.rows[rules.catalogue.collections[key.collection].name, default: 0] += 1
            try bind(key, to: holders)
            while try holders.step() { devices.insert(holders.integer(0)) }
            holders.reset()
        }
        erasure.devices = devices.count
        return erasure
    }

    private func erase(_ keys: Set<RowKey>, _ db: Database) throws {
        // What is deleted is overwritten where it stands.
        try db.execute(sql: "PRAGMA secure_delete = ON")
        defer { try? db.execute(sql: "PRAGMA secure_delete = OFF") }
        var sequence = try lastSequence(db)
        var movement = Movement()
        for key in keys.sorted() {
            sequence = try leave(key, after: sequence, &movement, db)
            for table in ["history", "admission", "batch_row", "audience_member", "parked", "refused_creation"] {
                try run("DELETE FROM \(table) WHERE collection = ?1 AND row = ?2", on: key, db)
            }
            try run("DELETE FROM \"\(rules.catalogue.collections[key.collection].name)\" WHERE id = ?2", on: key, db)
            // Whose it was, and where; grants are an officer's.
            try run("DELETE FROM authority WHERE kind <> 'grant' AND (row = ?2 OR subject = ?2)", on: key, db)
            // Edits that wait for another row, or for another catalogue, name it in their text.
            for table in ["parked", "stranger"] {
                try db.execute(
                    sql: "DELETE FROM \(table) WHERE instr(CAST(body AS TEXT), ?) > 0", arguments: [key.id.description])
            }
            try run("INSERT OR IGNORE INTO erased (collection, row) VALUES (?1, ?2)", on: key, db)
        }
        try db.execute(
            sql: "UPDATE meta SET value = ? WHERE name = 'sequence'", arguments: [sequence.description])
        announce(movement, db)
    }

    /// Takes a row out of every scope, each time under a sequence of its own, so that a page may end between any two.
    private func leave(
        _ key: RowKey, after last: ServerSequence, _ movement: inout Movement, _ db: Database
    ) throws -> ServerSequence {
        var sequence = last
        var scopes: [(number: Int64, name: String)] = []
        let members = try BoundStatement(
            db,
            """
            SELECT scope.id, scope.name FROM member JOIN scope ON scope.id = member.scope
            WHERE collection = ? AND row = ? AND present = 1
            """)
        try bind(key, to: members)
        while try members.step() { scopes.append((members.integer(0), members.text(1))) }
        members.reset()
        let leave = try BoundStatement(
            db, "UPDATE member SET present = 0, sequence = ?3 WHERE collection = ?1 AND row = ?2 AND scope = ?4")
        for scope in scopes {
            sequence = sequence.next
            try bind(key, to: leave)
            try leave.bind(3, sequence.value)
            try leave.bind(4, scope.number)
            try leave.run()
            if let known = Scope(scope.name).flatMap({ rules.key(of: $0) }) { movement.scopes.insert(known) }
        }
        return sequence
    }

    /// Runs a statement about a row: ?1 is the number of its collection, ?2 its identity.
    private func run(_ sql: String, on key: RowKey, _ db: Database) throws {
        let statement = try BoundStatement(db, sql)
        try bind(key, to: statement)
        try statement.run()
    }

    private func bind(_ key: RowKey, to statement: BoundStatement) throws {
        try statement.bind(1, numbers[key.collection])
        try statement.bind(2, key.id)
    }
}
