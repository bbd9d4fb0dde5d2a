import Curl
import Foundation
import RoostCourier

extension SettingKey {
    package static let courierTestBase = SettingKey(
        "courier.test_base", .text, nil,
        "Base URL of a stand-in for the vendors' robots. Allows loopback and plain http; for tests only.")
    package static let courierNetworks = SettingKey(
        "courier.networks", .text, nil,
        "Inner networks that webhooks may lead into, such as those of a county intranet: 10.20.0.0/16, fd00:1::/32. The server's "
            + "own addresses in them stay closed, unless one is named by itself: 10.20.0.5/32.")
    package static let courierPorts = SettingKey(
        "courier.ports", .text, "443, 8443",
        "Ports that webhooks may be at, singly or in ranges: 443, 8443, 9000-9099. Robots are always reached at their vendors' own, "
            + "the mail server at mail.port.")
    package static let courierProxy = SettingKey(
        "courier.proxy", .text, nil, isSecret: true,
        "Proxy by which the vendors' robots are reached, such as http://user:password@10.20.0.9:3128 or socks5h://10.20.0.9:1080. "
            + "Webhooks and letters do not use it, and proxies named in the environment are never used.")
    package static let mailHost = SettingKey(
        "mail.host", .text, nil, "Host of the mail server that takes letters for delivery; without it letters wait.")
    package static let mailPort = SettingKey(
        "mail.port", .number(1...65_535), "587", "Its port: usually 587 for starttls, 465 for tls.")
    package static let mailSecurity = SettingKey(
        "mail.security", .choice(MailServer.Security.allCases.map(\.rawValue)), "starttls",
        "How the connection to it is protected; plain is for a server on the same machine.")
    package static let mailAuthorities = SettingKey(
        "mail.ca_file", .text, nil,
        "PEM file of the authority that the mail server's certificate is from, where this machine does not trust it anyway, such "
            + "as a county's own. It counts beside those the machine trusts.")
    package static let mailUser = SettingKey("mail.user", .text, nil, "User name there.")
    package static let mailPassword = SettingKey("mail.password", .text, nil, isSecret: true, "Password there.")
    package static let mailFrom = SettingKey(
        "mail.from", .text, nil, "Address that letters come from, and that answers and bounces go to.")
    package static let mailName = SettingKey("mail.name", .text, nil, "Name beside that address, such as the office's.")
    package static let mailPublicURL = SettingKey(
        "mail.public_url", .text, nil,
        "This server as people outside reach it, such as https://roost.example.org; letters lead there to be stopped.")

    static let courier = [
        courierTestBase, courierNetworks, courierPorts, courierProxy, mailHost, mailPort, mailSecurity, mailAuthorities,
        mailUser,
        mailPassword, mailFrom, mailName, mailPublicURL,
    ]
}

extension CourierSettings {
    /// Reads the keys under `courier` and `mail`; `text` tells the text of a key or nil.
    static func reading(_ text: (SettingKey) throws -> String?) throws -> CourierSettings {
        let networks = try (text(.courierNetworks) ?? "").split(separator: ",").map { part in
            guard let range = AddressRange(String(part.filter { !$0.isWhitespace })) else {
                throw SettingProblem.unacceptable(.courierNetworks)
            }
            return range
        }
        guard let ports = try PortList(text(.courierPorts) ?? "") else {
            throw SettingProblem.unacceptable(.courierPorts)
        }
        let mail = try mailSettings(text)
        let proxy = try text(.courierProxy).map { text in
            guard let proxy = RobotProxy(text) else { throw SettingProblem.unacceptable(.courierProxy) }
            return proxy
        }
        if let base = try text(.courierTestBase) { return .testing(weComBase: base, robotProxy: proxy, mail: mail) }
        return .production(networks: networks, webhookPorts: ports, robotProxy: proxy, mail: mail)
    }

    private static func mailSettings(_ text: (SettingKey) throws -> String?) throws -> MailSettings? {
        let (host, from) = (try text(.mailHost), try text(.mailFrom))
        guard let host, let from else {
            guard host == nil, from == nil else {
                throw SettingProblem.contradiction("mail.host and mail.from are given together or not at all")
            }
            return nil
        }
        guard let sender = try? MailAddress(from) else { throw SettingProblem.unacceptable(.mailFrom) }
        guard case .number(let range) = SettingKey.mailPort.kind, let port = try text(.mailPort).flatMap({ Int($0) }),
            range.contains(port)
        else { throw SettingProblem.unacceptable(.mailPort) }
        guard let security = try text(.mailSecurity).flatMap(MailServer.Security.init) else {
            throw SettingProblem.unacceptable(.mailSecurity)
        }
        let authorities = try text(.mailAuthorities)
        // Found out when the server starts, not by the first letter.
        if let authorities {
            guard let pem = FileManager.default.contents(atPath: authorities),
                String(decoding: pem, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----")
            else { throw SettingProblem.unacceptable(.mailAuthorities) }
        }
        let (user, password) = (try text(.mailUser), try text(.mailPassword))
        guard (user == nil) == (password == nil) else {
            throw SettingProblem.contradiction("mail.user and mail.password are given together or not at all")
        }
        let server = MailServer(
            host: host, port: port, security: security, userName: user, password: password, greeting: sender.domain,
            caFile: authorities)
        let publicURL = try text(.mailPublicURL).map { text in
            guard let url = try? WebhookURL(text, settings: .production()) else {
                throw SettingProblem.unacceptable(.mailPublicURL)
            }
            return url
        }
        return MailSettings(
            server: server, sender: sender, senderName: try text(.mailName), publicURL: publicURL)
    }
}
