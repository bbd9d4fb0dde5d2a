import Curl
import RoostCourier
import Testing

@Suite struct EndpointAddressTests {
    static let key = "693a91f6-7c2d-4bc4-97a0-0ec2a1fa5aaa"

    @Test(arguments: [
        key, "  \(key)\n", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=\(key)",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?debug=1&key=\(key)",
    ])
    func `the key is kept from whatever was pasted`(_ entered: String) throws {
        #expect(try WeComKey(entered).revealed == Self.key)
    }

    @Test(arguments: [
        ("", EndpointAddressError.missingKey), ("short", .malformedKey), ("\(key)&x=y", .malformedKey),
        ("\(key)/../../cgi-bin/token", .malformedKey), (String(repeating: "a", count: 65), .malformedKey),
        ("https://qyapi.weixin.qq.com.example.org/cgi-bin/webhook/send?key=\(key)", .foreignHost),
        ("http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=\(key)", .foreignHost),
        ("https://qyapi.weixin.qq.com/cgi-bin/gettoken?key=\(key)", .foreignHost),
        ("https://x@qyapi.weixin.qq.com/cgi-bin/webhook/send?key=\(key)", .foreignHost),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?kee=\(key)", .missingKey),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", .missingKey),
    ])
    func `nothing else is accepted as a robot`(_ entered: String, _ error: EndpointAddressError) {
        #expect(throws: error) { try WeComKey(entered) }
    }

    @Test(arguments: [
        ("example.org/hook", EndpointAddressError.malformedURL), ("https://", .malformedURL),
        ("https://a:b@example.org/", .malformedURL), ("https://example.org/a b", .malformedURL),
        ("https://例子.cn/", .malformedURL), ("http://example.org/", .insecureScheme),
        ("ftp://example.org/", .insecureScheme),
        ("file:///etc/passwd", .malformedURL),
    ])
    func `a webhook's address is plain and https`(_ entered: String, _ error: EndpointAddressError) {
        #expect(throws: error) { try WebhookURL(entered, settings: .production()) }
    }

    @Test(arguments: [
        ("https://example.org/", true), ("https://example.org:443/", true), ("https://example.org:8443/x", true),
        ("https://example.org:6379/", false), ("https://example.org:25", false), ("https://[2001:db8::1]:9200/", false),
    ])
    func `a webhook is at a port that the settings allow`(_ entered: String, _ isAllowed: Bool) throws {
        let url = try WebhookURL(entered, settings: .production())
        func error(_ settings: CourierSettings) -> EndpointAddressError? {
            do throws(EndpointAddressError) {
                try url.checkPort(settings: settings)
                return nil
            } catch {
                return error
            }
        }
        #expect(error(.production()) == (isAllowed ? nil : .forbiddenPort))
        #expect(error(.testing(weComBase: "http://127.0.0.1:1")) == nil)
        let every = try #require(PortList("1-65535"))
        #expect(error(.production(webhookPorts: every)) == nil)
    }

    @Test(arguments: ["", "443,", "443;80", "x", "0", "65536", "90-80", "1-2-3", "-1", "443 - "])
    func `a list of ports is numbers and ranges`(_ text: String) { #expect(PortList(text) == nil, "\(text)") }

    @Test func `only the settings for tests accept plain http, and they warn`() throws {
        let testing = CourierSettings.testing(weComBase: "http://127.0.0.1:1")
        #expect(try WebhookURL("http://127.0.0.1:9/hook", settings: testing).revealed == "http://127.0.0.1:9/hook")
        #expect(testing.warning?.contains("http://127.0.0.1:1") == true)
        #expect(CourierSettings.production().warning == nil)
    }

    @Test(arguments: [
        (
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=\(key)",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=***"
        ),
        (
            "https://oapi.example.com/robot/send?access_token=abc&timestamp=1&sign=x%3D",
            "https://oapi.example.com/robot/send?access_token=***&timestamp=***&sign=***"
        ),
        (
            "https://open.example.cn/open-apis/bot/v2/hook/0123456789abcdef",
            "https://open.example.cn/open-apis/bot/v2/hook/0123***"
        ),
        ("https://example.org/hook/aB3xY9/in", "https://example.org/hook/***/in"),
        ("https://example.org/h/4711/v12", "https://example.org/h/***/v12"),
        ("https://user:secret@example.org:8443/a?b#c", "https://example.org:8443/a?***"),
        ("https://example.org", "https://example.org"),
        ("whatever secret", "***"),
    ])
    func `a logged address tells where, not the password`(_ url: String, _ redacted: String) {
        #expect(redactedURL(url) == redacted)
    }

    @Test func `a key and a webhook's address show themselves in no way of printing`() throws {
        let key = try WeComKey(Self.key)
        let url = try WebhookURL("https://example.org/hooks/T0123456789ABCDEFG?token=tttt", settings: .production())
        let target = DeliveryTarget.generic(url, secrets: [.random()])
        var dumped = ""
        dump([DeliveryTarget.wecom(key), target], to: &dumped)
        for printed in ["\(key) \(url) \(target)", String(reflecting: [key]), String(reflecting: [url]), dumped] {
            #expect(!printed.contains("4bc4") && !printed.contains("456789ABCDEFG") && !printed.contains("tttt"))
        }
    }
}
