package import RoostSchema
package import RoostSync
import GRDB

/// Reads stored rows within one database access, for whoever plans writes from what is there.
package struct RosterReader {
    let store: ServerStore
    let db: Database

    package var catalogue: Catalogue { store.rules.catalogue }

    /// Visits some fields of every live row of a collection, without loading the rest.
    package func scan(
        _ collection: CollectionName, _ fields: [FieldName], visit: (RowID, [Value]) throws -> Void
    ) throws {
        guard let declaration = catalogue[collection] else { return }
        let storage = fields.compactMap { declaration[$0].map { ColumnStorage($0.kind) } }
        guard storage.count == fields.count else { return }
        let columns = ["id"] + fields.map(\.text)
        let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        let statement = try BoundStatement(db, "SELECT \(list) FROM \"\(collection)\" WHERE deleted = 0")
        defer { statement.reset() }
        while try statement.step() {
            try visit(statement.id(0), storage.enumerated().map { statement.value($0 + 1, as: $1) })
        }
    }

    /// The live rows with these identities.
    package func rows(_ collection: CollectionName, ids: [RowID]) throws -> [RoostSync.Row] {
        guard let position = catalogue.position(of: collection) else { return [] }
        return try ServerRows(store: store, db: db).rows(ids.map { RowKey(position, $0) }).filter { !$0.isDeleted }
    }

    /// The live rows whose reference `field` names one of `targets`.
    package func rows(
        _ collection: CollectionName, referring field: FieldName, to targets: [RowID]
    ) throws -> [RoostSync.Row] {
        guard let position = catalogue.position(of: collection),
            let place = catalogue.collections[position].position(of: field)
        else { return [] }
        return try ServerRows(store: store, db: db).rows(of: position, referring: place, to: targets)
            .filter { !$0.isDeleted }
    }

    /// The officers whose devices the replicas are.
    package func officers(of replicas: Set<ReplicaID>) throws -> Set<RowID> {
        Set(try ServerRows(store: store, db: db).officers(of: replicas).values)
    }

    /// How many live rows satisfy a condition.
    package func count(_ collection: CollectionName, where condition: Condition) throws -> Int {
        try store.count(of: collection, where: condition, db)
    }

    /// The identities of live rows that satisfy a condition.
    package func ids(_ collection: CollectionName, where condition: Condition) throws -> [RowID] {
        try store.ids(of: collection, where: condition, db)
    }

    /// Live rows that satisfy a condition.
    package func rows(_ collection: CollectionName, where condition: Condition) throws -> [RoostSync.Row] {
        try store.rows(of: collection, where: condition, db)
    }
}

extension ServerStore {
    /// Reads for a plan that is not carried out.
    package func reading<Result: Sendable>(
        _ body: @Sendable (RosterReader) throws -> Result
    ) async throws -> Result {
        try await pool.read { db in try body(RosterReader(store: self, db: db)) }
    }
}
