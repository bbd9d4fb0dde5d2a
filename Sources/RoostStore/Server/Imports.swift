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
    /// A digest of the file under the server's key; nil leaves the import out of the ledger.
    package var sheet: String?
    /// The time of its first edit in a history that was lost, from which on its edits are filed again; nil for a new one.
    package var first: HybridTime?

    package init(
        id: RowID, officer: RowID, source: String, template: String, sheet: String? = nil, first: HybridTime? = nil
    ) {
        self.id = id
        self.officer = officer
        self.source = source
        self.template = template
        self.sheet = sheet
        self.first = first
    }
}

/// An import that the server lost with a part of its history: nothing but importing the sheet again brings it back.
package struct LostImport: Hashable, Sendable {
    package let batch: RowID
    /// A digest of the file under the server's key.
    package let sheet: String
    /// The file's name.
    package let source: String
    /// The time of its first edit.
    package let first: HybridTime
}

/// What a plan comes to.
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
    /// How often an import is planned beside others' writes before it makes them wait.
    private static let plansBesideWrites = 3

    /// Plans an import against what is stored and writes it, all or nothing.
    ///
    /// Planning a sheet of thousands takes longer than writing it, and nobody's exchange is to wait for it: the plan is
    /// made from a snapshot and holds if none of `collections`, all that it reads, was written to since. On a server that is
    /// written to all the time it is made once more inside the transaction, where nothing can change.
    package func commitImport<Outcome: Sendable>(
        _ draft: ImportDraft, reading collections: Set<CollectionName>,
        plan: @Sendable (RosterReader) throws -> PlannedImport<Outcome>
    ) async throws -> Outcome {
        for _ in 0..<Self.plansBesideWrites {
            let (planned, seen) = try await pool.read { db in
                (try plan(RosterReader(store: self, db: db)), try self.lastSequence(db))
            }
            let isWritten = try await pool.write { db in
                guard try !self.wasWritten(collections, after: seen, db) else { return false }
                try self.write(planned, draft, db)
                return true
            }
            if isWritten { return planned.outcome }
        }
        return try await pool.write { db in
            let planned = try plan(RosterReader(store: self, db: db))
            try self.write(planned, draft, db)
            return planned.outcome
        }
    }

    private func wasWritten(
        _ collections: Set<CollectionName>, after sequence: ServerSequence, _ db: Database
    ) throws -> Bool {
        guard try lastSequence(db) != sequence else { return false }
        return try collections.contains { collection in
            try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM \"\(collection)\" WHERE sequence > ?)",
                arguments: [sequence.value])
                ?? false
        }
    }

    private func write<Outcome>(_ planned: PlannedImport<Outcome>, _ draft: ImportDraft, _ db: Database) throws {
        var edits = planned.edits
        if var time = draft.first {
            // In steps of two, as all times of the writer: what devices saw of these rows they will have seen.
            for index in edits.indices {
                edits[index].time = time
                time = time.next.next
            }
            // Only now: all others keep the time they had.
            edits = try withoutErased(edits, db)
        }
        let receipt = try write(edits, by: draft.officer, as: writer, db)
        try keep(draft, counts: planned.counts, db)
        try keepRows(of: draft.id, edits, receipt, db)
        guard let sheet = draft.sheet, draft.first == nil, let first = receipt.verdicts.first?.stamp?.time else {
            return
        }
        try ledger.append([.imported(.init(batch: draft.id, sheet: sheet, source: draft.source, first: first))])
    }

    /// The imports that the server lost with its history, oldest first; what was taken back before the loss is not among
    /// them.
    package func lostImports() async throws -> [LostImport] {
        guard lostUntil != nil else { return [] }
        let notes = ledger.imports()
        return try await pool.read { db in
            try notes.filter { try self.batch($0.batch, db) == nil }.map {
                LostImport(batch: $0.batch, sheet: $0.sheet, source: $0.source, first: $0.first)
            }
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
