package import RoostSchema
package import RoostSync
import GRDB

extension ServerStore {
    /// An officer with present and past grants.
    package func principal(of officer: RowID) async throws -> Principal {
        try await pool.read { db in
            Principal(officer: officer, grants: try ServerRows(store: self, db: db).grants(of: officer))
        }
    }

    /// The scopes an officer may hold at this moment.
    package func heldScopes(of officer: RowID) throws -> [ScopeKey] {
        try readHere { db in
            Principal(officer: officer, grants: try ServerRows(store: self, db: db).grants(of: officer))
                .scopes(at: clock(), rules)
        }
    }

    /// The rows with these identities that exist and are not deleted.
    package func rows(_ collection: CollectionName, ids: [RowID]) async throws -> [RoostSync.Row] {
        guard let position = rules.catalogue.position(of: collection) else { return [] }
        return try await pool.read { db in
            try ServerRows(store: self, db: db).rows(ids.map { RowKey(position, $0) }).filter { !$0.isDeleted }
        }
    }

    /// Live rows that satisfy a condition, which may use facets of the collection.
    package func rows(
        of collection: CollectionName, where condition: Condition = .always, limit: Int? = nil
    ) async throws -> [RoostSync.Row] {
        try await pool.read { db in try self.rows(of: collection, where: condition, limit: limit, db) }
    }

    func rows(
        of collection: CollectionName, where condition: Condition, limit: Int? = nil, _ db: Database
    ) throws -> [Row] {
        guard let position = rules.catalogue.position(of: collection) else { return [] }
        let table = tables[position]
        var compiler = ConditionCompiler(rules.catalogue, collection: position)
        let predicate = compiler.compile(condition)
        let sql =
            table.select + " AS subject WHERE deleted = 0 AND (\(predicate))" + (limit.map { " LIMIT \($0)" } ?? "")
        let statement = try BoundStatement(db, sql)
        defer { statement.reset() }
        for (index, value) in compiler.values.enumerated() { try statement.bind(index + 1, value) }
        var rows: [Row] = []
        while try statement.step() { rows.append(table.row(statement)) }
        return rows
    }

    func ids(of collection: CollectionName, where condition: Condition, _ db: Database) throws -> [RowID] {
        guard let position = rules.catalogue.position(of: collection) else { return [] }
        var compiler = ConditionCompiler(rules.catalogue, collection: position)
        let predicate = compiler.compile(condition)
        let statement = try BoundStatement(
            db, "SELECT id FROM \"\(collection)\" AS subject WHERE deleted = 0 AND (\(predicate)) ORDER BY id")
        defer { statement.reset() }
        for (index, value) in compiler.values.enumerated() { try statement.bind(index + 1, value) }
        var ids: [RowID] = []
        while try statement.step() { ids.append(statement.id(0)) }
        return ids
    }

    /// How many live rows satisfy a condition.
    package func count(of collection: CollectionName, where condition: Condition = .always) async throws -> Int {
        try await pool.read { db in try self.count(of: collection, where: condition, db) }
    }

    func count(of collection: CollectionName, where condition: Condition, _ db: Database) throws -> Int {
        guard let position = rules.catalogue.position(of: collection) else { return 0 }
        var compiler = ConditionCompiler(rules.catalogue, collection: position)
        let predicate = compiler.compile(condition)
        let statement = try BoundStatement(
            db, "SELECT count(*) FROM \"\(collection)\" AS subject WHERE deleted = 0 AND (\(predicate))")
        defer { statement.reset() }
        for (index, value) in compiler.values.enumerated() { try statement.bind(index + 1, value) }
        return try statement.step() ? Int(statement.integer(0)) : 0
    }
}

/// Compiles a condition to SQL over a collection's table aliased `subject`.
///
/// Names that are neither a field nor a facet make their term false, as in ``Condition/holds(principal:_:)``. Values are
/// bound, never spliced.
struct ConditionCompiler {
    private let catalogue: Catalogue
    private let collection: RoostSchema.Collection
    private(set) var values: [Value] = []

    init(_ catalogue: Catalogue, collection: Int) {
        self.catalogue = catalogue
        self.collection = catalogue.collections[collection]
    }

