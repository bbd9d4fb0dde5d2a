package import RoostSchema
package import RoostSync
import GRDB

/// A sheet imported on this device.
package struct OfflineBatch: Hashable, Sendable {
    /// One field a batch wrote.
    package struct Change: Hashable, Sendable {
        package let field: String
        package let old: Value
        package let new: Value

        package init(_ field: String, old: Value, new: Value) {
            self.field = field
            self.old = old
            self.new = new
        }
    }

    /// One row a batch made or changed.
    package struct Entry: Hashable, Sendable {
        package let collection: CollectionName
        package let row: RowID
        package let created: Bool
        package let changes: [Change]

        package init(_ collection: CollectionName, _ row: RowID, created: Bool, changes: [Change]) {
            self.collection = collection
            self.row = row
            self.created = created
            self.changes = changes
        }
    }

    package let id: RowID
    /// The file's name.
    package let source: String
    package let madeAt: Milliseconds
    package var undoneAt: Milliseconds?
    package let entries: [Entry]

    package init(
        id: RowID, source: String, madeAt: Milliseconds, undoneAt: Milliseconds? = nil, entries: [Entry]
    ) {
        self.id = id
        self.source = source
        self.madeAt = madeAt
        self.undoneAt = undoneAt
        self.entries = entries
    }
}

extension Replica {
    /// Queues what a sheet comes to and remembers what it replaced, in one transaction.
    package func commit(_ batch: OfflineBatch, groups: [[Edit]], at moment: DeviceMoment) throws {
        try writing { db in
            let name = batch.id.description
            for group in groups { try self.queue(group, grouped: group.count > 1, at: moment, batch: name, db) }
            let statement = try BoundStatement(
                db, "INSERT INTO batch (id, source, made_at_ms, changes) VALUES (?, ?, ?, ?)")
            try statement.bind(1, name)
            try statement.bind(2, batch.source)
            try statement.bind(3, batch.madeAt.value)
            try statement.bind(4, Value.list(batch.entries.map(\.value)).json)
            try statement.run()
        }
    }

    /// The sheets imported here, newest first.
    package func batches() throws -> [OfflineBatch] {
        try reading { db in
            let statement = try BoundStatement(
                db, "SELECT id, source, made_at_ms, undone_at_ms, changes FROM batch ORDER BY made_at_ms DESC, id DESC")
            defer { statement.reset() }
            var found: [OfflineBatch] = []
            while try statement.step() {
                guard let id = RowID(statement.text(0)), let entries = (try? Value(json: statement.blob(4)))?.list
                else { throw ReplicaError.damaged("a batch cannot be read") }
                found.append(
                    OfflineBatch(
                        id: id, source: statement.text(1), madeAt: Milliseconds(statement.integer(2)),
                        undoneAt: statement.isNull(3) ? nil : Milliseconds(statement.integer(3)),
                        entries: entries.compactMap { OfflineBatch.Entry($0, self.rules.catalogue) }))
            }
            return found
        }
    }

    /// Takes a batch back.
    ///
    /// Nothing of it was sent yet: its mutations are forgotten and later ones, unsent too, take over their numbers.
    /// Otherwise `inverse` is queued.
    /// - Returns: whether it was simply forgotten.
    package func undo(_ batch: RowID, inverse: [[Edit]], at moment: DeviceMoment) throws -> Bool {
        try writing { db in
            let forgotten = try self.forget(batch, db)
            if !forgotten {
                for group in inverse { try self.queue(group, grouped: group.count > 1, at: moment, db) }
            }
            let statement = try BoundStatement(db, "UPDATE batch SET undone_at_ms = ?, changes = ? WHERE id = ?")
            try statement.bind(1, moment.now.value)
            try statement.bind(2, Value.list([]).json)
            try statement.bind(3, batch.description)
            try statement.run()
            return forgotten
        }
    }

