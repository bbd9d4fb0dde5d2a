import RoostStore
import RoostSync

/// Gets large scopes as files in place of pages, as long as that works.
///
/// What fails for good (a file out of date, damaged, or never made) is given up a few times and then done without: the
/// server sends pages to whoever asks for no snapshots. What is only interrupted goes on where it was, even days later.
struct SnapshotFetcher {
    let replica: Replica
    let server: any ExchangeServer
    let environment: Environment
    private var failures = 0
    private var waited: Int64 = 0

    private static let pieceSize = 1 << 20
    private static let mostFailures = 3
    /// How long a snapshot that is being made is waited for, in milliseconds.
    private static let longestWait: Int64 = 120_000

    init(replica: Replica, server: any ExchangeServer, environment: Environment) {
        self.replica = replica
        self.server = server
        self.environment = environment
    }

    var isOfUse: Bool { failures < Self.mostFailures && waited < Self.longestWait }

    /// Fetches and applies what pages offer, or waits for what they announce.
    ///
    /// `tell` is told how far it is and, at the end of each snapshot, what applying it did.
    /// - Returns: Whether there was anything of the kind.
    mutating func fetch(
        _ pages: [ScopePage], tell: (AppliedAnswer?, Double?) -> Void
    ) async throws -> Bool {
        var isDone = false
        for page in pages {
            guard let offer = page.snapshot else { continue }
            isDone = true
            do {
                tell(try await fetch(offer, page, tell: tell), nil)
            } catch ClientError.refused(let refusal) where refusal.status == 404 {
                failures += 1
            } catch ReplicaError.damaged {
                failures += 1
            }
        }
        guard !isDone, let wait = pages.compactMap(\.wait).min() else { return isDone }
        // Only where nothing else came; other scopes have pages meanwhile.
        guard pages.allSatisfy({ $0.wait != nil || !$0.more }) else { return true }
        let pause = max(50, min(wait, 5000))
        waited += pause
        try await environment.sleep(.milliseconds(pause))
        return true
    }

    private func fetch(
        _ offer: SnapshotOffer, _ page: ScopePage, tell: (AppliedAnswer?, Double?) -> Void
    ) async throws -> AppliedAnswer {
        var download = try replica.begin(offer, for: page)
        tell(nil, download.progress)
        while download.received < offer.bytes {
            try Task.checkCancellation()
            let count = min(Self.pieceSize, offer.bytes - download.received)
            let piece = try await server.snapshot(offer.id, from: download.received, count: count)
            guard !piece.isEmpty, piece.count <= count else { throw ClientError.badAnswer }
            try replica.append(piece, to: &download)
            tell(nil, download.progress)
        }
        guard replica.isWhole(download) else {
            try replica.abandon(download)
            throw ReplicaError.damaged("a snapshot is not what was announced")
        }
        let fetched = download
        return try replica.apply(fetched, now: environment.now()) { applied in
            var now = fetched
            now.applied = applied
            tell(nil, now.progress)
            try Task.checkCancellation()
        }
    }
}
