import Crypto
import RoostCourier
import Synchronization

import struct Foundation.Data
import class Foundation.JSONSerialization

/// A stand-in for the three vendors' interfaces that is stricter than they are: it checks what their documents demand and
/// answers in their words, with HTTP 200 whatever is wrong.
///
/// Built from the vendors' documents and not from our renderer, so that both can be wrong in different ways only.
final class VendorEmulator: Sendable {
    /// How one robot is set up.
    struct Robot: Sendable {
        var secret: String?
        var keyword: String?
        /// As an administrator sees it.
        var state = State.active
        /// Answers in place of everything else, before the message counts.
        var fault: Reply?

        enum State: Sendable { case active, stopped, gone, addressRefused }
    }

    /// What a robot has posted in its group.
    struct Post: Hashable, Sendable {
        let robot: String
        let at: Moment
        let body: [UInt8]
    }

    private struct Ledger {
        var robots: [String: Robot]
        var arrivals: [String: [Moment]] = [:]
        var punishedUntil: [String: Moment] = [:]
        var posts: [Post] = []
        var limitHits = 0
    }

    private let ledger: Mutex<Ledger>
    private let now: @Sendable () -> Moment
    private let receiverBox = Mutex<Receiver?>(nil)

    var posts: [Post] { ledger.withLock { $0.posts } }
    var limitHits: Int { ledger.withLock { $0.limitHits } }
    var base: String { receiverBox.withLock { $0?.base ?? "" } }

    /// `robots` by key, token or hook.
    init(_ robots: [String: Robot], now: @escaping @Sendable () -> Moment) throws {
        ledger = Mutex(Ledger(robots: robots))
        self.now = now
        let receiver = try Receiver { [weak self] request in self?.answer(request) ?? .close }
        receiverBox.withLock { $0 = receiver }
    }

    func change(_ robot: String, _ change: (inout Robot) -> Void) {
        ledger.withLock { ledger in
            guard var old = ledger.robots[robot] else { return }
            change(&old)
            ledger.robots[robot] = old
        }
    }

    private func answer(_ request: ReceivedRequest) -> Reply {
        guard let call = VendorCall(request) else { return .answer(404) }
        return ledger.withLock { ledger in
            let robot = ledger.robots[call.key]
            if let fault = robot?.fault { return fault }
            if let refusal = call.refusal(by: robot, now: now()) { return call.reply(refusal) }
            if let limit = limit(call, &ledger) { return call.reply(limit) }
            ledger.posts.append(Post(robot: call.key, at: now(), body: request.body))
            return call.reply(VendorRefusal(code: 0, words: call.channel == .feishu ? "success" : "ok"))
        }
    }

    /// Counts the arrival in a sliding window, and refuses what is over the limit.
    private func limit(_ call: VendorCall, _ ledger: inout Ledger) -> VendorRefusal? {
        let now = now()
        let isPunished = ledger.punishedUntil[call.key].map { now < $0 } ?? false
        var arrivals = ledger.arrivals[call.key, default: []]
        arrivals.append(now)
        ledger.arrivals[call.key] = arrivals
        let isOver = call.channel.rateLimits.contains { limit in
            arrivals.count { now - $0 < limit.window } > limit.count
        }
        guard isOver || isPunished else { return nil }
        ledger.limitHits += 1
        if isOver, call.channel == .dingtalk { ledger.punishedUntil[call.key] = now + .seconds(600) }
        switch call.channel {
        case .dingtalk: return VendorRefusal(code: 130_101, words: "send too fast, exceed 20 times per minute")
        case .feishu: return VendorRefusal(code: 11_232, words: "frequency limited psm[lark.oapi.app_platform_runtime]")
        default: return VendorRefusal(code: 45_009, words: "api freq out of limit")
        }
    }
}

struct VendorRefusal {
    let code: Int
    let words: String
}

/// A request as one of the vendors understands it.
private struct VendorCall {
    let channel: Channel
    let key: String
    let request: ReceivedRequest
    private let query: [String: String]

