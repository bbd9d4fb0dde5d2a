import RoostSchema

/// Judges what a group did: permission on before- and after-images, versions, limits.
extension DecisionRun {
    /// The scopes in which a row was at an earlier moment: those its subject was linked to, as far as they let in then
    /// whoever it is about, and the row.
    mutating func formerScopes(of row: Row, at moment: Milliseconds) throws -> Set<ScopeKey> {
        guard let subject = try set.subject(of: row, .before) ?? set.subject(of: row) else { return [] }
        let known: [LinkTenure]
        if let loaded = tenures[subject.key.id] {
            known = loaded
        } else {
            known = try set.source.tenures(of: [subject.key.id])
            tenures[subject.key.id] = known
        }
        var scopes: Set<ScopeKey> = []
        for tenure in known where tenure.holds(at: moment) {
            guard let view = rules.view(of: row.key.collection, in: tenure.scope.kind),
                view.belongs(row, to: tenure.scope),
                try wasAdmitted(row, to: tenure.scope.kind, asLink: false, at: moment),
                try wasAdmitted(subject, to: tenure.scope.kind, asLink: true, at: moment)
            else { continue }
            scopes.insert(tenure.scope)
        }
        return scopes
    }

    /// Whether what lets a row into the scopes of a kind held at an earlier moment.
    ///
    /// The first change since tells; without one it is as it was before these mutations.
    private mutating func wasAdmitted(
        _ row: Row, to kind: Int, asLink isLink: Bool, at moment: Milliseconds
    ) throws -> Bool {
        let gates = rules.gates[row.key.collection].filter { $0.kind == kind && $0.isLink == isLink }
        guard !gates.isEmpty else { return true }
        let known: [AdmissionChange]
        if let loaded = admissions[row.key] {
            known = loaded
        } else {
            known = try set.source.admissions(of: row.key)
            admissions[row.key] = known
        }
        if let change = known.first(where: { $0.kind == kind && $0.isLink == isLink && moment < $0.at }) {
            return change.was
        }
        let collection = rules.catalogue.collections[row.key.collection]
        let values = try set.row(row.key, .before)?.values ?? row.values
        return gates.contains { $0.admits.holds(in: collection, values) }
    }

    /// Whether every step is permitted now (false) or was when made (true).
    mutating func judge(_ steps: [Step]) throws -> Bool {
        guard !decider.principal.isTrusted else { return false }
        let created = Set(steps.filter { $0.resolved.mutation.action == .create }.map(\.resolved.key))
        var once = false
        for (index, step) in steps.enumerated() {
            guard let after = try set.row(step.resolved.key) else { continue }
            let edit = Permission.Case(
                action: step.resolved.mutation.action, before: step.before, after: after,
                fields: step.resolved.changes.map(\.position), beforeScopes: step.beforeScopes,
                afterScopes: try set.scopes(of: after), madeAt: step.resolved.madeAt, created: created,
                spokenFor: try author(of: step, acceptedIn: steps))
            let ruling = try permission.judge(
                edit, former: { try formerScopes(of: step.before ?? after, at: edit.madeAt) }, set)
            switch ruling {
            case .allowed: break
            case .onceAllowed: once = true
            case .refused(let refusal, let about):
                if refusal == .outOfScope, try dependsOnRefused(step) {
                    throw RefusedStep(index: index, reason: Refused(refusal: .dependsOn))
                }
                throw RefusedStep(index: index, reason: Refused(refusal: refusal, about: about))
            }
            let collection = rules.catalogue.collections[after.key.collection]
            // Only now may the author learn that the row has moved on.
            if collection.syncClass == .authoritative, let before = step.before {
                // A replica has seen its own last edit, whatever its effective stamp came to be; that it made one says
                // nothing about another's.
                let version = before.version
                let saw = step.resolved.base.map { $0.replica != decider.replica && $0 >= version } ?? false
                guard saw || version.replica == decider.replica else {
                    throw RefusedStep(index: index, reason: Refused(refusal: .stale))
                }
            }
        }
        return once
    }

    /// Whether a creation is about somebody whom this replica tried in vain to create, as there is such a row that its
    /// author does not see.
    private func dependsOnRefused(_ step: Step) throws -> Bool {
        guard step.before == nil, let row = try set.row(step.resolved.key),
            let subject = try set.subject(of: row, .before), subject.key != row.key
        else { return false }
        return try wasRefused(subject.key)
    }

    /// Who made an edit that the group accepts from quarantine; nil if it says anything that was not set aside.
    ///
    /// Whether the case may be settled is judged with its own step.
    private func author(of step: Step, acceptedIn steps: [Step]) throws -> RowID? {
        typealias Position = Quarantine.Position
        guard let quarantine = rules.catalogue.position(of: Quarantine.collection),
            step.resolved.key.collection != quarantine
        else { return nil }
        let collection = rules.catalogue.collections[step.resolved.key.collection]
        for other in steps where other.resolved.key.collection == quarantine {
            guard let entry = try set.row(other.resolved.key), entry.values[Position.state] == "accepted",
                entry.values[Position.collection] == .text(collection.name.text),
                entry.values[Position.row] == .text(step.resolved.key.id.description),
                entry.values[Position.action] == .text(step.resolved.mutation.action.rawValue),
                case .object(let members) = entry.values[Position.values]
            else { continue }
            let said = step.resolved.changes.allSatisfy { position, value in
                let field = collection.fields[position]
                return members.contains { $0.name == field.name.text && field.kind.adopted($0.value) == value }
            }
            if said, step.resolved.unknown.isEmpty { return entry.values[Position.author].text.flatMap { RowID($0) } }
        }
        return nil
    }

    /// Checks limits for rows that newly count against one.
    ///
    /// A value somebody gave that a limit replaces is history at once.
    func enforceLimits(_ steps: inout [Step]) throws {
        for index in steps.indices {
            let step = steps[index]
            let key = step.resolved.key
            let collection = rules.catalogue.collections[key.collection]
            for limit in rules.limits[key.collection] {
                guard let position = collection.position(of: limit.per), var row = try set.row(key), !row.isDeleted,
                    limit.when.holds(in: collection, row.values), let target = row.values[position].id
                else { continue }
                if let before = step.before, !before.isDeleted, before.values[position] == row.values[position],
                    limit.when.holds(in: collection, before.values)
                {
                    continue
                }
                let maximum: Int
                switch limit.maximum {
                case .constant(let constant): maximum = constant
                case .field(let name):
                    guard let other = collection.fields[position].target.flatMap({ rules.catalogue.position(of: $0) }),
                        let field = rules.catalogue.collections[other].position(of: name),
                        let value = try set.row(RowKey(other, target))?.values[field].integer
                    else { continue }
                    maximum = Int(clamping: value)
                }
                let count = try set.rows(of: key.collection, referring: position, to: target).count {
                    $0.key != key && !$0.isDeleted && limit.when.holds(in: collection, $0.values)
                }
                guard count >= maximum else { continue }
                guard !limit.otherwise.isEmpty else {
                    throw RefusedStep(index: index, reason: Refused(refusal: .limit, about: limit.name))
                }
                for (name, value) in limit.otherwise {
                    guard let place = collection.position(of: name) else { continue }
                    let stamp = step.resolved.stamp
                    for (position, given) in step.resolved.changes where position == place && given != value {
                        let loss = Merge.Loss(
                            field: name.text, value: given, stamp: stamp, winner: stamp, hard: false, incoming: true)
                        steps[index].effects.append(HistoryEntry(row: key, loss: loss, sequence: .zero))
                    }
                    row.set(place, to: value, at: stamp)
                }
                set.put(row)
            }
        }
    }
}