    mutating func compile(_ condition: Condition) -> String {
        switch condition {
        case .always: return "1"
        case .never: return "0"
        case .all(let parts): return parts.isEmpty ? "1" : parts.map { "(\(compile($0)))" }.joined(separator: " AND ")
        case .any(let parts): return parts.isEmpty ? "0" : parts.map { "(\(compile($0)))" }.joined(separator: " OR ")
        // NULL comparisons are unknown in SQL and false in memory; IFNULL keeps the two readings equal under NOT.
        case .not(let part): return "NOT IFNULL((\(compile(part))), 0)"
        case .compare(let name, let comparison, let operand):
            guard case .value(let value) = operand else { return "0" }
            // A facet comes before a field of its name, as when an audience is read; a reference is compared as such.
            if value.id == nil, let facet = catalogue.facets.first(where: { $0.name == name && applies($0) }) {
                return compile(facet, comparison, value)
            }
            guard let position = collection.position(of: name) else { return "0" }
            return term("subject.\"\(name)\"", collection.fields[position].kind, comparison, value)
        }
    }

    /// Whether a facet says something of rows of this collection.
    private func applies(_ facet: Facet) -> Bool {
        guard let via = facet.via else { return facet.collection == collection.name }
        return catalogue[facet.collection]?[via]?.target == collection.name
    }

    private mutating func compile(_ facet: Facet, _ comparison: Condition.Comparison, _ value: Value) -> String {
        if comparison == .notEqual { return "NOT IFNULL((\(compile(facet, .equal, value))), 0)" }
        guard let source = catalogue[facet.collection], let field = source[facet.field],
            let kind = catalogue.field(of: facet)?.kind
        else { return "0" }
        let far = facet.through.flatMap { through in field.target.map { (target: $0, through: through) } }
        guard let via = facet.via else {
            guard let far else { return term("subject.\"\(facet.field)\"", kind, comparison, value) }
            return """
                EXISTS (SELECT 1 FROM "\(far.target)" AS far WHERE far.id = subject."\(facet.field)"
                AND \(term("far.\"\(far.through)\"", kind, comparison, value)))
                """
        }
        var filter = ConditionCompiler(catalogue, collection: catalogue.position(of: facet.collection) ?? 0)
        let admitted = filter.compile(facet.when).replacingAlias()
        values += filter.values
        if let far {
            return """
                EXISTS (SELECT 1 FROM "\(facet.collection)" AS near JOIN "\(far.target)" AS far
                ON far.id = near."\(facet.field)"
                WHERE near."\(via)" = subject.id AND near.deleted = 0 AND (\(admitted))
                AND \(term("far.\"\(far.through)\"", kind, comparison, value)))
                """
        }
        return """
            EXISTS (SELECT 1 FROM "\(facet.collection)" AS near WHERE near."\(via)" = subject.id AND near.deleted = 0
            AND (\(admitted)) AND \(term("near.\"\(facet.field)\"", kind, comparison, value)))
            """
    }

    /// A comparison of a column; of a list it holds if it holds for one entry.
    private mutating func term(
        _ column: String, _ kind: FieldKind, _ comparison: Condition.Comparison, _ value: Value
    ) -> String {
        guard case .tags = kind, !value.isNull else { return term(column, comparison, value) }
        let isNegated = comparison == .notEqual
        let entry = term("entry.value", isNegated ? .equal : comparison, value)
        return "\(isNegated ? "NOT " : "")EXISTS (SELECT 1 FROM json_each(\(column)) AS entry WHERE \(entry))"
    }

    private mutating func term(_ column: String, _ comparison: Condition.Comparison, _ value: Value) -> String {
        switch comparison {
        case .oneOf:
            let list = value.list ?? []
            guard !list.isEmpty else { return "0" }
            values += list
            return "\(column) IN (\(Array(repeating: "?", count: list.count).joined(separator: ", ")))"
        case .hasPrefix:
            values.append(value)
            return "substr(\(column), 1, length(?\(values.count))) = ?\(values.count)"
        case .equal:
            values.append(value)
            return "\(column) IS ?"
        case .notEqual:
            values.append(value)
            return "\(column) IS NOT ?"
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            values.append(value)
            return "\(column) \(comparison.rawValue) ?"
        }
    }
}

extension String {
    /// The alias of the outer table, replaced by that of a facet's.
    fileprivate func replacingAlias() -> String {
        split(separator: "subject.", omittingEmptySubsequences: false).joined(separator: "near.")
    }
}
