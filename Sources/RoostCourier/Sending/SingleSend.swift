/// Sends one message at once, outside the queue: how an endpoint is tried out.
///
/// It goes through the same pins, guards and judgement as every delivery, and is never repeated.
package func sendOnce(
    _ body: [UInt8], contentType: String, to target: DeliveryTarget, as webhookID: WebhookID,
    authorities: String? = nil, over transport: any HTTPTransport, settings: CourierSettings, clock: any SenderClock
) async -> Outcome {
    let delivery = LeasedDelivery(
        id: DeliveryID(webhookID.description), webhookID: webhookID, endpoint: EndpointID("test"), target: target,
        body: body, contentType: contentType, attempts: 0, notAfter: clock.now() + .seconds(60),
        authorities: authorities)
    return await Exchange.carryOut(delivery, over: transport, settings: settings, clock: clock).outcome
}
