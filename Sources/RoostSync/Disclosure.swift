import RoostSchema

/// What holders of scopes may be shown of an edit that is not in its row.
extension WorkingSet {
    /// The values of `changes` that the scopes in `held` show in full of the row; nil if none of them has the row.
    ///
    /// A masked value is left out rather than masked: what was typed over a mask is what the mask conceals. Fields that
    /// this catalogue does not know are for scopes that relay such fields.
    package func disclosed(
        _ changes: [Mutation.Change], of row: Row, to held: Set<ScopeKey>
    ) throws -> [Mutation.Change]? {
        let scopes = try scopes(of: row).intersection(held)
        guard !scopes.isEmpty else { return nil }
        let collection = rules.catalogue.collections[row.key.collection]
        return try changes.filter { change in
            guard let position = collection.position(of: change.field) else {
                return scopes.contains { rules.catalogue.scopes[$0.kind].relaysUnknown }
            }
            return try scopes.contains { try sight(of: position, row: row, in: $0.kind) == .full }
        }
    }

    /// The row that a creation set aside would have made, but for what is derived; nil if its identity was erased.
    ///
    /// References in `changes` are row identities, not their text.
    package func proposal(_ changes: [Mutation.Change], key: RowKey, stamp: Stamp) throws -> Row? {
        guard try source.erased([key]).isEmpty else { return nil }
        let collection = rules.catalogue.collections[key.collection]
        var values = collection.fields.map(\.initial)
        for change in changes {
            guard let position = collection.position(of: change.field) else { continue }
            values[position] = change.value
        }
        return Row(key: key, values: values, stamp: stamp)
    }
}
