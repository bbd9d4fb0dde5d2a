import Crypto
import Foundation
import RoostAPI
import RoostSchema
import Testing

/// Digests, endpoints and all of sending by the programs that people run.
@Suite(.timeLimit(.minutes(5)))
struct SendingTests {
    /// A county with a registrar's, an approver's and an administrator's laptop, one webhook and one person who posts.
    private struct Office {
        let county: County
        let receiver: Receiver
        let registrar: Device
        let approver: Device
        let admin: Device

        init() async throws {
            receiver = try Receiver(.answer(204))
            county = try await County.founded(settings: ["ROOST_COURIER_TEST_BASE": receiver.url])
            registrar = try await county.device("registrar", of: county.registrar)
            approver = try await county.device("approver", of: county.approver)
            admin = try await county.device("administrator", of: county.admin)
            try await admin.roost(
                "endpoints", "add", "校友网站", "--channel", "generic", "--address", receiver.url + "/hook")
        }

        /// A draft about one policy, named by its number.
        func draft(_ title: String, _ code: String, _ arguments: String...) async throws -> String {
            try await county.wire.push([
                .create(
                    "policy", RowID(naming: "policy", code).description,
                    ["code": .text(code), "title": .text("返乡补贴 " + code), "status": "published"])
            ])
            let made = try await registrar.roost(
                ["digest", "new", title, "--policy", code, "--channel", "generic"] + arguments)
            return try #require(made["digest"]["id"].text)
        }

        /// Has a draft approved by somebody else.
        func approve(_ digest: String) async throws {
            try await registrar.roost("digest", "submit", digest)
            try await approver.approve(digest)
        }

        func states(_ digest: String) async throws -> [String] {
            try await registrar.roost("digest", "status", digest)["deliveries"].list.compactMap(\.["state"].text)
        }

        /// Returns once every delivery of the digest is in the state.
        func wait(for state: String, of digest: String) async throws {
            let end = ContinuousClock.now + .seconds(60)
            while try await states(digest).contains(where: { $0 != state }) {
                guard ContinuousClock.now < end else { throw Absent(what: "\(state) of \(digest)") }
            }
        }
    }