    init?(_ request: ReceivedRequest) {
        self.request = request
        let words = request.requestLine.split(separator: " ")
        guard words.count == 3, words[0] == "POST" else { return nil }
        let target = words[1].split(separator: "?", maxSplits: 1)
        let pairs = (target.count > 1 ? target[1] : "").split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
            return (halves[0], (halves.count > 1 ? halves[1] : "").removingPercentEncoding ?? "")
        }
        query = Dictionary(pairs) { $1 }
        let hook = "/open-apis/bot/v2/hook/"
        switch String(target[0]) {
        case "/cgi-bin/webhook/send": (channel, key) = (.wecom, query["key"] ?? "")
        case "/robot/send": (channel, key) = (.dingtalk, query["access_token"] ?? "")
        case let path where path.hasPrefix(hook): (channel, key) = (.feishu, String(path.dropFirst(hook.count)))
        default: return nil
        }
    }

    func reply(_ refusal: VendorRefusal) -> Reply {
        channel == .feishu
            ? .json(#"{"code":\#(refusal.code),"msg":"\#(refusal.words)","data":{}}"#)
            : .json(#"{"errcode":\#(refusal.code),"errmsg":"\#(refusal.words)"}"#)
    }

    func refusal(by robot: VendorEmulator.Robot?, now: Moment) -> VendorRefusal? {
        guard let robot, robot.state != .gone else {
            return choose(
                (93_000, "invalid webhook url"), (300_005, "token is not exist"),
                (19_001, "param invalid: incoming webhook access token invalid"))
        }
        switch robot.state {
        case .stopped: return choose((93_004, "robot stopped"), (400_102, "robot stopped"), (19_001, "param invalid"))
        case .addressRefused:
            return choose(
                (60_020, "not allow to access from your ip"), (310_000, "ip 127.0.0.1 not in whitelist"),
                (19_022, "Ip Not Allowed"))
        case .active, .gone: break
        }
        guard let body = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any] else {
            return choose((40_058, "invalid json"), (40_035, "缺少参数 json"), (9499, "Bad Request"))
        }
        if let refusal = signatureRefusal(robot, body, now: now) { return refusal }
        let texts = MessageTexts(body, channel)
        guard texts.isWellFormed else {
            return choose((40_058, "message is malformed"), (40_035, "message is malformed"), (9499, "Bad Request"))
        }
        if let keyword = robot.keyword, !texts.all.contains(where: { $0.contains(keyword) }) {
            return choose(nil, (310_000, "keywords not in content"), (19_024, "Key Words Not Found"))
        }
        if let limit = texts.limit, texts.counted > limit {
            return VendorRefusal(code: 40_058, words: "markdown.content exceed max length \(limit)")
        }
        if channel != .wecom, request.body.count > 20_000 {
            return choose(nil, (460_101, "body size"), (19_036, "message too large"))
        }
        return nil
    }

    private func signatureRefusal(_ robot: VendorEmulator.Robot, _ body: [String: Any], now: Moment) -> VendorRefusal? {
        guard let secret = robot.secret else { return nil }
        let isDingTalk = channel == .dingtalk
        let text = isDingTalk ? query["timestamp"] : body["timestamp"] as? String
        let sign = isDingTalk ? query["sign"] : body["sign"] as? String
        let timestamp = Int64(text ?? "").map { isDingTalk ? $0 : $0 * 1000 }
        guard let timestamp, abs(timestamp - now.milliseconds) <= 3_600_000 else {
            return choose(
                nil, (310_000, "invalid timestamp"),
                (19_021, "sign match fail or timestamp is not within one hour from current time"))
        }
        let line = Data("\(text ?? "")\n\(secret)".utf8)
        let (key, message) = isDingTalk ? (Data(secret.utf8), line) : (line, Data())
        let expected = Data(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key)))
        guard sign == expected.base64EncodedString() else {
            return choose(
                nil, (310_000, "sign not match"),
                (19_021, "sign match fail or timestamp is not within one hour from current time"))
        }
        return nil
    }

    private func choose(
        _ wecom: (Int, String)?, _ dingtalk: (Int, String)?, _ feishu: (Int, String)?
    ) -> VendorRefusal? {
        let pair = channel == .wecom ? wecom : channel == .dingtalk ? dingtalk : feishu
        return pair.map { VendorRefusal(code: $0.0, words: $0.1) }
    }
}

