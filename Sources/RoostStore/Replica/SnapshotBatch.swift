import GRDB
import RoostSchema
import RoostSync

/// A run of a snapshot's rows being applied within one transaction.
///
/// A row that no other scope held can have, and that nothing pending touches, is written straight into its table; all
/// others go the way of any answer's.
struct SnapshotBatch {
    private let replica: Replica
    private let db: Database
    private let download: Download
    private let held: Int64
    private let isFresh: Bool
    /// Collections of which other scopes held have rows.
    private let shared: Set<String>
    private let pending: Set<RowID>
    private let copy: BoundStatement
    private let shelf = StatementShelf()
    private let materialiser: Materialiser
    private var application: Application
    private var positions: [String: Int] = [:]

    init(_ replica: Replica, _ db: Database, _ download: Download, now: Milliseconds) throws {
        self.replica = replica
        self.db = db
        self.download = download
        application = try Application(replica, db, now)
        guard let held = try application.held(download.scope)?.id else {
            throw ReplicaError.damaged("a snapshot's scope is not held")
        }
        self.held = held
        isFresh = try Self.prepare(download, held, db)
        shared = try Self.shared(with: held, replica, db)
        pending = try Self.all(try BoundStatement(db, "SELECT DISTINCT row FROM outbox")) { $0.id(0) }
        materialiser = try Materialiser(replica, db)
        copy = try BoundStatement(
            db,
            """
            INSERT INTO copy (held, collection, row, sequence, body) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (row, collection, held) DO UPDATE SET sequence = excluded.sequence, body = excluded.body, stale = 0
            """)
        try copy.bind(1, held)
    }

    /// Collections that other scopes held may show and have rows of.
    private static func shared(with held: Int64, _ replica: Replica, _ db: Database) throws -> Set<String> {
        let others = try BoundStatement(db, "SELECT id, scope FROM held WHERE id != ?")
        try others.bind(1, held)
        var scopes: [(id: Int64, kind: Int?)] = []
        while try others.step() {
            let kind = Scope(others.text(1)).flatMap { replica.rules.catalogue.position(ofScope: $0.kind) }
            scopes.append((others.integer(0), kind))
        }
        others.reset()
        var shared: Set<String> = []
        for (position, collection) in replica.rules.catalogue.collections.enumerated() {
            for scope in scopes where scope.kind.map({ replica.rules.view(of: position, in: $0) != nil }) ?? true {
                let row = try BoundStatement(db, "SELECT 1 FROM copy WHERE held = ? AND collection = ? LIMIT 1")
                defer { row.reset() }
                try row.bind(1, scope.id)
                try row.bind(2, collection.name.text)
                if try row.step() { shared.insert(collection.name.text) }
            }
        }
        return shared
    }

    private static func all<Element: Hashable>(
        _ statement: BoundStatement, _ element: (BoundStatement) -> Element
    ) throws -> Set<Element> {
        defer { statement.reset() }
        var found: Set<Element> = []
        while try statement.step() { found.insert(element(statement)) }
        return found
    }

    /// Before the first row: everything the scope had may be gone, and is until the snapshot brings it.
    ///
    /// - Returns: Whether it had nothing.
    private static func prepare(_ download: Download, _ held: Int64, _ db: Database) throws -> Bool {
        if download.applied == 0 {
            for sql in [
                "UPDATE copy SET stale = 1 WHERE held = ?1",
                """
                UPDATE download SET fresh = NOT EXISTS (SELECT 1 FROM copy WHERE held = ?1)
                WHERE scope = (SELECT scope FROM held WHERE id = ?1)
                """,
            ] {
                let statement = try BoundStatement(db, sql)
                try statement.bind(1, held)
                try statement.run()
            }
        }
        let fresh = try BoundStatement(db, "SELECT fresh FROM download WHERE scope = ?")
        defer { fresh.reset() }
        try fresh.bind(1, download.scope.description)
        return try fresh.step() && fresh.integer(0) != 0
    }

    mutating func keep(_ line: SnapshotLines.Line) throws {
        let row = line.row
        try copy.bind(2, row.collection)
        try copy.bind(3, row.row)
        try copy.bind(4, row.sequence.value)
        try copy.bind(5, line.bytes)
        try copy.run()
        guard let position = position(of: row.collection) else { return }
        guard isFresh, !shared.contains(row.collection), !pending.contains(row.row) else {
            return application.touch(row.collection, row.row)
        }
        let shown = Overlay(rules: replica.rules, key: RowKey(position, row.row)).alone(row)
        let table = replica.tables[position]
        try table.write(shown.row, with: try shelf.statement(position) { try BoundStatement(db, table.replace) })
        if !shown.masked.isEmpty { try materialiser.note(shown, row.collection) }
        try materialiser.index(shown.row, row.collection)
    }

    private mutating func position(of collection: String) -> Int? {
        if let known = positions[collection] { return known }
        let position = replica.rules.catalogue.position(of: collection)
        positions[collection] = position
        return position
    }

    /// Notes how far the snapshot is applied and, with the last batch, moves the cursor.
    mutating func finish(applied: Int, isLast: Bool) throws -> AppliedAnswer {
        if isLast {
            try application.complete(download.scope, epoch: download.epoch, cursor: download.offer.sequence)
            application.result.rowsReceived = download.offer.rows
            if isFresh { application.result.gained = [download.scope] }
        } else {
            let statement = try BoundStatement(db, "UPDATE download SET applied = ? WHERE scope = ?")
            try statement.bind(1, Int64(applied))
            try statement.bind(2, download.scope.description)
            try statement.run()
        }
        try application.settle()
        // What is read anew may show less of a row than before.
        if !isFresh { application.hasWiped = true }
        try application.noteWiped()
        return application.result
    }
}
