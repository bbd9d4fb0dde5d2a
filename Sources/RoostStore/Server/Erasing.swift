package import RoostSchema
import RoostSync
import GRDB

/// What an erasure takes, or took.
package struct Erasure: Hashable, Sendable {
    /// Rows by collection, with those deleted before; none if it was erased or collected long ago.
    package var rows: [CollectionName: Int] = [:]
    /// Devices that may hold some of them until they come.
    package var devices = 0
}

/// The rows are wiped, but a program that reads the database keeps the files from being cleaned: once more, and it is done.
package struct ErasureUnfinished: Error {}

/// Erasure: what somebody may ask to be forgotten, wiped wherever the server keeps it.
///
/// Deletion keeps every value so that it can be taken back; erasure keeps the identities, which answer `gone` to who would
/// use them again. Somebody's row goes with all rows about them: history, conflicts, edits set aside or waiting, what
/// imports noted in order to be undone. Devices are told that the rows left their scopes, wipe them as they do whatever they
/// may not keep, and are listed until they confirm it. A ledger beside the database has an old backup erased anew.
extension ServerStore {
    /// What ``erase(_:of:)`` would take; nil if there never was such a row.
    package func erasure(of row: RowID, in collection: CollectionName) async throws -> Erasure? {
        guard let key = subjectKey(row, collection) else { return nil }
        return try await pool.read { db in
            let keys = try self.whatIsKnown(of: key, db)
            guard keys.isEmpty else { return try self.erasure(of: keys, db) }
            return try ServerRows(store: self, db: db).erased([key]).isEmpty ? nil : Erasure()
        }
    }

    /// Erases a row with all that is about it; nil if there never was such a row.
    ///
    /// Rewrites the database file, during which others' writes wait, so that no page of it holds a value any more: also if the
    /// row was erased before, because the power may have failed in between.
    /// - Throws: ``ErasureUnfinished``
    package func erase(_ row: RowID, of collection: CollectionName) async throws -> Erasure? {
        guard let key = subjectKey(row, collection), let erasure = try await erasure(of: row, in: collection) else {
            return nil
        }
        try await pool.write { db in
            let keys = try self.whatIsKnown(of: key, db).union([key])
            let moment = self.clock()
            try self.ledger.append(
                keys.sorted().map {
                    .erased($0.id, of: self.rules.catalogue.collections[$0.collection].name, at: moment)
                })
            try self.erase(keys, db)
        }
        let isClean = try await pool.writeWithoutTransaction { db in
            try db.execute(sql: "VACUUM")
            return try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") == 0
        }
        guard isClean else { throw ErasureUnfinished() }
        return erasure
    }

