import RoostSchema

/// What the decided changes mean for scopes and authority, from before- and after-images.
extension DecisionRun {
    /// Gives sequences to changed rows and works out memberships and authority intervals.
    mutating func finish() throws {
        var subjects: Set<RowKey> = []
        // Subjects some row about whom moved on its own: conflicts about that row move with it.
        var disturbed: Set<RowKey> = []
        // Rows about nobody that moved.
        var loose: [RowKey] = []
        var sequences: [RowKey: ServerSequence] = [:]
        let met = try meetNewRows()
        for key in set.changed {
            guard var row = try set.row(key) else { continue }
            let before = try set.row(key, .before)
            guard before != row else { continue }
            row.sequence = nextSequence()
            if !plan.history.isEmpty { sequences[key] = row.sequence }
            plan.rows.append(row)
            plan.isNew.append(before == nil)
            let was = try before.map { try set.scopes(of: $0, .before) } ?? []
            let now = try set.scopes(of: row)
            moveThroughScopes(key, from: was, to: now, changed: true, at: row.sequence)
            if let before, !rules.dependents[key.collection].isEmpty,
                was != now || rules.telling[key.collection].contains(where: { before.values[$0] != row.values[$0] })
            {
                subjects.insert(key)
            }
            if before != nil, was != now, let about = rules.subjects[key.collection],
                let id = row.values[about.position].id
            {
                disturbed.insert(RowKey(about.collection, id))
            } else if before != nil, was != now, rules.dependents[key.collection].isEmpty {
                loose.append(key)
            }
            for link in rules.linksDeclaredBy[key.collection] {
                guard let target = rules.subjectCollection(of: link) else { continue }
                for id in [before?.values[link.subject].id, row.values[link.subject].id] {
                    if let id { subjects.insert(RowKey(target, id)) }
                }
            }
            recordAuthority(before: before, after: row)
            if let before { recordAdmissions(before: before, after: row) }
        }
        for index in plan.history.indices {
            let entry = plan.history[index]
            let sequence = sequences[entry.row] ?? plan.lastSequence
            plan.history[index] = HistoryEntry(row: entry.row, loss: entry.loss, sequence: sequence)
        }
        guard !subjects.isEmpty || !disturbed.isEmpty || !loose.isEmpty || !met.isEmpty else { return }
        var changed = Set(plan.rows.lazy.map(\.key))
        for key in met where changed.insert(key).inserted { try moveConcerned(key) }
        for subject in subjects.union(disturbed).sorted() {
            try moveDependents(of: subject, changed: changed, movesConflicts: disturbed.contains(subject))
        }
        for key in loose { try moveConcerned(with: key, changed: changed) }
    }

    /// Moves conflicts and edits set aside that are about a row which is about nobody.
    private mutating func moveConcerned(with key: RowKey, changed: Set<RowKey>) throws {
        for (collection, position) in rules.concerning.sorted(by: { $0.key < $1.key }) {
            for row in try set.rows(of: collection, referring: position, to: key.id).sorted(by: { $0.key < $1.key })
            where !changed.contains(row.key) {
                try moveConcerned(row.key)
            }
        }
    }

    /// Moves a conflict or an edit set aside that was not itself changed.
    private mutating func moveConcerned(_ key: RowKey) throws {
        guard let row = try set.row(key) else { return }
        let was = try set.scopes(of: row, .before)
        let now = try set.scopes(of: row)
        guard was != now else { return }
        moveThroughScopes(key, from: was, to: now, changed: false, at: nextSequence())
    }

    /// Edits that were set aside before the rows were there that they are about, or the people: now they have a place.
    ///
    /// One that did not say whom it is about says so from now on, and so follows that person's moves.
    private mutating func meetNewRows() throws -> [RowKey] {
        guard let quarantine = rules.catalogue.position(of: Quarantine.collection) else { return [] }
        let new = try set.changed.filter { try $0.collection != quarantine && set.row($0, .before) == nil }
        let about = rules.subjects[quarantine]
        let declared = rules.catalogue.collections[quarantine].fields[Quarantine.Position.subject].target
        let people = new.filter { $0.collection == about?.collection }.map(\.id)
        try set.prefetch(of: quarantine, referring: Quarantine.Position.row, to: new.map(\.id))
        try set.prefetch(of: quarantine, referring: Quarantine.Position.subject, to: people)
        var met: [RowKey] = []
        for key in new {
            let name = rules.catalogue.collections[key.collection].name.text
            for var entry in try set.rows(of: quarantine, referring: Quarantine.Position.row, to: key.id)
            where entry.values[Quarantine.Position.collection] == .text(name) {
                met.append(entry.key)
                guard entry.values[Quarantine.Position.subject].isNull, let row = try set.row(key) else { continue }
                entry.values[Quarantine.Position.subject] = set.whom(row, declared)
                if !entry.values[Quarantine.Position.subject].isNull { set.put(entry) }
            }
            guard key.collection == about?.collection else { continue }
            met += try set.rows(of: quarantine, referring: Quarantine.Position.subject, to: key.id).map(\.key)
        }
        return met.sorted()
    }

    private mutating func nextSequence() -> ServerSequence {
        plan.lastSequence = plan.lastSequence.next
        return plan.lastSequence
    }

