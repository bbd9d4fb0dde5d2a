import GRDB
import RoostSchema
import RoostSync

/// Reads the feeds of scopes for one answer, within one budget of bytes.
struct FeedReader {
    private let store: ServerStore
    private let db: Database
    private let source: ServerRows
    private let projection: Projection
    /// Rows that this exchange wrote: what the feed says of them at their sequence need not be read again.
    private let fresh: [RowKey: Row]
    /// Bytes of rows that may still be written.
    private var budget: Int
    /// The last sequence given out, as of this read.
    private let head: ServerSequence
    /// Whether the replica takes snapshots.
    private let takesSnapshots: Bool
    private(set) var rows = 0
    /// Scopes that the replica begins with, and how far it gets: from now on it may have that much of them.
    private(set) var begun: [ScopeCursor] = []
    /// Whether rows left, or a scope begins anew of which the replica has something.
    private(set) var takesAway = false

    init(
        store: ServerStore, db: Database, budget: Int, head: ServerSequence, fresh: [Row], takesSnapshots: Bool = false
    ) {
        self.store = store
        self.db = db
        source = ServerRows(store: store, db: db)
        projection = store.projection
        self.fresh = Dictionary(fresh.lazy.map { ($0.key, $0) }, uniquingKeysWith: { _, last in last })
        self.budget = budget
        self.head = head
        self.takesSnapshots = takesSnapshots
    }

    /// The page of one scope; nil if the replica has everything and touched nothing there.
    ///
    /// `cursor` is what the replica has, nil for a scope that is new to it; of `touched` rows it gets the authoritative
    /// state whatever its cursor. `tenure` counts how often its owner came to hold the scope again.
    mutating func page(
        of scope: ScopeKey, tenure: Int64, after cursor: ScopeCursor?, touched: [RowKey]
    ) throws -> [UInt8]? {
        let name = store.rules.scope(scope).description
        let known = try store.state(ofScope: name, db)
        let position = FeedPosition(cursor, in: known, tenure: tenure)
        let start = position.start
        if position.isBeginning, cursor?.hasBegun ?? false { takesAway = true }
        if takesSnapshots, start == 0, let known,
            let news = try store.snapshotNews(of: name, kind: scope.kind, known, db)
        {
            if case .ready(let offer) = news {
                begun.append(
                    ScopeCursor(scope: store.rules.scope(scope), epoch: position.epoch, cursor: offer.sequence))
            }
            return page(name, position, news)
        }
        var last = start
        var more = false
        var left: [RowKey] = []
        let before = rows
        var writer = JSONWriter(reserving: 512)
        try writer.object { writer in
            writer.name("scope")
            writer.plain(name)
            writer.name("epoch")
            writer.integer(position.epoch)
            writer.name("rows")
            try writer.array { writer in
                guard let number = known?.id else { return }
                for key in touched where store.rules.view(of: key.collection, in: scope.kind) != nil {
                    guard try isMember(key, of: number, upTo: start) else { continue }
                    try show(key, changedAt: nil, in: scope.kind, to: &writer)
                }
                let events = try BoundStatement(
                    db,
                    """
                    SELECT sequence, collection, row, present FROM member INDEXED BY member_feed
                    WHERE scope = ? AND sequence > ? ORDER BY sequence
                    """)
                try events.bind(1, number)
                try events.bind(2, start)
                defer { events.reset() }
                while try events.step() {
                    guard budget > 0 else {
                        more = true
                        return
                    }
                    last = events.integer(0)
                    guard let collection = store.positions[events.integer(1)] else { continue }
                    let key = RowKey(collection, events.id(2))
                    if events.integer(3) != 0 {
                        try show(key, changedAt: last, in: scope.kind, to: &writer)
                    } else if start > 0 {
                        left.append(key)
                        budget -= 80
                    }
                }
            }
            if !left.isEmpty {
                takesAway = true
                let collections = store.rules.catalogue.collections
                writer.name("left")
                writer.array { writer in
                    for key in left {
                        let departure = ScopePage.Departure(
                            collection: collections[key.collection].name.text, row: key.id)
                        departure.write(to: &writer)
                    }
                }
            }
            // A replica that begins with a scope has, at the end of its feed, all there is up to now.
            if position.isBeginning, !more { last = max(last, head.value) }
            if position.isBeginning {
                begun.append(
                    ScopeCursor(
                        scope: store.rules.scope(scope), epoch: position.epoch, cursor: ServerSequence(last)))
            }
            writer.name("cursor")
            writer.integer(last)
            if more {
                writer.name("more")
                writer.boolean(true)
            }
            if position.mustResnapshot {
                writer.name("must_resnapshot")
                writer.boolean(true)
            }
        }
        let isNews = position.isBeginning || rows > before || last > start || more
        return isNews ? writer.bytes : nil
    }

    /// A page without rows that tells where to get them all.
    private func page(_ name: String, _ position: FeedPosition, _ news: SnapshotNews) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            writer.name("scope")
            writer.plain(name)
            writer.name("epoch")
            writer.integer(position.epoch)
            writer.name("rows")
            writer.array { _ in }
            writer.name("cursor")
            writer.integer(0)
            writer.name("more")
            writer.boolean(true)
            if position.mustResnapshot {
                writer.name("must_resnapshot")
                writer.boolean(true)
            }
            switch news {
            case .ready(let offer):
                writer.name("snapshot")
                offer.write(to: &writer)
            case .wait(let milliseconds):
                writer.name("wait")
                writer.integer(milliseconds)
            }
        }
        return writer.bytes
    }

    /// Whether a row is in a scope and the replica has its newest event there already, so that the feed will not bring it.
    private func isMember(_ key: RowKey, of scope: Int64, upTo cursor: Int64) throws -> Bool {
        let statement = try BoundStatement(
            db, "SELECT 1 FROM member WHERE scope = ? AND collection = ? AND row = ? AND present = 1 AND sequence <= ?")
        defer { statement.reset() }
        try statement.bind(1, scope)
        try statement.bind(2, store.numbers[key.collection])
        try statement.bind(3, key.id)
        try statement.bind(4, cursor)
        return try statement.step()
    }

    private mutating func show(
        _ key: RowKey, changedAt sequence: Int64?, in kind: Int, to writer: inout JSONWriter
    ) throws {
        let written = sequence.flatMap { at in fresh[key].flatMap { $0.sequence.value == at ? $0 : nil } }
        if projection.needsSubject(key.collection, in: kind), let about = store.rules.subjects[key.collection] {
            guard let row = try written ?? source.row(key) else { return }
            let subject = try row.values[about.position].id.flatMap { try source.row(RowKey(about.collection, $0)) }
            write(row, subject, in: kind, to: &writer)
        } else if let written {
            write(written, nil, in: kind, to: &writer)
        } else {
            try source.withRow(key) { write($0, nil, in: kind, to: &writer) }
        }
    }

    private mutating func write(
        _ row: some ProjectableRow, _ subject: Row?, in kind: Int, to writer: inout JSONWriter
    ) {
        let size = writer.count
        projection.write(row, subject: subject, in: kind, to: &writer)
        budget -= writer.count - size
        rows += 1
    }
}
