import Foundation
import RoostAPI
import RoostSchema
import Testing

/// The server's power fails again and again while it delivers.
@Suite(.timeLimit(.minutes(30)))
struct DeliveryCrashTests {
    /// How many deliveries are made; `ROOST_KILL_DELIVERIES` makes it more than a daily run has time for.
    private static let wanted =
        ProcessInfo.processInfo.environment["ROOST_KILL_DELIVERIES"].flatMap { Int($0) } ?? 180
    /// How often the power fails; half as often as there are digests, so that half of the deliveries to each robot cannot
    /// have been under way.
    private static let failures = 3
    private static let digests = 2 * failures

    @Test func `no delivery is missing or doubled however often the power fails`() async throws {
        let webhooks = try Receiver(.answer(204))
        let robots = try Receiver(.say(#"{"errcode":0,"errmsg":"ok"}"#))
        let county = try await County.founded(settings: ["ROOST_COURIER_TEST_BASE": robots.url])
        let admin = try await WireDevice.enrolled(as: county.admin, at: county.server)
        let approver = try await WireDevice.enrolled(as: county.approver, at: county.server)
        let count = Self.wanted / Self.digests / 2
        for number in 0..<count {
            try await add(
                ["name": .text("网址\(number)"), "channel": "generic", "address": .text("\(webhooks.url)/\(number)")],
                by: admin)
            try await add(
                [
                    "name": .text("机器人\(number)"), "channel": "wecom",
                    "address": .text("key-of-the-robot-\(number)"),
                ], by: admin)
        }
        webhooks.requests.update { $0 = [] }
        robots.requests.update { $0 = [] }
        var released: [String] = []
        var moments: [Int] = []
        for failure in 0..<Self.failures {
            // Somewhere in the first of the two or in the second, or after both if they are quick.
            let moment = robots.requests.value.count + Int.random(in: 0...count * 3 / 2)
            moments.append(moment)
            for number in [2 * failure, 2 * failure + 1] {
                released.append(try await release(number, county, approver))
            }
            _ = try await robots.requests.first("\(moment) messages") { $0.count >= moment ? true : nil }
            try await county.server.kill()
            try await county.server.start()
        }
        var byDigest: [[JSON]] = []
        // What was queued when the power failed goes by itself.
        for digest in released { byDigest.append(try await settled(digest, county)) }
        let deliveries = byDigest.flatMap(\.self)
        #expect(deliveries.count == Self.digests * count * 2)
        #expect(deliveries.allSatisfy { $0["channel"] == "wecom" || $0["state"] == "sent" })

        // Webhooks: every delivery arrived, however often under one id and with one body.
        let byID = Dictionary(grouping: webhooks.requests.value) { $0.values(of: "webhook-id").first ?? "" }
        #expect(byID.count == Self.digests * count)
        for requests in byID.values { #expect(Set(requests.map(\.body)).count == 1) }
        // Robots: what is called sent arrived once; what is called uncertain once or never, and of it no more than can have
        // been under way: one message of each robot at each failure.
        let posts = Dictionary(
            grouping: robots.requests.value.map { (robot: $0.path, text: String(decoding: $0.body, as: UTF8.self)) },
            by: \.robot)
        var uncertain: [String: Int] = [:]
        for (number, deliveries) in byDigest.enumerated() {
            for delivery in deliveries where delivery["channel"] == "wecom" {
                let name = delivery["endpoint"].text ?? ""
                let own = posts.filter { $0.key.hasSuffix("key-of-the-robot-" + name.dropFirst("机器人".count)) }
                let times = own.values.joined().count { $0.text.contains("第\(number)期") }
                if delivery["state"] == "uncertain" {
                    uncertain[name, default: 0] += 1
                    #expect(times <= 1, "\(name) read number \(number) twice; killed after \(moments)")
                } else {
                    #expect(times == 1, "\(name), number \(number); killed after \(moments)")
                }
            }
        }
        #expect(uncertain.values.allSatisfy { $0 <= Self.failures }, "\(uncertain) after \(moments)")
    }

    /// The deliveries of a digest once each has been sent or is a person's to look at.
    private func settled(_ digest: String, _ county: County) async throws -> [JSON] {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(300)
        while clock.now < end {
            let deliveries = try await county.wire.caller.get(Path.digests + "/" + digest).json["deliveries"].list
            if deliveries.allSatisfy({ $0["state"] == "sent" || $0["state"] == "uncertain" }) { return deliveries }
            try #require(deliveries.allSatisfy { $0["state"] != "failed" && $0["state"] != "expired" })
        }
        throw Absent(what: "the end of \(digest)")
    }

    private func add(_ endpoint: JSON, by admin: WireDevice) async throws {
        let added = try await admin.caller.post(Path.endpoints, endpoint)
        let id = try #require(added.json["endpoint"]["id"].text)
        #expect(try await admin.caller.post(Path.endpoints + "/\(id)/test", [:]).json["sent"] == true)
    }

    /// Releases a digest of one policy to everybody.
    private func release(_ number: Int, _ county: County, _ approver: WireDevice) async throws -> String {
        let code = "断电〔2026〕\(number)号"
        try await county.wire.push([
            .create(
                "policy", RowID(naming: "policy", code).description,
                ["code": .text(code), "title": .text("断电演练\(number)"), "status": "published"])
        ])
        let caller = county.wire.caller
        var report = try await caller.post(
            Path.digests,
            [
                "title": .text("第\(number)期"), "items": [["collection": "policy", "id": .text(code)]],
                "channels": ["generic", "wecom"],
            ]
        ).json
        let id = try #require(report["digest"]["id"].text)
        for (step, caller) in [("submit", caller), ("approve", approver.caller), ("send", caller)] {
            var body: JSON = ["version": report["digest"]["version"], "students": 0]
            if step == "approve" {
                let preview = try await caller.get(Path.digests + "/\(id)/preview").json
                body = ["version": report["digest"]["version"], "preview": preview["mark"]]
            }
            let answer = try await caller.post(Path.digests + "/\(id)/\(step)", body)
            try #require(answer.status == 200, "\(step): \(answer.code?.rawValue ?? "")")
            report = answer.json
        }
        return id
    }
}
