import RoostSchema
package import RoostSync
import GRDB
import Synchronization

/// How long a device may be out of contact before it locks what would hurt most if it were lost.
///
/// A device that does not come cannot be purged; so it keeps to itself, after a while, how people can be reached.
/// Nothing is deleted: a synchronisation unlocks it.
package struct Lease: Hashable, Sendable {
    /// Days without contact; 0 for as many as anybody likes.
    package let days: Int
    /// The device's clocks when it was last in step with the server.
    package let from: DeviceMoment
    /// How many milliseconds of it were gone for certain when the clocks stood as in `seen`.
    let passed: Int64
    let seen: DeviceMoment

    /// A clock set back by more than this tells nothing about the time that passed.
    private static let tolerance: Int64 = 86_400_000

    package init(days: Int, from: DeviceMoment) { self.init(days: days, from: from, passed: 0, seen: from) }

    private init(days: Int, from: DeviceMoment, passed: Int64, seen: DeviceMoment) {
        self.days = days
        self.from = from
        self.passed = passed
        self.seen = seen
    }

    private var limit: Int64 { Int64(days) * 86_400_000 }

    /// Whether it has run out.
    package func isOver(at moment: DeviceMoment) -> Bool { days > 0 && passed(by: moment) > limit }

    /// How much of it is gone.
    ///
    /// Within one boot the steady clock decides, which nobody sets; otherwise the wall clock. What was gone once stays gone,
    /// and a wall clock that was set far back counts as run out, for setting it back must not prolong a lease.
    private func passed(by moment: DeviceMoment) -> Int64 {
        if let then = seen.mark, let now = moment.mark, then.boot == now.boot, then.monotonic <= now.monotonic {
            return passed + (now.monotonic - then.monotonic)
        }
        let difference = moment.now.value - seen.now.value
        return difference < -Self.tolerance ? max(passed, limit + 1) : passed + max(0, difference)
    }

    /// The lease with what is known of it now, if that is worth writing down; nil otherwise.
    ///
    /// That is so when it has run out, in another boot, whose steady clock counts from now on, and every so often besides.
    func noted(at moment: DeviceMoment, every interval: Int64) -> Lease? {
        let now = passed(by: moment)
        let isNew = moment.mark.map { $0.boot != seen.mark?.boot } ?? false
        guard days > 0, isNew || now - passed >= interval || (now > limit && passed <= limit) else { return nil }
        return Lease(days: days, from: from, passed: now, seen: moment)
    }

    /// Whether so much of it is gone that it is worth writing down that it began anew.
    func isWorn(by interval: Int64) -> Bool { passed >= interval }

    /// As the replica keeps them: the beginning, and what is gone with the moment that tells it.
    var written: String { Self.written(from) }
    var writtenPassed: String { "\(passed) " + Self.written(seen) }

    /// Wall, monotonic and boot, separated by blanks.
    private static func written(_ moment: DeviceMoment) -> String {
        ([moment.now.value.description] + (moment.mark.map { [$0.monotonic.description, $0.boot] } ?? []))
            .joined(separator: " ")
    }

    private static func moment(_ written: Substring) -> DeviceMoment? {
        let parts = written.split(separator: " ", maxSplits: 2).map(String.init)
        guard let now = parts.first.flatMap({ Int64($0) }) else { return nil }
        let mark =
            parts.count == 3
            ? Int64(parts[1]).map { Mutation.Mark(monotonic: $0, boot: parts[2]) } : nil
        return DeviceMoment(now: Milliseconds(now), mark: mark)
    }

    /// `passed` is absent while nothing was noted since the beginning.
    init?(days: Int, written: String, passed: String?) {
        guard let from = Self.moment(Substring(written)) else { return nil }
        let parts = passed?.split(separator: " ", maxSplits: 1)
        if let parts, parts.count == 2, let gone = Int64(parts[0]), let seen = Self.moment(parts[1]) {
            self.init(days: days, from: from, passed: gone, seen: seen)
        } else {
            self.init(days: days, from: from)
        }
    }
}

extension Replica {
    /// A lease is written down again when so much of it is gone: an idle exchange writes nothing.
    private static let renewal: Int64 = 3_600_000

    /// The lease as it stands; nil before the first synchronisation.
    package func lease() throws -> Lease? { try reading { db in try self.lease(db) } }

