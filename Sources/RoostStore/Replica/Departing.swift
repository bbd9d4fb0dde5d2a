import GRDB
import RoostSchema
import RoostSync

/// What leaves this device with an answer: whole rows, and values of rows that stay.
extension Application {
    /// Notes that a scope has a row no more.
    mutating func depart(_ collection: String, _ row: RowID) {
        owesWord = true
        if let position = replica.rules.catalogue.position(of: collection) {
            departed.insert(RowKey(position, row))
        } else {
            // Nothing is shown of it, but its copy was on the disk.
            hasWiped = true
            result.rowsPurged += 1
        }
    }

    /// Notes that a scope shows less of a row than it did.
    ///
    /// What a deleted row held goes from the disk too, but everybody who holds it sees that it was deleted, so no word is owed.
    mutating func narrow(_ row: WireRow) {
        if row.deleted == nil { (hasWiped, owesWord) = (true, true) } else { hasDeleted = true }
        if let position = replica.rules.catalogue.position(of: row.collection) {
            narrowed.insert(RowKey(position, row.row))
        }
    }

    /// The collections of which a scope may come to show less, because what it shows depends on the rows.
    func narrowing(in scope: Scope) -> Set<String> {
        guard let kind = replica.rules.catalogue.position(ofScope: scope.kind) else { return [] }
        return Set(
            replica.rules.views.joined().filter { $0.kind == kind && $0.isConditional }.map {
                replica.rules.catalogue.collections[$0.collection].name.text
            })
    }

    /// Whether a row of a collection may come to show less; of what this catalogue does not know, nobody can tell.
    func mayNarrow(_ collection: String, _ known: Set<String>) -> Bool {
        known.contains(collection) || replica.rules.catalogue.position(of: collection) == nil
    }

    /// Whether a scope is read from its beginning, over rows of an earlier reading.
    func isReadAnew(_ held: Int64) throws -> Bool {
        let find = try BoundStatement(db, "SELECT 1 FROM copy WHERE held = ? AND stale = 1 LIMIT 1")
        defer { find.reset() }
        try find.bind(1, held)
        return try find.step()
    }

    /// Whether an image of a row, as that of a deleted one, shows less than the one it replaces: what it conceals must not
    /// stay in the files.
    func narrows(_ row: WireRow, from held: Int64) throws -> Bool {
        let find = try BoundStatement(db, "SELECT body FROM copy WHERE row = ? AND collection = ? AND held = ?")
        defer { find.reset() }
        try find.bind(1, row.row)
        try find.bind(2, row.collection)
        try find.bind(3, held)
        guard try find.step(), let old = try? WireRow(stored: find.blob(0)) else { return false }
        let open = Set(row.fields.map(\.field)).subtracting(row.masked)
        return old.fields.contains { !old.masked.contains($0.field) && !open.contains($0.field) }
    }

    /// Brings what is shown up to date with what was touched, and forgets what is gone.
    mutating func settle() throws {
        let materialiser = try Materialiser(replica, db)
        var gone: Set<RowKey> = []
        for key in touched {
            guard try materialiser.materialise(key) else { continue }
            if departed.contains(key) { result.rowsPurged += 1 }
            if departed.contains(key), keptOwnEdit.contains(key) { result.leftByOwnEdit += 1 }
            try forget(key)
            gone.insert(key)
            hasWiped = true
        }
        // Of a row that stays, what a sheet replaced goes where nothing shows the field in full any more.
        var left: [RowKey: Set<String>] = [:]
        for key in departed.union(narrowed).subtracting(gone) { left[key] = try materialiser.open(key) }
        for key in gone { left[key] = [] }
        if try replica.forgetImported(but: left, db) { hasWiped = true }
        try replica.markRefused(about: gone.intersection(departed), db)
        for key in departed.union(narrowed).subtracting(gone) {
            if try replica.forgetTyped(key, but: materialiser.open(key, evenDeleted: true), db) { hasWiped = true }
        }
        try forgetWithheld(stood.subtracting(gone).subtracting(departed).subtracting(narrowed), materialiser)
    }

