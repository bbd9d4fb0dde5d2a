import Foundation
import GRDB
import RoostSchema
import RoostSync

/// Puts a backup in the place of a directory's database.
extension ServerStore {
    /// What a restoration did beside putting the backup in place.
    package struct Restoration: Hashable, Sendable {
        /// Where the database that was there is now; nil if there was none.
        package var replaced: String?
        /// Whether devices revoked in the replaced database are revoked in the restored one too, and endpoints retired or
        /// unsubscribed there are stopped; where false, those of since the backup are in use again.
        package var keptRevocations = false
    }

    /// Puts a backup in place as the database of a directory.
    ///
    /// Its history is no continuation of what clients have seen since the backup was made, so the next start of the server
    /// begins a new epoch.
    ///
    /// The directory must not hold a database that is in use. One that is there is moved aside and not deleted; devices
    /// revoked and endpoints stopped in it stay so. Codes for enrolment are not restored, as some may have been used since.
    /// - Throws: ``StoreError/damaged(_:)`` if the backup is no sound database of this program,
    ///   ``StoreError/newerDatabase`` if a later version wrote it; both leave what is there as it was.
    package static func restore(
        _ backup: String, to directory: String,
        random: @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) throws -> Restoration {
        let files = FileManager.default
        try files.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let target = directory + "/" + fileName
        let staged = target + ".restoring"
        var restoration = Restoration()
        let isReplacing = files.fileExists(atPath: target)
        let ends = isReplacing ? try? Self.ends(in: target) : nil
        let ledger = Ledger(directory: directory)
        restoration.keptRevocations = ends != nil || ledger.exists
        let known = Set(ledger.entries())
        try? remove(staged)
        do {
            try files.copyItem(atPath: backup, toPath: staged)
            try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: staged)
            try prepare(staged)
            try makeDurable(staged)
        } catch {
            try? remove(staged)
            guard let error = error as? DatabaseError else { throw error }
            throw StoreError.damaged(diagnosis(of: error) ?? "not a database")
        }
        if isReplacing {
            // The log first: beside the restored database it would be taken for that one's.
            let aside = target + ".before-" + ReplicaID(random()).description
            for suffix in ["-wal", "-shm", ""] where files.fileExists(atPath: target + suffix) {
                try files.moveItem(atPath: target + suffix, toPath: aside + suffix)
            }
            restoration.replaced = aside
        }
        // The ledger may be younger than the replaced database. It is read when the new epoch begins.
        try ledger.append((ends ?? []).filter { !known.contains($0) })
        // First, so that whoever is interrupted here never serves the backup under its former epoch.
        try EpochFile(epoch: EpochFile.restoring, highWater: .zero).write(in: directory)
        try files.moveItem(atPath: staged, toPath: target)
        try makeDurable(directory)
        return restoration
    }

    /// The devices whose access a database has ended, and the endpoints that are stopped in it; of those it does not know
    /// since when.
    private static func ends(in path: String) throws -> [Ledger.Entry] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { db in
            let devices: [Ledger.Entry] = try GRDB.Row.fetchAll(
                db, sql: "SELECT id, revoked_ms FROM replica WHERE revoked_ms IS NOT NULL"
            ).map {
                .revoked(ReplicaID(UInt64(bitPattern: $0["id"] as Int64)), at: Milliseconds($0["revoked_ms"]))
            }
            // The first versions had no endpoints, or knew less of them.
            guard let statement = try? BoundStatement(db, RosterReader.endpointColumns) else { return devices }
            defer { statement.reset() }
            var endpoints: [Ledger.Entry] = []
            while try statement.step() {
                let endpoint = EndpointRecord(statement)
                if endpoint.isRetired { endpoints.append(.retired(endpoint.id, at: .init(0))) }
                if endpoint.isUnsubscribed {
                    endpoints.append(.unsubscribed(endpoint.id, address: endpoint.addressMark, at: .init(0)))
                }
            }
            return devices + endpoints
        }
    }

    /// Checks a copy of a backup, and takes from it the codes that may have been used since.
    private static func prepare(_ staged: String) throws {
        let queue = try DatabaseQueue(path: staged)
        defer { try? queue.close() }
        try queue.write { db in
            let findings = try String.fetchAll(db, sql: "PRAGMA integrity_check(10)").filter { $0 != "ok" }
            guard findings.isEmpty else { throw StoreError.damaged(findings.joined(separator: "; ")) }
            guard try !ServerSchema.migrator.hasBeenSuperseded(db) else { throw StoreError.newerDatabase }
            guard try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'epoch'") != nil else {
                throw StoreError.damaged("the backup holds no epoch")
            }
            try db.execute(sql: "DELETE FROM enrolment_code")
        }
    }

    /// Removes a database with what SQLite keeps beside it.
    private static func remove(_ path: String) throws {
        for suffix in ["-wal", "-shm", "-journal", ""] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.removeItem(atPath: path + suffix)
        }
    }
}
