import RoostCourier
import Testing

import Foundation

@Suite struct RobotSignatureTests {
    @Test func `DingTalk's signature is that of the known vector, percent-encoded once`() throws {
        let parameters = RobotSignature.dingTalkParameters(
            secret: try RobotSecret("this is secret"), now: Moment(milliseconds: 1_700_000_000_000))
        #expect(parameters == "timestamp=1700000000000&sign=sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0%3D")
    }

    @Test func `every character of base64 that a query would change is encoded once`() throws {
        let signs = try (0..<60).map { number in
            let parameters = RobotSignature.dingTalkParameters(
                secret: try RobotSecret("SEC\(number)"), now: Moment(milliseconds: 1_700_000_000_000))
            return try #require(parameters.split(separator: "=", maxSplits: 2).last)
        }
        #expect(signs.allSatisfy { $0.utf8.allSatisfy { !"+/=".utf8.contains($0) } && !$0.contains("%25") })
        #expect(signs.contains { $0.contains("%2B") } && signs.contains { $0.contains("%2F") })
        #expect(signs.allSatisfy { $0.removingPercentEncoding?.utf8.count == 44 })
    }

    /// Feishu's own documentation has this secret and time; the code was computed with OpenSSL.
    @Test func `Feishu's signature has the time in the key and nothing in the message`() throws {
        #expect(
            RobotSignature.feishu(secret: try RobotSecret("demo"), timestamp: 1_599_360_473)
                == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=")
    }

    @Test func `a signed body for Feishu is the frozen one with two members before it`() throws {
        let frozen = Array(#"{"content":{"text":"归巢"},"msg_type":"text"}"#.utf8)
        let signed = RobotSignature.signedFeishuBody(
            frozen, secret: try RobotSecret("demo"), now: Moment(milliseconds: 1_599_360_473_999))
        let head = #"{"timestamp":"1599360473","sign":"l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=","#
        #expect(signed == Array(head.utf8) + frozen.dropFirst())
        #expect(signed.count - frozen.count <= 200)
        let body = try parsed(signed)
        #expect(body["timestamp"] as? String == "1599360473" && body["msg_type"] as? String == "text")
    }

    @Test(arguments: ["", " ", "密钥", "a\u{0}b"])
    func `a secret is printable ASCII`(_ text: String) {
        #expect(throws: EndpointAddressError.malformedSecret) { try RobotSecret(text) }
    }

    @Test func `a robot's secret shows itself in no way of printing`() throws {
        let secret = try RobotSecret("SECabcdef0123456789")
        let target = DeliveryTarget.dingtalk(try DingTalkToken(RobotAddressTests.token), secret: secret)
        var dumped = ""
        dump(target, to: &dumped)
        for printed in ["\(secret) \(target)", String(reflecting: target), dumped] {
            #expect(!printed.contains("abcdef0123") && !printed.contains(RobotAddressTests.token.dropFirst(4)))
        }
    }
}

@Suite struct RobotAddressTests {
    static let token = "566cc69da782ec33e42541b09b08551f09fbe864eb8008112e994b43887abcde"
    static let hook = "3fa2c0de-1b2c-4d5e-8f90-a1b2c3d4e5f6"

    @Test(arguments: [
        token, " \(token)\n", "https://oapi.dingtalk.com/robot/send?access_token=\(token)",
        "https://oapi.dingtalk.com/robot/send?access_token=\(token)&timestamp=1&sign=x",
    ])
    func `DingTalk's token is kept from whatever was pasted`(_ entered: String) throws {
        #expect(try DingTalkToken(entered).revealed == Self.token)
    }

    @Test(arguments: [
        (hook, FeishuToken.World.feishu), ("https://open.feishu.cn/open-apis/bot/v2/hook/\(hook)", .feishu),
        ("https://open.larksuite.com/open-apis/bot/v2/hook/\(hook)", .lark), ("lark:\(hook)", .lark),
    ])
    func `Feishu's token is kept with its world, and accepted again`(_ entered: String, _ world: FeishuToken.World)
        throws
    {
        let token = try FeishuToken(entered)
        #expect(token.world == world)
        #expect(try FeishuToken(token.revealed) == token)
    }

    @Test(arguments: [
        ("", EndpointAddressError.missingKey), ("https://oapi.dingtalk.com/robot/send?x=1", .missingKey),
        ("https://oapi.dingtalk.com.example.org/robot/send?access_token=\(token)", .foreignHost),
        ("http://oapi.dingtalk.com/robot/send?access_token=\(token)", .foreignHost),
        ("https://oapi.dingtalk.com/topapi?access_token=\(token)", .foreignHost),
        ("https://x@oapi.dingtalk.com/robot/send?access_token=\(token)", .foreignHost),
        ("\(token)&x=y", .malformedKey), ("\(token)\r\nX: y", .malformedKey), ("short", .malformedKey),
    ])
    func `nothing else is DingTalk's robot`(_ entered: String, _ error: EndpointAddressError) {
        #expect(throws: error) { try DingTalkToken(entered) }
    }

