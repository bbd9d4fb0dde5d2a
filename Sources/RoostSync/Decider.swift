import RoostSchema

/// Turns the mutations of one replica into verdicts and a plan.
///
/// Pure: everything it knows comes from the working set and its own properties. Mutations are judged in order; one that
/// is refused never stops the rest, and a group applies as a whole or not at all.
package struct Decider {
    package let rules: Rules
    package let principal: Principal
    package let replica: ReplicaID
    package let now: Milliseconds
    package let correction: ClockCorrection
    /// How long after authority ended an edit made before is still applied, in milliseconds.
    package let grace: Int64
    /// Take each mutation's time as its effective time: for undo, which writes just after what it undoes.
    package let exactTimes: Bool

    package static let defaultGrace: Int64 = 14 * 86_400_000

    package init(
        rules: Rules, principal: Principal, replica: ReplicaID, now: Milliseconds, correction: ClockCorrection,
        grace: Int64 = defaultGrace, exactTimes: Bool = false
    ) {
        self.rules = rules
        self.principal = principal
        self.replica = replica
        self.now = now
        self.correction = correction
        self.grace = grace
        self.exactTimes = exactTimes
    }

    /// Decides a run of mutations that the replica has not sent before, in the order of their numbers.
    ///
    /// - Parameter sequence: the last sequence the store has given out.
    package func decide(
        _ mutations: [Mutation], in set: WorkingSet, after sequence: ServerSequence
    ) throws -> Plan {
        var run = DecisionRun(self, set, sequence)
        try run.prefetch(mutations)
        run.previous = try set.source.lastEffective(of: replica)
        var start = 0
        while start < mutations.count {
            var end = start + 1
            if let group = mutations[start].group {
                while end < mutations.count, mutations[end].group == group { end += 1 }
            }
            try run.decide(group: mutations[start..<end])
            start = end
        }
        try run.finish()
        return run.plan
    }
}

/// Why a mutation was refused while it was being applied.
struct Refused: Error {
    let refusal: Refusal
    var about: String?
    var problem: FieldProblem?
}

/// One pass of a decider over its mutations.
struct DecisionRun {
    let decider: Decider
    let set: WorkingSet
    var plan: Plan
    var previous: HybridTime?
    var erased: Set<RowKey> = []
    var refused: Set<RowKey> = []
    private var issued: [ReplicaID: HybridTime?] = [:]
    private var tenures: [RowID: [LinkTenure]] = [:]
    /// The scopes the author holds now.
    private let held: [ScopeKey]

    var rules: Rules { decider.rules }

    init(_ decider: Decider, _ set: WorkingSet, _ sequence: ServerSequence) {
        self.decider = decider
        self.set = set
        plan = Plan(lastSequence: sequence)
        held = decider.principal.isTrusted ? [] : decider.principal.scopes(at: decider.now, decider.rules)
    }

    /// A mutation with its names resolved and its stamp given.
    struct Resolved {
        let mutation: Mutation
        let key: RowKey
        /// As ``Mutation/base``, known to be issued.
        let base: Stamp?
        var changes: [(position: Int, value: Value)]
        let unknown: [Mutation.Change]
        let stamp: Stamp
        let madeAt: Milliseconds
        /// Values that do not fit their field; harmless where the value is the mask its author was shown.
        let problems: [Int: FieldProblem]

        func requireFit(_ changes: [(position: Int, value: Value)], _ collection: RoostSchema.Collection) throws {
            for (position, _) in changes {
                guard let problem = problems[position] else { continue }
                throw Refused(refusal: .invalid, about: collection.fields[position].name.text, problem: problem)
            }
        }
    }

    /// What applying one mutation did, kept until its group is judged.
    struct Step {
        let resolved: Resolved
        let before: Row?
        let beforeScopes: Set<ScopeKey>
        var losses: [Merge.Loss] = []
        /// Fields that the author sees masked and tried to set: a person decides.
        var masked: [Mutation.Change] = []
    }

