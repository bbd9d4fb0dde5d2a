package import Curl

/// What decides where deliveries may go: the pinned vendor hosts, the mail server, the protocols and the addresses.
package struct CourierSettings: Hashable, Sendable {
    /// A stand-in for all vendors' hosts, by which tests reach robots.
    private let robotBase: String?
    let allowedSchemes: Set<TransferOptions.Scheme>
    /// The ports that webhooks may be at; behind others there are services that were never meant to be posted to.
    let webhookPorts: PortList
    let addressPolicy: AddressPolicy
    /// A PEM file of authorities to trust in place of the system's.
    let caFile: String?
    /// How robots are reached, where not directly.
    ///
    /// Only their hosts are ours to name. A webhook's is not, and behind a proxy nobody sees to which address its name leads:
    /// webhooks go by themselves, whatever is set here.
    let robotProxy: RobotProxy?
    /// The server that takes e-mail; without one, deliveries by e-mail wait.
    package let mail: MailSettings?
    /// Whether these are not the settings of a real server.
    package var isForTests: Bool { robotBase != nil }

    /// The vendors' own hosts, https, and public addresses only.
    ///
    /// `networks` are those of an intranet that webhooks may lead into although no public address is in them.
    package static func production(
        caFile: String? = nil, networks: [AddressRange] = [], webhookPorts: PortList = .usual,
        robotProxy: RobotProxy? = nil, mail: MailSettings? = nil
    ) -> CourierSettings {
        CourierSettings(
            robotBase: nil, allowedSchemes: [.https], webhookPorts: webhookPorts,
            addressPolicy: .publicOnly(allowingLoopback: false, networks: networks), caFile: caFile,
            robotProxy: robotProxy, mail: mail)
    }

    /// Settings under which robots are reached at another base URL, plain http is spoken, loopback is connected to and every
    /// port is allowed.
    ///
    /// This is the only way to any of the first three. A server that runs with it logs ``warning`` when it starts.
    package static func testing(
        weComBase: String, robotProxy: RobotProxy? = nil, mail: MailSettings? = nil
    ) -> CourierSettings {
        CourierSettings(
            robotBase: weComBase, allowedSchemes: [.http, .https], webhookPorts: .all,
            addressPolicy: .publicOnly(allowingLoopback: true), caFile: nil, robotProxy: robotProxy, mail: mail)
    }

    /// What to log at start, at the level of a warning, or nil for a real server.
    package var warning: String? {
        robotBase.map {
            "COURIER TEST SETTINGS ARE ON: loopback and plain http are allowed and robots are reached at \($0); "
                + "nobody receives a real digest"
        }
    }

    /// Where a robot's interface is, its key included.
    func url(of key: WeComKey) -> String {
        "\(robotBase ?? "https://qyapi.weixin.qq.com")/cgi-bin/webhook/send?key=\(key.revealed)"
    }

    func url(of token: DingTalkToken) -> String {
        "\(robotBase ?? "https://oapi.dingtalk.com")/robot/send?access_token=\(token.revealed)"
    }

    func url(of token: FeishuToken) -> String {
        "\(robotBase ?? token.world.base)/open-apis/bot/v2/hook/\(token.token)"
    }
}

/// The mail server that takes our letters, and in whose name they are sent.
package struct MailSettings: Hashable, Sendable {
    package var server: MailServer
    /// The address letters come from, and answers and bounces go to.
    package var sender: MailAddress
    /// The name beside it, such as the county's.
    package var senderName: String?
    /// This server as people outside reach it; letters lead there to be stopped.
    package var publicURL: WebhookURL?

    package init(
        server: MailServer, sender: MailAddress, senderName: String? = nil, publicURL: WebhookURL? = nil
    ) {
        self.server = server
        self.sender = sender
        self.senderName = senderName
        self.publicURL = publicURL
    }
}
