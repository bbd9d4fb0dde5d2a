import Curl
import Foundation
import RoostAPI
import RoostCourier
import RoostServer
import Testing

@Suite struct SettingsTests {
    @Test func `the example file is what the keys say`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try String(contentsOf: root.appendingPathComponent("Config/roostd.example.yaml"), encoding: .utf8)
        #expect(file == ServerSettings.exampleFile)
    }

    @Test func `defaults are the advertised ones`() throws {
        let settings = try ServerSettings { _ in nil }
        #expect(settings.port == 8080 && settings.host == "127.0.0.1" && settings.data == "var")
        #expect(settings.limits == Limits())
        #expect(settings.enrolmentMinutes == 10)
        #expect(settings.certificate == nil && settings.metricsToken == nil && !settings.demo)
    }

    @Test(arguments: [
        (SettingKey.port, "65536"), (.port, "eighty"), (.demo, "yes"), (.logLevel, "loud"), (.bodyBytes, "1"),
        (.timeoutSeconds, "0"), (.logFormat, "xml"), (.enrolmentMinutes, "-1"), (.host, ""),
    ])
    func `a value out of its range is named and not repeated`(key: SettingKey, value: String) throws {
        let problem = #expect(throws: SettingProblem.self) { try ServerSettings { $0 == key ? value : nil } }
        #expect(problem == .unacceptable(key))
        #expect(problem?.description.contains(key.environmentName) ?? false)
    }

    @Test func `a certificate without its key is a contradiction`() {
        #expect(throws: SettingProblem.self) { try ServerSettings { $0 == .certificate ? "chain.pem" : nil } }
    }

    @Test func `a mail server and inner networks are read, and what is no good is named`() throws {
        func settings(_ values: [SettingKey: String]) throws -> ServerSettings { try ServerSettings { values[$0] } }
        let mail: [SettingKey: String] = [
            .mailHost: "mail.example.org", .mailFrom: "talents@example.org", .mailUser: "talents",
            .mailPassword: "s3cret", .mailName: "某县人才办",
        ]
        let read = try #require(try settings(mail).courier.mail)
        #expect(read.server.port == 587 && read.server.security == .startTLS && read.server.greeting == "example.org")
        #expect(read.sender.revealed == "talents@example.org" && read.senderName == "某县人才办")
        #expect(!"\(read)".contains("s3cret"))
        #expect(try settings([:]).courier == .production())
        let networks = try ["10.20.0.0/16", "fd00:1::/32"].map { try #require(AddressRange($0)) }
        #expect(
            try settings([.courierNetworks: "10.20.0.0/16, fd00:1::/32"]).courier == .production(networks: networks))
        let ports = try #require(PortList("443, 9000-9099"))
        #expect(try settings([.courierPorts: "443, 9000-9099"]).courier == .production(webhookPorts: ports))
        let proxied = try settings([.courierProxy: "http://roost:s3cret@10.20.0.9:3128"]).courier
        #expect(proxied == .production(robotProxy: RobotProxy("http://roost:s3cret@10.20.0.9:3128")))
        #expect(!"\(proxied)".contains("s3cret"))
        for (key, value) in [
            (SettingKey.courierNetworks, "10.0.0.0/99"), (.courierProxy, "10.20.0.9:3128"),
            (.courierPorts, "443;8443"), (.courierPorts, "0-70000"), (.mailFrom, "nobody"),
            (.mailSecurity, "ssl"),
        ] {
            let values = mail.merging([key: value]) { $1 }
            #expect(throws: SettingProblem.unacceptable(key)) { try settings(values) }
        }
        // An authority's file is looked into at once.
        let file = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString).pem").path()
        for (content, isGood) in [("-----BEGIN CERTIFICATE-----\n", true), ("nothing of the kind", false)] {
            try Data(content.utf8).write(to: URL(filePath: file))
            let trusting = try? settings(mail.merging([.mailAuthorities: file]) { $1 })
            #expect(trusting?.courier.mail?.server.caFile == (isGood ? file : nil))
        }
        try FileManager.default.removeItem(atPath: file)
        #expect(throws: SettingProblem.unacceptable(.mailAuthorities)) {
            try settings(mail.merging([.mailAuthorities: file]) { $1 })
        }
        for missing in [SettingKey.mailHost, .mailFrom, .mailUser, .mailPassword] {
            #expect(throws: SettingProblem.self) { try settings(mail.filter { $0.key != missing }) }
        }
    }

    @Test func `secrets are not printed`() {
        let printed = ServerSettings.printable { $0 == .metricsToken ? "s3cret" : nil }
        #expect(printed.contains { $0 == ("metrics.token", "***") })
        #expect(!printed.contains { $0.1.contains("s3cret") })
        #expect(printed.count == SettingKey.all.count)
    }

    @Test func `every key has a name of its own and a purpose`() {
        #expect(Set(SettingKey.all.map(\.name)).count == SettingKey.all.count)
        #expect(Set(SettingKey.all.map(\.environmentName)).count == SettingKey.all.count)
        #expect(SettingKey.all.allSatisfy { $0.purpose.hasSuffix(".") })
    }
}