    @Test(arguments: [
        ("https://open.feishu.cn/open-apis/bot/v2/hook/", EndpointAddressError.missingKey),
        ("https://open.feishu.cn/open-apis/bot/hook/\(hook)", .foreignHost),
        ("https://open.feishu.cn.example.org/open-apis/bot/v2/hook/\(hook)", .foreignHost),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/\(hook)/../../../im", .malformedKey),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/\(hook)?x=1", .malformedKey), ("lark:", .missingKey),
    ])
    func `nothing else is Feishu's robot`(_ entered: String, _ error: EndpointAddressError) {
        #expect(throws: error) { try FeishuToken(entered) }
    }

    @Test(arguments: [
        "liaison@example.org", "a.b-c+d@sub.example.org", " x_y@example.cn ", "o'neil@example.org", "1@163.com",
    ])
    func `a plain mailbox is accepted`(_ entered: String) throws {
        let address = try MailAddress(entered)
        #expect(address.revealed == entered.filter { $0 != " " })
        #expect(!"\(address)".contains(address.revealed.prefix { $0 != "@" }) || address.revealed.hasPrefix("1@"))
    }

    @Test(arguments: [
        "", "x", "@example.org", "x@", "x@example", "x@@example.org", "x@y@example.org", ".x@example.org",
        "x.@example.org", "x..y@example.org", "x y@example.org", "x@example..org", "x@-example.org", "x@example-.org",
        "\"x\"@example.org", "x(c)@example.org", "冯@example.org", "x@例子.cn", "<x@example.org>", "x@example.org>",
        "x@example.org\r\nRCPT TO:<y@example.org>", "x@example.org\nDATA", "x@example.org,y@example.org",
        "x@[127.0.0.1]",
        "x\u{0}@example.org",
    ])
    func `what could end a command or a header is no mailbox`(_ entered: String) {
        #expect(throws: EndpointAddressError.malformedMailbox) { try MailAddress(entered) }
    }

    @Test(arguments: [
        "https://127.0.0.1/", "https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://10.1.2.3/hook", "https://169.254.169.254/",
        "https://localhost/", "https://LOCALHOST:8443/", "https://x.localhost/", "https://localhost./",
        "https://192.168.0.1:99/",
    ])
    func `an address into the inside is refused when it is entered`(_ url: String) throws {
        let settings = CourierSettings.production()
        let address = try WebhookURL(url, settings: settings)
        #expect(throws: EndpointAddressError.innerAddress) { try address.checkHost(settings: settings) }
    }

    @Test(arguments: [
        "https://example.org/hook", "https://1.1.1.1/", "https://[2606:4700::1111]/", "https://localhost.example.org/",
    ])
    func `an address outside is not`(_ url: String) throws {
        let settings = CourierSettings.production()
        try WebhookURL(url, settings: settings).checkHost(settings: settings)
    }
}

@Suite struct SecretRingTests {
    static let start = Moment(milliseconds: 1_795_219_200_000)

    @Test func `a rotated secret signs beside the new one until the overlap is over`() throws {
        let (old, new) = (WebhookSecret.random(), WebhookSecret.random())
        let ring = WebhookSecretRing(old).rotated(to: new, now: Self.start)
        #expect(ring.signing(at: Self.start) == [new, old])
        #expect(ring.signing(at: Self.start + .seconds(86_399)) == [new, old])
        #expect(ring.signing(at: Self.start + .seconds(86_400)) == [new])
        #expect(try WebhookSecretRing(revealed: ring.revealed) == ring)
        #expect(try WebhookSecretRing(revealed: old.revealed) == WebhookSecretRing(old))
    }

    @Test func `a leaked secret is dropped at once, and an overlap is a week at most`() {
        let (old, new) = (WebhookSecret.random(), WebhookSecret.random())
        #expect(
            WebhookSecretRing(old).rotated(to: new, now: Self.start, overlap: .zero).signing(at: Self.start) == [new])
        let long = WebhookSecretRing(old).rotated(to: new, now: Self.start, overlap: .seconds(30 * 86_400))
        #expect(long.signing(at: Self.start + .seconds(7 * 86_400)) == [new])
    }

    @Test func `no rotation lengthens an earlier overlap, and ten earlier secrets are the most`() {
        var ring = WebhookSecretRing(.random())
        let first = ring.signing(at: Self.start)[0]
        ring = ring.rotated(to: .random(), now: Self.start, overlap: .seconds(3600))
        ring = ring.rotated(to: .random(), now: Self.start + .seconds(60), overlap: .seconds(86_400))
        #expect(!ring.signing(at: Self.start + .seconds(3600)).contains(first))
        for number in 0..<20 {
            ring = ring.rotated(to: .random(), now: Self.start + .seconds(Int64(number)))
        }
        #expect(ring.entries.count == 11)
    }

    @Test func `a message signed in an overlap is accepted under either secret`() {
        let (old, new) = (WebhookSecret.random(), WebhookSecret.random())
        let ring = WebhookSecretRing(old).rotated(to: new, now: Self.start)
        let id = WebhookID("msg_1")
        let body = Array("{}".utf8)
        let header = WebhookSignature.header(
            id: id, timestamp: Self.start.seconds, body: body, secrets: ring.signing(at: Self.start))
        for secret in [old, new] {
            #expect(
                WebhookSignature.verify(
                    header: header, id: id, timestamp: Self.start.seconds, body: body, secret: secret, now: Self.start))
        }
    }

    @Test(arguments: ["", "whsec_", "x y"])
    func `what is no ring is refused`(_ text: String) {
        #expect(throws: WebhookSecret.ParseError.self) { try WebhookSecretRing(revealed: text) }
    }
}
