import RoostSchema

/// Applies single mutations to the working set, before their group is judged.
extension DecisionRun {
    /// Whether a mutation is of a collection that a later catalogue may declare; refused if none can.
    func isStranger(_ mutation: Mutation) throws -> Bool {
        guard !decider.principal.isTrusted, rules.catalogue.position(of: mutation.collection) == nil else {
            return false
        }
        guard CollectionName(mutation.collection).isWellFormed else { return false }
        for change in mutation.changes {
            guard let problem = UnknownField.problem(with: change) else { continue }
            throw Refused(refusal: .invalid, about: String(change.field.prefix(41)), problem: problem)
        }
        guard mutation.changes.count <= UnknownField.maximumCount else {
            throw Refused(refusal: .limit, about: UnknownField.limitName)
        }
        return true
    }

    /// Resolves names and finds values that do not fit.
    func resolve(_ mutation: Mutation, _ stamp: Stamp, base: Stamp?) throws -> Resolved {
        guard let index = rules.catalogue.position(of: mutation.collection) else {
            throw Refused(refusal: .invalid, about: mutation.collection, problem: .unknownCode)
        }
        let collection = rules.catalogue.collections[index]
        var changes: [(position: Int, value: Value)] = []
        changes.reserveCapacity(mutation.changes.count)
        var unknown: [Mutation.Change] = []
        var problems: [Int: FieldProblem] = [:]
        for change in mutation.changes {
            guard let position = collection.position(of: change.field) else {
                if let problem = UnknownField.problem(with: change) {
                    throw Refused(refusal: .invalid, about: String(change.field.prefix(41)), problem: problem)
                }
                unknown.append(change)
                continue
            }
            let field = collection.fields[position]
            var value = change.value
            if case .reference = field.kind, let id = value.text.flatMap({ RowID($0) }) { value = .id(id) }
            if rules.isDerived[index][position] {
                problems[position] = .derived
            } else if value.isNull {
                if field.required { problems[position] = .required }
            } else if let problem = field.kind.problem(with: value) {
                problems[position] = problem
            }
            changes.append((position, value))
        }
        return Resolved(
            mutation: mutation, key: RowKey(index, mutation.row), base: base, changes: changes, unknown: unknown,
            stamp: stamp,
            madeAt: (recoveredTime(of: mutation) == nil ? corrected(mutation) : stamp.time).moment, problems: problems)
    }

    mutating func apply(_ resolved: Resolved) throws -> Step {
        var resolved = withStandIns(resolved)
        let key = resolved.key
        let collection = rules.catalogue.collections[key.collection]
        let existing = try set.row(key)
        guard resolved.mutation.action != .create else { return try create(&resolved, existing, collection) }
        guard var row = existing else {
            if erased.contains(key), decider.principal.isTrusted { throw Refused(refusal: .gone) }
            guard !refused.contains(key) else { throw Refused(refusal: .dependsOn) }
            // As for a row that is there and not shown to the author, which must look the same.
            if resolved.mutation.action == .edit, decider.principal.isTrusted || collection.isEditable {
                try resolved.requireFit(resolved.changes, collection)
            }
            throw Refused(refusal: .outOfScope, awaited: key)
        }
        var step = Step(resolved: resolved, before: row, beforeScopes: try scopesForJudging(row))
        // What is wrong with an edit may say something about the row; who does not see it learns nothing.
        let sees = sees(step.beforeScopes)
        if !sees, try wasRefused(key) { throw Refused(refusal: .dependsOn) }
        if collection.syncClass == .serverOnly, !decider.principal.isTrusted { throw Refused(refusal: .outOfScope) }
        if collection.syncClass == .appendOnly, !decider.principal.isTrusted {
            throw Refused(refusal: sees ? .appendOnly : .outOfScope)
        }
        if resolved.mutation.action == .edit {
            let changes = try setAsideMasked(resolved, row, collection, &step)
            try resolved.requireFit(changes, collection)
            for (position, value) in changes where row.values[position] != value {
                guard rules.isFixed[key.collection][position] else { continue }
                guard sees else { throw Refused(refusal: .outOfScope) }
                throw Refused(
                    refusal: .invalid, about: collection.fields[position].name.text, problem: .malformed)
            }
            step.losses = Merge.merge(
                changes, unknown: resolved.unknown, into: &row, of: collection, at: resolved.stamp,
                base: resolved.base)
            guard row.unknown.count <= UnknownField.maximumCount else {
                throw sees ? Refused(refusal: .limit, about: UnknownField.limitName) : Refused(refusal: .outOfScope)
            }
        } else {
            step.losses = Merge.merge(
                deleted: resolved.mutation.action == .delete, into: &row, at: resolved.stamp, base: resolved.base)
        }
        set.put(row)
        return step
    }