    /// An evening in ten days, as people write it in China.
    private static var soon: String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "Asia/Shanghai")
        formatter.dateFormat = "yyyy-MM-dd'T19:10'"
        return formatter.string(from: Date(timeIntervalSinceNow: 10 * 86_400))
    }

    @Test func `endpoints are added, tried out, paused, resumed and given new secrets by command`() async throws {
        let office = try await Office()
        let admin = office.admin
        let tried = try await admin.roost("endpoints", "test", "校友网站")
        #expect(tried["sent"] == true)
        #expect(office.receiver.requests.value.count == 1)
        try await admin.roost("endpoints", "pause", "校友网站")
        #expect(try await admin.roost("endpoints", "list")["endpoints"][0]["state"] == "paused")
        try await admin.roost("endpoints", "resume", "校友网站")
        let rotated = try await admin.roost("endpoints", "rotate", "校友网站", "--overlap-hours", "1")
        #expect(rotated["secret"].text?.hasPrefix("whsec_") == true)
        let edited = try await admin.roost("endpoints", "edit", "校友网站", "--name", "校友站", "--quiet", "22:00-07:30")
        #expect(edited["endpoint"]["name"] == "校友站")
        #expect(try await admin.roost("endpoints", "notices")["notices"].list.isEmpty)
        // A secret that is read from standard input is in no shell's history and in no list of processes.
        let secret = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
        let turned = try await admin.roost(reading: secret, "endpoints", "rotate", "校友站", "--secret", "-")
        #expect(turned["secret"].text == secret)
        try await admin.roost(
            "endpoints", "add", "飞书群", "--channel", "feishu", "--address", "3fa2c0de-1b2c-4d5e-8f90-a1b2c3d4e5f6")
        let signing = try await admin.roost(reading: "of the robot", "endpoints", "edit", "飞书群", "--secret", "-")
        #expect(signing["endpoint"]["name"] == "飞书群")
        _ = try await admin.attempt("endpoints", "test", "飞书群")
        #expect(try JSON(try #require(office.receiver.requests.value.last).body)["sign"].text != nil)
        let wrong = try await admin.attempt(reading: "whsec_short", "endpoints", "rotate", "校友站", "--secret", "-")
        #expect(!wrong.succeeded && !wrong.errors.contains("whsec_short"))
        #expect(try await admin.roost("endpoints", "test", "校友站")["sent"] == true)
        let signed = try #require(office.receiver.requests.value.last)
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(
                "\(signed.values(of: "webhook-id")[0]).\(signed.values(of: "webhook-timestamp")[0]).".utf8)
                + Data(signed.body), using: SymmetricKey(data: Data(repeating: 7, count: 32)))
        #expect(signed.values(of: "webhook-signature")[0].contains(Data(code).base64EncodedString()))
        for (language, words) in [("zh", ["已送达（测试）", "首字节"]), ("en", ["sent (test)", "first byte"])] {
            let log = try await admin.attempt("endpoints", "log", "校友站", "--lang", language)
            #expect(log.succeeded && !log.hasTerminalCodes)
            for word in words + ["127.0.0.1", "/hook", "204"] {
                #expect(log.output.contains(word), "\(word) is not in \(log.output)")
            }
        }
        // Nobody gets to read a secret again, nor a whole address.
        let listed = try await admin.attempt("endpoints", "list", "--json").output
        #expect(!listed.contains("whsec_"))
        for language in ["zh", "en"] {
            let plain = try await admin.attempt("endpoints", "list", "--lang", language)
            #expect(plain.succeeded && plain.output.contains("校友站") && !plain.hasTerminalCodes)
        }
        let refused = try await office.registrar.attempt("endpoints", "test", "没有这个端点", "--json")
        #expect(!refused.succeeded)
    }

    @Test func `a digest is edited, sent back, tried out, scheduled, cancelled, sent, told and redriven by command`()
        async throws
    {
        let office = try await Office()
        let (registrar, approver, admin) = (office.registrar, office.approver, office.admin)
        try await admin.roost("endpoints", "test", "校友网站")
        try await admin.roost(
            "endpoints", "add", "试发网址", "--channel", "generic", "--address", office.receiver.url + "/trial",
            "--for-tests")
        try await admin.roost("endpoints", "test", "试发网址")
        let digest = try await office.draft("第一期", "鹤府〔2026〕7号")
        #expect(try await registrar.roost("digest", "edit", digest, "--intro", "本期导语")["digest"]["id"].text == digest)
        let trial = try await registrar.roost("digest", "test", digest, "--endpoint", "试发网址")
        #expect(trial["sent"] == true)
        #expect(office.receiver.requests.value.last?.path == "/trial")
        try await registrar.roost("digest", "submit", digest)
        try await approver.roost("digest", "reject", digest)
        try await office.approve(digest)
        let students = try #require(try await registrar.roost("digest", "status", digest)["students"].integer)
        try await registrar.roost(
            "digest", "schedule", digest, "--students", "\(students)", "--at", Self.soon, "--missed", "ask")
        try await registrar.roost("digest", "cancel", digest)
        #expect(try await office.states(digest).allSatisfy { $0 == "cancelled" })

        let second = try await office.draft("第二期", "鹤府〔2026〕8号")
        try await office.approve(second)
        office.receiver.behave(.answer(410))
        try await registrar.roost("digest", "send", second, "--students", "\(students)")
        try await office.wait(for: "failed", of: second)
        let delivery = try #require(
            try await registrar.roost("digest", "status", second)["deliveries"][0]["id"].text)
        let log = try await registrar.attempt("digest", "log", delivery, "--json")
        #expect(log.succeeded && log.output.contains("http_410") && !log.output.contains("whsec_"))
        office.receiver.behave(.answer(204))
        // Gone is gone until the endpoint has been tried out again.
        try await admin.roost("endpoints", "test", "校友网站")
        try await admin.roost("endpoints", "resume", "校友网站")
        try await registrar.roost("digest", "redrive", second, "--state", "failed")
        try await office.wait(for: "sent", of: second)
        #expect(!(try await registrar.roost("digest", "told", "--endpoint", "校友网站")["tellings"].list.isEmpty))
        let told = try await registrar.roost("digest", "told", "--item", "鹤府〔2026〕8号")["tellings"].list
        #expect(told.compactMap(\.["digest"].text) == [second])
        let unknown = try await registrar.attempt("digest", "told", "--item", "鹤府〔2026〕80号", "--lang", "zh")
        #expect(!unknown.succeeded && unknown.errors.contains("没有这项内容：鹤府〔2026〕80号"))

        // A person posts what no machine may, and says so once for the place.
        try await admin.roost("endpoints", "add", "海报栏", "--channel", "manual")
        let third = try await office.draft("第三期", "鹤府〔2026〕10号", "--channel", "manual")
        try await office.approve(third)
        let all = try #require(try await registrar.roost("digest", "status", third)["students"].integer)
        try await registrar.roost("digest", "send", third, "--students", "\(all)")
        let posted = try await registrar.roost("digest", "mark-sent", third, "--endpoint", "海报栏", "--reach", "31")
        let board = posted["deliveries"].list.filter { $0["endpoint"] == "海报栏" }
        #expect(!board.isEmpty && board.allSatisfy { $0["state"] == "manual_done" && $0["reach"] == 31 })
        #expect(try await registrar.roost("digest", "list")["digests"].list.count == 3)

        let plans = try await registrar.roost("digest", "plan", "add", "周报", "--weekly", "5", "--time", "19:10")
        #expect(plans["schedules"][0]["name"] == "周报")
        for change in ["pause", "resume", "remove"] { try await registrar.roost("digest", "plan", change, "周报") }
        #expect(try await registrar.roost("digest", "plan", "list")["schedules"].list.isEmpty)
    }

    @Test func `the operator holds all sending back and lets it go`() async throws {
        let office = try await Office()
        try await office.admin.roost("endpoints", "test", "校友网站")
        let server = office.county.server
        #expect(try await server.operate("sending", "status")["paused"] == false)
        let paused = try await server.operate("sending", "pause")
        #expect(paused["paused"] == true && paused["reason"] == "operator")
        let digest = try await office.draft("第三期", "鹤府〔2026〕9号")
        try await office.approve(digest)
        let students = try #require(try await office.registrar.roost("digest", "status", digest)["students"].integer)
        let before = office.receiver.requests.value.count
        try await office.registrar.roost("digest", "send", digest, "--students", "\(students)")
        #expect(try await server.operate("sending")["queued"] == 1)
        #expect(try await !office.states(digest).contains("sent"))
        #expect(office.receiver.requests.value.count == before)
        #expect(try await server.operate("sending", "resume")["paused"] == false)
        try await office.wait(for: "sent", of: digest)
        #expect(office.receiver.requests.value.count == before + 1)
        #expect(try await server.operate("sending", "status")["queued"] == 0)
    }
}
