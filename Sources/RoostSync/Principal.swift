package import RoostSchema

/// An interval in which an officer had a role.
package struct Grant: Hashable, Sendable {
    package let role: RoleName
    package let target: RowID?
    package let from: Milliseconds
    package let until: Milliseconds?

    package init(role: RoleName, target: RowID?, from: Milliseconds, until: Milliseconds?) {
        self.role = role
        self.target = target
        self.from = from
        self.until = until
    }

    package func holds(at moment: Milliseconds) -> Bool {
        from <= moment && (until.map { moment < $0 } ?? true)
    }
}

/// Whose edits are judged: an officer with present and past grants, or the server acting for a right it has checked.
package struct Principal: Sendable {
    package let officer: RowID
    package let grants: [Grant]
    /// Skips permission, not validation: imports, undo, the demo county and the due-date service.
    package let isTrusted: Bool

    package init(officer: RowID, grants: [Grant], isTrusted: Bool = false) {
        self.officer = officer
        self.grants = grants
        self.isTrusted = isTrusted
    }

    /// The scopes that a grant brings.
    package func scopes(of grant: Grant, _ rules: Rules) -> [ScopeKey] {
        guard let role = rules.catalogue[role: grant.role] else { return [] }
        return role.holds.compactMap { holding in
            guard let kind = rules.catalogue.position(ofScope: holding.kind) else { return nil }
            switch holding {
            case .shared: return ScopeKey(kind, nil)
            case .own: return ScopeKey(kind, officer)
            case .target: return grant.target.map { ScopeKey(kind, $0) }
            }
        }
    }

    /// The scopes held at a moment, commons included, in a fixed order.
    package func scopes(at moment: Milliseconds, _ rules: Rules) -> [ScopeKey] {
        var scopes: [ScopeKey] = rules.commons.map { [$0] } ?? []
        for grant in grants where grant.holds(at: moment) {
            // An officer has a handful of scopes: looking through them takes less than hashing them.
            for scope in self.scopes(of: grant, rules) where !scopes.contains(scope) { scopes.append(scope) }
        }
        return scopes.sorted()
    }

    /// How often the officer came to hold a scope again after not holding it.
    ///
    /// What a replica has of an earlier tenure is not a beginning of the present one. Grants that follow one another
    /// without a gap are one tenure.
    package func returns(to scope: ScopeKey, _ rules: Rules) -> Int64 {
        var tenures: Int64 = 0
        var end: Milliseconds?
        for grant in grants.sorted(by: { $0.from < $1.from }) where scopes(of: grant, rules).contains(scope) {
            if tenures == 0 || end.map({ $0 < grant.from }) ?? false {
                tenures += 1
                end = grant.until
            } else if let known = end {
                end = grant.until.map { max($0, known) }
            }
        }
        return max(0, tenures - 1)
    }

    package func has(_ right: Right, at moment: Milliseconds, _ catalogue: Catalogue) -> Bool {
        grants.contains { $0.holds(at: moment) && catalogue[role: $0.role]?.rights.contains(right) ?? false }
    }
}