    /// Erases again what an old copy brought back.
    func eraseAgain(_ db: Database) throws {
        var keys: Set<RowKey> = []
        for (row, collection) in ledger.erasures() {
            guard let position = rules.catalogue.position(of: collection) else { continue }
            // Also where the copy never had it: a device that was away may give it back.
            keys.insert(RowKey(position, row))
            keys.formUnion(try whatIsKnown(of: RowKey(position, row), db))
        }
        if !keys.isEmpty { try erase(keys, db) }
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

    /// The key of a row that others may be about; nil for all others: an officer's work is other people's.
    private func subjectKey(_ row: RowID, _ collection: CollectionName) -> RowKey? {
        rules.catalogue.position(of: collection).flatMap { position in
            rules.subjects.contains { $0?.collection == position } ? RowKey(position, row) : nil
        }
    }

    /// The row, all rows about it, and the notes about any of these; empty if there is no such row.
    private func whatIsKnown(of key: RowKey, _ db: Database) throws -> Set<RowKey> {
        guard try ServerRows(store: self, db: db).row(key) != nil else { return [] }
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
        for key in keys { erasure.rows[rules.catalogue.collections[key.collection].name, default: 0] += 1 }
        var devices: Set<Int64> = []
        for scope in Set(try places(of: keys, db).map(\.scope)) {
            devices.formUnion(
                try Int64.fetchSet(
                    db,
                    sql: """
                        SELECT replica.id FROM scope JOIN acknowledged ON acknowledged.scope = scope.name
                        JOIN replica ON replica.id = acknowledged.replica WHERE scope.id = ? AND revoked_ms IS NULL
                        """, arguments: [scope]))
        }
        erasure.devices = devices.count
        return erasure
    }

    /// Where rows are members, in one pass over the members: an index by row would cost every push.
    private func places(of keys: Set<RowKey>, _ db: Database) throws -> [(key: RowKey, scope: Int64)] {
        var places: [(key: RowKey, scope: Int64)] = []
        let members = try BoundStatement(db, "SELECT scope, collection, row FROM member WHERE present = 1")
        defer { members.reset() }
        while try members.step() {
            guard let collection = positions[members.integer(1)] else { continue }
            let key = RowKey(collection, members.id(2))
            if keys.contains(key) { places.append((key, members.integer(0))) }
        }
        return places
    }

    private func erase(_ keys: Set<RowKey>, _ db: Database) throws {
        // What is deleted is overwritten where it stands.
        try db.execute(sql: "PRAGMA secure_delete = ON")
        defer { try? db.execute(sql: "PRAGMA secure_delete = OFF") }
        try leave(keys, db)
        try db.execute(
            sql: """
                DROP TABLE IF EXISTS temp.erasing;
                CREATE TEMP TABLE erasing (collection INTEGER, name TEXT, row BLOB, text TEXT)
                """)
        let note = try BoundStatement(db, "INSERT INTO erasing (collection, name, row, text) VALUES (?, ?, ?, ?)")
        for key in keys {
            try note.bind(1, numbers[key.collection])
            try note.bind(2, rules.catalogue.collections[key.collection].name.text)
            try note.bind(3, key.id)
            try note.bind(4, key.id.description)
            try note.run()
        }
        var tables = ["history", "admission", "batch_row", "parked", "refused_creation"]
        // Of the first version, where something in it could not be moved.
        if try db.tableExists("former_quarantine") { tables.append("former_quarantine") }
        for table in tables {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE (collection, row) IN (SELECT collection, row FROM erasing)")
        }
        for collection in Set(keys.map(\.collection)) {
            let name = rules.catalogue.collections[collection].name
            try db.execute(
                sql: "DELETE FROM \"\(name)\" WHERE id IN (SELECT row FROM erasing WHERE name = ?)",
                arguments: [name.text])
        }
        try db.execute(
            sql: """
                DELETE FROM audience_member WHERE (collection, row) IN (SELECT name, row FROM erasing);
                -- Whose they were, and where; grants are an officer's.
                DELETE FROM authority WHERE kind <> 'grant'
                AND (row IN (SELECT row FROM erasing) OR subject IN (SELECT row FROM erasing));
                -- Edits that wait for another row, or for another catalogue, name it in their text.
                DELETE FROM parked WHERE EXISTS (SELECT 1 FROM erasing WHERE instr(CAST(body AS TEXT), text) > 0);
                DELETE FROM stranger WHERE EXISTS (SELECT 1 FROM erasing WHERE instr(CAST(body AS TEXT), text) > 0);
                INSERT OR IGNORE INTO erased (collection, row) SELECT collection, row FROM erasing;
                DROP TABLE temp.erasing
                """)
    }

    /// Takes rows out of every scope, each time under a sequence of its own, so that a page may end between any two.
    private func leave(_ keys: Set<RowKey>, _ db: Database) throws {
        var sequence = try lastSequence(db)
        let statement = try BoundStatement(
            db, "UPDATE member SET present = 0, sequence = ? WHERE scope = ? AND collection = ? AND row = ?")
        let places = try places(of: keys, db)
        for place in places {
            sequence = sequence.next
            try statement.bind(1, sequence.value)
            try statement.bind(2, place.scope)
            try statement.bind(3, numbers[place.key.collection])
            try statement.bind(4, place.key.id)
            try statement.run()
        }
        try db.execute(
            sql: "UPDATE meta SET value = ? WHERE name = 'sequence'", arguments: [sequence.description])
        var movement = Movement()
        for scope in Set(places.map(\.scope)) {
            let name = try String.fetchOne(db, sql: "SELECT name FROM scope WHERE id = ?", arguments: [scope])
            if let key = name.flatMap({ Scope($0) }).flatMap({ rules.key(of: $0) }) { movement.scopes.insert(key) }
        }
        announce(movement, db)
    }

    /// Notes rows that could not come back because they are about somebody erased, so that nothing waits for them either.
    func noteErased(_ keys: [RowKey], _ db: Database) throws {
        guard !keys.isEmpty else { return }
        try erase(Set(keys), db)
    }
}
