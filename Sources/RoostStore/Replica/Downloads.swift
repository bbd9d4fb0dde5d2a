package import RoostSchema
package import RoostSync
import Crypto
import Foundation
import GRDB

/// A snapshot on its way to this replica, or being applied.
package struct Download: Hashable, Sendable {
    package let scope: Scope
    /// The scope's epoch, to be kept with the cursor once everything is applied.
    package let epoch: Int64
    package let offer: SnapshotOffer
    /// Bytes of the file that are here.
    package var received: Int
    /// Rows of the file that are applied.
    package var applied: Int

    /// How far it is, 0 to 1: half for fetching the file, half for applying it.
    package var progress: Double {
        Double(received) / Double(max(1, offer.bytes)) / 2 + Double(applied) / Double(max(1, offer.rows)) / 2
    }
}

/// What lies beside the database while a snapshot is fetched; it holds people's data like the database itself.
extension Replica {
    static let partPrefix = "snapshot-"

    package func part(of download: Download) -> String {
        directory + "/" + Self.partPrefix + download.offer.id + ".part"
    }

    /// Notes that a snapshot is to be fetched, or tells how far it is.
    ///
    /// The scope is held from now on, with nothing of it: so the server will say if it is lost meanwhile.
    package func begin(_ offer: SnapshotOffer, for page: ScopePage) throws -> Download {
        try writing { db in
            let hold = try BoundStatement(
                db, "INSERT INTO held (scope, epoch, cursor) VALUES (?, 0, 0) ON CONFLICT (scope) DO NOTHING")
            try hold.bind(1, page.scope.description)
            try hold.run()
            if let known = try self.downloads(db).first(where: { $0.scope == page.scope }) {
                guard known.offer != offer || known.epoch != page.epoch else { return }
                try self.forgetDownload(of: page.scope, db)
            }
            let statement = try BoundStatement(
                db,
                "INSERT INTO download (scope, epoch, id, sequence, rows, bytes, size) VALUES (?, ?, ?, ?, ?, ?, ?)")
            try statement.bind(1, page.scope.description)
            try statement.bind(2, page.epoch)
            try statement.bind(3, offer.id)
            try statement.bind(4, offer.sequence.value)
            try statement.bind(5, Int64(offer.rows))
            try statement.bind(6, Int64(offer.bytes))
            try statement.bind(7, Int64(offer.size))
            try statement.run()
        }
        sweepDownloads()
        guard let download = try downloads().first(where: { $0.scope == page.scope }) else {
            throw ReplicaError.damaged("a download is missing")
        }
        return download
    }

    /// Snapshots that are not wholly applied yet.
    package func downloads() throws -> [Download] { try reading { db in try self.downloads(db) } }

    func downloads(_ db: Database) throws -> [Download] {
        let statement = try BoundStatement(
            db, "SELECT scope, epoch, id, sequence, rows, bytes, size, applied FROM download ORDER BY scope")
        defer { statement.reset() }
        var downloads: [Download] = []
        while try statement.step() {
            guard let scope = Scope(statement.text(0)) else { continue }
            var download = Download(
                scope: scope, epoch: statement.integer(1),
                offer: SnapshotOffer(
                    id: statement.text(2), sequence: ServerSequence(statement.integer(3)),
                    rows: Int(statement.integer(4)), bytes: Int(statement.integer(5)), size: Int(statement.integer(6))),
                received: 0, applied: Int(statement.integer(7)))
            let attributes = try? FileManager.default.attributesOfItem(atPath: part(of: download))
            download.received = (attributes?[.size] as? NSNumber)?.intValue ?? 0
            downloads.append(download)
        }
        return downloads
    }

    func forgetDownload(of scope: Scope, _ db: Database) throws {
        let statement = try BoundStatement(db, "DELETE FROM download WHERE scope = ?")
        try statement.bind(1, scope.description)
        try statement.run()
    }

    /// Adds what came to the part file.
    package func append(_ bytes: [UInt8], to download: inout Download) throws {
        let path = part(of: download)
        do {
            if !FileManager.default.fileExists(atPath: path) {
                _ = FileManager.default.createFile(
                    atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            guard let file = FileHandle(forWritingAtPath: path) else { throw CocoaError(.fileWriteUnknown) }
            defer { try? file.close() }
            try file.seek(toOffset: UInt64(download.received))
            try file.write(contentsOf: Data(bytes))
        } catch {
            throw ReplicaError.unusable(Int(ResultCode.SQLITE_FULL.rawValue))
        }
        download.received += bytes.count
    }

    /// Whether the part file is the whole snapshot, unchanged.
    package func isWhole(_ download: Download) -> Bool {
        guard download.received == download.offer.bytes, let file = FileHandle(forReadingAtPath: part(of: download))
        else { return false }
        defer { try? file.close() }
        var hash = SHA256()
        while let piece = try? file.read(upToCount: 1 << 20), !piece.isEmpty { hash.update(data: piece) }
        let digits = hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return digits == download.offer.id
    }

    /// Gives up a download; what was applied of it stays until the scope is read anew.
    package func abandon(_ download: Download) throws {
        try writing { db in try self.forgetDownload(of: download.scope, db) }
        sweepDownloads()
    }

    /// Removes part files that belong to no download any more.
    package func sweepDownloads() {
        guard let known = try? downloads() else { return }
        let kept = Set(known.map { part(of: $0) })
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where name.hasPrefix(Self.partPrefix) && !kept.contains(directory + "/" + name) {
            try? FileManager.default.removeItem(atPath: directory + "/" + name)
        }
    }
}
