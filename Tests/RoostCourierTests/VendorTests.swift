import Curl
import RoostCourier
import Testing

/// Every form of message against the vendors' rules, over real connections.
@Suite struct VendorTests {
    static let now = OutcomeTests.now
    static let keys: [Channel: String] = [
        .wecom: EndpointAddressTests.key, .dingtalk: RobotAddressTests.token, .feishu: RobotAddressTests.hook,
    ]
    static let secret = "SECabcdef0123456789"
    static let robots = [Channel.wecom, .dingtalk, .feishu]

    let client = HTTPClient()

    private func emulator(
        _ channel: Channel, _ change: (inout VendorEmulator.Robot) -> Void = { _ in }
    ) throws -> VendorEmulator {
        var robot = VendorEmulator.Robot(secret: channel == .wecom ? nil : Self.secret, keyword: "青年人才政策")
        change(&robot)
        return try VendorEmulator([try #require(Self.keys[channel]): robot], now: { Self.now })
    }

    static func target(_ channel: Channel, secret: String? = secret) throws -> DeliveryTarget {
        let key = try #require(keys[channel])
        let secret = try secret.map { text throws in try RobotSecret(text) }
        return switch channel {
        case .dingtalk: .dingtalk(try DingTalkToken(key), secret: secret)
        case .feishu: .feishu(try FeishuToken(key), secret: secret)
        default: .wecom(try WeComKey(key))
        }
    }

    private func rendering(_ channel: Channel, _ form: MessageForm? = nil, keyword: String? = "青年人才政策") throws
        -> Rendering
    {
        let items = (1...30).map { number in
            Message.Item(
                title: "鹤山市青年人才安家补贴<\(number)>", text: "本科 1 万元\n\"硕士\" 3 万元 <@all> \\ /",
                url: "https://example.org/policies/\(number)?a=1&b=(2)", deadline: "2026-12-31",
                picture: "https://example.org/pictures/\(number).png")
        }
        let message = Message(
            headline: "周报", summary: "两行\n摘要", url: "https://roost.example.org/d/1",
            sections: [Message.Section(title: "政策", items: items)])
        return try message.rendered(
            for: channel, in: RenderingContext(keyword: keyword, form: form, digest: "d", frozenAt: Self.now))
    }

    private func send(
        _ body: [UInt8], _ contentType: String = "application/json", to target: DeliveryTarget,
        at emulator: VendorEmulator, now: Moment = now
    ) async -> Outcome {
        await sendOnce(
            body, contentType: contentType, to: target, as: WebhookID("msg_1"), over: client,
            settings: .testing(weComBase: emulator.base), clock: ManualClock(now)
        ).outcome
    }

    @Test(arguments: ChannelForm.robots)
    func `a vendor takes every part of every form, and what it got is what was frozen`(_ it: ChannelForm) async throws {
        let emulator = try emulator(it.channel)
        let rendering = try rendering(it.channel, it.form)
        // Within the rate: the rest is like the first.
        let parts = rendering.parts.prefix(5)
        for part in parts {
            let outcome = await send(
                part.body, rendering.contentType, to: try Self.target(it.channel), at: emulator)
            #expect(outcome.class == .sent, "\(outcome)")
        }
        #expect(emulator.posts.count == parts.count)
        for (post, part) in zip(emulator.posts, parts) {
            // Feishu's signature stands before what was frozen, after its opening brace.
            #expect(
                it.channel == .feishu
                    ? post.body.suffix(part.body.count - 1) == part.body[1...] : post.body == part.body)
        }
    }

    @Test(arguments: robots)
    func `what a vendor refuses is known for what it is`(_ channel: Channel) async throws {
        let part = try rendering(channel).parts[0].body
        let target = try Self.target(channel)
        let refusals: [(VendorEmulator.Robot.State, String)] = [
            (
                .gone,
                ["wecom_93000", "dingtalk_300005", "feishu_19001_token"].first { $0.hasPrefix(channel.rawValue) } ?? ""
            ),
            (
                .addressRefused,
                ["wecom_60020", "dingtalk_310000_ip", "feishu_19022"].first { $0.hasPrefix(channel.rawValue) } ?? ""
            ),
        ]
        for (state, code) in refusals {
            let outcome = await send(part, to: target, at: try emulator(channel) { $0.state = state })
            #expect(outcome.class == .config && outcome.code == code)
        }
        let huge = try await send(
            Array(
                String(decoding: part, as: UTF8.self)
                    .replacing("政策", with: String(repeating: "政策", count: 4000)).utf8),
            to: target, at: emulator(channel))
        #expect(huge.class == .content)
        #expect(await send(Array("{}".utf8), to: target, at: try emulator(channel)).class == .content)
    }

    @Test(arguments: [Channel.dingtalk, .feishu])
    func `a wrong secret, a missing keyword and a wrong clock are told apart`(_ channel: Channel) async throws {
        let part = try rendering(channel).parts[0].body
        let wrong = await send(part, to: try Self.target(channel, secret: "SECwrong"), at: try emulator(channel))
        #expect(wrong.code == (channel == .feishu ? "feishu_19021" : "dingtalk_310000_sign"))
        let none = await send(part, to: try Self.target(channel, secret: nil), at: try emulator(channel))
        #expect(none.class == .config)
        let plain = try rendering(channel, keyword: nil).parts[0].body
        let bare = await send(plain, to: try Self.target(channel), at: try emulator(channel) { $0.keyword = "关键词" })
        #expect(bare.code == (channel == .feishu ? "feishu_19024" : "dingtalk_310000_keyword"))
        let late = await send(
            part, to: try Self.target(channel), at: try emulator(channel), now: Self.now + .seconds(4000))
        #expect(late.class == .config)
    }

    @Test(arguments: robots)
    func `one message over the limit is refused, and DingTalk punishes for ten minutes`(_ channel: Channel) async throws
    {
        let part = try rendering(channel).parts[0].body
        let emulator = try emulator(channel)
        var outcomes: [Outcome] = []
        let allowed = channel == .feishu ? 5 : 20
        for _ in 0...allowed { outcomes.append(await send(part, to: try Self.target(channel), at: emulator)) }
        #expect(outcomes.prefix(allowed).allSatisfy { $0.class == .sent })
        #expect(outcomes.last?.class == .rateLimited && emulator.limitHits == 1)
    }

    /// What goes wrong between a sender and a receiver, and what a robot and a webhook make of it.
    enum Fault: String, CaseIterable, Sendable {
        case hang, resetAfterHead, resetAfterBody, halfAnswer, drip, tenMegabytes, earlyAnswer, redirect, gone
        case tooManyInSeconds, unavailableUntilDate, empty, page

        static let ok = #"{"errcode":0,"code":0,"errmsg":"ok"}"#

        var early: Reply? {
            switch self {
            case .resetAfterHead: .reset([])
            case .earlyAnswer: .json(Self.ok)
            default: nil
            }
        }

        var reply: Reply {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            return switch self {
            case .hang: .hang
            case .resetAfterHead, .resetAfterBody: .reset([])
            case .halfAnswer: .raw(Array("\(head)Content-Length: 100\r\n\r\n\(Self.ok)".utf8))
            case .drip: .drip(Array("\(head)Content-Length: 100000\r\n\r\n".utf8))
            case .tenMegabytes: .answer(200, body: [UInt8](repeating: 0x20, count: 10 << 20))
            case .earlyAnswer: .json(Self.ok)
            case .redirect: .answer(302, headers: ["Location: http://127.0.0.1:1/"])
            case .gone: .answer(410)
            case .tooManyInSeconds: .answer(429, headers: ["Retry-After: 120"])
            case .unavailableUntilDate: .answer(503, headers: ["Retry-After: Sat, 21 Nov 2026 00:02:00 GMT"])
            case .empty: .answer(200)
            case .page: .answer(200, headers: ["Content-Type: text/html"], body: Array("<html>登录</html>".utf8))
            }
        }

        /// For a robot, and for a webhook, of which nothing but the status matters.
        var expected: (robot: Outcome.Class, webhook: Outcome.Class) {
            switch self {
            case .hang, .resetAfterHead, .resetAfterBody: (.uncertain, .uncertain)
            case .halfAnswer, .drip, .tenMegabytes, .empty, .page: (.uncertain, .sent)
            case .earlyAnswer: (.sent, .sent)
            case .redirect: (.unrecognised, .transient)
            case .gone: (.unrecognised, .config)
            case .tooManyInSeconds: (.rateLimited, .rateLimited)
            case .unavailableUntilDate: (.transient, .transient)
            }
        }
    }

    @Test func `robots are reached by the proxy where one is configured, and webhooks go by themselves`() async throws {
        let proxy = try Receiver { _ in .json(#"{"errcode":0,"errmsg":"ok"}"#) }
        let receiver = try Receiver()
        let settings = CourierSettings.testing(
            weComBase: "http://vendor.invalid",
            robotProxy: RobotProxy("http://roost:secret@127.0.0.1:\(proxy.port)"))
        let hook = try WebhookURL(receiver.base, settings: settings)
        for target in [try Self.target(.wecom), .generic(hook, secrets: [.random()])] {
            let result = await sendOnce(
                try rendering(target.channel).parts[0].body, contentType: "application/json", to: target,
                as: WebhookID("msg_1"), over: client, settings: settings, clock: ManualClock(Self.now))
            #expect(result.outcome.class == .sent, "\(result.outcome)")
        }
        #expect(
            proxy.requests.map(\.requestLine).first?.hasPrefix("POST http://vendor.invalid/cgi-bin/webhook/") == true)
        // roost:secret
        #expect(proxy.requests.first?.values(of: "proxy-authorization") == ["Basic cm9vc3Q6c2VjcmV0"])
        #expect(proxy.requests.count == 1 && receiver.requests.count == 1)
    }

    @Test(arguments: [407, 502])
    func `a proxy that opens no tunnel leaves nothing in doubt`(status: Int) async throws {
        let proxy = try Receiver { _ in .answer(status, headers: ["X-Proxy: none of the receiver's"]) }
        let settings = CourierSettings.testing(
            weComBase: "https://vendor.invalid", robotProxy: RobotProxy(proxy.base))
        let result = await sendOnce(
            try rendering(.wecom).parts[0].body, contentType: "application/json", to: try Self.target(.wecom),
            as: WebhookID("msg_1"), over: client, settings: settings, clock: ManualClock(Self.now))
        #expect(proxy.requests.first?.requestLine == "CONNECT vendor.invalid:443 HTTP/1.1")
        #expect(result.outcome.class == .transient && result.outcome.code == "proxy", "\(result.outcome)")
        #expect(result.outcome.instruction.english.contains("courier.proxy"))
        #expect(result.status == nil)
    }

    @Test func `a proxy that is not there is blamed, not the vendor`() async throws {
        let settings = CourierSettings.testing(
            weComBase: "https://vendor.invalid", robotProxy: RobotProxy("http://127.0.0.1:1"))
        let result = await sendOnce(
            try rendering(.wecom).parts[0].body, contentType: "application/json", to: try Self.target(.wecom),
            as: WebhookID("msg_1"), over: client, settings: settings, clock: ManualClock(Self.now))
        #expect(result.outcome.class == .transient && result.outcome.code == "proxy", "\(result.outcome)")
    }

    @Test(arguments: Fault.allCases, [Channel.wecom, .dingtalk, .feishu, .generic])
    func `every fault has its outcome, and none is taken for success`(_ fault: Fault, _ channel: Channel) async throws {
        let receiver = try Receiver(reply: { _ in fault.reply }, early: { _ in fault.early })
        // Only where no answer is to come is there no reason to wait for it.
        let transport: any HTTPTransport = [.hang, .drip].contains(fault) ? HastyTransport(client: client) : client
        let target: DeliveryTarget =
            channel == .generic
            ? .generic(
                try WebhookURL(receiver.base, settings: .testing(weComBase: receiver.base)), secrets: [.random()])
            : try Self.target(channel)
        let outcome = await sendOnce(
            try rendering(channel).parts[0].body, contentType: "application/json", to: target, as: WebhookID("msg_1"),
            over: transport, settings: .testing(weComBase: receiver.base), clock: ManualClock(Self.now)
        ).outcome
        #expect(outcome.class == (channel == .generic ? fault.expected.webhook : fault.expected.robot), "\(outcome)")
        if [.tooManyInSeconds, .unavailableUntilDate].contains(fault) { #expect(outcome.retryAfter == .seconds(120)) }
        #expect(receiver.requests.count <= 1)
    }
}

/// libcurl, with the little patience that a test has.
private struct HastyTransport: HTTPTransport {
    let client: HTTPClient

    func send(_ request: HTTPRequest) async throws(CurlError) -> HTTPResponse {
        var request = request
        request.options.totalTimeout = .milliseconds(700)
        return try await client.send(request)
    }
}
