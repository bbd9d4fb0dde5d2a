import GRDB
import RoostSchema
import RoostSync

/// The rows of one database access, as the engine asks for them.
///
/// Look-ups are single prepared statements run per key: SQLite answers a point query in about a microsecond, so one
/// statement with a thousand parameters would save nothing and could not be cached.
struct ServerRows: RowSource {
    let store: ServerStore
    let db: Database
    private let byID = StatementShelf()

    init(store: ServerStore, db: Database) {
        self.store = store
        self.db = db
    }

    func rows(_ keys: [RowKey]) throws -> [Row] { try keys.compactMap(row) }

    func row(_ key: RowKey) throws -> Row? {
        var row: Row?
        try withRow(key) { row = $0.decoded }
        return row
    }

    /// Hands the stored form of a row to `body`, if there is one; valid until that returns.
    func withRow(_ key: RowKey, _ body: (StoredRow) throws -> Void) throws {
        let table = store.tables[key.collection]
        let statement = try byID.statement(key.collection) { try BoundStatement(db, table.selectByID) }
        defer { statement.reset() }
        try statement.bind(1, key.id)
        if try statement.step() { try body(StoredRow(table, statement)) }
    }

    func rows(of collection: Int, referring position: Int, to targets: [RowID]) throws -> [Row] {
        let table = store.tables[collection]
        let field = table.declaration.fields[position]
        let statement = try BoundStatement(db, table.select + " WHERE \"\(field.name)\" = ?")
        var rows: [Row] = []
        for target in targets {
            // Rows of any collection are named by text.
            if field.target == nil { try statement.bind(1, target.description) } else { try statement.bind(1, target) }
            while try statement.step() { rows.append(table.row(statement)) }
            statement.reset()
        }
        return rows
    }

    func erased(_ keys: [RowKey]) throws -> Set<RowKey> {
        let statement = try BoundStatement(
            db,
            """
            SELECT 1 FROM erased WHERE collection = ?1 AND row = ?2
            UNION ALL SELECT 1 FROM collected WHERE collection = ?1 AND row = ?2
            """)
        return try matching(keys, statement) { key in
            try statement.bind(1, store.numbers[key.collection])
            try statement.bind(2, key.id)
        }
    }

    func refusedCreations(_ keys: [RowKey], by replica: ReplicaID) throws -> Set<RowKey> {
        let statement = try BoundStatement(
            db, "SELECT 1 FROM refused_creation WHERE replica = ? AND collection = ? AND row = ?")
        return try matching(keys, statement) { key in
            try statement.bind(1, replica)
            try statement.bind(2, store.numbers[key.collection])
            try statement.bind(3, key.id)
        }
    }

    private func matching(
        _ keys: [RowKey], _ statement: BoundStatement, bind: (RowKey) throws -> Void
    ) throws -> Set<RowKey> {
        var found: Set<RowKey> = []
        for key in keys {
            try bind(key)
            if try statement.step() { found.insert(key) }
            statement.reset()
        }
        return found
    }

    func officers(of replicas: Set<ReplicaID>) throws -> [ReplicaID: RowID] {
        let statement = try BoundStatement(db, "SELECT officer FROM replica WHERE id = ?")
        var officers: [ReplicaID: RowID] = [:]
        for replica in replicas {
            try statement.bind(1, replica)
            if try statement.step() { officers[replica] = statement.id(0) }
            statement.reset()
        }
        return officers
    }

    func labels(of replicas: Set<ReplicaID>) throws -> [ReplicaID: String] {
        let statement = try BoundStatement(db, "SELECT label FROM replica WHERE id = ?")
        var labels: [ReplicaID: String] = [:]
        for replica in replicas {
            try statement.bind(1, replica)
            if try statement.step() { labels[replica] = statement.text(0) }
            statement.reset()
        }
        return labels
    }

    func tenures(of subjects: [RowID]) throws -> [LinkTenure] {
        let statement = try BoundStatement(
            db, "SELECT kind, target, from_ms, until_ms FROM authority WHERE subject = ? AND kind != 'grant'")
        var tenures: [LinkTenure] = []
        for subject in subjects {
            try statement.bind(1, subject)
            while try statement.step() {
                guard let kind = store.rules.catalogue.position(ofScope: ScopeKindName(statement.text(0))) else {
                    continue
                }
                tenures.append(
                    LinkTenure(
                        scope: ScopeKey(kind, statement.id(1)), subject: subject,
                        from: Milliseconds(statement.integer(2)),
                        until: statement.isNull(3) ? nil : Milliseconds(statement.integer(3))))
            }
            statement.reset()
        }
        return tenures
    }

    func admissions(of row: RowKey) throws -> [AdmissionChange] {
        let statement = try BoundStatement(
            db, "SELECT kind, link, was, at_ms FROM admission WHERE row = ? AND collection = ? ORDER BY id")
        defer { statement.reset() }
        try statement.bind(1, row.id)
        try statement.bind(2, store.numbers[row.collection])
        var changes: [AdmissionChange] = []
        while try statement.step() {
            guard let kind = store.rules.catalogue.position(ofScope: ScopeKindName(statement.text(0))) else { continue }
            changes.append(
                AdmissionChange(
                    row: row, kind: kind, isLink: statement.integer(1) != 0, was: statement.integer(2) != 0,
                    at: Milliseconds(statement.integer(3))))
        }
        return changes
    }

    func lastEffective(of replica: ReplicaID) throws -> HybridTime? {
        let statement = try BoundStatement(db, "SELECT last_effective FROM replica WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, replica)
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return HybridTime(bits: UInt64(bitPattern: statement.integer(0)))
    }

    /// The grants an officer holds or held.
    func grants(of officer: RowID) throws -> [Grant] {
        let statement = try BoundStatement(
            db, "SELECT role, target, from_ms, until_ms FROM authority WHERE subject = ? AND kind = 'grant'")
        try statement.bind(1, officer)
        var grants: [Grant] = []
        while try statement.step() {
            grants.append(
                Grant(
                    role: RoleName(statement.text(0)), target: statement.isNull(1) ? nil : statement.id(1),
                    from: Milliseconds(statement.integer(2)),
                    until: statement.isNull(3) ? nil : Milliseconds(statement.integer(3))))
        }
        statement.reset()
        return grants
    }
}

/// Statements of one database access by a small number, such as a collection's.
///
/// GRDB's own cache is asked by the text of the statement, and hashing half a kilobyte for every row costs more than the
/// row.
final class StatementShelf {
    private var statements: [BoundStatement?] = []

    func statement(_ number: Int, _ make: () throws -> BoundStatement) rethrows -> BoundStatement {
        while statements.count <= number { statements.append(nil) }
        if let statement = statements[number] { return statement }
        let statement = try make()
        statements[number] = statement
        return statement
    }
}
