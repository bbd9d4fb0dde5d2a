import GRDB
import RoostSchema
import RoostSync

/// Shows rows of which one scope's copy is all there is to see, without reading anything first.
///
/// That is so where no other scope held has rows of the collection, and nothing pending touches the row.
struct SoleCopies {
    private let replica: Replica
    private let db: Database
    private let materialiser: Materialiser
    /// Collections of which other scopes held have rows.
    private let shared: Set<Int>
    private let pending: Set<RowID>
    /// Whether something may be noted of a row that is shown now: see ``Materialiser/note(_:_:)``.
    private var mayBeNoted: Bool
    private let shelf = StatementShelf()

    init(of held: Int64, _ replica: Replica, _ db: Database) throws {
        self.replica = replica
        self.db = db
        materialiser = try Materialiser(replica, db)
        shared = try Self.shared(with: held, replica, db)
        let rows = try BoundStatement(db, "SELECT DISTINCT row FROM outbox")
        defer { rows.reset() }
        var pending: Set<RowID> = []
        while try rows.step() { pending.insert(rows.id(0)) }
        self.pending = pending
        let noted = try BoundStatement(db, "SELECT 1 FROM shown LIMIT 1")
        defer { noted.reset() }
        mayBeNoted = try noted.step()
    }

    /// Collections that other scopes held may show and have rows of.
    private static func shared(with held: Int64, _ replica: Replica, _ db: Database) throws -> Set<Int> {
        let others = try BoundStatement(db, "SELECT id, scope FROM held WHERE id != ?")
        try others.bind(1, held)
        var scopes: [(id: Int64, kind: Int?)] = []
        while try others.step() {
            let kind = Scope(others.text(1)).flatMap { replica.rules.catalogue.position(ofScope: $0.kind) }
            scopes.append((others.integer(0), kind))
        }
        others.reset()
        let row = try BoundStatement(db, "SELECT 1 FROM copy WHERE held = ? AND collection = ? LIMIT 1")
        defer { row.reset() }
        var shared: Set<Int> = []
        for (position, collection) in replica.rules.catalogue.collections.enumerated() {
            for scope in scopes where scope.kind.map({ replica.rules.view(of: position, in: $0) != nil }) ?? true {
                try row.bind(1, scope.id)
                try row.bind(2, collection.name.text)
                if try row.step() { shared.insert(position) }
                row.reset()
            }
        }
        return shared
    }

    /// Whether a row is one of those; the newest copy of it is kept already.
    func admits(_ key: RowKey) -> Bool { !shared.contains(key.collection) && !pending.contains(key.id) }

    mutating func show(_ shown: ShownRow, keys: NameSearch.Keys?) throws {
        let table = replica.tables[shown.row.key.collection]
        let name = table.declaration.name.text
        try table.write(
            shown.row,
            with: try shelf.statement(shown.row.key.collection) { try BoundStatement(db, table.replace) })
        if mayBeNoted || !shown.masked.isEmpty {
            try materialiser.note(shown, name)
            mayBeNoted = true
        }
        if let keys { try materialiser.index(keys, of: shown.row.key.id, name) }
    }
}
