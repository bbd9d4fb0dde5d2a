import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync

/// Sends a message at once to one endpoint, outside the queue and within the vendor's limits.
struct EndpointTrial: Sendable {
    let store: ServerStore
    let vault: EndpointVault
    let transport: any HTTPTransport

    /// How long a receiver has for one part: whoever asked waits for it, and the server gives their request up at some time.
    static let limit = Duration.seconds(10)

    /// Sends every part in turn, until one does not arrive.
    func send(_ rendering: Rendering, to endpoint: EndpointRecord) async throws -> Outcome {
        guard let target = try target(of: endpoint) else {
            throw Refusal(
                .conflict, reason: "manual",
                Label("人工渠道无需测试。", "what a person delivers cannot be tested"))
        }
        var last: Outcome?
        for part in rendering.parts {
            try await begin(at: endpoint.id, on: rendering.channel)
            let now = store.clock()
            let name = RowID(milliseconds: now.value, random: UInt128.random(in: .min ... .max))
            let result = await sendOnce(
                part.body, contentType: rendering.contentType, to: target,
                as: StoreDeliveryQueue.webhookID(of: name), authorities: endpoint.authority, over: transport,
                settings: vault.settings, clock: StoreClock(store: store), limit: Self.limit)
            // Whoever asked may be gone, and with them this task; what was sent counts all the same.
            var attempt = StoreDeliveryQueue.record(of: result)
            (attempt.outcome, attempt.code) = (result.outcome.class.rawValue, result.outcome.code)
            let ended = TrialResult(
                at: endpoint.id, named: name, attempt,
                heldUntil: result.decision.endpointHeldUntil.map { Milliseconds($0.milliseconds) })
            try await Task { [store] in try await store.end(ended) }.value
            last = result.outcome
            guard result.outcome.class == .sent else { break }
        }
        guard let last else { throw Refusal(.internalError, "a rendering without parts") }
        return last
    }

    private func target(of endpoint: EndpointRecord) throws -> DeliveryTarget? {
        do {
            return try vault.target(of: endpoint, at: store.clock())
        } catch is UnsealableEndpoint {
            let instruction = Instruction(after: .config, code: "endpoint_unreadable", on: .generic)
            throw Refusal(
                .conflict, reason: "endpoint_unreadable", Label(instruction.chinese, instruction.english))
        } catch let error as EndpointAddressError {
            // It was let in under other settings.
            throw Refusal.invalidEndpoint(error.rawValue, error.label)
        }
    }

    /// Waits for nothing: an endpoint that may have nothing now is not tried out now.
    private func begin(at endpoint: RowID, on channel: Channel) async throws {
        do {
            let trial = Trial(
                at: endpoint, until: store.clock() + (Self.limit.milliseconds + 5000),
                memory: channel.rateMemory.milliseconds, isAlone: channel.isRobot
            ) { ends, now in
                let next = RateLimits.next(
                    on: channel, after: ends.map { Moment(milliseconds: $0.value) },
                    now: Moment(milliseconds: now.value))
                return Milliseconds(next.milliseconds)
            }
            try await store.begin(trial)
        } catch TrialRefusal.held(let until) {
            let seconds = Int((until - store.clock() + 999) / 1000)
            throw Refusal(
                .rateLimited, reason: "vendor_limit",
                Label(
                    "该端点正在收发消息或已达对方的限额，请在 \(seconds) 秒后再试。",
                    "the endpoint is busy or has had as much as its receiver takes; try again in \(seconds) seconds"),
                retryAfter: seconds)
        }
    }
}
