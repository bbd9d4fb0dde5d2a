import RoostSchema

extension Rules {
    /// Whether a scope kind shows less of a row than it would if the conditions of its view fell out otherwise.
    ///
    /// `subject` is the row it is about, where showing it needs that.
    package func withholds(from kind: Int, _ row: Row, subject: Row?) -> Bool {
        guard let view = view(of: row.key.collection, in: kind), view.isConditional else { return false }
        guard let decisive = subjects[row.key.collection] == nil ? row : subject else { return true }
        let collection = catalogue.collections[decisive.key.collection]
        return view.sights.contains { sight in
            guard case .when(_, then: _, otherwise: _) = sight else { return false }
            return sight.resolved { $0.holds(in: collection, decisive.values) } != .full
        }
    }
}
