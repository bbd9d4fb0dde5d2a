package import RoostSchema
package import RoostSync
import GRDB

/// One word of a search: it matches by name, or by what related rows say.
package struct SearchTerm: Hashable, Sendable {
    /// Rows that point to the one searched for.
    package struct Related: Hashable, Sendable {
        package enum Match: Hashable, Sendable {
            /// The field's text contains this.
            case contains(String)
            case oneOf([Value])
        }

        package let collection: CollectionName
        /// The reference to the row searched for.
        package let via: FieldName
        package let field: FieldName
        package let match: Match

        package init(_ collection: CollectionName, via: FieldName, field: FieldName, _ match: Match) {
            self.collection = collection
            self.via = via
            self.field = field
            self.match = match
        }
    }

    /// Part of a name, without regard to script; empty matches no name.
    package let folded: String
    /// The beginning of a name's spelling or initials, counted from any syllable; empty matches none.
    package let spelled: String
    package let related: [Related]

    package init(folded: String = "", spelled: String = "", related: [Related] = []) {
        self.folded = folded
        self.spelled = spelled
        self.related = related
    }
}

/// How things stand between this replica and its server.
package struct ReplicaStatus: Hashable, Sendable {
    package var pending = 0
    package var refused = 0
    package var quarantined = 0
    package var openConflicts = 0
    /// Edits of others that wait for somebody to decide, as far as this device sees them.
    package var toDecide = 0
    /// Live rows shown, by collection.
    package var rows: [CollectionName: Int] = [:]
    package var scopes: [Scope] = []
    package var exchangedAt: Milliseconds?
    /// Device clock minus server clock in milliseconds at the last exchange.
    package var offset: Int64 = 0
    package var epoch: String?
    /// How far the snapshots under way are fetched and applied, 0 to 1; nil if none is.
    package var snapshot: Double?
}

extension Replica {
    /// A row as the person sees it, deleted or not.
    package func row(_ collection: CollectionName, _ id: RowID) throws -> ShownRow? {
        guard let position = rules.catalogue.position(of: collection) else { return nil }
        return try reading { db in
            let table = self.tables[position]
            let statement = try BoundStatement(db, table.select + " WHERE id = ?")
            defer { statement.reset() }
            try statement.bind(1, id)
            guard try statement.step() else { return nil }
            return try self.noted(table.row(statement), collection, db)
        }
    }

    private func noted(_ row: RoostSync.Row, _ collection: CollectionName, _ db: Database) throws -> ShownRow {
        veiled(try whole(row, collection, db))
    }

    private func whole(_ row: RoostSync.Row, _ collection: CollectionName, _ db: Database) throws -> ShownRow {
        let statement = try BoundStatement(
            db, "SELECT masked, pending FROM shown WHERE row = ? AND collection = ?")
        defer { statement.reset() }
        try statement.bind(1, row.key.id)
        try statement.bind(2, collection.text)
        guard try statement.step() else { return ShownRow(row: row) }
        let declaration = rules.catalogue.collections[row.key.collection]
        let names = statement.isNull(0) ? [] : (try? Value(json: Array(statement.text(0).utf8)))?.list ?? []
        return ShownRow(
            row: row, masked: Set(names.compactMap { $0.text.flatMap { declaration.position(of: $0) } }),
            isPending: statement.integer(1) != 0)
    }

    /// Rows that satisfy a condition, in address-book order where the collection is searched by name.
    package func rows(
        of collection: CollectionName, where condition: Condition = .always, matching terms: [SearchTerm] = [],
        deleted: Bool = false, limit: Int? = nil
    ) throws -> [ShownRow] {
        guard let position = rules.catalogue.position(of: collection) else { return [] }
        return try reading { db in
            let table = self.tables[position]
            // Placeholders are counted through the text, so the condition, which may use one twice, comes first.
            var compiler = ConditionCompiler(self.rules.catalogue, collection: position)
            let predicate = compiler.compile(condition)
            var search = SearchQuery(collection: collection.text, values: compiler.values)
            let predicates = [predicate] + terms.map { search.compile($0) }
            let named = self.searches.contains { $0?.collection == collection }
            let order = named ? " ORDER BY (SELECT n.sort_key FROM name_search AS n WHERE \(search.named)), id" : ""
            let sql =
                table.select + " AS subject WHERE deleted = \(deleted ? 1 : 0) AND "
                + predicates.map { "(\($0))" }.joined(separator: " AND ") + order + (limit.map { " LIMIT \($0)" } ?? "")
            var rows: [RoostSync.Row] = []
            let statement = try BoundStatement(db, sql)
            defer { statement.reset() }
            for (index, value) in search.values.enumerated() { try statement.bind(index + 1, value) }
            while try statement.step() { rows.append(table.row(statement)) }
            return try rows.map { try self.noted($0, collection, db) }
        }
    }

