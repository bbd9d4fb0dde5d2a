import RoostSchema

/// Files again what a server lost with a part of its history, under the stamps it had given.
extension DecisionRun {
    /// The last time a history that was lost can have issued; nil if none was lost.
    private var lastLost: HybridTime? {
        decider.lostUntil.map { HybridTime(bits: HybridTime(min($0, decider.now)).bits | 0xFFFF) }
    }

    /// Whether a stamp of this time may have been issued by a history that was lost.
    func wasLost(_ time: HybridTime) -> Bool { lastLost.map { time <= $0 } ?? false }

    /// The time under which a mutation was filed before it was lost; nil for what is new.
    ///
    /// A replica can claim stamps of its own only, none later than the loss, and none that it has been given again: the
    /// times of a replica keep rising. Where no history was ever lost the claim counts for nothing.
    func recoveredTime(of mutation: Mutation) -> HybridTime? {
        guard let stamp = mutation.recovered, stamp.replica == decider.replica, let lastLost else { return nil }
        let time = min(stamp.time, lastLost)
        return previous.map { max(time, $0.next) } ?? time
    }

    func isRecovered(_ group: ArraySlice<Mutation>) -> Bool {
        decider.lostUntil != nil
            && group.allSatisfy { $0.recovered.map { $0.replica == decider.replica } ?? false }
    }

    /// Keeps a recovered group that cannot be applied as things stand, instead of refusing what was accepted once.
    ///
    /// What lacks a row waits for the device that made the row to come; for what the author may not write, as far as
    /// this history knows, a person decides; so too for whatever cannot be applied once the row is there, as its verdict
    /// was given. False where the refusal has another reason and stands.
    mutating func setAside(_ group: ArraySlice<Mutation>, _ stamps: [Stamp], _ reason: Refused) throws -> Bool {
        if try noteErased(group) { return false }
        guard decider.exactTimes || [.outOfScope, .forbidden].contains(reason.refusal), stamps.count == group.count
        else { return false }
        for (mutation, stamp) in zip(group, stamps) {
            guard let collection = rules.catalogue.position(of: mutation.collection) else { return false }
            let key = RowKey(collection, mutation.row)
            if let awaited = reason.awaited {
                plan.parked.append(ParkedEntry(mutation: mutation, stamp: stamp, awaited: awaited))
            } else {
                try setAside(
                    key, mutation.number, mutation.changes, mutation.action, at: stamp, madeAt: stamp.time.moment,
                    unit: group.first?.number ?? mutation.number, .recovered)
            }
            plan.verdicts.append(Verdict(number: mutation.number, outcome: .quarantined, stamp: stamp))
        }
        return true
    }

    /// Whether a group is of what was erased or collected, or about it: then nothing of it is kept, and rows about it count
    /// as erased too, so that nothing waits for them.
    private mutating func noteErased(_ group: ArraySlice<Mutation>) throws -> Bool {
        var isErased = false
        for mutation in group {
            guard let collection = rules.catalogue.position(of: mutation.collection) else { continue }
            let key = RowKey(collection, mutation.row)
            if try !set.source.erased([key]).isEmpty { isErased = true }
            guard let subject = rules.subjects[collection] else { continue }
            let field = rules.catalogue.collections[collection].fields[subject.position].name.text
            let named = mutation.changes.filter { $0.field == field }.compactMap(\.value.asID)
            guard try !set.source.erased(named.map { RowKey(subject.collection, $0) }).isEmpty else { continue }
            isErased = true
            if try set.row(key) == nil { plan.erased.append(key) }
        }
        return isErased
    }
}
