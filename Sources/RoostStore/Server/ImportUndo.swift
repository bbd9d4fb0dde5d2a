package import RoostSchema
package import RoostSync
import GRDB

/// Why an import cannot be undone.
package enum UndoProblem: Error, Hashable, Sendable {
    case unknownBatch
    case alreadyUndone(at: Milliseconds)
    /// Longer ago than ``ServerStore/undoWindow``.
    case tooLate
}

/// What undoing an import did, and what it left alone.
package struct UndoReport: Hashable, Sendable {
    /// Something the import wrote that stays.
    package struct Kept: Hashable, Sendable {
        package enum Reason: String, Hashable, Sendable {
            /// The field was written again after the import, and the later value wins.
            case editedLater = "edited_later"
            /// The row was written again, or deleted, after the import made it.
            case touchedLater = "touched_later"
            /// Somebody the import made, about whom there is something new or touched by now; kept whole.
            case inUse = "in_use"
        }

        package let collection: CollectionName
        package let row: RowID
        /// Nil for a whole row.
        package let field: FieldName?
        package let reason: Reason
    }

    package var batch: RowID
    /// Fields that have their earlier values again.
    package var restored = 0
    /// Rows the import made that are deleted again.
    package var deleted = 0
    package var kept: [Kept] = []

    package init(batch: RowID) { self.batch = batch }
}

extension ServerStore {
    /// How long after it was committed an import can be undone, in milliseconds: thirty days.
    package static let undoWindow: Int64 = 30 * 86_400_000

    /// Takes back what an import wrote, so far as nobody has written there since.
    ///
    /// Earlier values are stamped just after the import's own, by ``undoer``: an edit made after the import wins over
    /// them even if it arrives only after the undo. A person the import made is deleted with everything the import
    /// said about them, or kept whole.
    package func undoImport(_ id: RowID, by officer: RowID) async throws -> UndoReport {
        try await pool.write { db in
            let now = self.clock()
            guard let batch = try self.batch(id, db) else { throw UndoProblem.unknownBatch }
            if let undoneAt = batch.undoneAt { throw UndoProblem.alreadyUndone(at: undoneAt) }
            guard now - batch.committedAt <= Self.undoWindow else { throw UndoProblem.tooLate }
            var undo = ImportUndo(store: self, db: db, report: UndoReport(batch: id))
            let edits = try undo.edits()
            if !edits.isEmpty { _ = try self.write(edits, by: officer, as: self.undoer, db) }
            let statement = try BoundStatement(db, "UPDATE batch SET undone_ms = ? WHERE id = ?")
            try statement.bind(1, now.value)
            try statement.bind(2, id)
            try statement.run()
            try self.ledger.append([.undone(id, at: now)])
            return undo.report
        }
    }
}

/// Works out the edits that take an import back.
private struct ImportUndo {
    let store: ServerStore
    let db: Database
    var report: UndoReport

    private struct Written {
        let row: Row
        let stamp: Stamp
        /// Nil for a row that the import made.
        let before: [(position: Int, value: Value)]?
    }

    init(store: ServerStore, db: Database, report: UndoReport) {
        self.store = store
        self.db = db
        self.report = report
    }

    mutating func edits() throws -> [TrustedEdit] {
        let written = try written()
        var edits: [TrustedEdit] = []
        for entry in written {
            guard let before = entry.before else { continue }
            if let edit = restoration(of: entry, before) { edits.append(edit) }
        }
        let created = written.filter { $0.before == nil }
        let keptSubjects = try subjectsToKeep(created)
        for entry in created {
            if entry.row.isDeleted { continue }
            let subject = subject(of: entry.row)
            if isTouched(entry) {
                keep(entry, .touchedLater)
            } else if let subject, keptSubjects.contains(subject) {
                keep(entry, .inUse)
            } else {
                edits.append(
                    TrustedEdit(name(entry.row), entry.row.key.id, .delete, time: entry.stamp.time.next))
                report.deleted += 1
            }
        }
        return edits
    }

