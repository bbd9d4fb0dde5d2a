package import Curl

/// A delivery as it goes out: a POST or a letter.
package enum OutwardRequest: Sendable {
    case post(HTTPRequest)
    case letter(MailRequest)
    /// There is no mail server to hand a letter to.
    case noMailServer

    /// The longest a transfer may take; a lease must outlast it.
    package static let longestTransfer = Duration.seconds(30)
    /// Robots answer within a second or not at all.
    private static let longestRobotTransfer = Duration.seconds(15)

    /// Puts a delivery into a request, signed as of now, that is given up after `limit` if not earlier.
    package init(
        for delivery: LeasedDelivery, settings: CourierSettings, now: Moment, limit: Duration = longestTransfer
    ) {
        switch delivery.target {
        case .wecom(let key):
            self = .robot(delivery, at: settings.url(of: key), settings, limit)
        case .dingtalk(let token, let secret):
            let url = settings.url(of: token)
            let signed = secret.map { "\(url)&\(RobotSignature.dingTalkParameters(secret: $0, now: now))" }
            self = .robot(delivery, at: signed ?? url, settings, limit)
        case .feishu(let token, let secret):
            let body = secret.map { RobotSignature.signedFeishuBody(delivery.body, secret: $0, now: now) }
            self = .robot(delivery, at: settings.url(of: token), body: body, settings, limit)
        case .generic(let url, let secrets):
            let signature = WebhookSignature.header(
                id: delivery.webhookID, timestamp: now.seconds, body: delivery.body, secrets: secrets)
            let headers = [
                HTTPHeader("webhook-id", delivery.webhookID.description),
                HTTPHeader("webhook-timestamp", String(now.seconds)), HTTPHeader("webhook-signature", signature),
            ]
            var options = Self.options(delivery, settings, limit)
            options.allowedPorts = settings.webhookPorts
            self = .post(
                Self.request(delivery, at: url.revealed, body: delivery.body, headers: headers, options: options))
        case .email(let target):
            guard let mail = settings.mail else {
                self = .noMailServer
                return
            }
            var letter = MailEnvelope.letter(
                delivery.body, to: target, as: delivery.webhookID, settings: mail, now: now)
            letter.totalTimeout = min(Self.longestTransfer, limit)
            self = .letter(letter)
        }
    }

    private static func robot(
        _ delivery: LeasedDelivery, at url: String, body: [UInt8]? = nil, _ settings: CourierSettings, _ limit: Duration
    ) -> OutwardRequest {
        var options = options(delivery, settings, min(limit, longestRobotTransfer))
        // libcurl may silently repeat a POST on a reused connection, and a robot would post twice.
        options.freshConnection = true
        if let proxy = settings.robotProxy { (options.proxy, options.addressPolicy) = (proxy.revealed, .anyAddress) }
        return .post(request(delivery, at: url, body: body ?? delivery.body, headers: [], options: options))
    }

    private static func options(
        _ delivery: LeasedDelivery, _ settings: CourierSettings, _ limit: Duration
    ) -> TransferOptions {
        TransferOptions(
            totalTimeout: min(longestTransfer, limit), responseLimit: 64 << 10, overflow: .truncate,
            allowedSchemes: settings.allowedSchemes, addressPolicy: settings.addressPolicy, caFile: settings.caFile,
            authorities: delivery.authorities)
    }

    private static func request(
        _ delivery: LeasedDelivery, at url: String, body: [UInt8], headers: [HTTPHeader], options: TransferOptions
    ) -> HTTPRequest {
        var request = HTTPRequest(
            method: .post, url: url,
            headers: [HTTPHeader("Content-Type", delivery.contentType), HTTPHeader("User-Agent", "Roost")] + headers,
            body: body, options: options)
        request.isDoubtful = !delivery.isWarm
        return request
    }

    /// Where it goes, without anything secret.
    package static func redactedAddress(of target: DeliveryTarget, settings: CourierSettings) -> String {
        switch target {
        case .wecom(let key): redactedURL(settings.url(of: key))
        case .dingtalk(let token, _): redactedURL(settings.url(of: token))
        case .feishu(let token, _): redactedURL(settings.url(of: token))
        case .generic(let url, _): url.concealed
        case .email(let target): target.address.concealed
        }
    }
}
