import GRDB
import RoostSchema
import RoostSync

/// Where rows are follows from the catalogue too: one that declares more fields shows edits of them to more people.
extension ServerStore {
    /// Works out again where conflicts and edits set aside are, if the catalogue declares other fields than the last one
    /// that served this database.
    ///
    /// They are wherever their fields are seen in full, and one whose field nobody declares is where such are relayed.
    func placeConcerned(_ db: Database) throws {
        let declared = rules.catalogue.collections.map { collection in
            "\(collection.name)(\(collection.fields.map(\.name.text).joined(separator: " ")))"
        }.joined(separator: " ")
        let sql = "SELECT value FROM meta WHERE name = 'declared_fields'"
        guard try String.fetchOne(db, sql: sql) != declared else { return }
        let source = ServerRows(store: self, db: db)
        var rows: [(row: Row, standing: Set<ScopeKey>)] = []
        for collection in rules.concerning.keys.sorted() {
            let standing = try scopes(ofRowsOf: collection, db)
            let statement = try BoundStatement(db, tables[collection].select)
            while try statement.step() {
                let row = tables[collection].row(statement)
                rows.append((row, standing[row.key.id] ?? []))
            }
            statement.reset()
        }
        let plan = try Plan(placing: rows, in: WorkingSet(self.rules, source: source), after: try lastSequence(db))
        _ = try PlanWriter(store: self, db: db).apply(
            plan, replica: writer, incarnation: nil, now: clock(), deciding: [])
        try db.execute(
            sql: "INSERT OR REPLACE INTO meta (name, value) VALUES ('declared_fields', ?)", arguments: [declared])
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
