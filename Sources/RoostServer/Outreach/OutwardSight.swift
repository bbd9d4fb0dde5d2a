import RoostSchema
import RoostSync

/// What a receiver outside is shown of rows: what everybody holds, and what a role it was given holds as a whole.
///
/// What a role holds of some people or places only, such as a caseload, belongs to an officer and to no endpoint.
struct OutwardSight: Sendable {
    private let catalogue: Catalogue
    private let kinds: [ScopeKind]

    init(_ role: RoleName?, _ catalogue: Catalogue) {
        self.catalogue = catalogue
        var names = [catalogue.commons]
        for holding in role.flatMap({ catalogue[role: $0] })?.holds ?? [] {
            if case .shared(let kind) = holding { names.append(kind) }
        }
        kinds = names.compactMap { catalogue[scope: $0] }
    }

    /// The row without the values that are not shown; nil if nothing of it is.
    func shown(_ row: Row) -> Row? {
        let collection = catalogue.collections[row.key.collection]
        let views = kinds.flatMap(\.views).filter { view in
            view.collection == collection.name && view.attachment == .everyRow
                && view.admits.holds(in: collection, row.values)
        }
        guard !views.isEmpty else { return nil }
        var shown = row
        for (position, field) in collection.fields.enumerated() {
            let isShown = views.contains { view in
                view.sights[field.group]?.resolved { $0.holds(in: collection, row.values) } == .full
            }
            if !isShown { shown.values[position] = .null }
        }
        return shown
    }
}
