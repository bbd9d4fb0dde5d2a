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
            return Outcome(.blocked, code: code)
        case .invalidURL, .invalidHeader, .policyBehindProxy, .unsupportedProtocol:
            return Outcome(.config, code: code, instruction: .addressIsMalformed)
        case .cancelled where error.surelyNotSent, .closed where error.surelyNotSent:
            return Outcome(.deferred, code: code)
        case .certificate where error.surelyNotSent:
            return Outcome(.transient, code: code, instruction: .certificateIsInvalid)
        case .unresolved, .unreachable, .tls, .certificate, .timedOut, .interrupted, .badResponse, .tooLarge,
            .cancelled, .closed, .failed:
            if error.surelyNotSent { return Outcome(.transient, code: code) }
            guard channel == .generic else { return Outcome(.uncertain, code: code) }
            // The status had arrived, and the body of a webhook's answer says nothing.
            if let status = error.status { return generic(status: status, retryAfter: nil) }
            return Outcome(.uncertain, code: code, instruction: .willRepeat)
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
        case 200..<300: return Outcome(.sent, code: "sent")
        case 410: return Outcome(.config, code: code, instruction: .gone)
        case 413: return Outcome(.content, code: code, instruction: .tooLong)
        case 429: return Outcome(.rateLimited, code: code, retryAfter: retryAfter)
        case 300..<400: return Outcome(.transient, code: code, instruction: .redirected)
        case 401, 403, 404, 405: return Outcome(.transient, code: code, instruction: .notAuthorised)
        default: return Outcome(.transient, code: code, retryAfter: retryAfter)
        }
    }
}

// MARK: WeCom: HTTP 200 is not success

extension Outcome {
    private static func weCom(_ response: HTTPResponse, now: Moment) -> Outcome {
        let code = "http_\(response.status)"
        switch response.status {
        case 429: return Outcome(.rateLimited, code: code, retryAfter: response.retryAfter(now: now))
        case 408, 500...: return Outcome(.transient, code: code, retryAfter: response.retryAfter(now: now))
        default: break
        }
        let isSuccess = (200..<300).contains(response.status)
        guard !response.bodyIsTruncated, let answer = VendorAnswer(weCom: response.body) else {
            return isSuccess ? Outcome(.uncertain, code: "unreadable_answer") : Outcome(.unrecognised, code: code)
        }
        if answer.code == 0, !isSuccess { return Outcome(.unrecognised, code: code, vendor: answer) }
        return weCom(answer)
    }

    private static func weCom(_ answer: VendorAnswer) -> Outcome {
        func outcome(_ class: Class, _ instruction: Instruction? = nil) -> Outcome {
            Outcome(
                `class`, code: `class` == .sent ? "sent" : "wecom_\(answer.code)", vendor: answer,
                instruction: instruction)
        }
        switch answer.code {
        case 0: return outcome(.sent)
        case -1: return outcome(.transient)
        // Too many calls; too many at once.
        case 45009, 45033: return outcome(.rateLimited)
        // The key is not valid or the robot left the group; the last is "not in this group".
        case 93000, 93008: return outcome(.config, .keyIsInvalid)
        case 93004: return outcome(.config, .robotIsStopped)
        case 60020: return outcome(.config, .addressNotAllowed)
        // Secret, access token: not valid, missing, expired; interface not permitted.
        case 40001, 40013, 40014, 41001, 42001, 48001, 48002: return outcome(.config, .keyIsInvalid)
        case 40058, 45002: return outcome(.content, .tooLong)
        // Other parameters of the message are not valid; the message is empty.
        case 40000..<40100, 44004: return outcome(.content)
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
