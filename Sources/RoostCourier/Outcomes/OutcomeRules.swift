package import Curl

extension Outcome {
    /// Judges one transfer on a channel, by the body where the channel answers in the body.
    ///
    /// A `Retry-After` date counts from `now`, the moment of the answer.
    package init(of result: Result<HTTPResponse, CurlError>, on channel: Channel, now: Moment) {
        switch result {
        case .success(let response):
            self =
                channel.isRobot
                ? .robot(response, on: channel, now: now) : .generic(response, now: now)
        case .failure(let error):
            self = .failure(error, on: channel)
        }
    }

    /// What every channel says of a transfer without an answer.
    static func failure(_ error: CurlError, on channel: Channel) -> Outcome {
        let code = error.reason.rawValue
        switch error.reason {
        case .blocked:
            return Outcome(.blocked, on: channel, code: code)
        case .invalidURL, .invalidHeader, .policyBehindProxy, .unsupportedProtocol, .forbiddenPort:
            return Outcome(.config, on: channel, code: code)
        case .cancelled where error.surelyNotSent, .closed where error.surelyNotSent:
            return Outcome(.deferred, on: channel, code: code)
        case .unresolved, .unreachable, .proxy, .tls, .certificate, .timedOut, .interrupted, .badResponse, .refused,
            .senderRefused, .unwelcome, .loginRefused, .tooLarge, .cancelled, .closed, .failed:
            if error.surelyNotSent { return Outcome(.transient, on: channel, code: code) }
            guard channel == .generic else { return Outcome(.uncertain, on: channel, code: code) }
            // The status had arrived, and the body of a webhook's answer says nothing.
            if let status = error.status { return generic(status: status, retryAfter: nil) }
            return Outcome(.uncertain, on: channel, code: code)
        }
    }

    /// A clock that is this far from the receiver's is to blame for a refused timestamp, in seconds.
    ///
    /// Receivers of Standard Webhooks usually accept five minutes, robots an hour.
    static let suspectClock: Int64 = 240

    /// The outcome of a refused timestamp when our own clock is to blame: nothing is wrong with the endpoint, and the
    /// message goes out once the clock has been set.
    static func wrongClock(_ response: HTTPResponse, on channel: Channel, now: Moment, vendor: VendorAnswer? = nil)
        -> Outcome?
    {
        guard let difference = response.secondsBehind(now: now), abs(difference) >= suspectClock else { return nil }
        let direction = difference > 0 ? "fast" : "slow"
        return Outcome(.transient, on: channel, code: "clock_\(direction)_\(abs(difference))", vendor: vendor)
    }
}

// MARK: Generic webhooks: the status is the answer

extension Outcome {
    private static func generic(_ response: HTTPResponse, now: Moment) -> Outcome {
        switch response.status {
        case 400, 401, 403: if let outcome = wrongClock(response, on: .generic, now: now) { return outcome }
        default: break
        }
        return generic(status: response.status, retryAfter: response.retryAfter(now: now))
    }

    /// A failure of any kind is retried by the schedule, as Standard Webhooks asks, except where the receiver says
    /// that the address is gone or the body too large.
    private static func generic(status: Int, retryAfter: Duration?) -> Outcome {
        let code = "http_\(status)"
        switch status {
        case 200..<300: return Outcome(.sent, on: .generic, code: "sent")
        case 410: return Outcome(.config, on: .generic, code: code)
        case 413: return Outcome(.content, on: .generic, code: code)
        case 429: return Outcome(.rateLimited, on: .generic, code: code, retryAfter: retryAfter)
        default: return Outcome(.transient, on: .generic, code: code, retryAfter: retryAfter)
        }
    }
}
