import Curl
import RoostCourier
import Testing

import Foundation

@Suite struct MailTests {
    static let now = OutcomeTests.now
    let client = HTTPClient()

    private func settings(_ sink: MailSink) throws -> MailSettings {
        MailSettings(
            server: MailServer(
                host: "127.0.0.1", port: Int(sink.port), security: .plain, greeting: "roost.example.org"),
            sender: try MailAddress("talents@example.org"), senderName: "某县人才办")
    }

    private func rendering(_ message: Message) throws -> Rendering {
        try message.rendered(for: .email, in: RenderingContext(digest: "d", frozenAt: Self.now))
    }

    private func letter(_ settings: MailSettings, unsubscribe: WebhookURL? = nil) throws -> MailRequest {
        let message = Message(headline: "测试", summary: ".一行以点开头\n.\n..", url: "https://example.org/<a>&b")
        return MailEnvelope.letter(
            try rendering(message).parts[0].body,
            to: MailTarget(try MailAddress("liaison@example.org"), unsubscribe: unsubscribe), as: WebhookID("msg_1"),
            settings: settings, now: Self.now)
    }

    private func failure(_ request: MailRequest) async -> CurlError? {
        do throws(CurlError) {
            _ = try await client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a letter arrives byte for byte, with one recipient`() async throws {
        let sink = try MailSink()
        let letter = try letter(try settings(sink))
        let reply = try await client.send(letter)
        #expect(reply.code == 250 && reply.text.contains("kept"))
        #expect(reply.connectedAddress == "127.0.0.1:\(sink.port)")
        let received = try #require(sink.letters.first)
        #expect(sink.letters.count == 1)
        #expect(received.sender.hasPrefix("MAIL FROM:<talents@example.org>"))
        #expect(received.recipients == ["RCPT TO:<liaison@example.org>"])
        #expect(received.bytes == letter.letter)
        #expect(sink.commands.first == "EHLO roost.example.org")
    }

    @Test func `lines of dots arrive as they are`() async throws {
        let sink = try MailSink()
        let server = try settings(sink).server
        let text = "Subject: x\r\n\r\n.\r\n..\r\n.x\r\n...\r\n"
        let request = MailRequest(
            server: server, sender: "a@example.org", recipient: "b@example.org", letter: Array(text.utf8))
        _ = try await client.send(request)
        #expect(sink.letters.map(\.bytes) == [Array(text.utf8)])
    }

    @Test func `a letter's head names sender, recipient, time and how to unsubscribe`() async throws {
        let sink = try MailSink()
        let url = try WebhookURL("https://roost.example.org/u/token", settings: .production())
        _ = try await client.send(try letter(try settings(sink), unsubscribe: url))
        let received = try #require(sink.letters.first)
        #expect(received.values(of: "From") == ["=?UTF-8?B?5p+Q5Y6/5Lq65omN5Yqe?= <talents@example.org>"])
        #expect(received.values(of: "To") == ["<liaison@example.org>"])
        #expect(received.values(of: "Date") == ["Sat, 21 Nov 2026 08:00:00 +0800"])
        #expect(received.values(of: "Message-ID") == ["<msg_1@example.org>"])
        #expect(
            received.values(of: "List-Unsubscribe") == [
                "<https://roost.example.org/u/token>, <mailto:talents@example.org?subject=unsubscribe>"
            ])
        #expect(received.values(of: "List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"])
        #expect(received.values(of: "Subject") == ["=?UTF-8?B?5rWL6K+V?="])
        #expect(received.values(of: "Content-Type") == ["multipart/alternative; boundary=\"=_roost_part\""])
        #expect(received.head.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } })

        // Without an address for it, only by mail, and no promise of one click.
        _ = try await client.send(try letter(try settings(sink)))
        let other = try #require(sink.letters.last)
        #expect(other.values(of: "List-Unsubscribe") == ["<mailto:talents@example.org?subject=unsubscribe>"])
        #expect(other.values(of: "List-Unsubscribe-Post").isEmpty)
    }