    /// Forgets what edits that stand said of fields that were withheld before the device ever saw them with a value.
    ///
    /// Their copy never showed less than it did before. What a creation said stays until the view is seen to narrow: a
    /// newcomer's number is often masked from the first day, and after the loss of the server nobody else could give it.
    private mutating func forgetWithheld(_ rows: Set<RowKey>, _ materialiser: Materialiser) throws {
        let conditional = try Set(heldScopes().flatMap { narrowing(in: $0) })
        for key in rows where conditional.contains(replica.rules.catalogue.collections[key.collection].name.text) {
            let open = try materialiser.open(key, evenDeleted: true)
            if try replica.forgetTyped(key, but: open, sparingCreations: true, db) { hasWiped = true }
        }
    }

    private func heldScopes() throws -> [Scope] {
        let statement = try BoundStatement(db, "SELECT scope FROM held")
        defer { statement.reset() }
        var scopes: [Scope] = []
        while try statement.step() { if let scope = Scope(statement.text(0)) { scopes.append(scope) } }
        return scopes
    }

    /// Notes what is owed for what was wiped: clean files, and a word to the server.
    func noteWiped() throws {
        if hasWiped || owesWord {
            try replica.setFact(.filesHoldPurged, "1", db)
        } else if hasDeleted, try replica.fact(.filesHoldDeleted, db) == nil {
            try replica.setFact(.filesHoldDeleted, "\(now.value)", db)
        }
        guard owesWord || !result.lost.isEmpty else { return }
        let rows = Int(try replica.number(.purgedRows, db)) + result.rowsPurged
        try replica.setFact(.purgedRows, "\(rows)", db)
    }

    /// Wipes what this device still knows of a row that left: the journal keeps only that something was said.
    ///
    /// A refused edit keeps its values until the server has them (see ``Replica/markRefused(of:departed:_:)``).
    private func forget(_ key: RowKey) throws {
        try replica.markRefused(of: key, departed: departed.contains(key), db)
        let name = replica.rules.catalogue.collections[key.collection].name.text
        let statement = try BoundStatement(db, "UPDATE journal SET body = NULL WHERE row = ? AND collection = ?")
        try statement.bind(1, key.id)
        try statement.bind(2, name)
        try statement.run()
    }
}

extension Replica {
    /// Forgets what this device said of fields of a row that it sees no more, though it keeps the row.
    ///
    /// The journal keeps the rest of each edit, or only that something was said. A refused edit of such a field is nowhere
    /// else: it goes to the server, whole, as if the row had left.
    /// - Returns: whether there was anything to forget.
    func forgetTyped(
        _ key: RowKey, but open: Set<String>, sparingCreations: Bool = false, _ db: Database
    ) throws -> Bool {
        let name = rules.catalogue.collections[key.collection].name.text
        let find = try BoundStatement(
            db,
            "SELECT incarnation, number, body FROM journal WHERE row = ? AND collection = ? AND body IS NOT NULL")
        try find.bind(1, key.id)
        try find.bind(2, name)
        var cut: [(incarnation: Int64, number: Int64, rest: Mutation?)] = []
        while try find.step() {
            guard let mutation = try? Mutation(stored: find.blob(2)) else {
                find.reset()
                throw ReplicaError.damaged("an acknowledged edit cannot be read")
            }
            let closed = mutation.changes.map(\.field).filter { !open.contains($0) }
            guard !closed.isEmpty, !sparingCreations || mutation.action != .create else { continue }
            cut.append((find.integer(0), find.integer(1), mutation.without(closed)))
        }
        find.reset()
        let write = try BoundStatement(
            db, "UPDATE journal SET body = ?, cut = 1 WHERE incarnation = ? AND number = ?")
        for entry in cut {
            if let rest = entry.rest { try write.bind(1, rest.json) } else { try write.bindNull(1) }
            try write.bind(2, entry.incarnation)
            try write.bind(3, entry.number)
            try write.run()
        }
        guard !sparingCreations else { return !cut.isEmpty }
        return try markRefused(of: key, beyond: open, db) || !cut.isEmpty
    }
}
