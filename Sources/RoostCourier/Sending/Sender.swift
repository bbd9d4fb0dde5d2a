internal import Curl
internal import Synchronization

/// The loop that takes due deliveries, sends them and stores what came of it.
///
/// One `run()` per sender. ``drain()`` ends it gently, once what is under way has been answered and stored; cancelling its
/// task ends it at once, aborting transfers, and still stores what is known.
package final class Sender: Sendable {
    /// How much may be under way in all; the cap per endpoint is the channel's.
    private let maximumInFlight: Int
    private let pollInterval: Duration
    private let queue: any DeliveryQueue
    private let transport: any HTTPTransport
    private let settings: CourierSettings
    private let clock: any SenderClock
    private let jitter: @Sendable () -> Double
    private let observe: @Sendable (SenderEvent) -> Void

    private struct Inbox {
        var results: [AttemptResult] = []
        var isDraining = false
        /// Whether something may be due at endpoints where nothing has landed.
        var looksEverywhere = true
    }

    private let inbox = Mutex(Inbox())
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
        self.maximumInFlight = maximumInFlight
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
        var flights = Flights(maximum: maximumInFlight)
        // Whether more may be due than was looked at.
        var isUnfinished = false
        for await _ in signals {
            let orders = takeOrders()
            for result in orders.results { flights.land(result.endpoint) }
            unrecorded += orders.results
            isUnfinished = isUnfinished || orders.looksEverywhere
            if orders.isDraining {
                if !unrecorded.isEmpty, await record(unrecorded) { unrecorded = [] }
                if flights.isEmpty, unrecorded.isEmpty { return }
                continue
            }
            // While results cannot be stored, sending more would only add to what a crash makes uncertain.
            let room = flights.room
            guard
                let leased = await turn(
                    unrecorded, at: isUnfinished ? nil : Set(orders.results.map(\.endpoint)), limit: room)
            else {
                isUnfinished = true
                continue
            }
            unrecorded = []
            isUnfinished = leased.count >= room
            for delivery in leased {
                if flights.start(delivery.endpoint, maximum: delivery.target.channel.maximumInFlight) {
                    group.addTask { await self.attempt(delivery) }
                } else {
                    unrecorded.append(surplus(delivery))
                }
            }
            // Surplus goes back at once, but is not asked for again before something has landed or time has passed: a
            // queue that keeps handing it out must not keep the loop busy.
            if !unrecorded.isEmpty, await record(unrecorded) { unrecorded = [] }
        }
    }

    private func takeOrders() -> Inbox {
        inbox.withLock { inbox in
            defer {
                inbox.results = []
                inbox.looksEverywhere = false
            }
            return inbox
        }
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
    private func attempt(_ delivery: LeasedDelivery) async {
        let started = clock.now()
        let result: AttemptResult
        if started >= delivery.notAfter {
            result = self.result(
                of: delivery, outcome: Outcome(.deferred, on: delivery.target.channel, code: "not_after"), from: started
            )
        } else {
            let exchange = await Exchange.carryOut(
                delivery, over: transport, settings: settings, clock: clock)
            result = self.result(of: delivery, outcome: exchange.outcome, exchange: exchange, from: started)
            observe(.attempted(result))
        }
        inbox.withLock { $0.results.append(result) }
        signal.yield()
    }

    /// The result for a delivery that the queue gave although its endpoint has enough under way: it goes back.
    private func surplus(_ delivery: LeasedDelivery) -> AttemptResult {
        result(
            of: delivery, outcome: Outcome(.deferred, on: delivery.target.channel, code: "endpoint_busy"),
            from: clock.now())
    }

    private func result(
        of delivery: LeasedDelivery, outcome: Outcome, exchange: Exchange? = nil, from started: Moment
    ) -> AttemptResult {
        let finished = clock.now()
        let circumstances = DeliveryCircumstances(
            channel: delivery.target.channel, attempts: delivery.attempts, now: finished, notAfter: delivery.notAfter,
            jitter: jitter())
        return AttemptResult(
            delivery: delivery.id, endpoint: delivery.endpoint, channel: delivery.target.channel,
            url: OutwardRequest.redactedAddress(of: delivery.target, settings: settings), startedAt: started,
            finishedAt: finished, outcome: outcome,
            decision: RetryPolicy.decision(after: outcome, circumstances), status: exchange?.status,
            connectedAddress: exchange?.connectedAddress, timings: exchange?.timings ?? .zero,
            answer: exchange?.answer ?? "")
    }
}

/// How many deliveries are under way, in all and per endpoint.
private struct Flights {
    private let maximum: Int
    private var total = 0
    private var perEndpoint: [EndpointID: Int] = [:]

    init(maximum: Int) { self.maximum = maximum }

    var isEmpty: Bool { total == 0 }
    var room: Int { maximum - total }

    /// Counts one more for the endpoint unless it has its maximum; whether it did.
    mutating func start(_ endpoint: EndpointID, maximum: Int) -> Bool {
        guard room > 0, perEndpoint[endpoint, default: 0] < maximum else { return false }
        total += 1
        perEndpoint[endpoint, default: 0] += 1
        return true
    }

    mutating func land(_ endpoint: EndpointID) {
        total -= 1
        let left = perEndpoint[endpoint, default: 0] - 1
        perEndpoint[endpoint] = left > 0 ? left : nil
    }
}
