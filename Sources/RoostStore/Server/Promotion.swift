import GRDB
import RoostSchema
import RoostSync

/// Values that devices of a later version sent before this catalogue knew their fields become values of those fields.
extension ServerStore {
    /// Moves values of rows' unknown fields to fields that the catalogue declares now.
    ///
    /// Only rows that have such a value change, and go to their scopes again: a new field that nobody used costs nothing.
    /// A value that does not fit its field goes to the history, where it is found.
    func promoteUnknownFields(_ db: Database) throws {
        for table in tables {
            let statement = try BoundStatement(db, table.select + " WHERE unknown_fields IS NOT NULL")
            var rows: [Row] = []
            while try statement.step() {
                let row = table.row(statement)
                if row.unknown.contains(where: { table.declaration.position(of: $0.name) != nil }) { rows.append(row) }
            }
            statement.reset()
            guard !rows.isEmpty else { continue }
            let update = try BoundStatement(db, table.update)
            for row in rows {
                let sequence = try lastSequence(db).next
                var row = row
                row.sequence = sequence
                for field in row.unknown {
                    guard let position = table.declaration.position(of: field.name) else { continue }
                    row.unknown.removeAll { $0.name == field.name }
                    try adopt(field, at: position, into: &row, table.declaration, db)
                }
                try table.write(row, with: update)
                let move = try BoundStatement(
                    db,
                    """
                    UPDATE member SET sequence = ?
                    WHERE present = 1 AND row = ? AND collection = ? AND scope IN (SELECT id FROM scope)
                    """)
                try move.bind(1, sequence.value)
                try move.bind(2, row.key.id)
                try move.bind(3, numbers[table.collection])
                try move.run()
                try db.execute(
                    sql: "UPDATE meta SET value = ? WHERE name = 'sequence'", arguments: [sequence.description])
            }
        }
    }

    private func adopt(
        _ field: UnknownField, at position: Int, into row: inout Row, _ collection: RoostSchema.Collection,
        _ db: Database
    ) throws {
        let declared = collection.fields[position]
        let value = declared.kind.adopted(field.value)
        let fits =
            value.isNull
            ? !declared.required
            : !rules.isDerived[row.key.collection][position]
                && declared.kind.problem(with: value) == nil
        // The column's own register may have been written since by a device of this version.
        guard fits, field.stamp > row.stamp(of: position) || row.values[position].isNull else {
            let keep = try BoundStatement(
                db,
                """
                INSERT INTO history (collection, row, losses, sequence) VALUES (?, ?, ?, ?)
                """)
            let loss: Value = .list([
                .text(field.name), field.value, .text(field.stamp.description),
                .text(row.stamp(of: position).description), .boolean(false),
            ])
            try keep.bind(1, numbers[row.key.collection])
            try keep.bind(2, row.key.id)
            try keep.bind(3, String(decoding: Value.list([loss]).json, as: UTF8.self))
            try keep.bind(4, row.sequence.value)
            return try keep.run()
        }
        row.set(position, to: value, at: field.stamp)
    }
}