    /// Loads in a few queries what the mutations will need.
    mutating func prefetch(_ mutations: [Mutation]) throws {
        var keys: [RowKey] = []
        var subjects: [Int: Set<RowID>] = [:]
        var sources: [[Int]: Set<RowID>] = [:]
        for mutation in mutations {
            guard let collection = rules.catalogue.position(of: mutation.collection) else { continue }
            keys.append(RowKey(collection, mutation.row))
            subjects[collection, default: []].insert(mutation.row)
            let fields = rules.catalogue.collections[collection].fields
            if let subject = rules.subjects[collection] {
                let name = fields[subject.position].name.text
                if let id = mutation.changes.first(where: { $0.field == name })?.value.asID {
                    subjects[subject.collection, default: []].insert(id)
                    keys.append(RowKey(subject.collection, id))
                }
            }
        }
        var seen: Set<RowKey> = []
        plan.touched = keys.filter { seen.insert($0).inserted }
        try set.prefetch(keys)
        for key in keys {
            guard let subject = rules.subjects[key.collection],
                let id = try set.row(key)?.values[subject.position].id
            else { continue }
            subjects[subject.collection, default: []].insert(id)
        }
        try set.prefetch(subjects.flatMap { collection, ids in ids.map { RowKey(collection, $0) } })
        for (collection, ids) in subjects {
            for link in rules.linksOfSubject[collection] {
                sources[[link.collection, link.subject], default: []].formUnion(ids)
            }
            for derived in rules.derivedFields[collection] {
                guard let source = derived.source, let via = derived.via else { continue }
                sources[[source, via], default: []].formUnion(ids)
            }
        }
        for (place, ids) in sources { try set.prefetch(of: place[0], referring: place[1], to: ids) }
        let absent = try keys.filter { try set.row($0) == nil }
        if !absent.isEmpty {
            erased = try set.source.erased(absent)
            refused = try set.source.refusedCreations(absent, by: decider.replica)
        }
    }

    mutating func decide(group: ArraySlice<Mutation>) throws {
        let mark = set.mark
        var steps: [Step] = []
        var failure: (index: Int, reason: Refused)?
        for (index, mutation) in group.enumerated() {
            // Checked before it may push the replica's effective time: a forged base would win every later conflict.
            let issued = try issuedBase(of: mutation)
            let stamp = stamp(of: mutation, base: issued ?? nil)
            guard failure == nil else { continue }
            do {
                guard let base = issued else { throw Refused(refusal: .invalidBase) }
                steps.append(try apply(resolve(mutation, stamp, base: base)))
            } catch let refused as Refused {
                failure = (index, refused)
            }
        }
        var onceAllowed = false
        if failure == nil {
            try refreshDerived(since: mark)
            do {
                onceAllowed = try judge(steps)
                let judged = set.mark
                try enforceLimits(steps)
                // A limit may have set other values than those the derived fields were computed from.
                if set.mark > judged { try refreshDerived(since: judged) }
            } catch let judged as RefusedStep {
                failure = (judged.index, judged.reason)
            }
        }
        if let failure {
            set.rollBack(to: mark)
            refuse(group, at: failure.index, failure.reason)
            return
        }
        if onceAllowed, let oldest = steps.map(\.resolved.madeAt).min(), decider.now - oldest > decider.grace {
            set.rollBack(to: mark)
            quarantine(steps, reason: "authority_ended")
            return
        }
        try record(steps, late: onceAllowed)
    }

    /// The base of a mutation as the server knows it; nil if it names a stamp that was never issued.
    ///
    /// A replica cannot know the effective stamps of edits it has not sent yet; a base of its own therefore means its
    /// last edit at most.
    private mutating func issuedBase(of mutation: Mutation) throws -> Stamp?? {
        guard let base = mutation.base, !decider.principal.isTrusted else { return .some(mutation.base) }
        if base.replica == decider.replica {
            guard let previous else { return nil }
            return .some(Stamp(min(base.time, previous), base.replica))
        }
        if issued[base.replica] == nil {
            issued[base.replica] = .some(try set.source.lastEffective(of: base.replica))
        }
        guard let last = issued[base.replica] ?? nil, base.time <= last else { return nil }
        return .some(base)
    }

