import RoostSchema

/// Turns the mutations of one replica into verdicts and a plan.
///
/// Pure: everything it knows comes from the working set and its own properties. Mutations are judged in order; one that
/// is refused never stops the rest, and a group applies as a whole or not at all.
package struct Decider {
    package let rules: Rules
    package let principal: Principal
    package let replica: ReplicaID
    /// Of the replica; with a mutation's number it names the mutation for ever.
    package let incarnation: Int64
    package let now: Milliseconds
    package let correction: ClockCorrection
    /// How long after authority ended an edit made before is still applied, in milliseconds.
    package let grace: Int64
    /// The same for what a replica files again after the server lost it.
    package let recoveryGrace: Int64
    /// Take each mutation's time as its effective time: for undo, which writes just after what it undoes.
    package let exactTimes: Bool
    /// Who takes imports back: edits of rows deleted by this replica wait for a person.
    package let undoer: ReplicaID?
    /// Up to when stamps may have been issued that the server has since lost with its history; nil if it never lost any.
    package let lostUntil: Milliseconds?
    /// How many mutations of unknown collections may be kept.
    package let strangersTaken: Int

    package static let defaultGrace: Int64 = 14 * 86_400_000

    package init(
        rules: Rules, principal: Principal, replica: ReplicaID, incarnation: Int64 = 1, now: Milliseconds,
        correction: ClockCorrection, grace: Int64 = defaultGrace, recoveryGrace: Int64 = .max,
        exactTimes: Bool = false, undoer: ReplicaID? = nil, lostUntil: Milliseconds? = nil, strangersTaken: Int = .max
    ) {
        self.rules = rules
        self.principal = principal
        self.replica = replica
        self.incarnation = incarnation
        self.now = now
        self.correction = correction
        self.grace = grace
        self.recoveryGrace = recoveryGrace
        self.exactTimes = exactTimes
        self.undoer = undoer
        self.lostUntil = lostUntil
        self.strangersTaken = strangersTaken
    }

    /// Decides a run of mutations that the replica has not sent before, in the order of their numbers.
    ///
    /// `sequence` is the last one the store has given out.
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
    /// The row for want of which it was refused.
    var awaited: RowKey?
}

/// One pass of a decider over its mutations.
struct DecisionRun {
    let decider: Decider
    let set: WorkingSet
    var plan: Plan
    var previous: HybridTime?
    /// When rows were changed by what was given again: authority over them began and ended then, and not now.
    var recoveredAt: [RowKey: Milliseconds] = [:]
    var erased: Set<RowKey> = []
    var refused: Set<RowKey> = []
    /// Of the group at hand: identities that are not free, by rows their author does not see.
    var taken: [RowKey: StandIn] = [:]
    private var issued: [ReplicaID: HybridTime?] = [:]
    var tenures: [RowID: [LinkTenure]] = [:]
    var admissions: [RowKey: [AdmissionChange]] = [:]
    let permission: Permission

    var rules: Rules { decider.rules }

    init(_ decider: Decider, _ set: WorkingSet, _ sequence: ServerSequence) {
        self.decider = decider
        self.set = set
        plan = Plan(lastSequence: sequence)
        permission = Permission(principal: decider.principal, rules: decider.rules, now: decider.now)
    }

    /// The identity under which a creation is judged, and what is said if it is found to be permitted.
    struct StandIn {
        let key: RowKey
        /// Of the creation.
        let number: Int64
        let refusal: Refusal
    }

    /// A mutation with its names resolved and its stamp given.
    struct Resolved {
        let mutation: Mutation
        var key: RowKey
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
        /// What gave way elsewhere to what a new row says.
        var effects: [HistoryEntry] = []
    }

    struct RefusedStep: Error {
        let index: Int
        let reason: Refused
    }

    /// Loads in a few queries what the mutations will need.
    mutating func prefetch(_ mutations: [Mutation]) throws {
        var keys: [RowKey] = []
        keys.reserveCapacity(mutations.count)
        for mutation in mutations {
            guard let collection = rules.catalogue.position(of: mutation.collection) else { continue }
            keys.append(RowKey(collection, mutation.row))
            guard let subject = rules.subjects[collection] else { continue }
            let name = rules.catalogue.collections[collection].fields[subject.position].name.text
            if let id = mutation.changes.first(where: { $0.field == name })?.value.asID {
                keys.append(RowKey(subject.collection, id))
            }
        }
        keys = keys.filter { set.touch($0) }
        plan.touched = keys
        try set.prefetch(keys)
        var subjects = keys
        for key in keys {
            guard let subject = rules.subjects[key.collection],
                let id = try set.row(key)?.values[subject.position].id
            else { continue }
            subjects.append(RowKey(subject.collection, id))
        }
        try set.prefetch(subjects)
        var stored: [[RowID]] = Array(repeating: [], count: rules.catalogue.collections.count)
        var isTouched = Array(repeating: false, count: rules.catalogue.collections.count)
        for key in subjects {
            isTouched[key.collection] = true
            if try set.row(key) == nil {
                // Nothing stored refers to a row that is not there yet.
                set.assumeUnreferenced(key)
            } else {
                stored[key.collection].append(key.id)
            }
        }
        for (collection, ids) in stored.enumerated() where !ids.isEmpty {
            for link in rules.linksOfSubject[collection] {
                try set.prefetch(of: link.collection, referring: link.subject, to: ids)
            }
            for derived in rules.derivedFields[collection] {
                // Fields derived from rows that do not change are not computed again.
                guard let source = derived.source, let via = derived.via, isTouched[source] else { continue }
                try set.prefetch(of: source, referring: via, to: ids)
            }
        }
        let absent = try keys.filter { try set.row($0) == nil }
        if !absent.isEmpty {
            erased = try set.source.erased(absent)
            refused = try set.source.refusedCreations(absent, by: decider.replica)
        }
    }

