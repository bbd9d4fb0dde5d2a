package import RoostSchema

/// The merge rule, in one place.
///
/// A mutation has one effective stamp. For each field it names, the value with the higher stamp stays, where stamps are
/// compared by time, then counter, then replica; equal stamps name one mutation, so there is no tie. The rule is a
/// total order over values and does not depend on the order of arrival. Two refinements:
///
/// - a field merged by rank keeps the value of higher rank, unless its author saw that value and set the reopening one;
/// - deletion is a register of its own; field values written to a deleted row are merged but do not bring it back.
///
/// The value that gives way is returned, with whether its author and the winner's were unaware of each other (*hard*).
package enum Merge {
    /// A value that gave way.
    package struct Loss: Hashable, Sendable {
        /// The field's name, or `deleted`.
        package let field: String
        package let value: Value
        package let stamp: Stamp
        package let winner: Stamp
        /// Whether neither author had seen the other's value.
        package let hard: Bool
        /// Whether it is the incoming value that lost.
        package let incoming: Bool
    }

    /// Merges field values into a row, in place.
    ///
    /// `changes` are positions and values, `unknown` are fields by name. `stamp` is the mutation's effective stamp, and
    /// `base` the greatest stamp of the values its author saw; nil if they saw none. What gave way is returned.
    package static func merge(
        _ changes: [(position: Int, value: Value)], unknown: [Mutation.Change], into row: inout Row,
        of collection: RoostSchema.Collection, at stamp: Stamp, base: Stamp?
    ) -> [Loss] {
        var losses: [Loss] = []
        for (position, value) in changes {
            let current = row.stamp(of: position)
            let old = row.values[position]
            let field = collection.fields[position]
            let saw = hasSeen(current, base, by: stamp.replica)
            let wins = incomingWins(value, stamp, over: old, current, field.merge, saw: saw)
            if old == value {
                if stamp > current { row.set(position, to: value, at: stamp) }
                continue
            }
            losses.append(
                Loss(
                    field: field.name.text, value: wins ? old : value, stamp: wins ? current : stamp,
                    winner: wins ? stamp : current, hard: !saw && !(wins && old.isNull), incoming: !wins))
            if wins { row.set(position, to: value, at: stamp) }
        }
        for change in unknown {
            guard let index = row.unknown.firstIndex(where: { $0.name == change.field }) else {
                row.unknown.append(UnknownField(change.field, change.value, stamp))
                continue
            }
            let current = row.unknown[index]
            let wins = stamp > current.stamp
            if current.value != change.value {
                losses.append(
                    Loss(
                        field: change.field, value: wins ? current.value : change.value,
                        stamp: wins ? current.stamp : stamp, winner: wins ? stamp : current.stamp,
                        hard: !hasSeen(current.stamp, base, by: stamp.replica), incoming: !wins))
            }
            if wins { row.unknown[index] = UnknownField(change.field, change.value, stamp) }
        }
        return losses
    }

    /// Merges a deletion or restoration.
    package static func merge(deleted: Bool, into row: inout Row, at stamp: Stamp, base: Stamp?) -> [Loss] {
        let current = row.deletion
        let was = row.isDeleted
        let wins = stamp > current
        if wins {
            row.deletion = stamp
            row.isDeleted = deleted
        }
        guard was != deleted else { return [] }
        let saw = hasSeen(current, base, by: stamp.replica)
        return [
            Loss(
                field: "deleted", value: .boolean(wins ? was : deleted), stamp: wins ? current : stamp,
                winner: wins ? stamp : current, hard: !saw && !wins, incoming: !wins)
        ]
    }

    /// Whether an author had seen a value: the replica's own edits it always has.
    private static func hasSeen(_ current: Stamp, _ base: Stamp?, by replica: ReplicaID) -> Bool {
        current.replica == replica || base.map { $0 >= current } ?? false
    }

    private static func incomingWins(
        _ value: Value, _ stamp: Stamp, over old: Value, _ current: Stamp, _ kind: MergeKind, saw: Bool
    ) -> Bool {
        switch kind {
        case .lastWriter:
            return stamp > current
        case .rank(let ranks, let reopens):
            let incoming = value.text.flatMap { ranks.firstIndex(of: $0) } ?? -1
            let stored = old.text.flatMap { ranks.firstIndex(of: $0) } ?? -1
            if value.text == reopens, saw, stamp > current { return true }
            return incoming == stored ? stamp > current : incoming > stored
        }
    }
}

/// The effective time of a mutation: what decides who wins.
package enum EffectiveTime {
    /// The maximum of the corrected time, just after the base and just after the replica's previous mutation, so that
    /// what was edited after seeing a value beats it even from a slow clock, and a replica's own edits keep their order.
    package static func of(corrected: HybridTime, base: Stamp?, previous: HybridTime?) -> HybridTime {
        max(corrected, max(base?.time.next ?? corrected, previous?.next ?? corrected))
    }
}

/// Rebases what a device's clock said to the server's clock.
package struct ClockCorrection: Hashable, Sendable {
    /// Device clock minus server clock, in milliseconds; 0 within the tolerance.
    package let offset: Int64
    private let deviceMonotonic: Int64?
    private let deviceBoot: String?
    /// What the server's clock said when the steady clock of an earlier boot read 0, as the device knows by exchanges in it.
    private let boots: [String: Milliseconds]
    private let now: Milliseconds

    /// Below this many milliseconds an offset is taken for network delay and left alone.
    package static let tolerance: Int64 = 2000

    package init(
        now: Milliseconds, device: Milliseconds, mark: Mutation.Mark?, boots: [String: Milliseconds] = [:]
    ) {
        self.boots = boots
        let measured = device - now
        offset = abs(measured) <= Self.tolerance ? 0 : measured
        self.now = now
        deviceMonotonic = mark?.monotonic
        deviceBoot = mark?.boot
    }

    /// The server's time at which an edit was made; never later than now.
    ///
    /// The monotonic clock gives the edit's age however often the wall clock was set: within this boot, and within one of
    /// which the device says when it began. Otherwise the offset measured now is the best knowledge there is. Small
    /// offsets leave the stamp as it is.
    package func corrected(_ time: HybridTime, mark: Mutation.Mark?) -> HybridTime {
        let ceiling = HybridTime(now)
        if let aged = mark.flatMap(moment) {
            let drift = time.moment - aged
            if abs(drift) <= Self.tolerance { return min(time, ceiling) }
            return min(HybridTime(bits: HybridTime(aged).bits | UInt64(time.counter)), ceiling)
        }
        guard offset != 0 else { return min(time, ceiling) }
        let moved = HybridTime(time.moment + -offset)
        return min(HybridTime(bits: moved.bits | UInt64(time.counter)), ceiling)
    }

    /// The server's time at a reading of the steady clock; nil for a boot of which nothing is known.
    private func moment(of mark: Mutation.Mark) -> Milliseconds? {
        if let deviceBoot, let deviceMonotonic, mark.boot == deviceBoot {
            return mark.monotonic <= deviceMonotonic ? now + (mark.monotonic - deviceMonotonic) : nil
        }
        return boots[mark.boot].map { $0 + mark.monotonic }
    }
}