    private mutating func stamp(of mutation: Mutation, base: Stamp?) -> Stamp {
        let time: HybridTime
        if decider.exactTimes {
            time = mutation.time
        } else {
            time = EffectiveTime.of(corrected: corrected(mutation), base: base, previous: previous)
        }
        previous = max(previous ?? time, time)
        plan.lastEffective = previous
        return Stamp(time, decider.replica)
    }

    private func corrected(_ mutation: Mutation) -> HybridTime {
        decider.principal.isTrusted
            ? mutation.time : decider.correction.corrected(mutation.time, mark: mutation.mark)
    }

    /// Resolves names and finds values that do not fit.
    private func resolve(_ mutation: Mutation, _ stamp: Stamp, base: Stamp?) throws -> Resolved {
        guard let index = rules.catalogue.position(of: mutation.collection) else {
            throw Refused(refusal: .invalid, about: mutation.collection, problem: .unknownCode)
        }
        let collection = rules.catalogue.collections[index]
        var changes: [(position: Int, value: Value)] = []
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
            madeAt: corrected(mutation).moment, problems: problems)
    }

    private mutating func apply(_ resolved: Resolved) throws -> Step {
        let key = resolved.key
        let collection = rules.catalogue.collections[key.collection]
        let existing = try set.row(key)
        guard resolved.mutation.action != .create else { return try create(resolved, existing, collection) }
        guard var row = existing else {
            if erased.contains(key) { throw Refused(refusal: .gone) }
            throw Refused(refusal: refused.contains(key) ? .dependsOn : .outOfScope)
        }
        if collection.syncClass == .serverOnly, !decider.principal.isTrusted { throw Refused(refusal: .outOfScope) }
        var step = Step(resolved: resolved, before: row, beforeScopes: try scopesForJudging(row))
        // What is wrong with an edit may say something about the row; who does not see it learns nothing.
        let sees = decider.principal.isTrusted || held.contains { step.beforeScopes.contains($0) }
        if collection.syncClass == .appendOnly, !decider.principal.isTrusted {
            throw Refused(refusal: sees ? .appendOnly : .outOfScope)
        }
        if resolved.mutation.action == .edit {
            let changes = try setAsideMasked(resolved, row, collection, &step)
            try resolved.requireFit(changes, collection)
            for (position, value) in changes where row.values[position] != value {
                let name = collection.fields[position].name
                if collection.fixed.contains(name) || collection.subject == name {
                    guard sees else { throw Refused(refusal: .outOfScope) }
                    throw Refused(refusal: .invalid, about: name.text, problem: .malformed)
                }
            }
            step.losses = Merge.merge(
                changes, unknown: resolved.unknown, into: &row, of: collection, at: resolved.stamp,
                base: resolved.base)
            guard row.unknown.count <= UnknownField.maximumCount else {
                throw Refused(refusal: .limit, about: UnknownField.limitName)
            }
        } else {
            step.losses = Merge.merge(
                deleted: resolved.mutation.action == .delete, into: &row, at: resolved.stamp, base: resolved.base)
        }
        set.put(row)
        return step
    }

    private func create(
        _ resolved: Resolved, _ existing: Row?, _ collection: RoostSchema.Collection
    ) throws -> Step {
        let key = resolved.key
        if erased.contains(key) { throw Refused(refusal: .gone) }
        if existing != nil { throw Refused(refusal: .duplicate) }
        if collection.syncClass == .serverOnly, !decider.principal.isTrusted { throw Refused(refusal: .outOfScope) }
        try resolved.requireFit(resolved.changes, collection)
        var values = collection.fields.map(\.initial)
        for (position, value) in resolved.changes { values[position] = value }
        for (position, field) in collection.fields.enumerated() where field.required && values[position].isNull {
            throw Refused(refusal: .invalid, about: field.name.text, problem: .required)
        }
        for names in collection.needsOneOf {
            let filled = names.contains { collection.position(of: $0).map { !values[$0].isNull } ?? false }
            if !filled {
                throw Refused(refusal: .invalid, about: names.map(\.text).sorted().first, problem: .required)
            }
        }
        if let subject = rules.subjects[key.collection], let id = values[subject.position].id {
            let subjectKey = RowKey(subject.collection, id)
            if try set.row(subjectKey) == nil {
                throw Refused(refusal: refused.contains(subjectKey) ? .dependsOn : .outOfScope)
            }
        }
        guard resolved.unknown.count <= UnknownField.maximumCount else {
            throw Refused(refusal: .limit, about: UnknownField.limitName)
        }
        let row = Row(
            key: key, values: values, stamp: resolved.stamp,
            unknown: resolved.unknown.map { UnknownField($0.field, $0.value, resolved.stamp) })
        set.put(row)
        return Step(resolved: resolved, before: nil, beforeScopes: [])
    }

    /// Scopes are needed to judge permission only.
    private func scopesForJudging(_ row: Row) throws -> Set<ScopeKey> {
        decider.principal.isTrusted ? [] : try set.scopes(of: row)
    }

    /// Drops values equal to the mask their author sees; sets aside any other value of a masked field.
    private mutating func setAsideMasked(
        _ resolved: Resolved, _ row: Row, _ collection: RoostSchema.Collection, _ step: inout Step
    ) throws -> [(position: Int, value: Value)] {
        guard !decider.principal.isTrusted else { return resolved.changes }
        var seenThrough = held.filter { step.beforeScopes.contains($0) }
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

    /// The scopes in which a row was at an earlier moment, as far as ended links tell.
    ///
    /// What a scope never admitted was not in it, however its subject was linked.
    mutating func formerScopes(of row: Row, at moment: Milliseconds) throws -> Set<ScopeKey> {
        guard let subject = try set.subject(of: row, .before) ?? set.subject(of: row) else { return [] }
        let known: [LinkTenure]
        if let loaded = tenures[subject.key.id] {
            known = loaded
        } else {
            known = try set.source.tenures(of: [subject.key.id])
            tenures[subject.key.id] = known
        }
        let collection = rules.catalogue.collections[row.key.collection]
        let about = rules.catalogue.collections[subject.key.collection]
        var scopes: Set<ScopeKey> = []
        for tenure in known where tenure.holds(at: moment) {
            guard let view = rules.view(of: row.key.collection, in: tenure.scope.kind),
                view.wasOpen(to: row, of: collection, for: tenure.scope),
                rules.linksOfSubject[subject.key.collection].contains(where: {
                    $0.kind == tenure.scope.kind && $0.admits.holds(in: about, subject.values)
                })
            else { continue }
            scopes.insert(tenure.scope)
        }
        return scopes
    }

    struct RefusedStep: Error {
        let index: Int
        let reason: Refused
    }

    /// Whether every step is permitted now (false) or was when made (true).
    private mutating func judge(_ steps: [Step]) throws -> Bool {
        guard !decider.principal.isTrusted else { return false }
        let created = Set(steps.filter { $0.resolved.mutation.action == .create }.map(\.resolved.key))
        let permission = Permission(principal: decider.principal, rules: rules, now: decider.now)
        var once = false
        for (index, step) in steps.enumerated() {
            guard let after = try set.row(step.resolved.key) else { continue }
            let edit = Permission.Case(
                action: step.resolved.mutation.action, before: step.before, after: after,
                fields: step.resolved.changes.map(\.position), beforeScopes: step.beforeScopes,
                afterScopes: try set.scopes(of: after), madeAt: step.resolved.madeAt, created: created)
            let ruling = try permission.judge(
                edit, former: { try formerScopes(of: step.before ?? after, at: edit.madeAt) }, set)
            switch ruling {
            case .allowed: break
            case .onceAllowed: once = true
            case .refused(let refusal, let about):
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

    /// Checks limits for rows that newly count against one.
    private func enforceLimits(_ steps: [Step]) throws {
        for (index, step) in steps.enumerated() {
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
                    if let place = collection.position(of: name) {
                        row.set(place, to: value, at: step.resolved.stamp)
                    }
                }
                set.put(row)
            }
        }
    }

    private mutating func refuse(_ group: ArraySlice<Mutation>, at culprit: Int, _ reason: Refused) {
        for (index, mutation) in group.enumerated() {
            let own = index == culprit
            plan.verdicts.append(
                Verdict(
                    number: mutation.number, outcome: .rejected, refusal: own ? reason.refusal : .dependsOn,
                    about: own ? reason.about : nil, problem: own ? reason.problem?.rawValue : nil))
            guard mutation.action == .create, let collection = rules.catalogue.position(of: mutation.collection)
            else { continue }
            refused.insert(RowKey(collection, mutation.row))
            plan.refusedCreations.append(RowKey(collection, mutation.row))
        }
    }

    private mutating func quarantine(_ steps: [Step], reason: String) {
        for step in steps {
            let mutation = step.resolved.mutation
            plan.quarantine.append(
                QuarantineEntry(
                    number: mutation.number, row: step.resolved.key, changes: mutation.changes,
                    action: mutation.action, stamp: step.resolved.stamp, reason: reason))
            plan.verdicts.append(
                Verdict(number: mutation.number, outcome: .quarantined, stamp: step.resolved.stamp))
        }
    }

    /// Keeps what lost, opens conflicts for values lost unseen, and gives the verdicts.
    private mutating func record(_ steps: [Step], late: Bool) throws {
        for step in steps {
            let mutation = step.resolved.mutation
            for loss in step.losses {
                plan.history.append(HistoryEntry(row: step.resolved.key, loss: loss, sequence: .zero))
                if loss.hard, loss.field != "deleted" { try openConflict(loss, step.resolved) }
            }
            if !step.masked.isEmpty {
                plan.quarantine.append(
                    QuarantineEntry(
                        number: mutation.number, row: step.resolved.key, changes: step.masked, action: .edit,
                        stamp: step.resolved.stamp, reason: "masked"))
            }
            let lost = step.losses.filter(\.incoming).map(\.field)
            let isDeleted = try set.row(step.resolved.key)?.isDeleted ?? false
            let outcome: Verdict.Outcome =
                !step.masked.isEmpty ? .quarantined : late ? .late : lost.isEmpty ? .applied : .merged
            plan.verdicts.append(
                Verdict(
                    number: mutation.number, outcome: outcome, stamp: step.resolved.stamp, lost: lost,
                    about: step.masked.first?.field, deleted: mutation.action == .edit && isDeleted))
        }
    }

    private func openConflict(_ loss: Merge.Loss, _ resolved: Resolved) throws {
        guard let collection = rules.catalogue.position(of: Conflict.collection) else { return }
        let concerned = rules.catalogue.collections[resolved.key.collection]
        guard concerned.name != Conflict.collection else { return }
        let key = RowKey(collection, Conflict.id(of: resolved.key, field: loss.field, losing: loss.stamp))
        guard try set.row(key) == nil, let row = try set.row(resolved.key) else { return }
        let officers = try set.source.officers(of: [loss.stamp.replica, loss.winner.replica])
        func author(_ stamp: Stamp) -> Value {
            let officer = stamp.replica == decider.replica ? decider.principal.officer : officers[stamp.replica]
            return officer.map { .text($0.description) } ?? .null
        }
        typealias Position = Conflict.Position
        var values = rules.catalogue.collections[collection].fields.map(\.initial)
        let declared = rules.catalogue.collections[collection].fields[Position.subject].target
        if let subject = try set.subject(of: row),
            rules.catalogue.collections[subject.key.collection].name == declared
        {
            values[Position.subject] = .id(subject.key.id)
        }
        values[Position.collection] = .text(concerned.name.text)
        values[Position.row] = .text(resolved.key.id.description)
        values[Position.field] = .text(loss.field)
        values[Position.value] = .list([loss.value])
        values[Position.losingStamp] = .text(loss.stamp.description)
        values[Position.losingAuthor] = author(loss.stamp)
        values[Position.winningStamp] = .text(loss.winner.description)
        values[Position.winningAuthor] = author(loss.winner)
        set.put(Row(key: key, values: values, stamp: resolved.stamp))
    }
}

extension Value {
    /// The identity a reference names, whether decoded already or still text.
    var asID: RowID? { id ?? text.flatMap { RowID($0) } }
}
