import Curl
import RoostAPI
import RoostSync

/// How fast a replica that is new gets everything, and keeps it.
enum PullBench {
    /// Page by page.
    static func measurePages(_ server: BenchServer, _ report: inout Report) async throws {
        let clock = ContinuousClock()
        var fresh = try await Replicant(server, 0xBE9D)
        var (bytes, time) = (0, Duration.zero)
        var answers: [[UInt8]] = []
        repeat {
            let body = fresh.request([])
            let begun = clock.now
            let answer = try await fresh.post(body)
            time += clock.now - begun
            bytes += answer.count
            answers.append(answer)
            _ = try fresh.accept(answer)
        } while fresh.more
        report["pull_rows_per_second"] = Double(fresh.rows) / time.seconds
        report["pull_bytes_per_row"] = Double(bytes) / Double(max(fresh.rows, 1))
        report["client_apply_rows_per_second"] = try ClientApply.rowsPerSecond(answers)
    }

    /// The county's scope as a file: how long it takes to be made, fetched and applied.
    static func measureSnapshot(_ server: BenchServer, _ report: inout Report) async throws {
        let clock = ContinuousClock()
        let fresh = try await Replicant(server, 0xBE9F)
        let asked = clock.now
        var found: (page: ScopePage, offer: SnapshotOffer)?
        while found == nil {
            var request = try ExchangeRequest(json: fresh.request([]))
            request.snapshots = true
            let pages = try ExchangeAnswer(json: try await fresh.post(request.json)).scopes
            guard pages.contains(where: { $0.snapshot != nil || $0.wait != nil }) else { return }
            found = pages.lazy.compactMap { page in page.snapshot.map { (page, $0) } }.first
        }
        guard let (page, offer) = found else { return }
        report["snapshot_rows"] = Double(offer.rows)
        report["snapshot_build_rows_per_second"] = Double(offer.rows) / (clock.now - asked).seconds
        report["snapshot_bytes_per_row"] = Double(offer.bytes) / Double(offer.rows)
        let begun = clock.now
        let file = try await fresh.connection.send(.get, Path.snapshots + "/" + offer.id, nil, token: fresh.token)
        let time = (clock.now - begun).seconds
        report["snapshot_download_mb_per_second"] = Double(file.count) / time / 1e6
        report["snapshot_download_rows_per_second"] = Double(offer.rows) / time
        report["snapshot_apply_rows_per_second"] = try ClientApply.rowsPerSecond(page, offer, file)
    }
}
