import GRDB
import RoostSchema
import RoostSync

/// Brings the row tables up to date with copies and pending mutations, within one transaction.
struct Materialiser {
    let replica: Replica
    let db: Database
    let author: ReplicaID
    /// Scope kinds by the number of the scope held.
    private let kinds: [Int64: Int]

    init(_ replica: Replica, _ db: Database) throws {
        self.replica = replica
        self.db = db
        author = try replica.fact(.replica, db).flatMap { ReplicaID($0) } ?? ReplicaID(0)
        var kinds: [Int64: Int] = [:]
        let statement = try BoundStatement(db, "SELECT id, scope FROM held")
        defer { statement.reset() }
        while try statement.step() {
            guard let scope = Scope(statement.text(1)) else { continue }
            kinds[statement.integer(0)] = replica.rules.catalogue.position(ofScope: scope.kind)
        }
        self.kinds = kinds
    }

    /// What the scopes held show of a row.
    private func copies(of key: RowKey) throws -> [Overlay.Copy] {
        let name = replica.rules.catalogue.collections[key.collection].name.text
        let copies = try BoundStatement(db, "SELECT held, body FROM copy WHERE row = ? AND collection = ?")
        defer { copies.reset() }
        try copies.bind(1, key.id)
        try copies.bind(2, name)
        var found: [Overlay.Copy] = []
        while try copies.step() {
            guard let row = try? WireRow(stored: copies.blob(1)) else {
                throw ReplicaError.damaged("a copy of \(name) cannot be read")
            }
            found.append(Overlay.Copy(kind: kinds[copies.integer(0)], row: row))
        }
        return found
    }

    /// The fields that some scope shows in full of a row, as far as its copies tell: one that is empty may be withheld.
    ///
    /// Of a deleted row nothing is shown; `evenDeleted` gives those that would be if it were restored, whatever it says.
    func open(_ key: RowKey, evenDeleted: Bool = false) throws -> Set<String> {
        var open: Set<String> = []
        for copy in try copies(of: key) where evenDeleted || copy.row.deleted == nil {
            open.formUnion(Set(copy.row.fields.map(\.field)).subtracting(copy.row.masked))
            guard let view = copy.kind.flatMap({ replica.rules.view(of: key.collection, in: $0) }) else { continue }
            for (field, sight) in zip(replica.rules.catalogue.collections[key.collection].fields, view.sights)
            where sight == .full { open.insert(field.name.text) }
        }
        return open
    }

    /// What is known of a row: the server's image, and the mutations on top.
    func state(of key: RowKey) throws -> (server: ShownRow?, pending: [Mutation]) {
        let name = replica.rules.catalogue.collections[key.collection].name.text
        let found = try copies(of: key)
        let outbox = try BoundStatement(
            db, "SELECT body FROM outbox WHERE row = ? AND collection = ? ORDER BY number")
        defer { outbox.reset() }
        try outbox.bind(1, key.id)
        try outbox.bind(2, name)
        var pending: [Mutation] = []
        while try outbox.step() {
            guard let mutation = try? Mutation(stored: outbox.blob(0)) else {
                throw ReplicaError.damaged("a pending edit of \(name) cannot be read")
            }
            pending.append(mutation)
        }
        return (Overlay(rules: replica.rules, key: key).union(found), pending)
    }

    /// Writes the row as it is to be seen now, or removes it where nothing is known of it any more.
    ///
    /// - Returns: whether the row is gone.
    @discardableResult
    func materialise(_ key: RowKey) throws -> Bool {
        let (server, pending) = try state(of: key)
        let shown = Overlay(rules: replica.rules, key: key).overlaid(server, pending, by: author)
        let table = replica.tables[key.collection]
        let name = table.declaration.name.text
        guard let shown else {
            for sql in [
                "DELETE FROM \"\(name)\" WHERE id = ?", "DELETE FROM shown WHERE row = ? AND collection = ?",
                "DELETE FROM name_search WHERE row = ? AND collection = ?",
            ] {
                let statement = try BoundStatement(db, sql)
                try statement.bind(1, key.id)
                if sql.hasSuffix("collection = ?") { try statement.bind(2, name) }
                try statement.run()
            }
            return true
        }
        try table.write(shown.row, with: try BoundStatement(db, table.replace))
        try note(shown, name)
        if let keys = replica.searches[key.collection]?.keys(shown.row.values) {
            try index(keys, of: key.id, name)
        }
        return false
    }

    func note(_ shown: ShownRow, _ collection: String) throws {
        guard !shown.masked.isEmpty || shown.isPending else {
            let statement = try BoundStatement(db, "DELETE FROM shown WHERE row = ? AND collection = ?")
            try statement.bind(1, shown.row.key.id)
            try statement.bind(2, collection)
            return try statement.run()
        }
        let statement = try BoundStatement(
            db, "INSERT OR REPLACE INTO shown (collection, row, masked, pending) VALUES (?, ?, ?, ?)")
        try statement.bind(1, collection)
        try statement.bind(2, shown.row.key.id)
        let fields = replica.rules.catalogue.collections[shown.row.key.collection].fields
        let names = shown.masked.sorted().map { Value.text(fields[$0].name.text) }
        if names.isEmpty {
            try statement.bindNull(3)
        } else {
            try statement.bind(3, String(decoding: Value.list(names).json, as: UTF8.self))
        }
        try statement.bind(4, shown.isPending ? 1 : 0 as Int64)
        try statement.run()
    }

    func index(_ keys: NameSearch.Keys, of row: RowID, _ collection: String) throws {
        let statement = try BoundStatement(
            db,
            """
            INSERT OR REPLACE INTO name_search (collection, row, folded, spelled, initials, sort_key)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
        try statement.bind(1, collection)
        try statement.bind(2, row)
        try statement.bind(3, keys.folded)
        try statement.bind(4, keys.spelled)
        try statement.bind(5, keys.initials)
        try statement.bind(6, keys.sortKey)
        try statement.run()
    }

    /// Rebuilds every row table from copies and outbox; what only an edit showed that is in the outbox no more goes.
    func everything() throws {
        var keys: Set<RowKey> = []
        let statement = try BoundStatement(
            db,
            """
            SELECT collection, row FROM copy UNION SELECT collection, row FROM outbox
            UNION SELECT collection, row FROM shown WHERE pending = 1
            """)
        defer { statement.reset() }
        while try statement.step() {
            guard let position = replica.rules.catalogue.position(of: statement.text(0)) else { continue }
            keys.insert(RowKey(position, statement.id(1)))
        }
        for key in keys.sorted() { try materialise(key) }
    }
}