    @Test(arguments: [
        "测试\r\nBcc: x@example.org", "a\nb", "=?UTF-8?B?eA==?=", String(repeating: "长标题👨‍👩‍👧‍👦", count: 40), "a\u{0}b\u{7F}",
    ])
    func `no headline becomes another header, and none is lost`(_ headline: String) throws {
        let body = try rendering(Message(headline: headline)).parts[0].body
        let lines = String(decoding: body, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let head = lines.prefix { !$0.isEmpty }
        #expect(head.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } })
        #expect(!head.contains { $0.hasPrefix("Bcc") })
        let words = head.prefix { $0.hasPrefix("Subject") || $0.hasPrefix(" ") }.joined()
        let decoded = words.matches(of: /=\?UTF-8\?B\?([^?]+)\?=/)
            .map { String(decoding: Data(base64Encoded: String($0.1)) ?? Data(), as: UTF8.self) }.joined()
        let expected = headline.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(decoded == expected || words == "Subject: \(expected)")
    }

    @Test func `both parts of a letter say the same, HTML escaped`() throws {
        let message = Message(
            headline: "摘要",
            sections: [
                Message.Section(
                    title: "<政策>",
                    items: [
                        Message.Item(title: "\"A\" & <b>", url: "https://example.org/?a=1&b=2", deadline: "2026-12-31")
                    ])
            ])
        let part = try rendering(message).parts[0]
        let pieces = String(decoding: part.body, as: UTF8.self).components(separatedBy: "--=_roost_part")
            .compactMap { piece in
                piece.range(of: "base64\r\n\r\n").flatMap {
                    Data(base64Encoded: String(piece[$0.upperBound...]), options: .ignoreUnknownCharacters)
                }
            }.map { String(decoding: $0, as: UTF8.self) }
        try #require(pieces.count == 2)
        #expect(
            pieces[0].split(separator: "\r\n").joined(separator: "\n")
                == part.content.split(separator: "\n").joined(separator: "\n"))
        #expect(pieces[1].contains("&lt;政策&gt;") && pieces[1].contains("&quot;A&quot; &amp; &lt;b&gt;"))
        #expect(pieces[1].contains("href=\"https://example.org/?a=1&amp;b=2\"") && !pieces[1].contains("<b>"))
    }

    @Test(arguments: [
        (MailSink.Step.greeting, "554 no service", 554, Outcome.Class.transient),
        (.greeting, "421 try later", 421, .transient),
        (.mail, "451 later", 451, .transient), (.mail, "552 too big", 552, .content),
        (.mail, "530 login first", 530, .transient),
        (.recipient, "550 5.1.1 no such mailbox", 550, .config), (.recipient, "450 greylisted", 450, .transient),
        (.data, "451 not now", 451, .transient), (.letter, "554 spam", 554, .content),
        (.letter, "452 full", 452, .transient),
    ])
    func `a refusal at any step is known for what it is`(
        _ step: MailSink.Step, _ line: String, _ code: Int, _ expected: Outcome.Class
    ) async throws {
        let sink = try MailSink([step: .say(line)])
        let error = try #require(await failure(try letter(try settings(sink))))
        #expect(error.reason == (step == .greeting ? .unwelcome : .refused) && error.status == code)
        #expect(error.answer.contains(line))
        #expect(Outcome(of: .failure(error)).class == expected)
        #expect(sink.letters.isEmpty)
    }

    @Test(arguments: ["550 5.7.1 sender denied", "553 sender not yours", "501 syntax", "554 5.7.1 policy"])
    func `a sender that is refused is the operator's matter, whoever the letter is for`(_ line: String) async throws {
        let sink = try MailSink([.mail: .say(line)])
        let error = try #require(await failure(try letter(try settings(sink))))
        #expect(error.reason == .senderRefused)
        let outcome = Outcome(of: .failure(error))
        #expect(outcome.class == .transient && outcome.code == "sender_refused")
        #expect(outcome.instruction.chinese.contains("mail.from"))
    }

    @Test(arguments: [
        Outcome(of: .failure(CurlError(.loginRefused, status: 535))), Outcome(of: .failure(CurlError(.unwelcome))),
        Outcome(of: .failure(CurlError(.senderRefused, status: 553))), Outcome.noMailServer,
        Outcome(of: .failure(CurlError(.unreachable))), Outcome(of: .failure(CurlError(.unresolved))),
        Outcome(of: .failure(CurlError(.invalidURL))), Outcome(of: .failure(CurlError(.refused, status: 421))),
    ])
    func `as long as our mail server is to blame, waiting uses up nothing`(_ outcome: Outcome) {
        let decision = RetryPolicy.decision(
            after: outcome,
            DeliveryCircumstances(
                channel: .email, attempts: 2, now: Self.now, notAfter: Self.now + .seconds(900_000)))
        #expect(decision.status == .retryWait && decision.attempts == 2 && !decision.disablesEndpoint)
        #expect(decision.nextAt == Self.now + .seconds(300))
        #expect(Outcome.blamesMailServer(code: outcome.code, on: .email))
    }