    private func lease(_ db: Database) throws -> Lease? {
        guard let from = try fact(.leaseFrom, db) else { return nil }
        return Lease(days: Int(try number(.leaseDays, db)), written: from, passed: try fact(.leasePassed, db))
    }

    /// Begins the lease anew: the device is in step with the server, which grants so many days.
    package func renewLease(days: Int, at moment: DeviceMoment) throws {
        isLocked.withLock { $0 = false }
        let lease = Lease(days: days, from: moment)
        if let known = try self.lease(), known.days == days, !known.isWorn(by: Self.renewal),
            known.from.mark?.boot == moment.mark?.boot, abs(moment.now.value - known.from.now.value) < Self.renewal
        {
            return
        }
        try writing { db in
            try self.setFact(.leaseDays, "\(days)", db)
            try self.setFact(.leaseFrom, lease.written, db)
            try self.removeFact(.leasePassed, db)
        }
    }

    /// Locks what the catalogue declares to be leased, if the lease has run out; answers with the lease if so.
    ///
    /// From then on rows are shown without those fields, until ``renewLease(days:at:)``. How much of it is gone is written
    /// down, at most once an hour, so that no later reading of the clock makes it less.
    @discardableResult
    package func observeLease(at moment: DeviceMoment) throws -> Lease? {
        var lease = try lease()
        if let noted = lease?.noted(at: moment, every: Self.renewal) {
            try writing { db in
                // A synchronisation may have begun it anew since.
                guard try self.lease(db) == lease else { return }
                try self.setFact(.leasePassed, noted.writtenPassed, db)
            }
            lease = noted
        }
        let isOver = lease?.isOver(at: moment) ?? false
        isLocked.withLock { $0 = isOver }
        return isOver ? lease : nil
    }

    /// A row without what is locked.
    func veiled(_ shown: ShownRow) -> ShownRow {
        guard isLocked.withLock({ $0 }) else { return shown }
        var veiled = shown
        let collection = rules.catalogue.collections[shown.row.key.collection]
        switch collection.name {
        case Conflict.collection:
            guard let concerned = concerned(shown, Conflict.Position.collection),
                let field = shown.row.values[Conflict.Position.field].text, concerned.isLeased(field)
            else { return shown }
            veiled.lock(Conflict.Position.value)
        case Quarantine.collection:
            guard let concerned = concerned(shown, Quarantine.Position.collection),
                case .object(let members) = shown.row.values[Quarantine.Position.values]
            else { return shown }
            let open = members.filter { !concerned.isLeased($0.name) }
            guard open.count < members.count else { return shown }
            veiled.lock(Quarantine.Position.values)
            veiled.row.values[Quarantine.Position.values] = .object(open)
        default:
            for position in collection.leased where !shown.row.values[position].isNull { veiled.lock(position) }
        }
        return veiled
    }

    /// An edit without what is locked of it.
    func veiled(_ answered: AnsweredMutation) -> AnsweredMutation {
        guard let mutation = answered.mutation, let (open, locked) = veiled(mutation) else { return answered }
        var veiled = answered
        (veiled.mutation, veiled.locked) = (open, locked)
        return veiled
    }

    /// An edit without what is locked of it, and the names of those fields; nil where nothing is.
    package func veiled(_ mutation: Mutation) -> (open: Mutation, locked: [String])? {
        guard isLocked.withLock({ $0 }), let collection = rules.catalogue[CollectionName(mutation.collection)] else {
            return nil
        }
        let locked = mutation.changes.map(\.field).filter { collection.isLeased($0) }
        return locked.isEmpty ? nil : (mutation.saying(mutation.changes.filter { !locked.contains($0.field) }), locked)
    }

    private func concerned(_ shown: ShownRow, _ position: Int) -> RoostSchema.Collection? {
        shown.row.values[position].text.flatMap { rules.catalogue[CollectionName($0)] }
    }
}

extension ShownRow {
    fileprivate mutating func lock(_ position: Int) {
        row.values[position] = .null
        masked.remove(position)
        locked.insert(position)
    }
}

extension RoostSchema.Collection {
    fileprivate func isLeased(_ field: String) -> Bool { position(of: field).map { leased.contains($0) } ?? false }
}