/// The texts of a message in which a vendor looks for keywords, and what it counts.
private struct MessageTexts {
    var all: [String] = []
    var counted = 0
    var limit: Int?
    var isWellFormed = false

    init(_ body: [String: Any], _ channel: Channel) {
        let type = body[channel == .feishu ? "msg_type" : "msgtype"] as? String ?? ""
        switch (channel, type) {
        case (.wecom, "text"), (.wecom, "markdown"), (.wecom, "markdown_v2"):
            let content = (body[type] as? [String: Any])?["content"] as? String
            take([content])
            counted = content?.utf8.count ?? 0
            limit = type == "text" ? 2048 : 4096
        case (.wecom, "news"):
            let articles = (body["news"] as? [String: Any])?["articles"] as? [[String: Any]] ?? []
            take(articles.flatMap { [$0["title"] as? String, $0["url"] as? String] })
            isWellFormed =
                isWellFormed && (1...8).contains(articles.count)
                && articles.allSatisfy { ($0["url"] as? String)?.hasPrefix("https://") == true }
        case (.wecom, "template_card"):
            let card = body["template_card"] as? [String: Any]
            let lines = card?["horizontal_content_list"] as? [[String: Any]] ?? []
            let action = (card?["card_action"] as? [String: Any])?["url"] as? String
            take([(card?["main_title"] as? [String: Any])?["title"] as? String, action])
            isWellFormed =
                isWellFormed && lines.count <= 6 && action?.hasPrefix("https://") == true
                && lines.allSatisfy { ($0["keyname"] as? String)?.isEmpty == false }
        case (.dingtalk, "text"): take([(body["text"] as? [String: Any])?["content"] as? String])
        case (.dingtalk, "markdown"), (.dingtalk, "link"), (.dingtalk, "actionCard"):
            let part = body[type] as? [String: Any]
            take([part?["title"] as? String, part?["text"] as? String])
            if type == "link" { isWellFormed = isWellFormed && part?["messageUrl"] as? String != nil }
            if type == "actionCard" {
                let buttons = part?["btns"] as? [[String: Any]] ?? []
                isWellFormed = isWellFormed && (part?["singleURL"] as? String != nil) != !buttons.isEmpty
            }
        case (.dingtalk, "feedCard"):
            let links = (body["feedCard"] as? [String: Any])?["links"] as? [[String: Any]] ?? []
            take(links.flatMap { [$0["title"] as? String, $0["messageURL"] as? String] })
            isWellFormed = isWellFormed && links.allSatisfy { ($0["picURL"] as? String)?.hasPrefix("https://") == true }
        case (.feishu, "text"): take([(body["content"] as? [String: Any])?["text"] as? String])
        case (.feishu, "post"):
            let post = (body["content"] as? [String: Any])?["post"] as? [String: Any]
            let language = post?["zh_cn"] as? [String: Any]
            let spans = (language?["content"] as? [[[String: Any]]] ?? []).flatMap(\.self)
            take([language?["title"] as? String] + spans.map { $0["text"] as? String })
        case (.feishu, "interactive"):
            let card = body["card"] as? [String: Any]
            let title = ((card?["header"] as? [String: Any])?["title"] as? [String: Any])?["content"] as? String
            let elements = (card?["body"] as? [String: Any])?["elements"] as? [[String: Any]] ?? []
            take([title] + elements.compactMap { $0["content"] as? String })
            isWellFormed = isWellFormed && !elements.isEmpty && card?["schema"] as? String == "2.0"
        default: break
        }
    }

    private mutating func take(_ texts: [String?]) {
        all = texts.compactMap(\.self)
        isWellFormed = !texts.isEmpty && all.count == texts.count && all.allSatisfy { !$0.isEmpty }
    }
}
