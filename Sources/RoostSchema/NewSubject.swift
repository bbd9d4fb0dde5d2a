/// An officer's grant, without its time.
package struct HeldGrant: Hashable, Sendable {
    package let role: RoleName
    package let target: RowID?

    package init(role: RoleName, target: RowID?) {
        self.role = role
        self.target = target
    }
}

/// What must be created together with somebody new, so that whoever enters them may, and sees them afterwards.
///
/// A role that sees people through links may create links for newcomers only, and the write rule says what such a link
/// looks like: so the rule is read, not repeated here.
package struct NewSubject {
    private let catalogue: Catalogue
    private let officer: RowID
    private let grants: [HeldGrant]

    package init(catalogue: Catalogue, officer: RowID, grants: [HeldGrant]) {
        self.catalogue = catalogue
        self.officer = officer
        self.grants = grants
    }

    /// A link to create, by the grant that asks for it.
    package struct Companion: Hashable, Sendable {
        package let collection: CollectionName
        package let values: [FieldName: Value]
    }

    /// The companions of a new row of `subject`; nil if none of the grants lets the officer create one.
    ///
    /// A `target` says which of several grants to use; nil takes the first that works.
    package func companions(of row: RowID, in subject: CollectionName, for target: RowID? = nil) -> [Companion]? {
        var found: [Companion]?
        for grant in grants where target == nil || grant.target == target {
            guard let role = catalogue[role: grant.role] else { continue }
            for rule in role.writes where rule.collection == subject && rule.create != .never {
                guard let kind = catalogue[scope: rule.scope] else { continue }
                guard let link = kind.link else { return [] }
                guard found == nil, let key = key(of: rule.scope, role, grant) else { continue }
                for entry in role.writes where entry.collection == link.collection && entry.newSubjectOnly {
                    guard entry.scope == rule.scope else { continue }
                    var values = link.when.equalities(officer: officer)
                    values.merge(entry.create.equalities(officer: officer)) { _, new in new }
                    values[link.subject] = .id(row)
                    values[link.key] = .id(key)
                    found = [Companion(collection: link.collection, values: values)]
                    break
                }
            }
        }
        return found
    }

    private func key(of scope: ScopeKindName, _ role: Role, _ grant: HeldGrant) -> RowID? {
        for holding in role.holds where holding.kind == scope {
            switch holding {
            case .own: return officer
            case .target: return grant.target
            case .shared: return nil
            }
        }
        return nil
    }
}

extension Condition {
    /// The values that a conjunction allows of each field it compares.
    package func choices(officer: RowID) -> [FieldName: [Value]] {
        switch self {
        case .compare(let name, .equal, .value(let value)): [FieldName(name): [value]]
        case .compare(let name, .equal, .principal): [FieldName(name): [.id(officer)]]
        case .compare(let name, .oneOf, .value(.list(let values))): [FieldName(name): values]
        case .all(let parts): parts.reduce(into: [:]) { $0.merge($1.choices(officer: officer)) { _, new in new } }
        default: [:]
        }
    }

    /// The values that a conjunction of equalities asks for.
    package func equalities(officer: RowID) -> [FieldName: Value] {
        choices(officer: officer).compactMapValues { $0.count == 1 ? $0[0] : nil }
    }
}