    mutating func decide(group: ArraySlice<Mutation>) throws {
        let mark = set.mark
        taken = [:]
        var steps: [Step] = []
        var stamps: [Stamp] = []
        var strangers: [(mutation: Mutation, stamp: Stamp)] = []
        var failure: (index: Int, reason: Refused)?
        var absent: (index: Int, reason: Refused)?
        for (index, mutation) in group.enumerated() {
            // Checked before it may push the replica's effective time: a forged base would win every later conflict.
            let issued = try issuedBase(of: mutation)
            let stamp = stamp(of: mutation, base: issued ?? nil)
            stamps.append(stamp)
            guard failure == nil else { continue }
            do {
                guard let base = issued else { throw Refused(refusal: .invalidBase) }
                if try isStranger(mutation) {
                    guard plan.strangers.count + strangers.count < decider.strangersTaken else {
                        throw Refused(refusal: .limit, about: StrangerEntry.limitName)
                    }
                    strangers.append((mutation, stamp))
                    continue
                }
                steps.append(try apply(resolve(mutation, stamp, base: base)))
            } catch let refused as Refused {
                // A row that is there and not shown is found only when the group is judged: one that is not there must be too.
                if [.outOfScope, .dependsOn].contains(refused.refusal) {
                    absent = absent ?? (index, refused)
                } else {
                    failure = (index, refused)
                }
            }
        }
        var onceAllowed = false
        if failure == nil {
            try refreshDerived(since: mark)
            do {
                onceAllowed = try judge(steps)
                let judged = set.mark
                if absent == nil {
                    try enforceLimits(&steps)
                    try refuseTaken(steps)
                }
                // A limit may have set other values than those the derived fields were computed from.
                if set.mark > judged { try refreshDerived(since: judged) }
            } catch let judged as RefusedStep {
                let number = steps[judged.index].resolved.mutation.number
                failure = (group.firstIndex { $0.number == number }.map { $0 - group.startIndex } ?? 0, judged.reason)
            }
            // What is given again waits for its row, whatever else is to be said of it.
            if let missing = absent, isRecovered(group) || missing.index < failure?.index ?? .max { failure = missing }
        }
        if let failure {
            set.rollBack(to: mark)
            if isRecovered(group), try setAside(group, stamps, failure.reason) { return }
            try refuse(group, at: failure.index, failure.reason)
            return
        }
        defer { keep(strangers) }
        // What is recovered was judged once already, and its time is the server's own.
        let grace = isRecovered(group) ? decider.recoveryGrace : decider.grace
        if onceAllowed, let oldest = steps.map(\.resolved.madeAt).min(), decider.now - oldest > grace {
            set.rollBack(to: mark)
            try quarantine(steps, reason: .authorityEnded)
            return
        }
        if try concernsUndone(steps) {
            set.rollBack(to: mark)
            try quarantine(steps, reason: .importUndone)
            return
        }
        if isRecovered(group) {
            for step in steps { recoveredAt[step.resolved.key] = min(step.resolved.madeAt, decider.now) }
        }
        try record(steps, late: onceAllowed)
    }

    /// Says of a creation that is found to be permitted that its identity is not free.
    private func refuseTaken(_ steps: [Step]) throws {
        guard let first = taken.values.min(by: { $0.number < $1.number }),
            let index = steps.firstIndex(where: { $0.resolved.mutation.number == first.number })
        else { return }
        throw RefusedStep(index: index, reason: Refused(refusal: first.refusal))
    }

    /// Whether a step edits a row that went when an import was taken back, and that the group does not bring back.
    ///
    /// Merged into a deleted row the edit would be out of everybody's sight.
    private func concernsUndone(_ steps: [Step]) throws -> Bool {
        guard let undoer = decider.undoer, !decider.principal.isTrusted else { return false }
        return try steps.contains { step in
            guard step.resolved.mutation.action == .edit, let row = try set.row(step.resolved.key) else { return false }
            return row.isDeleted && row.deletion.replica == undoer
        }
    }

    /// The base of a mutation as the server knows it; nil if it names a stamp that was never issued.
    ///
    /// A replica cannot know the effective stamps of edits it has not sent yet; a base of its own therefore means its
    /// last edit at most.
    private mutating func issuedBase(of mutation: Mutation) throws -> Stamp?? {
        guard let base = mutation.base, !decider.principal.isTrusted else { return .some(mutation.base) }
        if base.replica == decider.replica {
            guard let previous else { return wasLost(base.time) ? .some(base) : nil }
            return .some(Stamp(min(base.time, previous), base.replica))
        }
        if issued[base.replica] == nil {
            issued[base.replica] = .some(try set.source.lastEffective(of: base.replica))
        }
        guard let last = issued[base.replica] ?? nil, base.time <= last else {
            return wasLost(base.time) ? .some(base) : nil
        }
        return .some(base)
    }

    private mutating func stamp(of mutation: Mutation, base: Stamp?) -> Stamp {
        let time: HybridTime
        if decider.exactTimes {
            time = mutation.time
        } else if let recovered = recoveredTime(of: mutation) {
            time = recovered
        } else {
            time = EffectiveTime.of(corrected: corrected(mutation), base: base, previous: previous)
        }
        previous = max(previous ?? time, time)
        plan.lastEffective = previous
        return Stamp(time, decider.replica)
    }

    func corrected(_ mutation: Mutation) -> HybridTime {
        decider.principal.isTrusted
            ? mutation.time : decider.correction.corrected(mutation.time, mark: mutation.mark)
    }
}
