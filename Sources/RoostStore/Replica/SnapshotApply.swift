package import RoostSync
import Foundation
import GRDB
import RoostSchema
import Zlib

extension Replica {
    /// Rows per transaction: large enough that commits cost little, small enough that an interruption costs little.
    package static let batch = 10_000

    /// Applies a downloaded snapshot in batches, telling how many rows are applied after each, and removes its file.
    ///
    /// Interrupted, it goes on behind the last batch. The scope's cursor moves with the last batch, together with the
    /// removal of whatever the scope had before and the snapshot does not bring.
    /// - Throws: ``ReplicaError/damaged(_:)`` if the file is not what it should be; then it is removed.
    package func apply(
        _ download: Download, now: Milliseconds, batch: Int = batch, progress: (Int) throws -> Void = { _ in }
    ) throws -> AppliedAnswer {
        do {
            return try applyFile(download, now: now, batch: batch, progress: progress)
        } catch let problem as ZlibError {
            try abandon(download)
            throw ReplicaError.damaged("a snapshot cannot be inflated: \(problem)")
        } catch is WireProblem {
            try abandon(download)
            throw ReplicaError.damaged("a snapshot cannot be read")
        }
    }

    private func applyFile(
        _ download: Download, now: Milliseconds, batch: Int, progress: (Int) throws -> Void
    ) throws -> AppliedAnswer {
        guard let file = FileHandle(forReadingAtPath: part(of: download)) else {
            throw ReplicaError.damaged("a snapshot is missing")
        }
        defer { try? file.close() }
        var lines = SnapshotLines(skipping: download.applied)
        var decoder = try GzipDecoder(limit: download.offer.size)
        var applied = download.applied
        func write(_ rows: [SnapshotLines.Line], isLast: Bool) throws -> AppliedAnswer {
            var current = download
            current.applied = applied
            let state = current
            let result = try writing { db in
                var batch = try SnapshotBatch(self, db, state, now: now)
                for line in rows { try batch.keep(line) }
                return try batch.finish(applied: state.applied + rows.count, isLast: isLast)
            }
            applied += rows.count
            return result
        }
        while let piece = try? file.read(upToCount: 64 << 10), !piece.isEmpty {
            try decoder.write([UInt8](piece)) { try lines.take($0) }
            while lines.ready.count >= batch {
                _ = try write(Array(lines.ready.prefix(batch)), isLast: false)
                lines.ready.removeFirst(batch)
                try progress(applied)
            }
        }
        try decoder.finish()
        try lines.finish()
        guard applied + lines.ready.count == download.offer.rows else {
            try abandon(download)
            throw ReplicaError.damaged("a snapshot has another number of rows than announced")
        }
        let result = try write(lines.ready, isLast: true)
        sweepDownloads()
        try progress(applied)
        return result
    }
}

/// Cuts the content of a snapshot into rows.
struct SnapshotLines {
    struct Line {
        let bytes: [UInt8]
        let row: WireRow
    }

    var ready: [Line] = []
    private var rest: [UInt8] = []
    private var skipping: Int

    /// No honest row comes near it.
    private static let longest = 16 << 20

    init(skipping: Int) { self.skipping = skipping }

    mutating func take(_ piece: ArraySlice<UInt8>) throws {
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: 0x0A) {
            let bytes = rest.isEmpty ? Array(piece[start..<end]) : rest + piece[start..<end]
            rest.removeAll(keepingCapacity: true)
            start = end + 1
            if skipping > 0 {
                skipping -= 1
                continue
            }
            ready.append(Line(bytes: bytes, row: try WireRow(stored: bytes)))
        }
        rest += piece[start...]
        guard rest.count <= Self.longest else { throw ZlibError.tooLarge }
    }

    func finish() throws { if !rest.isEmpty || skipping > 0 { throw ZlibError.incomplete } }
}
