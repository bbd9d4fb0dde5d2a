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
        /// Who first made the edit, where the group accepts it from quarantine unaltered.
        let spokenFor: RowID?
    }

    private let principal: Principal
    private let rules: Rules
    private let now: Milliseconds
    /// What the principal may write now, by collection.
    private let current: [[Entitlement]]
    /// The scopes the principal holds now.
    let held: [ScopeKey]

    /// A rule in one scope in which it holds.
    private struct Entitlement {
        let write: Rules.CompiledWrite
        let scope: ScopeKey
    }

    init(principal: Principal, rules: Rules, now: Milliseconds) {
        self.principal = principal
        self.rules = rules
        self.now = now
        current = principal.isTrusted ? [] : Self.entitlements(of: principal, at: now, rules)
        held = principal.isTrusted ? [] : principal.scopes(at: now, rules)
    }

    private static func entitlements(
        of principal: Principal, at moment: Milliseconds, _ rules: Rules
    ) -> [[Entitlement]] {
        var entitlements: [[Entitlement]] = Array(repeating: [], count: rules.catalogue.collections.count)
        for grant in principal.grants where grant.holds(at: moment) {
            let scopes = principal.scopes(of: grant, rules) + (rules.commons.map { [$0] } ?? [])
            for write in rules.writes[grant.role] ?? [] {
                for scope in scopes where scope.kind == write.kind {
                    entitlements[write.collection].append(Entitlement(write: write, scope: scope))
                }
            }
        }
        return entitlements
    }

    /// Judges an edit; `former` tells the scopes in which the row was when it was made, by links that ended since.
    func judge(_ edit: Case, former: () throws -> Set<ScopeKey>, _ set: WorkingSet) throws -> Ruling {
        if principal.isTrusted { return .allowed }
        if allows(edit, current, held, before: edit.beforeScopes, after: edit.afterScopes) { return .allowed }
        if edit.madeAt < now {
            let then = try former()
            let before = edit.beforeScopes.union(then)
            // A creation lands where it would have landed; an edit must not leave the row in hands it was not in.
            let after = edit.action == .create ? edit.afterScopes.union(then) : edit.afterScopes
            let entitlements = Self.entitlements(of: principal, at: edit.madeAt, rules)
            let scopes = principal.scopes(at: edit.madeAt, rules)
            if allows(edit, entitlements, scopes, before: before, after: after) { return .onceAllowed }
        }
        let seen = try scopesSeen(edit, set)
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
        _ edit: Case, _ entitlements: [[Entitlement]], _ held: [ScopeKey], before: Set<ScopeKey>,
        after: Set<ScopeKey>
    ) -> Bool {
        let collection = rules.catalogue.collections[edit.after.key.collection]
        if collection.name == Conflict.collection {
            // Settling: whoever sees both values may close the case.
            return edit.action == .edit && edit.fields == [Conflict.Position.state]
                && held.contains { before.contains($0) }
        }
        if collection.name == Quarantine.collection {
            guard edit.action == .edit, edit.fields == [Quarantine.Position.state] else { return false }
            return maySettle(edit.after, entitlements, in: before)
        }
        return entitlements[edit.after.key.collection].contains {
            permits($0.write, edit, collection, scope: $0.scope, before: before, after: after)
        }
    }

    /// Whether somebody may decide about an edit set aside: who may make such an edit in a scope that shows it.
    private func maySettle(_ entry: Row, _ entitlements: [[Entitlement]], in scopes: Set<ScopeKey>) -> Bool {
        typealias Position = Quarantine.Position
        guard let concerned = entry.values[Position.collection].text.flatMap({ rules.catalogue.position(of: $0) }),
            let action = entry.values[Position.action].text.flatMap({ Mutation.Action(rawValue: $0) }),
            case .object(let members) = entry.values[Position.values]
        else { return false }
        let collection = rules.catalogue.collections[concerned]
        return entitlements[concerned].contains { entitlement in
            let rule = entitlement.write.rule
            let condition =
                switch action {
                case .create: rule.create
                case .edit: rule.edit
                case .delete, .restore: rule.delete
                }
            guard scopes.contains(entitlement.scope), condition != .never else { return false }
            return members.allSatisfy { member in
                guard let groups = rule.groups, let field = collection[FieldName(member.name)] else { return true }
                return groups.contains(field.group)
            }
        }
    }

    private func permits(
        _ write: Rules.CompiledWrite, _ edit: Case, _ collection: RoostSchema.Collection, scope: ScopeKey,
        before: Set<ScopeKey>, after: Set<ScopeKey>
    ) -> Bool {
        let rule = write.rule
        func holds(_ condition: Condition, _ row: Row) -> Bool {
            // Whoever accepts another's edit takes over what they said, such as a contact that they made.
            condition.holds(in: collection, row.values, principal: principal.officer)
                || (edit.spokenFor.map { condition.holds(in: collection, row.values, principal: $0) } ?? false)
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
        guard let covers = write.covers else { return true }
        return edit.fields.allSatisfy { covers[$0] }
    }
}