    private mutating func create(
        _ resolved: inout Resolved, _ existing: Row?, _ collection: RoostSchema.Collection
    ) throws -> Step {
        if collection.syncClass == .serverOnly, !decider.principal.isTrusted { throw Refused(refusal: .outOfScope) }
        if existing != nil || erased.contains(resolved.key) {
            let refusal: Refusal = existing != nil ? .duplicate : .gone
            let isKnown = try existing.map { sees(try scopesForJudging($0)) } ?? decider.principal.isTrusted
            guard !isKnown else { throw Refused(refusal: refusal) }
            resolved.key = try standIn(for: resolved.key, resolved.mutation.number, refusal)
        }
        let key = resolved.key
        try resolved.requireFit(resolved.changes, collection)
        var values = rules.initial[key.collection]
        for (position, value) in resolved.changes { values[position] = value }
        for position in rules.required[key.collection] where values[position].isNull {
            throw Refused(refusal: .invalid, about: collection.fields[position].name.text, problem: .required)
        }
        for names in collection.needsOneOf {
            let filled = names.contains { collection.position(of: $0).map { !values[$0].isNull } ?? false }
            if !filled {
                throw Refused(refusal: .invalid, about: names.map(\.text).sorted().first, problem: .required)
            }
        }
        guard resolved.unknown.count <= UnknownField.maximumCount else {
            throw Refused(refusal: .limit, about: UnknownField.limitName)
        }
        // An edit set aside may be about somebody who is not there, or not yet.
        if rules.concerning[key.collection] == nil, let subject = rules.subjects[key.collection],
            let id = values[subject.position].id
        {
            let subjectKey = RowKey(subject.collection, id)
            if try set.row(subjectKey) == nil {
                guard !refused.contains(subjectKey) else { throw Refused(refusal: .dependsOn) }
                throw Refused(refusal: .outOfScope, awaited: subjectKey)
            }
        }
        let row = Row(
            key: key, values: values, stamp: resolved.stamp,
            unknown: resolved.unknown.map { UnknownField($0.field, $0.value, resolved.stamp) })
        set.put(row)
        var step = Step(resolved: resolved, before: nil, beforeScopes: [])
        step.effects = try takeEffect(row, of: collection)
        return step
    }

    /// An identity that nobody has, under which a creation is judged whose own is taken by a row its author does not see.
    ///
    /// So the group is answered as it would be if the identity were free. Only an author whose creation would have been
    /// taken is told that it is not: there is no other way to say that it was not.
    private mutating func standIn(for key: RowKey, _ number: Int64, _ refusal: Refusal) throws -> RowKey {
        let other = RowKey(key.collection, RowID(naming: "stand-in", key.id.description))
        guard try set.row(other) == nil else { throw Refused(refusal: refusal) }
        set.assumeUnreferenced(other)
        taken[key] = StandIn(key: other, number: number, refusal: refusal)
        return other
    }

    /// A mutation of the group about the rows that it creates under other identities.
    private func withStandIns(_ resolved: Resolved) -> Resolved {
        guard !taken.isEmpty else { return resolved }
        var resolved = resolved
        if let other = taken[resolved.key] { resolved.key = other.key }
        let fields = rules.catalogue.collections[resolved.key.collection].fields
        for (index, change) in resolved.changes.enumerated() {
            guard let id = change.value.id, let target = fields[change.position].target,
                let other = rules.catalogue.position(of: target).flatMap({ taken[RowKey($0, id)] })
            else { continue }
            resolved.changes[index].value = .id(other.key.id)
        }
        return resolved
    }

    /// Whether this replica tried in vain to create a row.
    func wasRefused(_ key: RowKey) throws -> Bool {
        if refused.contains(key) { return true }
        return try !set.source.refusedCreations([key], by: decider.replica).isEmpty
    }

    func sees(_ scopes: Set<ScopeKey>) -> Bool {
        decider.principal.isTrusted || permission.held.contains { scopes.contains($0) }
    }

    /// Writes what a new row says about the row it is about; answers with what gave way there.
    private func takeEffect(_ row: Row, of collection: RoostSchema.Collection) throws -> [HistoryEntry] {
        let effects = collection.effects.filter { $0.when.holds(in: collection, row.values) }
        guard !effects.isEmpty, var about = try set.subject(of: row), about.key != row.key else { return [] }
        let declaration = rules.catalogue.collections[about.key.collection]
        let changes = effects.compactMap { effect in
            declaration.position(of: effect.set).map { (position: $0, value: effect.to) }
        }
        // Nobody meant to contradict anybody: what gives way is kept, and is no conflict.
        let losses = Merge.merge(
            changes, unknown: [], into: &about, of: declaration, at: row.stamp, base: about.version)
        set.put(about)
        return losses.map { HistoryEntry(row: about.key, loss: $0, sequence: .zero) }
    }

    /// Scopes are needed to judge permission only.
    func scopesForJudging(_ row: Row) throws -> Set<ScopeKey> {
        decider.principal.isTrusted ? [] : try set.scopes(of: row)
    }

    /// Drops values equal to the mask their author sees; sets aside any other value of a masked field.
    private mutating func setAsideMasked(
        _ resolved: Resolved, _ row: Row, _ collection: RoostSchema.Collection, _ step: inout Step
    ) throws -> [(position: Int, value: Value)] {
        guard !decider.principal.isTrusted else { return resolved.changes }
        var seenThrough = permission.held.filter { step.beforeScopes.contains($0) }
        if seenThrough.isEmpty, resolved.madeAt < decider.now {
            let former = try formerScopes(of: row, at: resolved.madeAt).union(step.beforeScopes)
            seenThrough = decider.principal.scopes(at: resolved.madeAt, rules).filter { former.contains($0) }
        }
        guard !seenThrough.isEmpty else { return resolved.changes }
        return try resolved.changes.filter { position, value in
            var sees: Sight = .hidden
            for scope in seenThrough {
                let sight = try set.sight(of: position, row: row, in: scope.kind)
                if sight == .full { return true }
                if sight == .masked { sees = .masked }
            }
            guard sees == .masked else { return true }
            if collection.fields[position].mask.applied(to: row.values[position]) != value {
                guard resolved.problems[position] == nil else { return true }
                step.masked.append(Mutation.Change(collection.fields[position].name.text, value))
            }
            return false
        }
    }
}

extension Value {
    /// The identity a reference names, whether decoded already or still text.
    var asID: RowID? { id ?? text.flatMap { RowID($0) } }
}

extension RoostSchema.Collection {
    /// Whether rows may be edited by others than the server once they are there.
    fileprivate var isEditable: Bool { syncClass != .serverOnly && syncClass != .appendOnly }
}
