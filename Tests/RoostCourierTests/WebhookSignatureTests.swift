import RoostCourier
import Testing

/// The expected codes were computed with Python's hmac, hashlib and base64, by the format of Standard Webhooks 1.0.0.
@Suite struct WebhookSignatureTests {
    let oldText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    let newText = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    let id = WebhookID("dlv_0001")
    let timestamp: Int64 = 1_795_228_800
    let body = Array(#"{"type":"digest.published","data":{"headline":"青鹤归巢"}}"#.utf8)
    let oldCode = "v1,/XVQRBPadqbJgCzb7shdxF6ZmsdHKP/qU/VZ/RW7sEo="
    let newCode = "v1,quezlmi4Yt3fX/cOt89U+9yQlWiZlxEXIXRvrbLyx9k="

    @Test func `the published example gets the published signature`() throws {
        let header = WebhookSignature.header(
            id: WebhookID("msg_p5jXN8AQM9LWM0D4loKWxJek"), timestamp: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8), secrets: [try WebhookSecret(oldText)])
        #expect(header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `a body in Chinese is signed by its bytes, once for each secret`() throws {
        let secrets = [try WebhookSecret(newText), try WebhookSecret(oldText)]
        let header = WebhookSignature.header(id: id, timestamp: timestamp, body: body, secrets: secrets)
        #expect(header == "\(newCode) \(oldCode)")
    }

    @Test func `either secret verifies during a rotation, and versions unknown are skipped`() throws {
        let header = "v1a,AAAA \(newCode) \(oldCode)"
        for text in [oldText, newText] {
            #expect(verify(header, secret: try WebhookSecret(text)))
        }
        #expect(!verify("v1a,\(newCode.dropFirst(3))", secret: try WebhookSecret(newText)))
    }

    @Test func `whatever is changed, the signature no longer holds`() throws {
        let secret = try WebhookSecret(oldText)
        #expect(verify(oldCode, secret: secret))
        #expect(!verify(oldCode, secret: secret, id: WebhookID("dlv_0002")))
        #expect(!verify(oldCode, secret: secret, timestamp: timestamp + 1))
        #expect(!verify(oldCode, secret: secret, body: body + [0x20]))
        #expect(!verify(newCode, secret: secret))
        #expect(!verify("", secret: secret))
        #expect(!verify("v1,", secret: secret))
        #expect(!verify("v1,not base64", secret: secret))
    }

    @Test(arguments: [(-301, false), (-300, true), (0, true), (300, true), (301, false)] as [(Int64, Bool)])
    func `a signature is accepted for five minutes either way`(_ offset: Int64, _ isAccepted: Bool) throws {
        let now = Moment(milliseconds: (timestamp + offset) * 1000)
        let holds = WebhookSignature.verify(
            header: oldCode, id: id, timestamp: timestamp, body: body, secret: try WebhookSecret(oldText), now: now)
        #expect(holds == isAccepted)
    }

    @Test func `a random secret survives being written and read`() throws {
        let secret = WebhookSecret.random()
        #expect(try WebhookSecret(secret.revealed) == secret)
        #expect(secret != WebhookSecret.random())
        #expect(secret.revealed.utf8.count == 6 + 44)
    }

    @Test(arguments: [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", WebhookSecret.ParseError.missingPrefix),
        ("whsec_not base64!", .invalidBase64), ("whsec_", .wrongLength),
        ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", .wrongLength),
        ("whsec_" + String(repeating: "AAAA", count: 21) + "AAA=", .wrongLength),
    ])
    func `a text that is no secret says why`(_ text: String, _ error: WebhookSecret.ParseError) {
        #expect(throws: error) { try WebhookSecret(text) }
    }

    @Test func `a secret shows itself in no way of printing`() throws {
        let secret = try WebhookSecret(oldText)
        var dumped = ""
        dump(["secret": secret], to: &dumped)
        for printed in ["\(secret)", String(reflecting: secret), "\([secret])", dumped] {
            #expect(!printed.contains("MfKQ") && printed.contains("whsec_***"))
        }
    }

    private func verify(
        _ header: String, secret: WebhookSecret, id: WebhookID? = nil, timestamp: Int64? = nil, body: [UInt8]? = nil
    ) -> Bool {
        WebhookSignature.verify(
            header: header, id: id ?? self.id, timestamp: timestamp ?? self.timestamp, body: body ?? self.body,
            secret: secret, now: Moment(milliseconds: self.timestamp * 1000))
    }
}
