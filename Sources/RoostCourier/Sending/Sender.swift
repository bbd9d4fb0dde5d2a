internal import Curl
internal import Synchronization

/// The loop that takes due deliveries, sends them and stores what came of it.
///
/// One `run()` per sender. ``drain()`` ends it gently, once what is under way has been answered and stored; cancelling its
/// task ends it at once, aborting transfers, and still stores what is known.
package final class Sender: Sendable {
    private let pollInterval: Duration
    private let queue: any DeliveryQueue
    private let transport: any HTTPTransport
    private let settings: CourierSettings
    private let clock: any SenderClock
    private let jitter: @Sendable () -> Double
    private let observe: @Sendable (SenderEvent) -> Void

    private struct Inbox {
        var hand: Hand
        var results: [AttemptResult] = []
        var isDraining = false
        /// Whether something may be due at endpoints where nothing has landed.
        var looksEverywhere = true
    }

    private let inbox: Mutex<Inbox>
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    /// Makes a sender that does nothing until ``run()``.
    ///
    /// At most `maximumInFlight` transfers are under way at once, over all endpoints; the queue is asked at least every
    /// `pollInterval`. `jitter` gives random numbers in 0..<1 for the retry policy. `observe` is told of every event, from
    /// any thread, and must return quickly.
    package init(
        queue: any DeliveryQueue, transport: any HTTPTransport, settings: CourierSettings, maximumInFlight: Int = 256,
        pollInterval: Duration = .seconds(1), clock: any SenderClock = SystemSenderClock(),
        jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        observe: @escaping @Sendable (SenderEvent) -> Void
    ) {
        self.queue = queue
        self.transport = transport
        self.settings = settings
        inbox = Mutex(Inbox(hand: Hand(maximum: maximumInFlight)))
        self.pollInterval = pollInterval
        self.clock = clock
        self.jitter = jitter
        self.observe = observe
        // One pending signal is enough: whatever it announces is found in the inbox and the queue.
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Makes the loop look at the queue now, for example because a digest was just released.
    package func wake() {
        inbox.withLock { $0.looksEverywhere = true }
        signal.yield()
    }

    /// Takes nothing new; ``run()`` returns when everything under way has been answered and stored.
    package func drain() {
        inbox.withLock { $0.isDraining = true }
        wake()
    }

    /// Sends until drained or cancelled.
    package func run() async {
        var unrecorded: [AttemptResult] = []
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tick() }
            await work(in: &group, unrecorded: &unrecorded)
            group.cancelAll()
        }
        // Transfers aborted by a cancellation have reported by now. A cancelled task could not store anything (the
        // store would refuse), a task of its own can.
        giveBack()
        unrecorded += takeOrders().results
        guard !unrecorded.isEmpty else { return }
        let last = unrecorded
        _ = await Task { await record(last) }.value
    }

    private func tick() async {
        while !Task.isCancelled {
            wake()
            do { try await clock.sleep(for: pollInterval) } catch { return }
        }
    }

    private func work(in group: inout DiscardingTaskGroup, unrecorded: inout [AttemptResult]) async {
        // Whether more may be due than was looked at.
        var isUnfinished = false
        for await _ in signals {
            let orders = takeOrders()
            // Usually there are none yet, and taking over an array copies nothing.
            if unrecorded.isEmpty { unrecorded = orders.results } else { unrecorded += orders.results }
            isUnfinished = isUnfinished || orders.looksEverywhere
            if orders.isDraining {
                giveBack()
                if !unrecorded.isEmpty, await record(unrecorded) { unrecorded = [] }
                if orders.isEmpty, unrecorded.isEmpty { return }
                continue
            }
            // What was asked back need not wait for the transfer before it.
            if orders.looksEverywhere, queue.hasRecalled { giveBack { self.queue.isRecalled($0.id) } }
            // While results cannot be stored, sending more would only add to what a crash makes uncertain.
            guard
                let leased = await turn(
                    unrecorded, at: isUnfinished ? nil : places(after: orders.results), limit: orders.room)
            else {
                isUnfinished = true
                continue
            }
            unrecorded = []
            isUnfinished = leased.count >= orders.room
            for delivery in leased {
                let now = clock.now()
                switch inbox.withLock({ $0.hand.take(delivery, now: now) }) {
                case .start: group.addTask { await self.carry(delivery) }
                case .wait, .known: break
                case .surplus:
                    inbox.withLock { $0.hand.land(delivery.id) }
                    unrecorded.append(unsent(delivery, "endpoint_busy"))
                }
            }
            // Surplus goes back at once, but is not asked for again before something has landed or time has passed: a
            // queue that keeps handing it out must not keep the loop busy.
            if !unrecorded.isEmpty, await record(unrecorded) { unrecorded = [] }
        }
    }

    /// Where something may be due because these have landed: at their endpoints, or anywhere, when one has given back a
    /// place that all endpoints of its channel share.
    private func places(after results: [AttemptResult]) -> Set<EndpointID>? {
        results.contains { $0.channel == .email } ? nil : Set(results.map(\.endpoint))
    }

    /// What the loop acts on.
    private struct Orders {
        var results: [AttemptResult]
        var isDraining: Bool
        var looksEverywhere: Bool
        var room: Int
        var isEmpty: Bool
    }

    private func takeOrders() -> Orders {
        inbox.withLock { inbox in
            for result in inbox.results { inbox.hand.land(result.delivery) }
            defer {
                inbox.results = []
                inbox.looksEverywhere = false
            }
            return Orders(
                results: inbox.results, isDraining: inbox.isDraining, looksEverywhere: inbox.looksEverywhere,
                room: inbox.hand.room, isEmpty: inbox.hand.isEmpty)
        }
    }

    /// Puts what waits in hand back among the results, unsent.
    private func giveBack(where condition: (LeasedDelivery) -> Bool = { _ in true }) {
        let back = inbox.withLock { $0.hand.giveBack(where: condition) }
        guard !back.isEmpty else { return }
        let results = back.map { unsent($0, "sender_ends") }
        inbox.withLock { $0.results += results }
        signal.yield()
    }

    /// Stores results and takes what is due; nil when the store could not.
    private func turn(
        _ results: [AttemptResult], at endpoints: Set<EndpointID>?, limit: Int
    ) async -> [LeasedDelivery]? {
        do {
            return try await queue.turn(results, at: endpoints, now: clock.now(), limit: limit)
        } catch {
            observe(results.isEmpty ? .leaseFailed(error) : .recordFailed(error, results: results.count))
            return nil
        }
    }

    /// Stores results; false when the store could not.
    private func record(_ results: [AttemptResult]) async -> Bool {
        do {
            try await queue.record(results)
            return true
        } catch {
            observe(.recordFailed(error, results: results.count))
            return false
        }
    }
}

