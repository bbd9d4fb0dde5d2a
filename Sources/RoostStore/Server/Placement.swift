import Foundation
import GRDB
import RoostSchema
import RoostSync

/// Where rows are follows from the catalogue too: one that declares other views or links shows other rows and fields, and one
/// that declares more fields shows edits of them to more people.
extension ServerStore {
    /// Works out again where rows are, if the catalogue says otherwise than the last one that served this database.
    ///
    /// Whoever holds a scope that shows something else reads it anew, and gives up what it shows no longer. Intervals of
    /// authority stay as they were noted: what a link would have admitted in the past nobody knows.
    func placeAnew(_ db: Database) throws {
        let declared = Visibility(rules)
        let sql = "SELECT value FROM meta WHERE name = 'visibility'"
        let former = try String.fetchOne(db, sql: sql).flatMap {
            try? JSONDecoder().decode(Visibility.self, from: Data($0.utf8))
        }
        guard former != declared else { return }
        // Databases of before this was remembered have been served under the same views.
        let changed = try former.map { former in
            try declared.kinds(changedSince: former) { collection in
                try rules.catalogue.position(of: collection).map { position in
                    try Int.fetchOne(db, sql: "SELECT 1 FROM \"\(tables[position].declaration.name)\" LIMIT 1") == nil
                } ?? true
            }
        }
        if let changed, !changed.isEmpty {
            for collection in tables.indices where rules.concerning[collection] == nil {
                try place(rowsOf: collection, db)
            }
        }
        // Edits set aside are wherever their fields are seen in full, so they come after the rows they are about; one whose
        // field nobody declares is where such are relayed.
        for collection in rules.concerning.keys.sorted() { try place(rowsOf: collection, db) }
        let begin = try BoundStatement(
            db, "UPDATE scope SET epoch = epoch + 1, since = epoch + 1 WHERE name = ?1 OR name LIKE ?1 || ':%'")
        for kind in (changed ?? []).sorted() {
            try begin.bind(1, kind)
            try begin.run()
        }
        let text = String(decoding: try JSONEncoder().encode(declared), as: UTF8.self)
        try db.execute(sql: "INSERT OR REPLACE INTO meta (name, value) VALUES ('visibility', ?)", arguments: [text])
    }

    private func place(rowsOf collection: Int, _ db: Database) throws {
        let standing = try scopes(ofRowsOf: collection, db)
        let ids = try BoundStatement(db, "SELECT id FROM \"\(tables[collection].declaration.name)\"")
        var keys: [RowKey] = []
        while try ids.step() { keys.append(RowKey(collection, ids.id(0))) }
        ids.reset()
        for start in stride(from: 0, to: keys.count, by: 2000) {
            let source = ServerRows(store: self, db: db)
            let rows = try source.rows(Array(keys[start..<min(start + 2000, keys.count)]))
            let plan = try Plan(
                placing: rows.map { ($0, standing[$0.key.id] ?? []) }, in: WorkingSet(rules, source: source),
                after: try lastSequence(db))
            guard !plan.memberships.isEmpty else { continue }
            _ = try PlanWriter(store: self, db: db).apply(
                plan, replica: writer, incarnation: nil, now: clock(), deciding: [])
        }
    }

    /// Where each row of a collection stands.
    private func scopes(ofRowsOf collection: Int, _ db: Database) throws -> [RowID: Set<ScopeKey>] {
        let statement = try BoundStatement(
            db,
            """
            SELECT scope.name, member.row FROM member JOIN scope ON scope.id = member.scope
            WHERE member.present = 1 AND member.collection = ?
            """)
        defer { statement.reset() }
        try statement.bind(1, numbers[collection])
        var standing: [RowID: Set<ScopeKey>] = [:]
        while try statement.step() {
            guard let scope = Scope(statement.text(0)).flatMap({ rules.key(of: $0) }) else { continue }
            standing[statement.id(1), default: []].insert(scope)
        }
        return standing
    }
}
