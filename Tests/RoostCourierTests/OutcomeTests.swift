import Curl
import RoostCourier
import Testing

/// One case for each cell of the outcome table, and for each known code of the vendor.
@Suite struct OutcomeTests {
    /// 2026-11-21 00:00:00 UTC.
    static let now = Moment(milliseconds: 1_795_219_200_000)

    private func outcome(_ channel: Channel, _ status: Int, _ body: String = "", retryAfter: String? = nil) -> Outcome {
        let headers = retryAfter.map { [HTTPHeader("Retry-After", $0)] } ?? []
        return Outcome(
            of: .success(HTTPResponse(status: status, headers: headers, body: Array(body.utf8))), on: channel,
            now: Self.now)
    }

    private func outcome(_ channel: Channel, _ error: CurlError) -> Outcome {
        Outcome(of: .failure(error), on: channel, now: Self.now)
    }

    @Test(arguments: [
        (0, Outcome.Class.sent), (-1, .transient), (45009, .rateLimited), (45033, .rateLimited), (93000, .config),
        (93004, .config), (93008, .config), (60020, .config), (40001, .config), (40013, .config), (40014, .config),
        (41001, .config), (42001, .config), (48001, .config), (48002, .config), (40058, .content), (45002, .content),
        (40003, .content), (40035, .content), (40099, .content), (44004, .content), (40100, .unrecognised),
        (1, .unrecognised), (99999, .unrecognised),
    ])
    func `WeCom's answer is judged by its errcode`(_ code: Int, _ expected: Outcome.Class) {
        let outcome = outcome(.wecom, 200, #"{"errcode":\#(code),"errmsg":"hint, from ip: 203.0.113.5"}"#)
        #expect(outcome.class == expected)
        #expect(outcome.code == (code == 0 ? "sent" : "wecom_\(code)"))
        #expect(outcome.vendor?.code == code)
        #expect(outcome.vendor?.message == "hint, from ip: 203.0.113.5")
        #expect(!outcome.instruction.chinese.isEmpty && !outcome.instruction.english.isEmpty)
    }

    @Test(arguments: [
        "", "ok", "<html></html>", "{}", #"{"errmsg":"ok"}"#, #"{"errcode":"0"}"#, "[0]", #"{"errcode":0"#, "null",
    ])
    func `an answer of WeCom's without a readable errcode is uncertain`(_ body: String) {
        let outcome = outcome(.wecom, 200, body)
        #expect(outcome.class == .uncertain)
        #expect(outcome.code == "unreadable_answer")
    }

    @Test(arguments: [
        (429, "", Outcome.Class.rateLimited), (408, "", .transient), (500, #"{"errcode":0}"#, .transient),
        (502, "<html>", .transient), (503, "", .transient), (302, "", .unrecognised), (404, "", .unrecognised),
        (403, "<html>login</html>", .unrecognised), (404, #"{"errcode":0}"#, .unrecognised),
        (400, #"{"errcode":93000,"errmsg":"invalid webhook url"}"#, .config),
    ])
    func `another status of WeCom's is never success`(_ status: Int, _ body: String, _ expected: Outcome.Class) {
        #expect(outcome(.wecom, status, body).class == expected)
    }

    @Test func `a cut answer of WeCom's is uncertain even when it begins well`() {
        let response = HTTPResponse(status: 200, body: Array(#"{"errcode":0}"#.utf8), bodyIsTruncated: true)
        #expect(Outcome(of: .success(response), on: .wecom, now: Self.now).class == .uncertain)
    }

    @Test(arguments: [
        (200, Outcome.Class.sent), (202, .sent), (204, .sent), (299, .sent), (301, .transient), (302, .transient),
        (308, .transient), (400, .transient), (401, .transient), (403, .transient), (404, .transient),
        (405, .transient),
        (408, .transient), (409, .transient), (410, .config), (413, .content), (422, .transient), (429, .rateLimited),
        (500, .transient), (502, .transient), (503, .transient), (504, .transient), (599, .transient),
    ])
    func `a webhook's answer is judged by its status alone`(_ status: Int, _ expected: Outcome.Class) {
        let outcome = outcome(.generic, status, #"{"errcode":93000}"#)
        #expect(outcome.class == expected)
        #expect(outcome.code == (expected == .sent ? "sent" : "http_\(status)"))
        #expect(outcome.vendor == nil)
    }

    @Test(arguments: CurlError.Reason.allCases, [Channel.wecom, .dingtalk, .feishu, .generic])
    func `a failure before anything was sent is never uncertain`(_ reason: CurlError.Reason, _ channel: Channel) {
        let outcome = outcome(channel, CurlError(reason))
        let expected: Outcome.Class =
            switch reason {
            case .blocked: .blocked
            case .invalidURL, .invalidHeader, .policyBehindProxy, .unsupportedProtocol, .forbiddenPort: .config
            case .cancelled, .closed: .deferred
            case .unresolved, .unreachable, .proxy, .tls, .certificate, .timedOut, .interrupted, .badResponse, .refused,
                .senderRefused, .unwelcome, .loginRefused, .tooLarge, .failed:
                .transient
            }
        #expect(outcome.class == expected)
        #expect(outcome.code == reason.rawValue)
    }

    @Test(
        arguments: [
            CurlError.Reason.timedOut, .interrupted, .badResponse, .tooLarge, .cancelled, .closed, .failed, .tls,
        ], [Channel.wecom, .dingtalk, .feishu, .generic])
    func `a failure after the request may have left is uncertain`(_ reason: CurlError.Reason, _ channel: Channel) {
        #expect(outcome(channel, CurlError(reason, requestMayHaveLeft: true)).class == .uncertain)
    }

    @Test func `a status that came before the failure counts for a webhook and not for a robot`() {
        let sent = CurlError(.timedOut, requestMayHaveLeft: true, status: 200)
        #expect(outcome(.generic, sent).class == .sent)
        #expect(outcome(.wecom, sent).class == .uncertain)
        #expect(outcome(.generic, CurlError(.interrupted, requestMayHaveLeft: true, status: 503)).class == .transient)
        #expect(outcome(.generic, CurlError(.interrupted, requestMayHaveLeft: true, status: 410)).class == .config)
    }

    @Test(arguments: [
        ("120", Duration.seconds(120)), ("Sat, 21 Nov 2026 00:01:30 GMT", .seconds(90)),
        ("Sat, 21 Nov 2026 00:00:00 GMT", nil), ("Fri, 20 Nov 2026 23:59:59 GMT", nil), ("0", nil), ("-5", nil),
        ("soon", nil), ("Sat, 31 Feb 2026 00:00:00 GMT", nil), ("Sat, 21 Nov 2026 00:01:30 CST", nil),
    ])
    func `Retry-After is read in both forms`(_ value: String, _ expected: Duration?) {
        #expect(outcome(.generic, 503, retryAfter: value).retryAfter == expected)
        #expect(outcome(.generic, 429, retryAfter: value).retryAfter == expected)
        #expect(outcome(.wecom, 429, retryAfter: value).retryAfter == expected)
    }

    @Test(arguments: Outcome.Class.allCases, Channel.allCases)
    func `nobody waits for a test message to be repeated`(_ class: Outcome.Class, _ channel: Channel) {
        // A wrong clock always passes.
        let codes = ["timed_out", "unreachable", "http_503"] + (`class` == .transient ? ["clock_fast_600"] : [])
        for code in codes {
            let instruction = Instruction(afterTest: `class`, code: code, on: channel)
            for words in ["by itself", "is sent again"] where instruction.english.contains(words) {
                #expect(instruction.english.contains("test again"), "\(code): \(instruction.english)")
            }
            if instruction.chinese.contains("自动") { #expect(instruction.chinese.contains("再测试一次")) }
        }
    }

    @Test func `an instruction is found again from what is stored, and known codes have their own`() {
        let stopped = outcome(.wecom, 200, #"{"errcode":93004}"#)
        let stored = Instruction(after: stopped.class, code: stopped.code, on: stopped.channel)
        #expect(stored == stopped.instruction)
        #expect(stored != outcome(.wecom, 200, #"{"errcode":93000}"#).instruction)
        #expect(outcome(.generic, 302).instruction != outcome(.generic, 500).instruction)
        let lost = CurlError(.timedOut, requestMayHaveLeft: true)
        #expect(outcome(.generic, lost).instruction != outcome(.wecom, lost).instruction)
    }

    @Test func `every class has an instruction in both languages`() {
        let outcomes = [
            outcome(.generic, 200), outcome(.generic, 429), outcome(.generic, 500), outcome(.generic, 410),
            outcome(.generic, 413), outcome(.wecom, 200), outcome(.wecom, 404), outcome(.wecom, CurlError(.blocked)),
            outcome(.wecom, CurlError(.closed)), outcome(.dingtalk, 200, #"{"errcode":90030}"#),
        ]
        #expect(Set(outcomes.map(\.class)).count == Outcome.Class.allCases.count)
        for outcome in outcomes {
            #expect(outcome.instruction.text(in: .chinese).unicodeScalars.contains { $0.value > 0x4E00 })
            #expect(outcome.instruction.text(in: .english).utf8.allSatisfy { $0 < 0x80 })
        }
    }
}
