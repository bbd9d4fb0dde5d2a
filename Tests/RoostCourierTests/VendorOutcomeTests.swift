import Curl
import RoostCourier
import Testing

/// One case for each known code of DingTalk, Feishu and mail servers; WeCom's and those of plain HTTP are with
/// ``OutcomeTests``.
@Suite struct VendorOutcomeTests {
    static let now = OutcomeTests.now

    private func outcome(
        _ channel: Channel, _ body: String, status: Int = 200, headers: [HTTPHeader] = []
    ) -> Outcome {
        Outcome(
            of: .success(HTTPResponse(status: status, headers: headers, body: Array(body.utf8))), on: channel,
            now: Self.now)
    }

    @Test(arguments: [
        (0, "ok", Outcome.Class.sent, "sent"), (-1, "系统繁忙", .transient, "dingtalk_-1"),
        (130101, "send too fast, exceed 20 times per minute", .rateLimited, "dingtalk_130101"),
        (410100, "发送速度太快而限流", .rateLimited, "dingtalk_410100"),
        (90030, "webhook over limit", .quota, "dingtalk_90030"),
        (310000, "keywords not in content, more: [https://x]", .config, "dingtalk_310000_keyword"),
        (310000, "description:关键词不匹配", .config, "dingtalk_310000_keyword"),
        (310000, "invalid timestamp, more: [https://x]", .config, "dingtalk_310000_timestamp"),
        (310000, "description:机器人发送签名过期", .config, "dingtalk_310000_timestamp"),
        (310000, "sign not match, more: [https://x]", .config, "dingtalk_310000_sign"),
        (310000, "ip 203.0.113.5 not in whitelist", .config, "dingtalk_310000_ip"),
        (310000, "something else", .config, "dingtalk_310000"),
        (300001, "token is not exist", .config, "dingtalk_300001"),
        (300005, "token is not exist", .config, "dingtalk_300005"),
        (400101, "access_token不存在", .config, "dingtalk_400101"), (400102, "机器人已停用", .config, "dingtalk_400102"),
        (400013, "群已解散", .config, "dingtalk_400013"), (400106, "机器人不存在", .config, "dingtalk_400106"),
        (40014, "不合法的access_token", .config, "dingtalk_40014"),
        (400105, "不支持的消息类型", .content, "dingtalk_400105"), (430101, "不安全的外链", .content, "dingtalk_430101"),
        (430102, "不合适的文本", .content, "dingtalk_430102"), (430103, "不合适的图片", .content, "dingtalk_430103"),
        (430104, "不合适的内容", .content, "dingtalk_430104"),
        (460101, "body 大小不合法，需在20000bytes 以内", .content, "dingtalk_460101"),
        (101002, "message is too long", .content, "dingtalk_101002"),
        (40035, "缺少参数 json", .content, "dingtalk_40035"), (43002, "需要POST请求", .content, "dingtalk_43002"),
        (43004, "content-type", .content, "dingtalk_43004"), (777, "发送太快", .rateLimited, "dingtalk_777"),
        (777, "Too fast", .rateLimited, "dingtalk_777"), (777, "exceed", .rateLimited, "dingtalk_777"),
        (777, "whatever", .unrecognised, "dingtalk_777"),
    ])
    func `DingTalk's answer is judged by code and words`(
        _ code: Int, _ words: String, _ expected: Outcome.Class, _ name: String
    ) {
        let outcome = outcome(.dingtalk, #"{"errcode":\#(code),"errmsg":"\#(words)"}"#)
        #expect(outcome.class == expected && outcome.code == name)
        #expect(outcome.vendor?.message == words)
        #expect(outcome.instruction == Instruction(after: expected, code: name, on: .dingtalk))
    }

    @Test func `DingTalk's gateway against abuse limits the rate`() {
        let body = #"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"7c3d"}"#
        #expect(outcome(.dingtalk, body).class == .rateLimited)
        #expect(outcome(.dingtalk, #"{"status":1111}"#).class == .uncertain)
    }

    @Test(arguments: [
        (0, "success", Outcome.Class.sent, "sent"),
        (11232, "frequency limited psm[lark.oapi.app_platform_runtime]", .rateLimited, "feishu_11232"),
        (11247, "internal rate limit", .rateLimited, "feishu_11247"),
        (99991400, "request trigger frequency limit", .rateLimited, "feishu_99991400"),
        (9499, "Frequency limited", .rateLimited, "feishu_9499"), (9499, "Bad Request", .content, "feishu_9499"),
        (19001, "param invalid", .content, "feishu_19001"),
        (19001, "param invalid: incoming webhook access token invalid", .config, "feishu_19001_token"),
        (19021, "sign match fail or timestamp is not within one hour", .config, "feishu_19021"),
        (19022, "Ip Not Allowed", .config, "feishu_19022"), (19024, "Key Words Not Found", .config, "feishu_19024"),
        (19036, "message too large", .content, "feishu_19036"),
        (200621, "parse card json err", .content, "feishu_200621"), (777, "whatever", .unrecognised, "feishu_777"),
    ])
    func `Feishu's answer is judged by code and words`(
        _ code: Int, _ words: String, _ expected: Outcome.Class, _ name: String
    ) {
        let outcome = outcome(.feishu, #"{"code":\#(code),"msg":"\#(words)","data":{}}"#)
        #expect(outcome.class == expected && outcome.code == name)
        #expect(!outcome.instruction.chinese.isEmpty)
    }

    @Test func `Feishu's older answer and its own header are understood`() {
        #expect(outcome(.feishu, #"{"StatusCode":0,"StatusMessage":"success"}"#).class == .sent)
        let headers = [HTTPHeader("X-Ogw-Ratelimit-Reset", "90")]
        for status in [200, 400, 429] {
            let limited = outcome(.feishu, #"{"code":99991400,"msg":""}"#, status: status, headers: headers)
            #expect(limited.class == .rateLimited && limited.retryAfter == .seconds(90))
        }
    }

    @Test(
        arguments: [Channel.dingtalk, .feishu],
        ["", "ok", "<html></html>", "{}", #"{"msg":"ok"}"#, #"{"errcode":"0"}"#, "[0]", #"{"code":0"#, "null"])
    func `an answer without a readable code is uncertain`(_ channel: Channel, _ body: String) {
        #expect(outcome(channel, body).class == .uncertain)
    }

    @Test(
        arguments: [Channel.dingtalk, .feishu],
        [
            (429, "", Outcome.Class.rateLimited), (408, "", .transient), (500, #"{"errcode":0,"code":0}"#, .transient),
            (502, "<html>", .transient), (503, "", .transient), (302, "", .unrecognised), (404, "", .unrecognised),
            (404, #"{"errcode":0,"code":0}"#, .unrecognised),
        ])
    func `another status is never success`(_ channel: Channel, _ it: (Int, String, Outcome.Class)) {
        #expect(outcome(channel, it.1, status: it.0).class == it.2)
    }

    @Test(arguments: [
        (Channel.dingtalk, #"{"errcode":310000,"errmsg":"invalid timestamp"}"#, 200),
        (
            .feishu, #"{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}"#,
            200
        ),
        (.generic, "message timestamp too old", 400), (.generic, "", 401),
    ])
    func `a refused timestamp blames our clock when it is off, in words, and not the endpoint`(
        _ channel: Channel, _ body: String, _ status: Int
    ) {
        // The receiver says 00:00:00; our clock is an hour and twelve minutes ahead of that, or behind.
        let date = HTTPHeader("Date", "Sat, 21 Nov 2026 00:00:00 GMT")
        let response = HTTPResponse(status: status, headers: [date], body: Array(body.utf8))
        func outcome(offBy seconds: Int64) -> Outcome {
            Outcome(of: .success(response), on: channel, now: Self.now + .seconds(seconds))
        }
        let fast = outcome(offBy: 4320)
        #expect(fast.class == .transient && fast.code == "clock_fast_4320")
        #expect(fast.instruction.chinese.contains("快约 72 分钟") && fast.instruction.english.contains("72 min ahead"))
        let slow = outcome(offBy: -4320)
        #expect(slow.code == "clock_slow_4320" && slow.instruction.english.contains("72 min behind"))
        #expect(Instruction(after: .transient, code: slow.code, on: channel) == slow.instruction)
        #expect(outcome(offBy: 30).class == (channel == .generic ? .transient : .config))
        #expect(!outcome(offBy: 30).code.hasPrefix("clock"))
    }

    @Test func `a refusal for another reason never blames the clock`() {
        let date = HTTPHeader("Date", "Sat, 21 Nov 2026 00:00:00 GMT")
        let body = #"{"errcode":310000,"errmsg":"sign not match"}"#
        let response = HTTPResponse(status: 200, headers: [date], body: Array(body.utf8))
        let outcome = Outcome(of: .success(response), on: .dingtalk, now: Self.now + .seconds(9000))
        #expect(outcome.class == .config && outcome.code == "dingtalk_310000_sign")
    }

    @Test(arguments: [
        (250, Outcome.Class.sent), (421, .transient), (450, .transient), (451, .transient), (452, .transient),
        (501, .config), (550, .config), (551, .config), (553, .config), (556, .config), (530, .transient),
        (534, .transient), (535, .transient), (538, .transient), (552, .content), (554, .content), (500, .content),
        (571, .content),
    ])
    func `a mail server's code decides, even after the letter had left`(_ code: Int, _ expected: Outcome.Class) {
        let refusals = [false, true].map { CurlError(.refused, requestMayHaveLeft: $0, status: code) }
        let outcomes =
            code < 400
            ? [Outcome(of: .success(MailReply(code: code, text: "2.0.0 Ok")))]
            : refusals.map { Outcome(of: .failure($0)) }
        for outcome in outcomes {
            #expect(outcome.class == expected && outcome.code == (expected == .sent ? "sent" : "smtp_\(code)"))
            #expect(outcome.channel == .email && !outcome.instruction.english.isEmpty)
        }
    }

    @Test func `a letter is uncertain only when all of it had left and nothing came back`() {
        let before = Outcome(of: .failure(CurlError(.timedOut)))
        let after = Outcome(of: .failure(CurlError(.timedOut, requestMayHaveLeft: true)))
        #expect(before.class == .transient && after.class == .uncertain)
        let login = Outcome(of: .failure(CurlError(.loginRefused, status: 535)))
        #expect(login.class == .transient && login.instruction.english.contains("password"))
    }

    @Test func `limits, quotas and letters wait as their receivers ask`() {
        func decision(_ outcome: Outcome, attempts: Int = 0) -> DeliveryDecision {
            RetryPolicy.decision(
                after: outcome,
                DeliveryCircumstances(
                    channel: outcome.channel, attempts: attempts, now: Self.now, notAfter: Self.now + .seconds(900_000))
            )
        }
        let punished = decision(outcome(.dingtalk, #"{"errcode":130101}"#), attempts: 2)
        #expect(punished.endpointHeldUntil == Self.now + .seconds(610) && punished.attempts == 2)
        let limited = decision(outcome(.feishu, #"{"code":11232}"#))
        #expect(limited.endpointHeldUntil == Self.now + .seconds(65) && limited.status == .held)

        // 08:00 in China: held until soon after midnight there, 16:00 UTC.
        let quota = decision(outcome(.dingtalk, #"{"errcode":90030}"#), attempts: 1)
        #expect(quota.status == .held && quota.attempts == 1)
        #expect(quota.nextAt == Self.now + .seconds(16 * 3600 + 300 + 900))

        let waits = (0..<7).map { attempts in
            decision(Outcome(of: .failure(CurlError(.refused, status: 451))), attempts: attempts).nextAt
                .map { ($0 - Self.now).components.seconds }
        }
        #expect(waits == [60, 300, 900, 3600, 14_400, 14_400, 14_400])
        let lost = Outcome(of: .failure(CurlError(.timedOut, requestMayHaveLeft: true)))
        #expect(decision(lost).status == .retryWait)
    }

    @Test(arguments: [Channel.wecom, .dingtalk, .feishu])
    func `an uncertain message to any robot is never repeated by itself`(_ channel: Channel) {
        let it = DeliveryCircumstances(
            channel: channel, attempts: 0, now: Self.now, notAfter: Self.now + .seconds(900_000))
        let lost = Outcome(
            of: .failure(CurlError(.timedOut, requestMayHaveLeft: true)), on: channel, now: Self.now)
        #expect(RetryPolicy.decision(after: lost, it).status == .uncertain)
        #expect(RetryPolicy.decision(afterExpiredLease: it).status == .uncertain)
        #expect(RetryPolicy.decision(after: outcome(channel, ""), it).status == .uncertain)
    }
}
