import GRDB
package import RoostSync
import Synchronization

/// What one device brought back after the server lost a part of its history.
package struct RecoveredDevice: Hashable, Sendable {
    package let device: DeviceRecord
    /// When it learned of the epoch; nil if it has not come since.
    package let met: Milliseconds?
    /// What became of the mutations it gave again.
    package let outcomes: [Verdict.Outcome: Int]
    /// Mutations that were acknowledged and lost, and that it could not give again.
    package let unrecovered: Int
    /// Mutations given again that wait for a row another device has yet to bring.
    package let waiting: Int
}

/// The operator's report on an epoch.
package struct RecoveryReport: Hashable, Sendable {
    package let begun: EpochRecord
    /// The devices enrolled before the epoch began and not revoked.
    package let devices: [RecoveredDevice]

    /// Devices that may still bring something.
    package var awaited: Int { devices.count { $0.met == nil } }
}

extension ServerStore {
    /// Notes that a device was told of this epoch, and the last incarnation that is known of it.
    func noteMet(_ replica: ReplicaID, in incarnation: Int64, now: Milliseconds, _ db: Database) throws {
        let statement = try BoundStatement(
            db, "INSERT OR IGNORE INTO recovery (epoch, replica, met_ms, incarnation) VALUES (?, ?, ?, ?)")
        try statement.bind(1, epoch)
        try statement.bind(2, replica)
        try statement.bind(3, now.value)
        try statement.bind(4, incarnation)
        try statement.run()
    }

    /// Mutations a replica sent for the first time, whose claims to stamps of a lost history are dropped where they cannot
    /// be true.
    ///
    /// A replica gives again what was lost once an epoch: in the incarnation that it begins on meeting it, before all else.
    /// A claim made later would only file a new edit under a time at which its author still had access.
    /// `before` is how far the replica had come.
    func believed(
        _ mutations: [Mutation], of replica: ReplicaID, in incarnation: Int64,
        before: (incarnation: Int64, last: Int64),
        _ db: Database
    ) throws -> [Mutation] {
        guard mutations.contains(where: { $0.recovered != nil }) else { return mutations }
        let note = try GRDB.Row.fetchOne(
            db,
            sql: """
                SELECT incarnation, applied + merged + late + quarantined + rejected FROM recovery
                WHERE epoch = ? AND replica = ?
                """, arguments: [epoch, Int64(bitPattern: replica.bits)])
        let isGivingAgain =
            note.map { note in
                (note[0] as Int64?).map { $0 == before.incarnation } ?? true
                    && note[1] == (incarnation == before.incarnation ? before.last : 0)
            } ?? false
        let given = isGivingAgain ? mutations.prefix { $0.recovered != nil }.count : 0
        if given > 0, incarnation != before.incarnation {
            try db.execute(
                sql: "UPDATE recovery SET incarnation = ? WHERE epoch = ? AND replica = ?",
                arguments: [incarnation, epoch, Int64(bitPattern: replica.bits)])
        }
        return mutations[..<given] + mutations[given...].map(\.unrecovered)
    }

    /// How late what a replica gives again may be about what its author has no access to any more, in milliseconds.
    ///
    /// No matter how late for a device this history knew before the loss. Of one that enrolled only afterwards nothing is
    /// known: it may have been enrolled since the backup was made, or it may make up what it says.
    func recoveryGrace(of replica: ReplicaID, _ db: Database) throws -> Int64 {
        guard let lostUntil else { return .max }
        let enrolled = try Int64.fetchOne(
            db, sql: "SELECT enrolled_ms FROM replica WHERE id = ?", arguments: [Int64(bitPattern: replica.bits)])
        return enrolled.map { $0 < lostUntil.value } ?? false ? .max : leniency.withLock(\.grace)
    }

    /// Notes what a device says it cannot give again.
    func noteUnrecovered(_ count: Int64, _ replica: ReplicaID) async throws {
        try await pool.write { db in
            let statement = try BoundStatement(
                db, "UPDATE recovery SET unrecovered = ? WHERE epoch = ? AND replica = ?")
            try statement.bind(1, count)
            try statement.bind(2, self.epoch)
            try statement.bind(3, replica)
            try statement.run()
        }
    }

    /// Counts what became of mutations that were given again.
    func noteRecovered(_ mutations: [Mutation], _ verdicts: [Verdict], of replica: ReplicaID, _ db: Database) throws {
        var counts: [Verdict.Outcome: Int64] = [:]
        for (mutation, verdict) in zip(mutations, verdicts) where mutation.recovered != nil {
            counts[verdict.outcome, default: 0] += 1
        }
        for (outcome, count) in counts {
            // The names of the columns are those of the outcomes.
            let name = outcome.rawValue
            let statement = try BoundStatement(
                db, "UPDATE recovery SET \(name) = \(name) + ? WHERE epoch = ? AND replica = ?")
            try statement.bind(1, count)
            try statement.bind(2, epoch)
            try statement.bind(3, replica)
            try statement.run()
        }
    }

    /// What came back in each epoch that was begun for a loss, newest first.
    package func recoveryReports() async throws -> [RecoveryReport] {
        let devices = try await devices().filter { $0.revoked == nil }
        return try await pool.read { db in
            try GRDB.Row.fetchAll(db, sql: "SELECT * FROM epoch_begun ORDER BY begun_ms DESC, epoch").map { row in
                let record = EpochRecord(row)
                let found = try GRDB.Row.fetchAll(
                    db, sql: "SELECT * FROM recovery WHERE epoch = ?", arguments: [record.epoch])
                let notes = Dictionary(
                    uniqueKeysWithValues: found.map { (ReplicaID(UInt64(bitPattern: $0["replica"] as Int64)), $0) })
                let waiting = try GRDB.Row.fetchAll(
                    db, sql: "SELECT replica, count(*) AS n FROM parked GROUP BY replica")
                let parked = Dictionary(
                    uniqueKeysWithValues: waiting.map {
                        (ReplicaID(UInt64(bitPattern: $0["replica"] as Int64)), $0["n"] as Int)
                    })
                return RecoveryReport(
                    begun: record,
                    devices: devices.filter { $0.enrolled < record.begun || notes[$0.device.replica] != nil }.map {
                        RecoveredDevice($0, notes[$0.device.replica], waiting: parked[$0.device.replica] ?? 0)
                    })
            }
        }
    }
}

extension EpochRecord {
    fileprivate init(_ row: GRDB.Row) {
        self.init(
            epoch: row["epoch"], former: row["former"], reason: Reason(rawValue: row["reason"]) ?? .putBack,
            replica: (row["replica"] as Int64?).map { ReplicaID(UInt64(bitPattern: $0)) },
            begun: Milliseconds(row["begun_ms"]), sequence: ServerSequence(row["sequence"]),
            highWater: (row["high_water"] as Int64?).map { ServerSequence($0) })
    }
}

extension RecoveredDevice {
    fileprivate init(_ device: DeviceRecord, _ note: GRDB.Row?, waiting: Int) {
        var outcomes: [Verdict.Outcome: Int] = [:]
        for outcome in [Verdict.Outcome.applied, .merged, .late, .quarantined, .rejected] {
            if let count = note?[outcome.rawValue] as Int?, count > 0 { outcomes[outcome] = count }
        }
        self.init(
            device: device, met: (note?["met_ms"] as Int64?).map { Milliseconds($0) }, outcomes: outcomes,
            unrecovered: note?["unrecovered"] ?? 0, waiting: waiting)
    }
}