    private mutating func restoration(
        of entry: Written, _ before: [(position: Int, value: Value)]
    ) -> TrustedEdit? {
        var fields: [FieldName: Value] = [:]
        let declaration = store.rules.catalogue.collections[entry.row.key.collection]
        for (position, value) in before {
            if entry.row.stamp(of: position) == entry.stamp {
                fields[declaration.fields[position].name] = value
            } else {
                report.kept.append(
                    UndoReport.Kept(
                        collection: declaration.name, row: entry.row.key.id, field: declaration.fields[position].name,
                        reason: .editedLater))
            }
        }
        guard !fields.isEmpty else { return nil }
        report.restored += fields.count
        return TrustedEdit(declaration.name, entry.row.key.id, .edit, fields, time: entry.stamp.time.next)
    }

    private mutating func keep(_ entry: Written, _ reason: UndoReport.Kept.Reason) {
        report.kept.append(
            UndoReport.Kept(collection: name(entry.row), row: entry.row.key.id, field: nil, reason: reason))
    }

    private func isTouched(_ entry: Written) -> Bool { entry.row.version != entry.stamp }

    private func name(_ row: Row) -> CollectionName { store.rules.catalogue.collections[row.key.collection].name }

    /// The row that a row is about: itself where its collection is about nobody else.
    private func subject(of row: Row) -> RowKey? {
        guard let subject = store.rules.subjects[row.key.collection] else { return row.key }
        return row.values[subject.position].id.map { RowKey(subject.collection, $0) }
    }

    /// Rows made by the import that must stay, because something about them is not the import's or not as it was.
    private func subjectsToKeep(_ created: [Written]) throws -> Set<RowKey> {
        let own = Set(created.map(\.row.key))
        var kept: Set<RowKey> = []
        for entry in created where !entry.row.isDeleted && isTouched(entry) {
            if let subject = subject(of: entry.row), own.contains(subject) { kept.insert(subject) }
        }
        let source = ServerRows(store: store, db: db)
        for entry in created where store.rules.subjects[entry.row.key.collection] == nil {
            for dependent in store.rules.dependents[entry.row.key.collection] {
                let rows = try source.rows(
                    of: dependent.collection, referring: dependent.position, to: [entry.row.key.id])
                if rows.contains(where: { !$0.isDeleted && !own.contains($0.key) }) { kept.insert(entry.row.key) }
            }
        }
        return kept
    }

    /// What the import wrote, with the rows as they are now; erased rows are gone and left out.
    private func written() throws -> [Written] {
        let statement = try BoundStatement(
            db, "SELECT collection, row, stamp, before FROM batch_row WHERE batch = ? ORDER BY stamp")
        defer { statement.reset() }
        try statement.bind(1, report.batch)
        var entries: [(key: RowKey, stamp: Stamp, before: String?)] = []
        while try statement.step() {
            guard let collection = store.positions[statement.integer(0)] else { continue }
            entries.append(
                (
                    RowKey(collection, statement.id(1)), statement.stamp(2),
                    statement.isNull(3) ? nil : statement.text(3)
                ))
        }
        let rows = Dictionary(
            try ServerRows(store: store, db: db).rows(entries.map(\.key)).map { ($0.key, $0) },
            uniquingKeysWith: { first, _ in first })
        return entries.compactMap { entry in
            rows[entry.key].map {
                Written(row: $0, stamp: entry.stamp, before: entry.before.map(fields(in: entry.key)))
            }
        }
    }

    private func fields(in key: RowKey) -> (String) -> [(position: Int, value: Value)] {
        let declaration = store.rules.catalogue.collections[key.collection]
        return { text in
            guard case .object(let members) = try? Value(json: Array(text.utf8)) else { return [] }
            return members.compactMap { member in
                declaration.position(of: member.name).map { ($0, member.value) }
            }
        }
    }
}
