import RoostSchema

/// Writes down what became of a group: verdicts, history, quarantine and conflicts.
extension DecisionRun {
    mutating func refuse(_ group: ArraySlice<Mutation>, at culprit: Int, _ reason: Refused) throws {
        for (index, mutation) in group.enumerated() {
            let own = index == culprit
            plan.verdicts.append(
                Verdict(
                    number: mutation.number, outcome: .rejected, refusal: own ? reason.refusal : .dependsOn,
                    about: own ? reason.about : nil, problem: own ? reason.problem?.rawValue : nil))
            guard mutation.action == .create, let collection = rules.catalogue.position(of: mutation.collection)
            else { continue }
            let key = RowKey(collection, mutation.row)
            // Later edits are of the row that is there, if it is one that the author sees.
            if let row = try set.row(key), sees(try scopesForJudging(row)) { continue }
            refused.insert(key)
            plan.refusedCreations.append(key)
            plan.madeUpFor.removeAll { $0 == key }
        }
    }

    mutating func quarantine(_ steps: [Step], reason: Quarantine.Reason) throws {
        let unit = steps.first?.resolved.mutation.number ?? 0
        for step in steps {
            let mutation = step.resolved.mutation
            try setAside(step.resolved, mutation.changes, mutation.action, unit: unit, reason)
            plan.verdicts.append(
                Verdict(number: mutation.number, outcome: .quarantined, stamp: step.resolved.stamp))
        }
    }

    /// Keeps mutations of collections that nobody declares yet: nothing can be said against them.
    mutating func keep(_ strangers: [(mutation: Mutation, stamp: Stamp)]) {
        guard !strangers.isEmpty else { return }
        for (mutation, stamp) in strangers {
            plan.lastSequence = plan.lastSequence.next
            plan.strangers.append(StrangerEntry(mutation: mutation, stamp: stamp, sequence: plan.lastSequence))
            plan.verdicts.append(Verdict(number: mutation.number, outcome: .applied, stamp: stamp))
        }
        // The group's verdicts stand in the order of its numbers.
        plan.verdicts.sort { $0.number < $1.number }
    }

    /// Keeps what lost, opens conflicts for values lost unseen, and gives the verdicts.
    mutating func record(_ steps: [Step], late: Bool) throws {
        for step in steps {
            let mutation = step.resolved.mutation
            if mutation.action == .create, refused.remove(step.resolved.key) != nil {
                plan.refusedCreations.removeAll { $0 == step.resolved.key }
                plan.madeUpFor.append(step.resolved.key)
            }
            for loss in step.losses {
                plan.history.append(HistoryEntry(row: step.resolved.key, loss: loss, sequence: .zero))
                if loss.hard, loss.field != "deleted" { try openConflict(loss, step.resolved) }
            }
            try noteParallels(step)
            plan.history += step.effects
            if !step.masked.isEmpty {
                try setAside(step.resolved, step.masked, .edit, unit: mutation.number, .masked)
            }
            var lost = step.losses.filter(\.incoming).map(\.field)
            let row = try set.row(step.resolved.key)
            var isDeleted = mutation.action == .edit && row?.isDeleted ?? false
            // What became of the row since is not for an author to know who does not see it any more.
            if late, let row, !sees(try scopesForJudging(row)) { (lost, isDeleted) = ([], false) }
            let outcome: Verdict.Outcome =
                !step.masked.isEmpty ? .quarantined : late ? .late : lost.isEmpty ? .applied : .merged
            plan.verdicts.append(
                Verdict(
                    number: mutation.number, outcome: outcome, stamp: step.resolved.stamp, lost: lost,
                    about: step.masked.first?.field, deleted: isDeleted))
        }
    }

    private func setAside(
        _ resolved: Resolved, _ changes: [Mutation.Change], _ action: Mutation.Action, unit: Int64,
        _ reason: Quarantine.Reason
    ) throws {
        try setAside(
            resolved.key, resolved.mutation.number, changes, action, at: resolved.stamp, madeAt: resolved.madeAt,
            unit: unit, reason)
    }

    func setAside(
        _ row: RowKey, _ number: Int64, _ changes: [Mutation.Change], _ action: Mutation.Action, at stamp: Stamp,
        madeAt: Milliseconds, unit: Int64, _ reason: Quarantine.Reason
    ) throws {
        let replica = decider.replica
        let entry = Quarantine.Entry(
            id: Quarantine.id(of: number, incarnation: decider.incarnation, by: replica), row: row,
            action: action, changes: changes, author: decider.principal.officer,
            device: try set.source.labels(of: [replica])[replica], madeAt: madeAt,
            unit: "\(replica) \(decider.incarnation) \(unit)", place: number, reason: reason)
        guard let (key, values) = try set.values(settingAside: entry, now: decider.now), try set.row(key) == nil
        else { return }
        set.put(Row(key: key, values: values, stamp: stamp))
    }

    private func openConflict(_ loss: Merge.Loss, _ resolved: Resolved) throws {
        guard let collection = rules.catalogue.position(of: Conflict.collection) else { return }
        let concerned = rules.catalogue.collections[resolved.key.collection]
        guard rules.concerning[resolved.key.collection] == nil else { return }
        let key = RowKey(collection, Conflict.id(of: resolved.key, field: loss.field, losing: loss.stamp))
        guard try set.row(key) == nil, let row = try set.row(resolved.key) else { return }
        let who = try authors(of: [loss.stamp, loss.winner])
        typealias Position = Conflict.Position
        var values = rules.catalogue.collections[collection].fields.map(\.initial)
        values[Position.subject] = set.whom(
            row, rules.catalogue.collections[collection].fields[Position.subject].target)
        values[Position.collection] = .text(concerned.name.text)
        values[Position.row] = .text(resolved.key.id.description)
        values[Position.field] = .text(loss.field)
        values[Position.value] = .list([loss.value])
        values[Position.losingStamp] = .text(loss.stamp.description)
        values[Position.losingAuthor] = who(loss.stamp).author
        values[Position.winningStamp] = .text(loss.winner.description)
        values[Position.winningAuthor] = who(loss.winner).author
        values[Position.losingDevice] = who(loss.stamp).device
        values[Position.winningDevice] = who(loss.winner).device
        set.put(Row(key: key, values: values, stamp: resolved.stamp))
    }

    /// Who made edits, and on which device.
    func authors(of stamps: [Stamp]) throws -> (Stamp) -> (author: Value, device: Value) {
        let replicas = Set(stamps.map(\.replica))
        var officers = try set.source.officers(of: replicas)
        officers[decider.replica] = decider.principal.officer
        let labels = try set.source.labels(of: replicas)
        return { [officers] stamp in
            (
                officers[stamp.replica].map { .text($0.description) } ?? .null,
                labels[stamp.replica].map { .text($0) } ?? .null
            )
        }
    }
}