    /// Changes whenever another program commits to the database; SQLite answers from memory shared with it.
    package func changeMark() throws -> Int64 {
        try translating {
            try queue.writeWithoutTransaction { db in try Int64.fetchOne(db, sql: "PRAGMA data_version") ?? 0 }
        }
    }

    /// Whether an edit waits for its first exchange.
    package func hasUnsent() throws -> Bool {
        try reading { db in
            try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM outbox WHERE answered = 0)") ?? false
        }
    }

    /// How things stand.
    package func status() throws -> ReplicaStatus {
        try reading { db in
            func count(_ sql: String) throws -> Int { try Int.fetchOne(db, sql: sql) ?? 0 }
            var status = ReplicaStatus()
            status.pending = try count("SELECT count(*) FROM outbox WHERE answered = 0")
            status.refused = try count("SELECT count(*) FROM refused")
            status.quarantined = try self.quarantined(db).count
            for table in self.tables {
                let name = table.declaration.name
                let rows = try count("SELECT count(*) FROM \"\(name)\" WHERE deleted = 0")
                if rows > 0 { status.rows[name] = rows }
                if name == Conflict.collection {
                    status.openConflicts = try count(
                        "SELECT count(*) FROM \"\(name)\" WHERE deleted = 0 AND state = 'open'")
                } else if name == Quarantine.collection {
                    status.toDecide = try count(
                        "SELECT count(*) FROM \"\(name)\" WHERE deleted = 0 AND state = 'pending'")
                }
            }
            status.scopes = try String.fetchAll(db, sql: "SELECT scope FROM held").compactMap { Scope($0) }.sorted()
            status.exchangedAt = try self.fact(.exchangedAt, db).flatMap { Int64($0) }.map { Milliseconds($0) }
            status.offset = try self.number(.offset, db)
            status.epoch = try self.fact(.epoch, db)
            let downloads = try self.downloads(db)
            let rows = downloads.reduce(0) { $0 + $1.offer.rows }
            if rows > 0 {
                status.snapshot = downloads.reduce(0) { $0 + $1.progress * Double($1.offer.rows) } / Double(rows)
            }
            return status
        }
    }
}

/// Compiles search terms to SQL over a collection's table aliased `subject`; what people typed is bound, never spliced.
private struct SearchQuery {
    let collection: String
    private(set) var values: [Value]

    init(collection: String, values: [Value]) {
        self.collection = collection
        self.values = values
    }

    var named: String { "n.row = subject.id AND n.collection = '\(collection)'" }

    mutating func compile(_ term: SearchTerm) -> String {
        var ways: [String] = []
        if !term.folded.isEmpty {
            ways.append(way("instr(n.folded, ?)", .text(term.folded)))
        }
        if !term.spelled.isEmpty {
            ways.append(way("instr(n.spelled, ?)", .text(" " + term.spelled)))
            ways.append(way("instr(n.initials, ?)", .text(" " + term.spelled)))
        }
        for related in term.related {
            let match: String
            switch related.match {
            case .contains(let text):
                values.append(.text(text))
                match = "instr(r.\"\(related.field)\", ?)"
            case .oneOf(let list):
                guard !list.isEmpty else { continue }
                values += list
                match =
                    "r.\"\(related.field)\" IN (\(Array(repeating: "?", count: list.count).joined(separator: ", ")))"
            }
            ways.append(
                """
                EXISTS (SELECT 1 FROM "\(related.collection)" AS r
                WHERE r."\(related.via)" = subject.id AND r.deleted = 0 AND \(match))
                """)
        }
        return ways.isEmpty ? "0" : ways.joined(separator: " OR ")
    }

    private mutating func way(_ match: String, _ value: Value) -> String {
        values.append(value)
        return "EXISTS (SELECT 1 FROM name_search AS n WHERE \(named) AND \(match))"
    }
}
