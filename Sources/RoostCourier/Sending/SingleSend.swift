/// Sends one message at once, outside the queue: how an endpoint is tried out.
///
/// It goes through the same pins, guards and judgement as every delivery, and is never repeated: of what the result decides
/// only until when its endpoint is held counts. Given up after `limit`, while whoever asked still waits.
package func sendOnce(
    _ body: [UInt8], contentType: String, to target: DeliveryTarget, as webhookID: WebhookID,
    authorities: String? = nil, over transport: any HTTPTransport, settings: CourierSettings, clock: any SenderClock,
    limit: Duration = OutwardRequest.longestTransfer
) async -> AttemptResult {
    let started = clock.now()
    let delivery = LeasedDelivery(
        id: DeliveryID(bits: 0), webhookID: webhookID, endpoint: EndpointID(bits: 0), target: target,
        body: body, contentType: contentType, attempts: 0, notAfter: started + .seconds(86_400),
        authorities: authorities)
    let exchange = await Exchange.carryOut(
        delivery, over: transport, settings: settings, clock: clock, limit: limit)
    let finished = clock.now()
    let circumstances = DeliveryCircumstances(
        channel: target.channel, attempts: 0, now: finished, notAfter: delivery.notAfter)
    return AttemptResult(
        of: delivery, outcome: exchange.outcome,
        decision: RetryPolicy.decision(after: exchange.outcome, circumstances), exchange: exchange, settings: settings,
        startedAt: started, finishedAt: finished)
}
