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

    /// Sends every part in turn, until one does not arrive.
    func send(_ rendering: Rendering, to endpoint: EndpointRecord) async throws -> Outcome {
        guard let target = try vault.target(of: endpoint, at: store.clock()) else {
            throw Refusal(
                .conflict, reason: "manual",
                Label("人工渠道无需测试。", "what a person delivers cannot be tested"))
        }
        let now = Moment(milliseconds: store.clock().value)
        let ends = try await store.ends(
            at: endpoint.id, since: now.milliseconds - rendering.channel.rateMemory.milliseconds)
        let next = RateLimits.next(
            on: rendering.channel, after: ends.map { Moment(milliseconds: $0.value) }, now: now)
        guard next <= now else {
            throw Refusal(
                .rateLimited, reason: "vendor_limit",
                Label("一分钟内发往该机器人的消息已达上限，请稍后再试。", "the robot has had as many messages this minute as it takes"),
                retryAfter: Int((next.milliseconds - now.milliseconds + 999) / 1000))
        }
        var last: Outcome?
        for part in rendering.parts {
            let started = store.clock()
            let name = RowID(milliseconds: started.value, random: UInt128.random(in: .min ... .max))
            let outcome = await sendOnce(
                part.body, contentType: rendering.contentType, to: target,
                as: StoreDeliveryQueue.webhookID(of: name), authorities: endpoint.authority, over: transport,
                settings: vault.settings,
                clock: SystemSenderClock())
            try await store.note(
                AttemptRecord(
                    startedAt: started, finishedAt: store.clock(), status: nil, response: "",
                    vendorCode: outcome.vendor?.code, vendorMessage: outcome.vendor?.message),
                outcome: outcome.class.rawValue, code: outcome.code, named: name, at: endpoint.id)
            last = outcome
            guard outcome.class == .sent else { break }
        }
        guard let last else { throw Refusal(.internalError, "a rendering without parts") }
        return last
    }
}