    /// Drops from the batches what they say of fields that this device sees no more; undoing them leaves those alone.
    ///
    /// `seen` tells of each row concerned which fields it still sees: of one that left, none. Tells whether there was
    /// anything to drop.
    func forgetImported(but seen: [RowKey: Set<String>], _ db: Database) throws -> Bool {
        guard !seen.isEmpty else { return false }
        let find = try BoundStatement(db, "SELECT id, changes FROM batch")
        var rewritten: [(id: String, changes: [UInt8])] = []
        while try find.step() {
            guard let entries = (try? Value(json: find.blob(1)))?.list else {
                find.reset()
                throw ReplicaError.damaged("a batch cannot be read")
            }
            let kept = entries.compactMap { entry -> Value? in
                guard let fields = OfflineBatch.Entry.key(entry, rules.catalogue).flatMap({ seen[$0] }) else {
                    return entry
                }
                return OfflineBatch.Entry.restricted(entry, to: fields)
            }
            if kept != entries { rewritten.append((find.text(0), Value.list(kept).json)) }
        }
        find.reset()
        let write = try BoundStatement(db, "UPDATE batch SET changes = ? WHERE id = ?")
        for batch in rewritten {
            try write.bind(1, batch.changes)
            try write.bind(2, batch.id)
            try write.run()
        }
        return !rewritten.isEmpty
    }

    private func forget(_ batch: RowID, _ db: Database) throws -> Bool {
        let name = batch.description
        let first = try BoundStatement(db, "SELECT min(number), max(sent) FROM outbox WHERE batch = ?")
        try first.bind(1, name)
        guard try first.step(), !first.isNull(0), first.integer(1) == 0 else {
            first.reset()
            return false
        }
        let start = first.integer(0)
        first.reset()
        let later = try BoundStatement(db, "SELECT number, batch, body FROM outbox WHERE number >= ? ORDER BY number")
        try later.bind(1, start)
        var kept: [(old: Int64, mutation: Mutation)] = []
        var touched: [RowKey] = []
        while try later.step() {
            guard let mutation = try? Mutation(stored: later.blob(2)) else {
                throw ReplicaError.damaged("a pending edit cannot be read")
            }
            if later.text(1) != name {
                kept.append((later.integer(0), mutation))
            } else if let position = rules.catalogue.position(of: mutation.collection) {
                touched.append(RowKey(position, mutation.row))
            }
        }
        later.reset()
        let delete = try BoundStatement(db, "DELETE FROM outbox WHERE batch = ?")
        try delete.bind(1, name)
        try delete.run()
        var number = start
        let move = try BoundStatement(db, "UPDATE outbox SET number = ?, body = ? WHERE number = ?")
        for (old, mutation) in kept {
            try move.bind(1, number)
            try move.bind(2, mutation.renumbered(number).json)
            try move.bind(3, old)
            try move.run()
            number += 1
        }
        try setFact(.nextNumber, "\(number)", db)
        let materialiser = try Materialiser(self, db)
        for key in touched { try materialiser.materialise(key) }
        return true
    }
}

extension OfflineBatch.Entry {
    fileprivate var value: Value {
        .list([
            .text(collection.text), .id(row), .boolean(created),
            .list(changes.map { .list([.text($0.field), $0.old, $0.new]) }),
        ])
    }

    /// Which row a stored entry is about; nil for a collection this catalogue lacks.
    fileprivate static func key(_ value: Value, _ catalogue: Catalogue) -> RowKey? {
        guard let parts = value.list, parts.count >= 2, let row = parts[1].text.flatMap({ RowID($0) }) else {
            return nil
        }
        return parts[0].text.flatMap { catalogue.position(of: CollectionName($0)) }.map { RowKey($0, row) }
    }

    /// A stored entry without its other fields; nil if nothing is left.
    fileprivate static func restricted(_ value: Value, to fields: Set<String>) -> Value? {
        guard var parts = value.list, parts.count == 4, let changes = parts[3].list else { return nil }
        let kept = changes.filter { $0.list?.first?.text.map(fields.contains) ?? false }
        guard !kept.isEmpty else { return nil }
        parts[3] = .list(kept)
        return .list(parts)
    }

    fileprivate init?(_ value: Value, _ catalogue: Catalogue) {
        guard let parts = value.list, parts.count == 4, let name = parts[0].text,
            let row = parts[1].text.flatMap({ RowID($0) }), let created = parts[2].boolean, let list = parts[3].list
        else { return nil }
        let declaration = catalogue[CollectionName(name)]
        self.init(
            CollectionName(name), row, created: created,
            changes: list.compactMap { entry in
                guard let change = entry.list, change.count == 3, let field = change[0].text else { return nil }
                let kind = declaration?[FieldName(field)]?.kind
                return OfflineBatch.Change(
                    field, old: kind?.adopted(change[1]) ?? change[1], new: kind?.adopted(change[2]) ?? change[2])
            })
    }
}
