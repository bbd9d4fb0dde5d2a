package import Curl
internal import Foundation

extension Outcome {
    /// Judges one transfer on a channel, by the body where the channel answers in the body.
    ///
    /// A `Retry-After` date counts from `now`, the moment of the answer.
    package init(of result: Result<HTTPResponse, CurlError>, on channel: Channel, now: Moment) {
        switch result {
        case .success(let response):
            self = channel.isRobot ? .weCom(response, now: now) : .generic(response, now: now)
        case .failure(let error):
            self = .failure(error, on: channel)
        }
    }

    private static func failure(_ error: CurlError, on channel: Channel) -> Outcome {
        let code = error.reason.rawValue
        switch error.reason {
        case .blocked:
            return Outcome(.blocked, on: channel, code: code)
        case .invalidURL, .invalidHeader, .policyBehindProxy, .unsupportedProtocol:
            return Outcome(.config, on: channel, code: code)
        case .cancelled where error.surelyNotSent, .closed where error.surelyNotSent:
            return Outcome(.deferred, on: channel, code: code)
        case .unresolved, .unreachable, .tls, .certificate, .timedOut, .interrupted, .badResponse, .tooLarge,
            .cancelled, .closed, .failed:
            if error.surelyNotSent { return Outcome(.transient, on: channel, code: code) }
            guard channel == .generic else { return Outcome(.uncertain, on: channel, code: code) }
            // The status had arrived, and the body of a webhook's answer says nothing.
            if let status = error.status { return generic(status: status, retryAfter: nil) }
            return Outcome(.uncertain, on: channel, code: code)
        }
    }
}

// MARK: Generic webhooks: the status is the answer

extension Outcome {
    private static func generic(_ response: HTTPResponse, now: Moment) -> Outcome {
        generic(status: response.status, retryAfter: response.retryAfter(now: now))
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

// MARK: WeCom: HTTP 200 is not success

extension Outcome {
    private static func weCom(_ response: HTTPResponse, now: Moment) -> Outcome {
        let code = "http_\(response.status)"
        switch response.status {
        case 429: return Outcome(.rateLimited, on: .wecom, code: code, retryAfter: response.retryAfter(now: now))
        case 408, 500...: return Outcome(.transient, on: .wecom, code: code, retryAfter: response.retryAfter(now: now))
        default: break
        }
        let isSuccess = (200..<300).contains(response.status)
        guard !response.bodyIsTruncated, let answer = VendorAnswer(weCom: response.body) else {
            return isSuccess
                ? Outcome(.uncertain, on: .wecom, code: "unreadable_answer")
                : Outcome(.unrecognised, on: .wecom, code: code)
        }
        if answer.code == 0, !isSuccess { return Outcome(.unrecognised, on: .wecom, code: code, vendor: answer) }
        return weCom(answer)
    }

    private static func weCom(_ answer: VendorAnswer) -> Outcome {
        func outcome(_ class: Class) -> Outcome {
            Outcome(`class`, on: .wecom, code: `class` == .sent ? "sent" : "wecom_\(answer.code)", vendor: answer)
        }
        switch answer.code {
        case 0: return outcome(.sent)
        case -1: return outcome(.transient)
        // Too many calls; too many at once.
        case 45009, 45033: return outcome(.rateLimited)
        // The key is not valid or the robot left the group; it is switched off; our IP is not on the group's list.
        case 93000, 93004, 93008, 60020: return outcome(.config)
        // Secret, access token: not valid, missing, expired; interface not permitted.
        case 40001, 40013, 40014, 41001, 42001, 48001, 48002: return outcome(.config)
        // Too long (40058 among the parameters that are not valid, and 45002); empty.
        case 40000..<40100, 44004, 45002: return outcome(.content)
        default: return outcome(.unrecognised)
        }
    }
}

extension VendorAnswer {
    private struct WeCom: Decodable {
        let errcode: Int
        let errmsg: String?
    }

    /// Reads `{"errcode": 0, "errmsg": "ok"}`; nil for anything else.
    fileprivate init?(weCom body: [UInt8]) {
        guard let answer = try? JSONDecoder().decode(WeCom.self, from: Data(body)) else { return nil }
        self.init(code: answer.errcode, message: answer.errmsg ?? "")
    }
}
