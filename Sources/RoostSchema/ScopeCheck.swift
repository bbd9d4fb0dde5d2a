/// The part of the check that is about who sees and writes what.
extension Catalogue {
    func checkScopesAndRoles(_ report: inout ProblemReport) {
        report.unique(scopes.map(\.name.text), "scopes")
        report.unique(roles.map(\.name.text), "roles")
        for scope in scopes { check(scope, &report) }
        for role in roles { check(role, &report) }
    }

    private func check(_ scope: ScopeKind, _ report: inout ProblemReport) {
        let place = "scope \(scope.name)"
        if !scope.name.isWellFormed { report.add(.illFormedName, place) }
        report.label(scope.label, place)
        if let key = scope.key { report.collection(key, in: self, place) }
        if let link = scope.link { check(link, of: scope, place, &report) }
        report.unique(scope.views.map(\.collection.text), place, or: .duplicateView)
        for view in scope.views { check(view, of: scope, &report) }
    }

    private func check(_ link: Link, of scope: ScopeKind, _ place: String, _ report: inout ProblemReport) {
        guard let collection = report.collection(link.collection, in: self, "\(place) link") else { return }
        for name in link.when.names { report.field(name, in: collection, "\(place) link") }
        if scope.key == nil || collection[link.key]?.target != scope.key {
            report.add(.wrongReference, "\(place) link key")
        }
        guard let subject = collection[link.subject]?.target.flatMap({ self[$0] }) else {
            report.add(.wrongReference, "\(place) link subject")
            return
        }
        for name in link.admits.names { report.field(name, in: subject, "\(place) link") }
    }

    private func check(_ view: View, of scope: ScopeKind, _ report: inout ProblemReport) {
        let place = "scope \(scope.name): \(view.collection)"
        guard let collection = report.collection(view.collection, in: self, place) else { return }
        for name in view.admits.names { report.field(name, in: collection, place) }
        let subject = collection.subject.flatMap { collection[$0]?.target }.flatMap { self[$0] } ?? collection
        // Naming the default group where no field is in it yet is how a view says what becomes of new fields.
        let groups = Set(collection.fields.map(\.group))
        for (group, sight) in view.sights {
            if !groups.contains(group), group != "main" { report.add(.unknownGroup, "\(place).\(group)") }
            for name in sight.names { report.field(name, in: subject, place) }
        }
        for field in collection.fields
        where field.kind == .identityDigest && view.sights[field.group] ?? .hidden != .hidden {
            report.add(.identityShown, "\(place).\(field.name)")
        }
        let fits =
            switch view.attachment {
            case .everyRow: scope.key == nil
            case .key(let field), .subjectAndKey(let field): scope.key != nil && collection[field]?.target == scope.key
            case .subject: scope.link.flatMap { self[$0.collection]?[$0.subject]?.target } == subject.name
            }
        if !fits { report.add(.wrongAttachment, place) }
    }

    private func check(_ role: Role, _ report: inout ProblemReport) {
        let place = "role \(role.name)"
        if !role.name.isWellFormed { report.add(.illFormedName, place) }
        report.label(role.label, place)
        for holding in role.holds {
            guard let kind = self[scope: holding.kind] else {
                report.add(.unknownScope, "\(place): \(holding.kind)")
                continue
            }
            let fits =
                switch holding {
                case .shared: kind.key == nil
                case .own: kind.key != nil && kind.key == self[authority.collection]?[authority.officer]?.target
                case .target: kind.key != nil && kind.key == self[authority.collection]?[authority.target]?.target
                }
            if !fits { report.add(.wrongHolding, "\(place): \(holding.kind)") }
        }
        for rule in role.writes { check(rule, of: role, &report) }
    }

    private func check(_ rule: WriteRule, of role: Role, _ report: inout ProblemReport) {
        let place = "role \(role.name): \(rule.collection) in \(rule.scope)"
        guard let collection = report.collection(rule.collection, in: self, place) else { return }
        for name in rule.create.names.union(rule.edit.names).union(rule.delete.names) {
            report.field(name, in: collection, place)
        }
        let groups = Set(collection.fields.map(\.group))
        for group in rule.groups ?? [] where !groups.contains(group) && group != "main" {
            report.add(.unknownGroup, "\(place).\(group)")
        }
        let isHeld = rule.scope == commons || role.holds.contains { $0.kind == rule.scope }
        let isShown = self[scope: rule.scope]?.views.contains { $0.collection == rule.collection } ?? false
        if !isHeld || !isShown { report.add(.unreachableRule, place) }
    }
}

extension Sight {
    /// The fields of the subject that the sight depends on.
    package var names: Set<String> {
        switch self {
        case .hidden, .masked, .full: []
        case .when(let condition, let then, let otherwise): condition.names.union(then.names).union(otherwise.names)
        }
    }
}
