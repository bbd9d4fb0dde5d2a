import Curl
import RoostCourier
import Synchronization

/// Time that stands still until a test moves it on.
final class ManualClock: SenderClock {
    private struct State {
        var now: Moment
        var sleepers: [Int: (due: Moment, continuation: CheckedContinuation<Void, Never>)] = [:]
        var cancelled: Set<Int> = []
        var nextID = 0
    }

    private let state: Mutex<State>

    init(_ now: Moment) { state = Mutex(State(now: now)) }

    func now() -> Moment { state.withLock { $0.now } }

    func sleep(for duration: Duration) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    guard !state.cancelled.contains(id) else { return true }
                    state.sleepers[id] = (state.now + duration, continuation)
                    return false
                }
                if isCancelled { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(id)
                return state.sleepers.removeValue(forKey: id)
            }
            sleeper?.continuation.resume()
        }
        try Task.checkCancellation()
    }

    /// Moves time on and wakes whoever was to sleep no longer.
    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now + duration
            let now = state.now
            let due = state.sleepers.filter { $0.value.due <= now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }
}

/// A queue in memory that keeps to the contract, unless told to hand out too much.
final class MemoryQueue: DeliveryQueue {
    struct Unavailable: Error {}

    struct Row {
        var delivery: LeasedDelivery
        var status = DeliveryStatus.queued
        var due: Moment
        var results: [AttemptResult] = []
    }

    private struct State {
        var rows: [Row]
        var recordFailures = 0
        var recordCalls = 0
        var waiters: [(condition: @Sendable ([Row]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Mutex<State>
    private let ignoresEndpointLimit: Bool

    init(_ deliveries: [LeasedDelivery], due: Moment, ignoresEndpointLimit: Bool = false, recordFailures: Int = 0) {
        state = Mutex(State(rows: deliveries.map { Row(delivery: $0, due: due) }, recordFailures: recordFailures))
        self.ignoresEndpointLimit = ignoresEndpointLimit
    }

    var rows: [Row] { state.withLock { $0.rows } }
    var recordCalls: Int { state.withLock { $0.recordCalls } }

    /// Ends every lease, as when the process stood still for longer than one lasts.
    func loseLeases() {
        state.withLock { state in
            for index in state.rows.indices where state.rows[index].status == .leased {
                state.rows[index].status = .queued
            }
        }
    }

    func lease(now: Moment, limit: Int) async throws -> [LeasedDelivery] {
        let (leased, ready) = take(now: now, limit: limit)
        for waiter in ready { waiter.resume() }
        return leased
    }

    private func take(now: Moment, limit: Int) -> ([LeasedDelivery], [CheckedContinuation<Void, Never>]) {
        state.withLock { state in
            var leased: [LeasedDelivery] = []
            var busy: [EndpointID: Int] = [:]
            for row in state.rows where row.status == .leased { busy[row.delivery.endpoint, default: 0] += 1 }
            for index in state.rows.indices where leased.count < limit {
                let row = state.rows[index]
                let isWaiting = !row.status.isFinal && row.status != .leased
                guard isWaiting, row.due <= now else { continue }
                let most = row.delivery.target.channel.maximumInHand
                guard ignoresEndpointLimit || busy[row.delivery.endpoint, default: 0] < most else { continue }
                busy[row.delivery.endpoint, default: 0] += 1
                state.rows[index].status = .leased
                leased.append(row.delivery)
            }
            let rows = state.rows
            let ready = state.waiters.filter { $0.condition(rows) }
            state.waiters.removeAll { $0.condition(rows) }
            return (leased, ready.map(\.continuation))
        }
    }

    func record(_ results: [AttemptResult]) async throws {
        try Task.checkCancellation()
        let ready = try state.withLock { state in
            state.recordCalls += 1
            guard state.recordFailures == 0 else {
                state.recordFailures -= 1
                throw Unavailable()
            }
            for result in results {
                guard let index = state.rows.firstIndex(where: { $0.delivery.id == result.delivery }),
                    state.rows[index].status == .leased
                else { continue }
                let old = state.rows[index].delivery
                state.rows[index].status = result.decision.status
                state.rows[index].due = result.decision.nextAt ?? state.rows[index].due
                state.rows[index].results.append(result)
                state.rows[index].delivery = LeasedDelivery(
                    id: old.id, webhookID: old.webhookID, endpoint: old.endpoint, target: old.target, body: old.body,
                    contentType: old.contentType, attempts: result.decision.attempts, notAfter: old.notAfter)
            }
            let rows = state.rows
            let ready = state.waiters.filter { $0.condition(rows) }
            state.waiters.removeAll { $0.condition(rows) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Returns when the rows fulfil the condition, judged whenever some are handed out or results are stored.
    func wait(until condition: @escaping @Sendable ([Row]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isFulfilled = state.withLock { state in
                if condition(state.rows) { return true }
                state.waiters.append((condition, continuation))
                return false
            }
            if isFulfilled { continuation.resume() }
        }
    }
}

extension DeliveryID {
    init(_ name: String) { self.init(bits: number(of: name)) }
}

extension EndpointID {
    init(_ name: String) { self.init(bits: number(of: name)) }
}

/// A different one for every name that the tests use.
private func number(of name: String) -> UInt128 { name.utf8.reduce(0) { $0 &* 257 &+ UInt128($1) } }

/// A transport that answers from a closure and knows how many requests were under way at once per URL.
final class ScriptedTransport: HTTPTransport {
    private struct State {
        var requests: [HTTPRequest] = []
        var underWay: [String: Int] = [:]
        var most: [String: Int] = [:]
        var total = 0
        var mostInAll = 0
    }

    private let state = Mutex(State())
    private let answer: @Sendable (HTTPRequest) async -> Result<HTTPResponse, CurlError>

    init(_ answer: @escaping @Sendable (HTTPRequest) async -> Result<HTTPResponse, CurlError>) {
        self.answer = answer
    }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }
    var most: [String: Int] { state.withLock { $0.most } }
    var mostInAll: Int { state.withLock { $0.mostInAll } }

    func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        state.withLock { state in
            state.requests.append(request)
            state.underWay[request.url, default: 0] += 1
            state.total += 1
            state.most[request.url] = max(state.most[request.url, default: 0], state.underWay[request.url, default: 0])
            state.mostInAll = max(state.mostInAll, state.total)
        }
        let result = await answer(request)
        state.withLock { state in
            state.underWay[request.url, default: 0] -= 1
            state.total -= 1
        }
        return try result.get()
    }
}

/// Lets those who wait for it pass once it has been opened.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}
