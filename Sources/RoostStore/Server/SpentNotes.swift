import GRDB
import RoostSchema
import RoostSync

/// The built-in collections of what people are told of edits, which nobody deletes by hand.
extension ServerStore {
    /// What can be deleted of a collection, besides by age, when the row it is about was deleted long ago: such notes would
    /// keep it from being collected.
    private static let spent: [(collection: CollectionName, byAge: String, withRow: String)] = [
        (ParallelEdit.collection, "1", "1"),
        // Nobody decides about a row that is gone.
        (Conflict.collection, "state = 'settled'", "1"),
        // What is set aside waits for a person, whatever became of its row.
        (Quarantine.collection, "state <> 'pending'", "state <> 'pending'"),
    ]

    /// Deletes notes that are settled and as old as history that goes, and those about rows deleted long ago.
    ///
    /// - Returns: How many were deleted; they are collected as other deleted rows are.
    func deleteSpentNotes(upTo horizon: ServerSequence, orDeletedUpTo tombstones: ServerSequence) async throws -> Int {
        guard max(horizon, tombstones) > .zero else { return 0 }
        var count = 0
        for kind in Self.spent where rules.catalogue[kind.collection] != nil {
            while true {
                let deleted = try await pool.write { db in
                    let spent = try self.spentNotes(
                        kind.collection, byAge: kind.byAge, upTo: horizon, withRow: kind.withRow, tombstones, db)
                    guard !spent.isEmpty else { return 0 }
                    let edits = spent.map { TrustedEdit(kind.collection, $0, .delete) }
                    _ = try self.write(edits, by: RowID(bits: 0), as: self.writer, db)
                    return spent.count
                }
                count += deleted
                guard deleted > 0 else { break }
            }
        }
        return count
    }

    private func spentNotes(
        _ collection: CollectionName, byAge: String, upTo horizon: ServerSequence, withRow: String,
        _ tombstones: ServerSequence, _ db: Database
    ) throws -> [RowID] {
        let notes = try BoundStatement(
            db,
            """
            SELECT id, concerned_collection, concerned_row, sequence, \(byAge), \(withRow) FROM "\(collection)"
            WHERE deleted = 0 ORDER BY sequence
            """)
        defer { notes.reset() }
        var spent: [RowID] = []
        while try notes.step(), spent.count < 200 {
            if notes.integer(4) != 0, notes.integer(3) <= horizon.value {
                spent.append(notes.id(0))
                continue
            }
            guard notes.integer(5) != 0, let id = RowID(notes.text(2)),
                rules.catalogue.position(of: notes.text(1)) != nil
            else { continue }
            let concerned = try BoundStatement(
                db, "SELECT 1 FROM \"\(notes.text(1))\" WHERE id = ? AND deleted = 1 AND sequence <= ?")
            defer { concerned.reset() }
            try concerned.bind(1, id)
            try concerned.bind(2, tombstones.value)
            if try concerned.step() { spent.append(notes.id(0)) }
        }
        return spent
    }
}
