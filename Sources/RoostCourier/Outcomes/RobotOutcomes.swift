internal import Curl
internal import Foundation

// MARK: HTTP 200 is not success: the body tells

extension Outcome {
    static func robot(_ response: HTTPResponse, on channel: Channel, now: Moment) -> Outcome {
        let code = "http_\(response.status)"
        let retryAfter = response.vendorRetryAfter(now: now)
        switch response.status {
        case 429: return Outcome(.rateLimited, on: channel, code: code, retryAfter: retryAfter)
        case 408, 500...: return Outcome(.transient, on: channel, code: code, retryAfter: retryAfter)
        default: break
        }
        let isSuccess = (200..<300).contains(response.status)
        guard !response.bodyIsTruncated, let answer = VendorAnswer(response.body, on: channel) else {
            return isSuccess
                ? Outcome(.uncertain, on: channel, code: "unreadable_answer")
                : Outcome(.unrecognised, on: channel, code: code)
        }
        if answer.code == 0, !isSuccess { return Outcome(.unrecognised, on: channel, code: code, vendor: answer) }
        let verdict: VendorVerdict =
            switch channel {
            case .dingtalk: .dingTalk(answer)
            case .feishu: .feishu(answer)
            case .wecom, .generic, .email, .manual: .weCom(answer)
            }
        if verdict.blamesTimestamp, let outcome = wrongClock(response, on: channel, now: now, vendor: answer) {
            return outcome
        }
        return Outcome(
            verdict.class, on: channel,
            code: verdict.class == .sent ? "sent" : "\(channel.rawValue)_\(answer.code)\(verdict.suffix)",
            vendor: answer, retryAfter: verdict.class == .rateLimited ? retryAfter : nil)
    }
}

/// What a vendor's code and words mean.
struct VendorVerdict {
    let `class`: Outcome.Class
    /// Tells apart what the vendor tells apart in words only.
    var suffix = ""
    var blamesTimestamp = false

    static func weCom(_ answer: VendorAnswer) -> VendorVerdict {
        switch answer.code {
        case 0: VendorVerdict(class: .sent)
        case -1: VendorVerdict(class: .transient)
        // Too many calls; too many at once.
        case 45009, 45033: VendorVerdict(class: .rateLimited)
        // The key is not valid or the robot left the group; it is switched off; our IP is not on the group's list.
        case 93000, 93004, 93008, 60020: VendorVerdict(class: .config)
        // Secret, access token: not valid, missing, expired; interface not permitted.
        case 40001, 40013, 40014, 41001, 42001, 48001, 48002: VendorVerdict(class: .config)
        // Too long (40058 among the parameters that are not valid, and 45002); empty.
        case 40000..<40100, 44004, 45002: VendorVerdict(class: .content)
        default: VendorVerdict(class: .unrecognised)
        }
    }

    static func dingTalk(_ answer: VendorAnswer) -> VendorVerdict {
        switch answer.code {
        case 0: return VendorVerdict(class: .sent)
        case -1: return VendorVerdict(class: .transient)
        // More than 20 in a minute; the gateway against abuse.
        case 130101, 410100, 1111: return VendorVerdict(class: .rateLimited)
        case 90030: return VendorVerdict(class: .quota)
        // One code for the four security settings, told apart in words.
        case 310000:
            let reasons = [
                ("keyword", "_keyword"), ("关键词", "_keyword"), ("timestamp", "_timestamp"), ("过期", "_timestamp"),
                ("sign", "_sign"), ("签名", "_sign"), ("whitelist", "_ip"), ("白名单", "_ip"),
            ]
            let suffix = reasons.first { answer.says($0.0) }?.1 ?? ""
            return VendorVerdict(class: .config, suffix: suffix, blamesTimestamp: suffix == "_timestamp")
        // This kind of message is not supported, which is about the message and not the robot.
        case 400105: return VendorVerdict(class: .content)
        // Token not valid; robot stopped or missing, group dissolved.
        case 300001, 300005, 40014, 400013, 400100..<400200: return VendorVerdict(class: .config)
        // Unsafe link, text, image or content; too long, by either code; parameter, method or type missing.
        case 430100..<430200, 460101, 101002, 40035, 43002, 43004: return VendorVerdict(class: .content)
        default:
            return VendorVerdict(
                class: answer.says("太快") || answer.says("too fast") || answer.says("exceed")
                    ? .rateLimited : .unrecognised)
        }
    }

    static func feishu(_ answer: VendorAnswer) -> VendorVerdict {
        switch answer.code {
        case 0: VendorVerdict(class: .sent)
        case 11232, 11247, 99991400: VendorVerdict(class: .rateLimited)
        // Seen under 9499 too, whose usual meaning is a bad request.
        case _ where answer.says("frequency limited"): VendorVerdict(class: .rateLimited)
        case 19021: VendorVerdict(class: .config, blamesTimestamp: true)
        case 19022, 19024: VendorVerdict(class: .config)
        // A parameter is not valid; where it is the token, the robot is gone.
        case 19001 where answer.says("access token invalid"): VendorVerdict(class: .config, suffix: "_token")
        // Bad request; parameter; size; the card is no card.
        case 9499, 19001, 19036, 200621: VendorVerdict(class: .content)
        default: VendorVerdict(class: .unrecognised)
        }
    }
}

extension VendorAnswer {
    private struct Body: Decodable {
        let errcode: Int?
        let errmsg: String?
        // Feishu's, and those of its first version.
        let code: Int?
        let msg: String?
        let StatusCode: Int?
        // Of DingTalk's gateway, which answers in place of the interface.
        let status: Int?
        let punish: String?
    }

    /// Reads `{"errcode": 0, "errmsg": "ok"}` or `{"code": 0, "msg": "success"}` as the channel has it; nil for anything
    /// else.
    init?(_ body: [UInt8], on channel: Channel) {
        guard let answer = try? JSONDecoder().decode(Body.self, from: Data(body)) else { return nil }
        let code =
            switch channel {
            case .feishu: answer.code ?? answer.StatusCode
            case .dingtalk: answer.errcode ?? (answer.punish == nil ? nil : answer.status)
            case .wecom, .generic, .email, .manual: answer.errcode
            }
        guard let code else { return nil }
        self.init(code: code, message: (channel == .feishu ? answer.msg : answer.errmsg) ?? "")
    }

    fileprivate func says(_ words: String) -> Bool { message.lowercased().contains(words) }
}

extension HTTPResponse {
    /// The longer of `Retry-After` and the seconds in Feishu's own header.
    fileprivate func vendorRetryAfter(now: Moment) -> Duration? {
        let reset = header("x-ogw-ratelimit-reset").flatMap(Int64.init).map {
            Duration.seconds(min(max($0, 0), 86_400))
        }
        return [retryAfter(now: now), reset].compactMap(\.self).max()
    }
}