    @Test(arguments: ["smtp_450", "smtp_550", "smtp_552", "smtp_554", "sent", "sender_lost"])
    func `what a server says of a mailbox or a letter counts`(_ code: String) {
        #expect(!Outcome.blamesMailServer(code: code, on: .email))
        #expect(!Outcome.blamesMailServer(code: "unreachable", on: .generic))
    }

    @Test(arguments: MailSink.Step.allCases)
    func `a session that breaks off is uncertain only after the whole letter`(_ step: MailSink.Step) async throws {
        for reply in [MailSink.Reply.hang, .close] {
            let sink = try MailSink([step: reply])
            var letter = try letter(try settings(sink))
            letter.totalTimeout = .milliseconds(400)
            letter.connectTimeout = .milliseconds(400)
            let error = try #require(await failure(letter))
            #expect(error.surelyNotSent == (step != .letter), "\(error)")
            #expect(Outcome(of: .failure(error)).class == (step == .letter ? .uncertain : .transient), "\(error)")
        }
    }

    @Test func `a wrong password is the operator's matter`() async throws {
        let sink = try MailSink(offers: ["AUTH PLAIN LOGIN"])
        var settings = try settings(sink)
        settings.server.userName = "talents"
        settings.server.password = "wrong-password"
        let error = try #require(await failure(try letter(settings)))
        #expect(error.reason == .loginRefused && error.status == 535)
        #expect(Outcome(of: .failure(error)).class == .transient)
        #expect(!"\(settings) \(error)".contains("wrong-password"))
    }

    @Test func `a server without STARTTLS gets nothing when TLS is wanted`() async throws {
        let sink = try MailSink()
        var settings = try settings(sink)
        settings.server.security = .startTLS
        let error = try #require(await failure(try letter(settings)))
        #expect(error.surelyNotSent && sink.letters.isEmpty)
        #expect(!sink.commands.contains { $0.hasPrefix("MAIL") })
        #expect(Outcome(of: .failure(error)).class == .transient)
    }

    @Test func `what would inject a command or break a line is refused before a connection`() async throws {
        let sink = try MailSink()
        let server = try settings(sink).server
        let good = Array("Subject: x\r\n\r\nx\r\n".utf8)
        let requests = [
            ("a@example.org>\r\nRCPT TO:<c@example.org", "b@example.org", good),
            ("a@example.org", "b@example.org>\r\nRCPT TO:<c@example.org", good),
            ("a@example.org", "b@example.org c@example.org", good), ("a@example.org", "", good),
            ("a@example.org", "b@example.org", Array("Subject: x\n\nx\n".utf8)),
            ("a@example.org", "b@example.org", Array("Subject: x\rBcc: y\r\n\r\n".utf8)),
        ]
        for (sender, recipient, letter) in requests {
            let request = MailRequest(server: server, sender: sender, recipient: recipient, letter: letter)
            let error = await failure(request)
            #expect(error?.reason == .invalidHeader && error?.surelyNotSent == true)
        }
        #expect(sink.commands.isEmpty)
        for host in ["", "a b", "x@y", "a/b", "x?y"] {
            var odd = server
            odd.host = host
            let request = MailRequest(server: odd, sender: "a@example.org", recipient: "b@example.org", letter: good)
            #expect(await failure(request)?.reason == .invalidURL)
        }
    }

    @Test func `a sender hands letters to the mail server, and they wait while there is none`() async throws {
        let sink = try MailSink()
        let mail = try settings(sink)
        let target = DeliveryTarget.email(MailTarget(try MailAddress("liaison@example.org")))
        let part = try rendering(Message(headline: "测试")).parts[0]
        func outcome(_ settings: CourierSettings) async -> Outcome {
            let result = await sendOnce(
                part.body, contentType: "message/rfc822", to: target, as: WebhookID("msg_2"), over: client,
                settings: settings, clock: ManualClock(Self.now))
            return result.outcome
        }
        let missing = await outcome(.testing(weComBase: "http://127.0.0.1:1"))
        #expect(missing.class == .transient && missing.code == "no_mail_server")
        #expect(await outcome(.production(mail: mail)).class == .sent)
        let received = try #require(sink.letters.first).bytes
        #expect(received.suffix(part.body.count) == part.body[...])
    }
}
