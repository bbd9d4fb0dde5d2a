package import RoostSchema
package import RoostSync
import GRDB
import Synchronization

/// An authenticated device.
package struct Device: Hashable, Sendable {
    package let replica: ReplicaID
    package let officer: RowID
    package let label: String

    package init(replica: ReplicaID, officer: RowID, label: String) {
        self.replica = replica
        self.officer = officer
        self.label = label
    }
}

/// Why an exchange as a whole was refused; nothing of it was applied.
package enum ExchangeError: Error, Hashable, Sendable {
    /// The request names another replica than its token belongs to.
    case wrongReplica
    /// The replica has begun a newer incarnation: this is an old copy of its database.
    case oldIncarnation
    case tooManyMutations(limit: Int)
    /// The device claims to have more than the server, again after the server began a new epoch for it.
    case lostHistory
    /// The request repeats mutations whose verdicts the replica had long ago: this is an old copy of its database.
    case verdictsForgotten
}

/// What one exchange did, for metrics.
package struct ExchangeSummary: Hashable, Sendable {
    package var verdicts: [Verdict.Outcome: Int] = [:]
    package var repeated = 0
    package var rows = 0
    package var offset: Int64 = 0
    /// The epoch that was begun because the device had more than the server.
    package var begun: EpochRecord?
}

extension ServerStore {
    /// Takes a replica's mutations and answers with verdicts and what changed in its scopes.
    ///
    /// The push commits before the pull reads, so that the answer shows its effects. Without mutations nothing is
    /// written, but for a note every few minutes that the device was here.
    ///
    /// The device's clock is compared with the moment at which the head of the request `arrived`, because its body may have
    /// been on the way for long; with now, where the caller does not know better.
    package func exchange(
        _ request: ExchangeRequest, device: Device, mutationLimit: Int, pageBytes: Int, arrived: Milliseconds? = nil
    ) async throws -> (answer: [UInt8], summary: ExchangeSummary) {
        guard request.replica == device.replica else { throw ExchangeError.wrongReplica }
        guard request.mutations.count + request.surrendered.count <= mutationLimit else {
            throw ExchangeError.tooManyMutations(limit: mutationLimit)
        }
        do {
            return try await exchangeNow(request, device: device, pageBytes: pageBytes, arrived: arrived)
        } catch is HistoryLost {
            let begun = try await beginEpoch(foundBy: device.replica)
            var (answer, summary) = try await exchangeNow(
                request, device: device, pageBytes: pageBytes, arrived: arrived)
            summary.begun = begun
            return (answer, summary)
        }
    }

    private func exchangeNow(
        _ request: ExchangeRequest, device: Device, pageBytes: Int, arrived: Milliseconds?
    ) async throws -> (answer: [UInt8], summary: ExchangeSummary) {
        let now = clock()
        // A clock of ours that was set back meanwhile still bounds every edit.
        let correction = ClockCorrection(
            now: min(arrived ?? now, now), device: request.now, mark: request.mark, boots: request.boots)
        var push = PushResult()
        if !request.mutations.isEmpty || isForeign(request) {
            push = try await commits.run { db in
                try self.push(request, device: device, now: now, correction: correction, db)
            }
        }
        let safe =
            request.surrendered.isEmpty
            ? []
            : try await pool.write { db in
                try self.take(
                    request.surrendered, from: device, in: request.incarnation, now: now, correction: correction, db)
            }
        if request.unrecovered > 0 { try await noteUnrecovered(request.unrecovered, device.replica) }
        let pushed = push
        let (known, answer) = try readHere { db in
            let known = try self.known(of: device.replica, db)
            let answer = try self.answer(
                to: request, push: pushed, safe: safe, device: device, owing: known.owedSince != nil, now: now,
                correction: correction, pageBytes: max(4096, min(pageBytes, request.pageBytes ?? pageBytes)), db)
            return (known, answer)
        }
        // Cursors of another history say nothing of what the replica has of this one.
        if pushed.known == nil {
            try await note(
                request, answer.entitlement, knowing: known, pushed: pushed.expected != nil, now: now,
                offset: correction.offset)
        }
        var summary = ExchangeSummary(repeated: push.repeated, rows: answer.rows, offset: correction.offset)
        for outcome in push.outcomes { summary.verdicts[outcome, default: 0] += 1 }
        return (answer.bytes, summary)
    }

    private struct Answer {
        var bytes: [UInt8]
        var rows: Int
        var entitlement: Entitlement
    }

    struct PushResult: Sendable {
        var verdicts: [[UInt8]] = []
        var outcomes: [Verdict.Outcome] = []
        var repeated = 0
        var touched: [RowKey] = []
        /// The rows as the push left them.
        var rows: [Row] = []
        var expected: Int64?
        /// Whether another mutation was decided under one of the numbers sent.
        var copied = false
        /// What is had of the replica, for a request of another epoch.
        var known: KnownProgress?
    }

