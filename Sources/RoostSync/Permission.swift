import RoostSchema

/// Judges whether a principal may make an edit, now or when it was made.
package struct Permission {
    package enum Ruling: Hashable, Sendable {
        case allowed
        /// Was allowed when the edit was made.
        case onceAllowed
        /// The author may not write this row.
        case refused(Refusal, about: String?)
    }

    /// An edit with the row around it.
    struct Case {
        let action: Mutation.Action
        let before: Row?
        let after: Row
        /// Positions of changed fields.
        let fields: [Int]
        let beforeScopes: Set<ScopeKey>
        let afterScopes: Set<ScopeKey>
        let madeAt: Milliseconds
        /// Rows created in the same group.
        let created: Set<RowKey>
    }

    let principal: Principal
    let rules: Rules
    let now: Milliseconds

    /// Judges an edit; `former` tells the scopes in which the row was when it was made, by links that ended since.
    func judge(_ edit: Case, former: () throws -> Set<ScopeKey>, _ set: WorkingSet) throws -> Ruling {
        if principal.isTrusted { return .allowed }
        if allows(edit, at: now, before: edit.beforeScopes, after: edit.afterScopes) { return .allowed }
        if edit.madeAt < now {
            let then = try former()
            let before = edit.beforeScopes.union(then)
            // A creation lands where it would have landed; an edit must not leave the row in hands it was not in.
            let after = edit.action == .create ? edit.afterScopes.union(then) : edit.afterScopes
            if allows(edit, at: edit.madeAt, before: before, after: after) { return .onceAllowed }
        }
        let seen = try scopesSeen(edit, set)
        let held = principal.scopes(at: now, rules)
        return .refused(held.contains { seen.contains($0) } ? .forbidden : .outOfScope, about: nil)
    }

    /// The scopes that tell whether the author may know what the edit is about: a creation about somebody who exists
    /// is answered by that row's scopes, so that a hidden subject looks like a missing one.
    private func scopesSeen(_ edit: Case, _ set: WorkingSet) throws -> Set<ScopeKey> {
        guard edit.before == nil else { return edit.beforeScopes }
        guard rules.subjects[edit.after.key.collection] != nil, let subject = try set.subject(of: edit.after, .before)
        else { return edit.afterScopes }
        return try set.scopes(of: subject, .before)
    }

    private func allows(
        _ edit: Case, at moment: Milliseconds, before: Set<ScopeKey>, after: Set<ScopeKey>
    ) -> Bool {
        let collection = rules.catalogue.collections[edit.after.key.collection]
        if collection.name == Conflict.collection {
            // Settling: whoever sees both values may close the case.
            let held = Set(principal.scopes(at: moment, rules))
            return edit.action == .edit && edit.fields == [Conflict.Position.state] && !held.isDisjoint(with: before)
        }
        for grant in principal.grants where grant.holds(at: moment) {
            guard let role = rules.catalogue[role: grant.role] else { continue }
            let scopes = principal.scopes(of: grant, rules)
            for rule in role.writes where rule.collection == collection.name {
                guard let kind = rules.catalogue.position(ofScope: rule.scope) else { continue }
                for scope in scopes + (rules.commons.map { [$0] } ?? []) where scope.kind == kind {
                    if permits(rule, edit, collection, scope: scope, before: before, after: after) { return true }
                }
            }
        }
        return false
    }

    private func permits(
        _ rule: WriteRule, _ edit: Case, _ collection: RoostSchema.Collection, scope: ScopeKey,
        before: Set<ScopeKey>, after: Set<ScopeKey>
    ) -> Bool {
        func holds(_ condition: Condition, _ row: Row) -> Bool {
            condition.holds(in: collection, row.values, principal: principal.officer)
        }
        switch edit.action {
        case .create:
            guard after.contains(scope), holds(rule.create, edit.after) else { return false }
            if rule.newSubjectOnly {
                guard let subject = rules.subjects[edit.after.key.collection],
                    let id = edit.after.values[subject.position].id,
                    edit.created.contains(RowKey(subject.collection, id))
                else { return false }
            }
        case .edit:
            // An edit may take the row out of its author's sight, but not into anybody else's.
            guard let row = edit.before, before.contains(scope), after.contains(scope) || after.isSubset(of: before),
                holds(rule.edit, row), holds(rule.edit, edit.after)
            else { return false }
        case .delete, .restore:
            guard let row = edit.before, before.contains(scope), holds(rule.delete, row) else { return false }
        }
        guard let groups = rule.groups else { return true }
        return edit.fields.allSatisfy { groups.contains(collection.fields[$0].group) }
    }
}
