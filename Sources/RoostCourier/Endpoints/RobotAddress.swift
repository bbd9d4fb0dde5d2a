/// The access token of a DingTalk robot, kept without its URL.
package struct DingTalkToken: Hashable, Sendable, Concealed {
    /// The token itself, to be stored encrypted.
    package let revealed: String

    /// Accepts the token alone or the whole URL as the vendor's app shows it.
    package init(_ entered: String) throws(EndpointAddressError) {
        revealed = try key(
            in: entered, after: ["https://oapi.dingtalk.com/robot/send?"], parameter: "access_token", lengths: 32...128)
    }

    package var concealed: String { "\(revealed.prefix(4))***" }
}

/// The token of a Feishu or Lark robot, and which of the vendor's two worlds it belongs to.
package struct FeishuToken: Hashable, Sendable, Concealed {
    /// The vendor's two hosts, whose accounts know nothing of each other.
    package enum World: String, CaseIterable, Hashable, Sendable {
        case feishu
        case lark

        var base: String { self == .feishu ? "https://open.feishu.cn" : "https://open.larksuite.com" }
    }

    package let world: World
    let token: String

    /// The token itself with its world, as it is accepted again; to be stored encrypted.
    package var revealed: String { world == .feishu ? token : "lark:\(token)" }

    /// Accepts the token alone (`lark:` before one of Lark's) or the whole URL as the vendor's app shows it.
    package init(_ entered: String) throws(EndpointAddressError) {
        let text = entered.singleLine
        let path = "/open-apis/bot/v2/hook/"
        var world = World.feishu
        if text.hasPrefix("lark:") || text.hasPrefix(World.lark.base + "/") { world = .lark }
        let alone = text.hasPrefix("lark:") ? String(text.dropFirst(5)) : text
        self.world = world
        token = try key(in: alone, after: World.allCases.map { $0.base + path }, parameter: nil, lengths: 16...64)
    }

    package var concealed: String { "\(token.prefix(4))***" }
}

/// The key in what somebody entered: the text itself, or the part of a URL with one of these beginnings.
private func key(
    in entered: String, after beginnings: [String], parameter: String?, lengths: ClosedRange<Int>
) throws(EndpointAddressError) -> String {
    let text = entered.singleLine
    var key = text[...]
    if text.contains("://") {
        guard let beginning = beginnings.first(where: text.hasPrefix) else { throw .foreignHost }
        key = text.dropFirst(beginning.count)
        if let parameter {
            guard let pair = key.split(separator: "&").first(where: { $0.hasPrefix(parameter + "=") }) else {
                throw .missingKey
            }
            key = pair.dropFirst(parameter.count + 1)
        }
    }
    guard !key.isEmpty else { throw .missingKey }
    let isPlain: (UInt8) -> Bool = { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
    guard lengths.contains(key.utf8.count), key.utf8.allSatisfy(isPlain) else { throw .malformedKey }
    return String(key)
}

/// The key of a WeCom robot: all there is to know to post in its group.
///
/// Only the key is kept. The URL is built from the vendor's pinned host, so that nothing anybody enters can lead elsewhere.
package struct WeComKey: Hashable, Sendable, Concealed {
    /// The key itself, to be stored encrypted.
    package let revealed: String

    /// Accepts the key alone or the whole URL as the vendor's app shows it.
    package init(_ entered: String) throws(EndpointAddressError) {
        revealed = try key(
            in: entered, after: ["https://qyapi.weixin.qq.com/cgi-bin/webhook/send?"], parameter: "key",
            lengths: 16...64)
    }

    package var concealed: String { "\(revealed.prefix(4))***" }
}
