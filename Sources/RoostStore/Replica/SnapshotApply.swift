package import RoostSync
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
        } catch is OtherCount {
            try abandon(download)
            throw ReplicaError.damaged("a snapshot has another number of rows than announced")
        }
    }

    private func applyFile(
        _ download: Download, now: Milliseconds, batch: Int, progress: (Int) throws -> Void
    ) throws -> AppliedAnswer {
        let portion = min(batch, SnapshotLines.portion)
        let lines = try SnapshotLines(
            path: part(of: download), of: self, size: download.offer.size, skipping: download.applied,
            portion: portion)
        var current = download
        while true {
            let state = current
            let (applied, isLast, result) = try writing { db in
                var rows = try SnapshotBatch(self, db, state, now: now)
                var applied = state.applied
                var isLast = false
                for _ in 0..<batch / portion where !isLast {
                    let portion = try lines.next()
                    for line in portion { try rows.keep(line) }
                    applied += portion.count
                    isLast = portion.isEmpty
                }
                guard isLast ? applied == state.offer.rows : applied <= state.offer.rows else { throw OtherCount() }
                return (applied, isLast, try rows.finish(applied: applied, isLast: isLast))
            }
            current.applied = applied
            if isLast { sweepDownloads() }
            try progress(applied)
            if isLast { return result }
        }
    }
}

/// A snapshot has another number of rows than announced.
private struct OtherCount: Error {}
