internal import Curl

/// How a delivery is put into a request.
package enum OutwardRequest {
    /// The longest a transfer may take; a lease must outlast it.
    package static let longestTransfer = Duration.seconds(30)

    static func request(for delivery: LeasedDelivery, settings: CourierSettings, now: Moment) -> HTTPRequest {
        var headers = [HTTPHeader("Content-Type", delivery.contentType), HTTPHeader("User-Agent", "Roost")]
        var options = TransferOptions(
            totalTimeout: longestTransfer, responseLimit: 64 << 10, overflow: .truncate,
            allowedSchemes: settings.allowedSchemes, addressPolicy: settings.addressPolicy, caFile: settings.caFile)
        if case .generic(_, let secrets) = delivery.target {
            headers += [
                HTTPHeader("webhook-id", delivery.webhookID.description),
                HTTPHeader("webhook-timestamp", String(now.seconds)),
                HTTPHeader(
                    "webhook-signature",
                    WebhookSignature.header(
                        id: delivery.webhookID, timestamp: now.seconds, body: delivery.body, secrets: secrets)),
            ]
        } else {
            // libcurl may silently repeat a POST on a reused connection, and a robot would post twice.
            options.freshConnection = true
            options.totalTimeout = .seconds(15)
        }
        return HTTPRequest(
            method: .post, url: url(of: delivery.target, settings: settings), headers: headers, body: delivery.body,
            options: options)
    }

    static func url(of target: DeliveryTarget, settings: CourierSettings) -> String {
        switch target {
        case .wecom(let key): "\(settings.weComBase)/cgi-bin/webhook/send?key=\(key.revealed)"
        case .generic(let url, _): url.revealed
        }
    }
}