// MARK: One attempt

extension Sender {
    /// So many results are kept whatever else there is to do.
    private static let largeStep = 256

    /// Carries a delivery to its receiver, and after it those that wait for its place.
    private func carry(_ first: LeasedDelivery) async {
        var delivery = first
        var takenAt = clock.now()
        while true {
            let isLate = clock.now() - takenAt > Hand.longestWait
            let result = isLate ? unsent(delivery, "waited_too_long") : await attempt(delivery)
            let isSent = result.outcome.class == .sent
            let (next, back, isUrgent) = inbox.withLock { inbox in
                inbox.results.append(result)
                // What failed is judged before anything else goes there.
                let back = isSent ? [] : inbox.hand.giveBack(at: delivery.endpoint)
                // What arrived is kept in large steps, as long as enough is at hand to go on with.
                let isUrgent =
                    !isSent || inbox.results.count >= Self.largeStep || inbox.hand.isLow(at: delivery.endpoint)
                return (inbox.hand.next(after: delivery.endpoint), back, isUrgent)
            }
            if !back.isEmpty {
                let results = back.map { unsent($0, "endpoint_failed") }
                inbox.withLock { $0.results += results }
            }
            if isUrgent { signal.yield() }
            guard let another = next else { return }
            (delivery, takenAt) = another
        }
    }

    private func attempt(_ delivery: LeasedDelivery) async -> AttemptResult {
        let started = clock.now()
        guard started < delivery.notAfter else { return unsent(delivery, "not_after") }
        guard !queue.isRecalled(delivery.id) else { return unsent(delivery, "recalled") }
        let exchange = await Exchange.carryOut(delivery, over: transport, settings: settings, clock: clock)
        let result = self.result(of: delivery, outcome: exchange.outcome, exchange: exchange, from: started)
        observe(.attempted(result))
        return result
    }

    /// The result for a delivery that goes back without an attempt.
    private func unsent(_ delivery: LeasedDelivery, _ code: String) -> AttemptResult {
        result(of: delivery, outcome: Outcome(.deferred, on: delivery.target.channel, code: code), from: clock.now())
    }

    private func result(
        of delivery: LeasedDelivery, outcome: Outcome, exchange: Exchange? = nil, from started: Moment
    ) -> AttemptResult {
        let finished = clock.now()
        // What arrived is not tried again; a random number costs a call of the system.
        let circumstances = DeliveryCircumstances(
            channel: delivery.target.channel, attempts: delivery.attempts, now: finished, notAfter: delivery.notAfter,
            jitter: outcome.class == .sent ? 0 : jitter())
        return AttemptResult(
            of: delivery, outcome: outcome, decision: RetryPolicy.decision(after: outcome, circumstances),
            exchange: exchange, settings: settings, startedAt: started, finishedAt: finished)
    }
}