    /// Decides what the replica has not sent before and repeats the verdicts of what it has.
    private func push(
        _ request: ExchangeRequest, device: Device, now: Milliseconds, correction: ClockCorrection, _ db: Database
    ) throws -> PushResult {
        let before = try progress(of: device.replica, db)
        var (incarnation, last) = before
        if isForeign(request) { return try repeated(request, device, incarnation, last, now, db) }
        guard try !isBehind(request, incarnation: incarnation, last: last, head: lastSequence(db)) else {
            throw HistoryLost()
        }
        guard request.incarnation >= incarnation else { throw ExchangeError.oldIncarnation }
        if request.incarnation > incarnation { (incarnation, last) = (request.incarnation, 0) }
        var result = PushResult()
        var fresh: [Mutation] = []
        var expected = last + 1
        for mutation in request.mutations {
            if mutation.number <= last {
                guard let verdict = try storedVerdict(mutation, of: device.replica, incarnation, db) else {
                    result.copied = true
                    break
                }
                result.verdicts.append(verdict)
                result.repeated += 1
            } else if mutation.number == expected {
                fresh.append(mutation)
                expected += 1
            } else {
                // A gap: what follows must wait until the replica has sent what is missing.
                break
            }
        }
        result.expected = expected
        // Behind what another copy did nothing of this one is decided.
        guard !result.copied, !fresh.isEmpty else { return result }
        let source = ServerRows(store: self, db: db)
        let leniency = leniency.withLock(\.self)
        let believed = try believed(fresh, of: device.replica, in: incarnation, before: before, db)
        let givesAgain = believed.contains { $0.recovered != nil }
        let decider = Decider(
            rules: rules, principal: Principal(officer: device.officer, grants: try source.grants(of: device.officer)),
            replica: device.replica, incarnation: incarnation, now: now, correction: correction, grace: leniency.grace,
            recoveryGrace: givesAgain ? try recoveryGrace(of: device.replica, db) : leniency.grace,
            undoer: undoer, lostUntil: lostUntil,
            strangersTaken: try strangerRoom(for: fresh, of: device.officer, upTo: leniency.parkedMutations, db))
        let plan = try decider.decide(believed, in: WorkingSet(rules, source: source), after: try lastSequence(db))
        let over = givesAgain ? ledger.ends().grants : []
        result.verdicts += try PlanWriter(store: self, db: db).apply(
            plan, replica: device.replica, incarnation: incarnation, now: now,
            deciding: fresh)
        try park(
            plan.strangers, of: device.replica, officer: device.officer, incarnation: incarnation, now: now, db)
        try noteRecovered(believed, plan.verdicts, of: device.replica, db)
        let released = try release(after: plan, now: now, db)
        if !over.isEmpty { try endAgain(over, db) }
        result.outcomes = plan.verdicts.map(\.outcome)
        result.touched = plan.touched
        // What came after may have changed them again.
        if !released, over.isEmpty { result.rows = plan.rows }
        let statement = try BoundStatement(
            db,
            """
            UPDATE replica SET incarnation = ?, last_number = ?, seen_ms = ?, offset_ms = ?, acknowledged = ?
            WHERE id = ?
            """)
        try statement.bind(1, incarnation)
        try statement.bind(2, expected - 1)
        try statement.bind(3, now.value)
        try statement.bind(4, correction.offset)
        // An outbox begins with the first mutation whose verdict its replica lacks.
        try statement.bind(5, request.mutations[0].number - 1)
        try statement.bind(6, device.replica)
        try statement.run()
        return result
    }

    /// Repeats verdicts to a request of another epoch, and decides nothing: its numbers count what another history has.
    private func repeated(
        _ request: ExchangeRequest, _ device: Device, _ incarnation: Int64, _ last: Int64, _ now: Milliseconds,
        _ db: Database
    ) throws -> PushResult {
        try noteMet(device.replica, in: incarnation, now: now, db)
        var result = PushResult()
        result.expected = request.incarnation > incarnation ? 1 : last + 1
        result.known = KnownProgress(incarnation: incarnation, number: last)
        guard request.incarnation == incarnation else { return result }
        for mutation in request.mutations {
            guard mutation.number <= last,
                let verdict = try storedVerdict(mutation, of: device.replica, incarnation, db)
            else { break }
            result.verdicts.append(verdict)
            result.repeated += 1
        }
        return result
    }

    private func progress(of replica: ReplicaID, _ db: Database) throws -> (incarnation: Int64, last: Int64) {
        let statement = try BoundStatement(db, "SELECT incarnation, last_number FROM replica WHERE id = ?")
        defer { statement.reset() }
        try statement.bind(1, replica)
        guard try statement.step() else { return (1, 0) }
        return (statement.integer(0), statement.integer(1))
    }