    private mutating func moveThroughScopes(
        _ key: RowKey, from was: Set<ScopeKey>, to now: Set<ScopeKey>, changed: Bool, at sequence: ServerSequence
    ) {
        for scope in now where changed || !was.contains(scope) {
            plan.memberships.append(MembershipChange(scope: scope, row: key, sequence: sequence, isMember: true))
        }
        for scope in was where !now.contains(scope) {
            plan.memberships.append(MembershipChange(scope: scope, row: key, sequence: sequence, isMember: false))
        }
    }

    /// Moves the subject itself, if it was not changed, and everything about it.
    ///
    /// A new subject has no dependents but those created with it, which move on their own account; a change of what
    /// tells nothing about where they are moves none.
    private mutating func moveDependents(of subject: RowKey, changed: Set<RowKey>, movesConflicts: Bool) throws {
        guard let after = try set.row(subject), let before = try set.row(subject, .before) else { return }
        let was = try set.scopes(of: before, .before)
        let now = try set.scopes(of: after)
        let seesDifferently = rules.dependents[subject.collection].contains {
            sightsDiffer(in: $0.collection, before, after)
        }
        let movesAll = was != now || seesDifferently
        // A conflict is where its field is seen in full, so it moves with what is seen of the subject itself.
        guard movesAll || movesConflicts || sightsDiffer(in: subject.collection, before, after) else { return }
        if movesAll, !changed.contains(subject) {
            moveThroughScopes(subject, from: was, to: now, changed: false, at: nextSequence())
        }
        for dependent in rules.dependents[subject.collection]
        where movesAll || rules.concerning[dependent.collection] != nil {
            var rows: [RowKey: (before: Row?, after: Row?)] = [:]
            for row in try set.rows(of: dependent.collection, referring: dependent.position, to: subject.id, .before) {
                rows[row.key, default: (nil, nil)].before = row
            }
            for row in try set.rows(of: dependent.collection, referring: dependent.position, to: subject.id, .after) {
                rows[row.key, default: (nil, nil)].after = row
            }
            for key in rows.keys.sorted() where !changed.contains(key) {
                guard let pair = rows[key] else { continue }
                let was = try pair.before.map { try set.scopes(of: $0, .before) } ?? []
                let now = try pair.after.map { try set.scopes(of: $0) } ?? []
                guard was != now || seesDifferently else { continue }
                moveThroughScopes(key, from: was, to: now, changed: seesDifferently, at: nextSequence())
            }
        }
    }

    /// Whether a change of a subject changes what some scope kind shows of rows of a collection about it.
    private func sightsDiffer(in collection: Int, _ before: Row, _ after: Row) -> Bool {
        guard before.values != after.values else { return false }
        let about = rules.catalogue.collections[after.key.collection]
        return rules.views[collection].contains { view in
            guard view.isConditional else { return false }
            return view.sights.contains { sight in
                sight.resolved { $0.holds(in: about, before.values) }
                    != sight.resolved { $0.holds(in: about, after.values) }
            }
        }
    }

    private mutating func recordAdmissions(before: Row, after: Row) {
        let collection = rules.catalogue.collections[after.key.collection]
        for gate in rules.gates[after.key.collection] {
            guard gate.positions.contains(where: { before.values[$0] != after.values[$0] }) else { continue }
            let was = gate.admits.holds(in: collection, before.values)
            guard was != gate.admits.holds(in: collection, after.values) else { continue }
            plan.admissions.append(
                AdmissionChange(row: after.key, kind: gate.kind, isLink: gate.isLink, was: was, at: decider.now))
        }
    }

    private mutating func recordAuthority(before: Row?, after: Row) {
        let key = after.key
        let collection = rules.catalogue.collections[key.collection]
        func change(_ kind: AuthorityChange.Kind, begins: Bool) {
            plan.authority.append(
                AuthorityChange(
                    row: key, kind: kind, begins: begins, sequence: after.sequence,
                    at: recoveredAt[key] ?? decider.now))
        }
        func move(_ was: AuthorityChange.Kind?, _ now: AuthorityChange.Kind?) {
            guard was != now else { return }
            if let was { change(was, begins: false) }
            if let now { change(now, begins: true) }
        }
        for link in rules.linksDeclaredBy[key.collection] {
            func held(_ row: Row?) -> AuthorityChange.Kind? {
                guard let row, !row.isDeleted, link.when.holds(in: collection, row.values),
                    let subject = row.values[link.subject].id, let target = row.values[link.key].id
                else { return nil }
                return .link(kind: link.kind, subject: subject, key: target)
            }
            move(held(before), held(after))
        }
        guard key.collection == rules.authority else { return }
        let authority = rules.catalogue.authority
        func granted(_ row: Row?) -> AuthorityChange.Kind? {
            guard let row, !row.isDeleted, authority.when.holds(in: collection, row.values),
                let officer = collection.position(of: authority.officer).flatMap({ row.values[$0].id }),
                let role = collection.position(of: authority.role).flatMap({ row.values[$0].text })
            else { return nil }
            let target = collection.position(of: authority.target).flatMap { row.values[$0].id }
            return .grant(officer: officer, role: role, target: target)
        }
        move(granted(before), granted(after))
    }
}

extension Rules {
    /// The collection whose rows a link links.
    func subjectCollection(of link: CompiledLink) -> Int? {
        catalogue.collections[link.collection].fields[link.subject].target.flatMap { catalogue.position(of: $0) }
    }
}
