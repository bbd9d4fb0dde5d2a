internal import Curl

/// Sends one message at once, outside the queue: how an endpoint is tried out.
///
/// It goes through the same pins, guards and judgement as every delivery, and is never repeated.
package func sendOnce(
    _ body: [UInt8], contentType: String, to target: DeliveryTarget, as webhookID: WebhookID,
    over transport: any HTTPTransport, settings: CourierSettings, clock: any SenderClock
) async -> Outcome {
    let now = clock.now()
    let delivery = LeasedDelivery(
        id: DeliveryID(webhookID.description), webhookID: webhookID, endpoint: EndpointID("test"), target: target,
        body: body, contentType: contentType, attempts: 0, notAfter: now + .seconds(60))
    let request = OutwardRequest.request(for: delivery, settings: settings, now: now)
    let transfer: Result<HTTPResponse, CurlError>
    do throws(CurlError) {
        transfer = .success(try await transport.send(request))
    } catch {
        transfer = .failure(error)
    }
    return Outcome(of: transfer, on: target.channel, now: clock.now())
}
