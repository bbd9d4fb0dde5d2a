import GRDB
import RoostSchema
import RoostSync
import Synchronization

/// Edits of collections that this catalogue does not declare yet: kept, shown to their author alone, and decided once a
/// later catalogue declares the collection.
extension ServerStore {
    /// The scope in which an officer's devices get back what they sent; no catalogue declares its kind.
    static func parkedScope(of officer: RowID) -> Scope { Scope("parked", officer) }

    /// Keeps what a plan could not decide.
    func park(
        _ entries: [StrangerEntry], of replica: ReplicaID, officer: RowID, incarnation: Int64, now: Milliseconds,
        _ db: Database
    ) throws {
        guard !entries.isEmpty else { return }
        for entry in entries {
            let statement = try BoundStatement(
                db,
                """
                INSERT INTO stranger (sequence, replica, officer, incarnation, collection, body, stamp, received_ms)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
            try statement.bind(1, entry.sequence.value)
            try statement.bind(2, replica)
            try statement.bind(3, officer)
            try statement.bind(4, incarnation)
            try statement.bind(5, entry.mutation.collection)
            try statement.bind(6, entry.mutation.json)
            try statement.bind(7, entry.stamp)
            try statement.bind(8, now.value)
            try statement.run()
        }
        db.afterNextTransaction { _ in self.strangers.withLock { _ = $0.insert(officer) } }
    }

    /// How many more edits of unknown collections are kept for an officer; counted only where some were sent.
    func strangerRoom(for mutations: [Mutation], of officer: RowID, upTo limit: Int, _ db: Database) throws -> Int {
        guard mutations.contains(where: { rules.catalogue.position(of: $0.collection) == nil }) else { return limit }
        let statement = try BoundStatement(db, "SELECT count(*) FROM stranger WHERE officer = ?")
        defer { statement.reset() }
        try statement.bind(1, officer)
        return try statement.step() ? max(0, limit - Int(statement.integer(0))) : limit
    }

    /// Officers with something parked; read once, as almost nobody has.
    func loadStrangers(_ db: Database) throws {
        let statement = try BoundStatement(db, "SELECT DISTINCT officer FROM stranger")
        defer { statement.reset() }
        var officers: Set<RowID> = []
        while try statement.step() { officers.insert(statement.id(0)) }
        strangers.withLock { $0 = officers }
    }

    /// What an officer has parked and the replica has not, within a budget of bytes; nil if it has everything.
    func parkedPage(of officer: RowID, after cursor: ScopeCursor?, budget: Int, _ db: Database) throws -> [UInt8]? {
        let start = cursor.flatMap { $0.epoch == 1 ? $0.cursor.value : nil } ?? 0
        var images: [Key: Image] = [:]
        let statement = try BoundStatement(
            db, "SELECT sequence, body, stamp FROM stranger WHERE officer = ? ORDER BY sequence")
        try statement.bind(1, officer)
        while try statement.step() {
            guard let mutation = try? Mutation(stored: statement.blob(1)) else {
                statement.reset()
                throw StoreError.damaged("a parked mutation cannot be read")
            }
            images[Key(mutation), default: Image()].take(mutation, statement.stamp(2), statement.integer(0))
        }
        statement.reset()
        let news = images.filter { $0.value.sequence > start }.sorted { $0.value.sequence < $1.value.sequence }
        guard !news.isEmpty || cursor == nil else { return nil }
        var page = JSONWriter(reserving: 512)
        var last = start
        var more = false
        page.object { page in
            page.name("scope")
            page.plain(Self.parkedScope(of: officer).description)
            page.name("epoch")
            page.integer(1)
            page.name("rows")
            page.array { page in
                for (key, image) in news {
                    guard page.count < max(budget, 1) else {
                        more = true
                        return
                    }
                    page.raw(image.row(key).json)
                    last = image.sequence
                }
            }
            page.name("cursor")
            page.integer(last)
            if more {
                page.name("more")
                page.boolean(true)
            }
        }
        return page.bytes
    }

    private struct Key: Hashable {
        let collection: String
        let row: RowID

        init(_ mutation: Mutation) {
            collection = mutation.collection
            row = mutation.row
        }
    }

    /// A row put together from edits alone, each field by its last writer.
    private struct Image {
        var fields: [String: (value: Value, stamp: Stamp)] = [:]
        var deletion: (isDeleted: Bool, stamp: Stamp)?
        var stamp = Stamp(bits: 0)
        var sequence: Int64 = 0

        mutating func take(_ mutation: Mutation, _ stamp: Stamp, _ sequence: Int64) {
            self.sequence = sequence
            self.stamp = max(self.stamp, stamp)
            switch mutation.action {
            case .create, .edit:
                for change in mutation.changes where fields[change.field].map({ $0.stamp < stamp }) ?? true {
                    fields[change.field] = (change.value, stamp)
                }
            case .delete, .restore:
                guard deletion.map({ $0.stamp < stamp }) ?? true else { return }
                deletion = (mutation.action == .delete, stamp)
            }
        }

        func row(_ key: Key) -> WireRow {
            let isDeleted = deletion?.isDeleted ?? false
            let shown = isDeleted ? [] : fields.sorted { $0.key < $1.key }
            return WireRow(
                collection: key.collection, row: key.row, sequence: ServerSequence(sequence), stamp: stamp,
                fields: shown.filter { !$0.value.value.isNull }.map { Mutation.Change($0.key, $0.value.value) },
                stamps: Dictionary(uniqueKeysWithValues: shown.map { ($0.key, $0.value.stamp) }),
                deleted: isDeleted ? deletion?.stamp : nil)
        }
    }

    /// Decides what is parked of collections that the catalogue declares now, in the order in which it came.
    ///
    /// The verdicts were given; what cannot be applied goes to quarantine.
    func admitStrangers(_ db: Database) throws {
        let names = try String.fetchAll(db, sql: "SELECT DISTINCT collection FROM stranger")
            .filter { rules.catalogue.position(of: $0) != nil }
        guard !names.isEmpty else { return }
        var waiting: [(replica: ReplicaID, incarnation: Int64, mutation: Mutation, stamp: Stamp)] = []
        let statement = try BoundStatement(
            db, "SELECT collection, replica, incarnation, body, stamp FROM stranger ORDER BY sequence")
        while try statement.step() {
            guard names.contains(statement.text(0)), let mutation = try? Mutation(stored: statement.blob(3)) else {
                continue
            }
            waiting.append((statement.replica(1), statement.integer(2), mutation, statement.stamp(4)))
        }
        statement.reset()
        for name in names { try db.execute(sql: "DELETE FROM stranger WHERE collection = ?", arguments: [name]) }
        let now = clock()
        var start = 0
        while start < waiting.count {
            let first = waiting[start]
            var end = start + 1
            while end < waiting.count, waiting[end].replica == first.replica,
                waiting[end].incarnation == first.incarnation
            {
                end += 1
            }
            _ = try decideAgain(
                waiting[start..<end].map { ($0.mutation, $0.stamp) }, of: first.replica,
                incarnation: first.incarnation, now: now, db)
            start = end
        }
    }
}
