import GRDB
package import RoostSync

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
    /// Notes that a device was told of this epoch.
    func noteMet(_ replica: ReplicaID, now: Milliseconds, _ db: Database) throws {
        let statement = try BoundStatement(
            db, "INSERT OR IGNORE INTO recovery (epoch, replica, met_ms) VALUES (?, ?, ?)")
        try statement.bind(1, epoch)
        try statement.bind(2, replica)
        try statement.bind(3, now.value)
        try statement.run()
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