    /// The verdict of a mutation decided before; nil if it was another mutation that was decided under the number.
    private func storedVerdict(
        _ mutation: Mutation, of replica: ReplicaID, _ incarnation: Int64, _ db: Database
    ) throws -> [UInt8]? {
        let number = mutation.number
        let statement = try BoundStatement(
            db, "SELECT body, fingerprint FROM verdict WHERE replica = ? AND incarnation = ? AND number = ?")
        defer { statement.reset() }
        try statement.bind(1, replica)
        try statement.bind(2, incarnation)
        try statement.bind(3, number)
        guard try statement.step() else { throw ExchangeError.verdictsForgotten }
        guard statement.isNull(1) || statement.integer(1) == mutation.fingerprint else { return nil }
        return statement.blob(0)
    }

    private func answer(
        to request: ExchangeRequest, push: PushResult, safe: [Surrender.Name], device: Device, owing: Bool,
        now: Milliseconds, correction: ClockCorrection, pageBytes: Int, _ db: Database
    ) throws -> Answer {
        let source = ServerRows(store: self, db: db)
        let principal = Principal(officer: device.officer, grants: try source.grants(of: device.officer))
        let held = principal.scopes(at: now, rules)
        let heldSet = Set(held)
        let hasEnded = principal.grants.contains { $0.until != nil }
        let named = Dictionary(
            request.scopes.map { ($0.scope, $0) }, uniquingKeysWith: { first, _ in first })
        let parked = strangers.withLock { $0.contains(device.officer) } ? Self.parkedScope(of: device.officer) : nil
        let lost = named.keys.filter { rules.key(of: $0).map { !heldSet.contains($0) } ?? ($0 != parked) }.sorted()
        let once = lost.isEmpty ? [] : Set(principal.grants.flatMap { principal.scopes(of: $0, rules) })
        var entitlement = Entitlement()
        entitlement.lost = Set(lost.filter { rules.key(of: $0).map { once.contains($0) } ?? false })
        entitlement.foreign = Set(lost).subtracting(entitlement.lost).union([parked].compactMap(\.self))
        let expected: Int64
        if let told = push.expected {
            expected = told
        } else {
            let (incarnation, last) = try progress(of: device.replica, db)
            expected = request.incarnation > incarnation ? 1 : last + 1
            guard try !isBehind(request, incarnation: incarnation, last: last, head: lastSequence(db)) else {
                throw HistoryLost()
            }
        }
        var feed = FeedReader(
            store: self, db: db, budget: pageBytes, head: try lastSequence(db), fresh: push.rows,
            takesSnapshots: request.snapshots)
        var writer = JSONWriter(reserving: 256 + push.verdicts.count * 128)
        try writer.object { writer in
            writer.name("protocol")
            writer.integer(protocolVersion)
            writer.name("now")
            writer.integer(now.value)
            writer.name("epoch")
            writer.plain(epoch)
            if let run = latestRun {
                writer.name("run")
                writer.plain(run.description)
            }
            if correction.offset != 0 {
                writer.name("offset")
                writer.integer(correction.offset)
            }
            writer.name("expected")
            writer.integer(expected)
            if !push.verdicts.isEmpty {
                writer.name("verdicts")
                writer.array { writer in for verdict in push.verdicts { writer.raw(verdict) } }
            }
            if push.copied {
                writer.name("copied")
                writer.boolean(true)
            }
            if let known = push.known {
                writer.name("known")
                known.write(to: &writer)
                // Cursors of another history say nothing in this one: the replica asks again without them.
                return
            }
            if !lost.isEmpty {
                writer.name("lost")
                writer.array { writer in for scope in lost { writer.plain(scope.description) } }
            }
            if !safe.isEmpty {
                writer.name("surrendered")
                writer.array { writer in for name in safe { name.write(to: &writer) } }
            }
            if request.purged != nil {
                writer.name("purged")
                writer.boolean(true)
            }
            var pages = try held.compactMap { scope in
                try feed.page(
                    of: scope, tenure: hasEnded ? principal.returns(to: scope, rules) : 0,
                    after: named[rules.scope(scope)], touched: push.touched)
            }
            if let parked {
                pages += try [parkedPage(of: device.officer, after: named[parked], budget: pageBytes, db)].compactMap(
                    \.self)
            }
            if !pages.isEmpty {
                writer.name("scopes")
                writer.array { writer in for page in pages { writer.raw(page) } }
            }
            entitlement.given = feed.begun
            entitlement.takesAway = feed.takesAway || !lost.isEmpty
            if entitlement.takesAway || request.owed || owing && request.purged == nil {
                writer.name("owed")
                writer.boolean(true)
            }
        }
        return Answer(bytes: writer.bytes, rows: feed.rows, entitlement: entitlement)
    }
}
