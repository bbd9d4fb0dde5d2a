import RoostSchema

/// What the officer's roles let them write, as far as the declaration alone tells.
struct Writable {
    let catalogue: Catalogue
    let officer: RowID
    let roles: [Role]

    init(catalogue: Catalogue, officer: RowID, grants: [HeldGrant]) {
        self.catalogue = catalogue
        self.officer = officer
        roles = grants.compactMap { catalogue[role: $0.role] }
    }

    private func rules(_ collection: CollectionName) -> [WriteRule] {
        roles.flatMap(\.writes).filter { $0.collection == collection }
    }

    /// Whether some rule lets a row with these values be created.
    func creates(_ collection: CollectionName, _ values: [FieldName: Value]) -> Bool {
        guard let declaration = catalogue[collection] else { return false }
        let row = declaration.fields.map { values[$0.name] ?? $0.initial }
        return rules(collection).contains { $0.create.holds(in: declaration, row, principal: officer) }
    }

    /// The values that every rule for new rows of the collection asks for; empty where nothing may be created.
    func asked(of collection: CollectionName) -> [FieldName: Value] {
        let asked = rules(collection).filter { $0.create != .never && !$0.newSubjectOnly }
            .map { $0.create.equalities(officer: officer) }
        guard let first = asked.first else { return [:] }
        return first.filter { name, value in asked.allSatisfy { $0[name] == value } }
    }

    /// Whether some rule lets a row with these values, in the order of the fields, be deleted.
    func deletes(_ collection: CollectionName, _ values: [Value]) -> Bool {
        guard let declaration = catalogue[collection] else { return false }
        return rules(collection).contains { $0.delete.holds(in: declaration, values, principal: officer) }
    }

    /// Whether some rule lets the field be written, in a new row or an old one.
    func writes(_ field: Field, of collection: CollectionName, creating: Bool) -> Bool {
        rules(collection).contains { rule in
            (creating ? rule.create : rule.edit) != .never && (rule.groups?.contains(field.group) ?? true)
        }
    }
}

extension Condition {
    /// The values that a conjunction of equalities asks for.
    func equalities(officer: RowID) -> [FieldName: Value] {
        switch self {
        case .compare(let name, .equal, .value(let value)): [FieldName(name): value]
        case .compare(let name, .equal, .principal): [FieldName(name): .id(officer)]
        case .all(let parts): parts.reduce(into: [:]) { $0.merge($1.equalities(officer: officer)) { _, new in new } }
        default: [:]
        }
    }
}
