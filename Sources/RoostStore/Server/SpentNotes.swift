import GRDB
import RoostSchema
import RoostSync

extension ServerStore {
    /// Deletes the notes of parallel edits that are as old as history that goes, and those about rows deleted long ago,
    /// which would keep these from being collected.
    ///
    /// - Returns: How many were deleted.
    func deleteParallelEdits(upTo horizon: ServerSequence, orDeletedUpTo tombstones: ServerSequence) async throws -> Int
    {
        guard rules.catalogue[ParallelEdit.collection] != nil, max(horizon, tombstones) > .zero else { return 0 }
        var count = 0
        while true {
            let deleted = try await pool.write { db in
                let notes = try self.spentNotes(upTo: horizon, orDeletedUpTo: tombstones, limit: 200, db)
                guard !notes.isEmpty else { return 0 }
                let edits = notes.map { TrustedEdit(ParallelEdit.collection, $0, .delete) }
                _ = try self.write(edits, by: RowID(bits: 0), as: self.writer, db)
                return notes.count
            }
            count += deleted
            guard deleted > 0 else { return count }
        }
    }

    private func spentNotes(
        upTo horizon: ServerSequence, orDeletedUpTo tombstones: ServerSequence, limit: Int, _ db: Database
    ) throws -> [RowID] {
        let notes = try BoundStatement(
            db,
            """
            SELECT id, concerned_collection, concerned_row, sequence FROM "\(ParallelEdit.collection)"
            WHERE deleted = 0 ORDER BY sequence
            """)
        defer { notes.reset() }
        var spent: [RowID] = []
        while try notes.step(), spent.count < limit {
            if notes.integer(3) <= horizon.value {
                spent.append(notes.id(0))
                continue
            }
            guard let id = RowID(notes.text(2)), rules.catalogue.position(of: notes.text(1)) != nil else { continue }
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
