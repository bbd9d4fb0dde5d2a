package import RoostAPI
package import RoostSchema
package import RoostStore
package import RoostSync

/// What a whole synchronisation did.
package struct SyncReport: Hashable, Sendable {
    package var exchanges = 0
    package var sent = 0
    package var verdicts: [Verdict.Outcome: Int] = [:]
    package var rowsReceived = 0
    package var rowsPurged = 0
    package var leftByOwnEdit = 0
    /// Refused edits of rows that left, which wait on the server for somebody to decide.
    package var surrendered = 0
    /// Rows that somebody had deleted when edits made here came to them.
    package var deletedMeanwhile: [RowID: CollectionName] = [:]
    package var lost: [Scope] = []
    package var gained: [Scope] = []
    package var offset: Int64 = 0
    package var epochChanged = false
    /// What the server had lost of this replica's edits; nil if it lost nothing.
    package var recovery: ReplicaRecovery?
    /// How far a snapshot is fetched and applied, 0 to 1; nil while none is under way.
    package var snapshot: Double?
    /// Whether the replica had been away for longer than the server keeps departures.
    package var hasBegunAnew = false

    package init() {}

    /// Whether anything was sent, came, went or failed.
    package var hasNews: Bool {
        sent > 0 || rowsReceived > 0 || rowsPurged > 0 || !lost.isEmpty || !gained.isEmpty || epochChanged
            || recovery != nil || hasBegunAnew
    }
}

/// Exchanges with the server until nothing is left to send or to receive.
///
/// Every step is one transaction on the replica, so stopping anywhere leaves it consistent: what was sent without an
/// answer is sent again, and the server repeats its verdicts.
package struct Synchroniser {
    private let replica: Replica
    private let server: any ExchangeServer
    private let environment: Environment
    private let revocation: Revocation

    package init(replica: Replica, server: any ExchangeServer, environment: Environment) {
        self.replica = replica
        self.server = server
        self.environment = environment
        revocation = Revocation(replica: replica, server: server, environment: environment)
    }

    /// Runs exchanges, telling the totals so far after each.
    ///
    /// Whatever it throws, what was exchanged before is kept. The server is asked for its limits where none are given.
    package func run(
        within known: Limits? = nil, progress: (SyncReport) -> Void = { _ in }
    ) async throws -> SyncReport {
        let lock = try await SyncLock(of: replica, environment)
        defer { lock.release() }
        if let error = try await revocation.standing() { throw error }
        var advertised = known ?? Limits()
        if known == nil { advertised = try await server.limits() }
        var report = SyncReport()
        // The body holds the mutations and little else; an eighth is left for the rest and for what the server counts.
        let bytes = advertised.bodyBytes - advertised.bodyBytes / 8
        let limits = ChangesetLimits(mutations: advertised.mutations, bytes: bytes)
        var isConfirming = false
        // Once a group is found that the server does not take, whatever else is to come or go is exchanged without edits.
        var isHeldBack = false
        var portion = UploadPortion()
        var fetcher = SnapshotFetcher(replica: replica, server: server, environment: environment)
        while true {
            try Task.checkCancellation()
            var request: ExchangeRequest
            do {
                request = try replica.nextRequest(
                    limits: limits, portion: portion.limits, at: environment.moment,
                    isAmongPages: report.exchanges > 0 && !isConfirming, isHeldBack: isHeldBack)
            } catch is OutboxError {
                isHeldBack = true
                continue
            }
            request.snapshots = fetcher.isOfUse
            var answer: ExchangeAnswer
            let sent = environment.moment
            do {
                answer = try await exchange(request)
            } catch let error as ClientError where portion.shrink(after: request, because: error) {
                continue
            }
            if sent.mayHaveCaused(offset: answer.offset, by: environment.moment) { answer.offset = 0 }
            // Edits of an earlier boot wait until it is known where this one stands.
            let isPlaced =
                try replica.placeBoot(server: answer.now, at: environment.moment)
                && request.mutations.isEmpty && replica.hasUnsent()
            let applied = try replica.apply(answer, now: environment.now())
            report.add(applied, sent: request.mutations.count)
            progress(report)
            switch applied.obstacle {
            case .serverLostHistory: throw ClientError.serverLostHistory
            case .replicaCopied: throw ClientError.replicaCopied
            case nil: break
            }
            if !applied.more {
                // An older server takes no word of a purge, and a busy disk may keep it from being given: both wait for
                // another time.
                let wasGiven = request.purged != nil || !request.surrendered.isEmpty
                let wasTaken = answer.purged || !answer.surrendered.isEmpty
                guard applied.owesConfirmation, wasGiven ? wasTaken : !isConfirming else {
                    try replica.renewLease(days: advertised.leaseDays, at: environment.moment)
                    return report
                }
                isConfirming = true
                continue
            }
            let hasFetched = try await fetcher.fetch(answer.scopes) { fetched, snapshot in
                if let fetched { report.add(fetched) }
                report.snapshot = snapshot
                progress(report)
            }
            // No progress would mean asking the same again and again.
            guard applied.advanced || !answer.verdicts.isEmpty || hasFetched || isPlaced && !isHeldBack else {
                throw isHeldBack ? ClientError.groupTooLarge : ClientError.badAnswer
            }
        }
    }

    private func exchange(_ request: ExchangeRequest) async throws -> ExchangeAnswer {
        do throws(ClientError) {
            return try await server.exchange(request)
        } catch {
            if Revocation.isMeant(by: error) {
                throw try await revocation.purge()
            }
            guard case .refused(let refusal) = error, refusal.reason == ReplicaCopied.reason else { throw error }
            try replica.noteCopied()
            throw ClientError.replicaCopied
        }
    }
}

extension DeviceMoment {
    /// Whether a request of this moment that was answered by another may have seemed to come from a wrong clock only because
    /// it was on its way for so long.
    ///
    /// A reading is compared with the server's clock when it arrives, later than it was taken: so delay makes a clock seem slow,
    /// by no more than the time until the answer came.
    func mayHaveCaused(offset: Int64, by answered: DeviceMoment) -> Bool {
        var passed = answered.now - now
        if let mark, let later = answered.mark, mark.boot == later.boot { passed = later.monotonic - mark.monotonic }
        return offset < 0 && offset + passed >= -ClockCorrection.tolerance
    }
}

extension SyncReport {
    fileprivate mutating func add(_ applied: AppliedAnswer, sent: Int) {
        exchanges += 1
        self.sent += sent
        verdicts.merge(applied.verdicts, uniquingKeysWith: +)
        offset = applied.offset
        epochChanged = epochChanged || applied.epochChanged
        if let found = applied.recovery {
            recovery = recovery ?? ReplicaRecovery()
            recovery?.given += found.given
            recovery?.unrecovered += found.unrecovered
        }
        add(applied)
    }

    fileprivate mutating func add(_ applied: AppliedAnswer) {
        rowsReceived += applied.rowsReceived
        rowsPurged += applied.rowsPurged
        leftByOwnEdit += applied.leftByOwnEdit
        surrendered += applied.surrendered
        deletedMeanwhile.merge(applied.deletedMeanwhile) { first, _ in first }
        lost += applied.lost
        gained += applied.gained
        hasBegunAnew = hasBegunAnew || applied.hasBegunAnew
    }
}
