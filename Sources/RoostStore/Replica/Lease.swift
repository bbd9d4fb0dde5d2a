import RoostSchema
import RoostSync
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

    /// A clock set back by more than this tells nothing about the time that passed.
    private static let tolerance: Int64 = 86_400_000

    package init(days: Int, from: DeviceMoment) {
        self.days = days
        self.from = from
    }

    /// Whether it has run out.
    ///
    /// Within one boot the steady clock decides, which nobody sets; otherwise the wall clock, and one that was set back
    /// counts as run out, for setting it back must not prolong a lease.
    package func isOver(at moment: DeviceMoment) -> Bool {
        guard days > 0 else { return false }
        let limit = Int64(days) * 86_400_000
        if let then = from.mark, let now = moment.mark, then.boot == now.boot, then.monotonic <= now.monotonic {
            return now.monotonic - then.monotonic > limit
        }
        let passed = moment.now.value - from.now.value
        return passed > limit || passed < -Self.tolerance
    }

    /// As the replica keeps the moment: wall, monotonic and boot, separated by blanks.
    var written: String {
        ([from.now.value.description] + (from.mark.map { [$0.monotonic.description, $0.boot] } ?? []))
            .joined(separator: " ")
    }

    init?(days: Int, written: String) {
        let parts = written.split(separator: " ", maxSplits: 2).map(String.init)
        guard let now = parts.first.flatMap({ Int64($0) }) else { return nil }
        let mark =
            parts.count == 3
            ? Int64(parts[1]).map { Mutation.Mark(monotonic: $0, boot: parts[2]) } : nil
        self.init(days: days, from: DeviceMoment(now: Milliseconds(now), mark: mark))
    }
}

extension Replica {
    /// A lease is written down again when so much of it is gone: an idle exchange writes nothing.
    private static let renewal: Int64 = 3_600_000

    /// The lease as it stands; nil before the first synchronisation.
    package func lease() throws -> Lease? { try reading { db in try self.lease(db) } }

    private func lease(_ db: Database) throws -> Lease? {
        try fact(.leaseFrom, db).flatMap { Lease(days: Int((try? number(.leaseDays, db)) ?? 0), written: $0) }
    }

    /// Begins the lease anew: the device is in step with the server, which grants so many days.
    package func renewLease(days: Int, at moment: DeviceMoment) throws {
        isLocked.withLock { $0 = false }
        let lease = Lease(days: days, from: moment)
        if let known = try self.lease(), known.days == days, known.from.mark?.boot == moment.mark?.boot,
            abs(moment.now.value - known.from.now.value) < Self.renewal
        {
            return
        }
        try writing { db in
            try self.setFact(.leaseDays, "\(days)", db)
            try self.setFact(.leaseFrom, lease.written, db)
        }
    }

    /// Locks what the catalogue declares to be leased, if the lease has run out; answers with the lease if so.
    ///
    /// From then on rows are shown without those fields, until ``renewLease(days:at:)``.
    @discardableResult
    package func observeLease(at moment: DeviceMoment) throws -> Lease? {
        let lease = try lease()
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
