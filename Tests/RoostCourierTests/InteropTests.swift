import Curl
import RoostCourier
import Testing

import class Foundation.ProcessInfo

private let environment = ProcessInfo.processInfo.environment

/// Sends one of everything to where `Tests/CourierInterop` listens, whose libraries judge it.
@Suite(.enabled(if: environment["ROOST_INTEROP_HTTP"] != nil, "run by Tests/CourierInterop/run")) struct InteropTests {
    let clock = SystemSenderClock()
    let client = HTTPClient()

    private func variable(_ name: String) throws -> String { try #require(environment["ROOST_INTEROP_\(name)"]) }

    private func settings() throws -> CourierSettings {
        let server = MailServer(host: "127.0.0.1", port: try #require(Int(try variable("SMTP"))), security: .plain)
        return .testing(
            weComBase: try variable("HTTP"),
            mail: MailSettings(
                server: server, sender: try MailAddress("talents@example.org"), senderName: "某县人才办"))
    }

    private func send(_ form: MessageForm, to target: DeliveryTarget) async throws {
        let message = Message(
            headline: "11月政策与岗位：一个很长很长很长很长很长很长很长很长很长的标题", summary: "面向2027届\n.\n..",
            url: "https://roost.example.org/d/11",
            sections: [
                Message.Section(
                    title: "政策",
                    items: [
                        Message.Item(
                            title: "安家补贴", text: "本科 1 万元", url: "https://example.org/p?a=1&b=2",
                            deadline: "2026-12-31", picture: "https://example.org/p.png")
                    ])
            ])
        let rendering = try message.rendered(
            for: target.channel,
            in: RenderingContext(keyword: "青年人才政策", form: form, digest: "d", frozenAt: clock.now()))
        let outcome = await sendOnce(
            rendering.parts[0].body, contentType: rendering.contentType, to: target,
            as: WebhookID("msg_\(target.channel)_\(form)"), over: client, settings: try settings(), clock: clock
        ).outcome
        #expect(outcome.class == .sent, "\(outcome)")
    }

    @Test func `robots get every form`() async throws {
        let secret = try RobotSecret(try variable("ROBOT_SECRET"))
        let targets: [DeliveryTarget] = [
            .wecom(try WeComKey(EndpointAddressTests.key)),
            .dingtalk(try DingTalkToken(RobotAddressTests.token), secret: secret),
            .feishu(try FeishuToken(RobotAddressTests.hook), secret: secret),
        ]
        for target in targets {
            for form in target.channel.forms { try await send(form, to: target) }
        }
    }

    @Test func `a webhook gets a message signed with two secrets`() async throws {
        let secrets = try variable("WEBHOOK_SECRETS").split(separator: " ").map { try WebhookSecret(String($0)) }
        let url = try WebhookURL(try variable("HTTP") + "/webhook", settings: try settings())
        try await send(.payload, to: .generic(url, secrets: secrets))
    }

    @Test func `a mailbox gets a letter`() async throws {
        let unsubscribe = try WebhookURL("https://roost.example.org/u/token", settings: .production())
        try await send(.mail, to: .email(MailTarget(try MailAddress("liaison@example.org"), unsubscribe: unsubscribe)))
    }
}
