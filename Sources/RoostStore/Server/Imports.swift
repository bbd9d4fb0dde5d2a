package import RoostSchema
package import RoostSync
import GRDB

/// One import as it is kept.
package struct ImportBatch: Hashable, Sendable {
    package let id: RowID
    package let officer: RowID
    /// The name of the file as uploaded.
    package let source: String
    package let template: String
    /// By the name of the bucket, and `read` for their sum.
    package let counts: [String: Int]
    package let committedAt: Milliseconds
    package let undoneAt: Milliseconds?
}

/// An import about to be committed.
package struct ImportDraft: Hashable, Sendable {
    package var id: RowID
    package var officer: RowID
    package var source: String
    package var template: String

    package init(id: RowID, officer: RowID, source: String, template: String) {
        self.id = id
        self.officer = officer
        self.source = source
        self.template = template
    }
}

/// What a plan made inside the committing transaction comes to.
package struct PlannedImport<Outcome: Sendable>: Sendable {
    /// At most one edit for each row.
    package var edits: [TrustedEdit]
    package var counts: [String: Int]
    package var outcome: Outcome

    package init(edits: [TrustedEdit], counts: [String: Int], outcome: Outcome) {
        self.edits = edits
        self.counts = counts
        self.outcome = outcome
    }
}

extension ServerStore {
    /// Plans an import against what is stored at that moment and writes it, all or nothing.
    ///
    /// The plan is made inside the transaction, so nothing can change between what it saw and what it writes.
    package func commitImport<Outcome: Sendable>(
        _ draft: ImportDraft, plan: @Sendable (RosterReader) throws -> PlannedImport<Outcome>
    ) async throws -> Outcome {
        try await pool.write { db in
            let planned = try plan(RosterReader(store: self, db: db))
            let receipt = try self.write(planned.edits, by: draft.officer, as: self.writer, db)
            try self.keep(draft, counts: planned.counts, db)
            try self.keepRows(of: draft.id, planned.edits, receipt, db)
            return planned.outcome
        }
    }

    private func keep(_ draft: ImportDraft, counts: [String: Int], _ db: Database) throws {
        let json = Value.object(counts.sorted { $0.key < $1.key }.map { .init($0.key, .integer(Int64($0.value))) }).json
        let statement = try BoundStatement(
            db, "INSERT INTO batch (id, officer, source, template, counts, committed_ms) VALUES (?, ?, ?, ?, ?, ?)")
        try statement.bind(1, draft.id)
        try statement.bind(2, draft.officer)
        try statement.bind(3, draft.source)
        try statement.bind(4, draft.template)
        try statement.bind(5, String(decoding: json, as: UTF8.self))
        try statement.bind(6, clock().value)
        try statement.run()
    }

    private func keepRows(
        of batch: RowID, _ edits: [TrustedEdit], _ receipt: WriteReceipt, _ db: Database
    ) throws {
        let statement = try BoundStatement(
            db, "INSERT INTO batch_row (batch, collection, row, created, stamp, before) VALUES (?, ?, ?, ?, ?, ?)")
        for (index, edit) in edits.enumerated() {
            guard let collection = rules.catalogue.position(of: edit.collection),
                let stamp = receipt.verdicts[index].stamp
            else { continue }
            try statement.bind(1, batch)
            try statement.bind(2, numbers[collection])
            try statement.bind(3, edit.row)
            try statement.bind(4, edit.action == .create ? 1 : 0 as Int64)
            try statement.bind(5, stamp)
            if let before = receipt.before[index] {
                let fields = Value.object(before.sorted { $0.key < $1.key }.map { .init($0.key.text, $0.value) })
                try statement.bind(6, String(decoding: fields.json, as: UTF8.self))
            } else {
                try statement.bindNull(6)
            }
            try statement.run()
        }
    }

    /// The latest imports, newest first.
    package func batches(limit: Int = 100) async throws -> [ImportBatch] {
        try await pool.read { db in
            let statement = try BoundStatement(db, Self.batchColumns + " ORDER BY committed_ms DESC, id DESC LIMIT ?")
            defer { statement.reset() }
            try statement.bind(1, Int64(limit))
            var batches: [ImportBatch] = []
            while try statement.step() { batches.append(Self.batch(statement)) }
            return batches
        }
    }

    /// The template that an officer's last import of a file of this name used.
    package func lastTemplate(of source: String, by officer: RowID) async throws -> String? {
        try await pool.read { db in
            let statement = try BoundStatement(
                db,
                """
                SELECT template FROM batch WHERE source = ? AND officer = ? ORDER BY committed_ms DESC LIMIT 1
                """)
            defer { statement.reset() }
            try statement.bind(1, source)
            try statement.bind(2, officer)
            return try statement.step() ? statement.text(0) : nil
        }
    }

    func batch(_ id: RowID, _ db: Database) throws -> ImportBatch? {
        let statement = try BoundStatement(db, Self.batchColumns + " WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, id)
        return try statement.step() ? Self.batch(statement) : nil
    }

    private static let batchColumns =
        "SELECT id, officer, source, template, counts, committed_ms, undone_ms FROM batch"

    private static func batch(_ statement: BoundStatement) -> ImportBatch {
        var counts: [String: Int] = [:]
        if case .object(let members) = try? Value(json: Array(statement.text(4).utf8)) {
            for member in members { counts[member.name] = member.value.integer.map { Int($0) } }
        }
        return ImportBatch(
            id: statement.id(0), officer: statement.id(1), source: statement.text(2), template: statement.text(3),
            counts: counts, committedAt: Milliseconds(statement.integer(5)),
            undoneAt: statement.isNull(6) ? nil : Milliseconds(statement.integer(6)))
    }
}
