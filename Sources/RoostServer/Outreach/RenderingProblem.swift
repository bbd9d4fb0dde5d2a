import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore

/// Why a message cannot be sent on a channel, in words for whoever writes it: which item, by how much, and what to do.
struct RenderingProblem {
    let error: RenderingError
    let message: Message
    let channel: Channel
    let endpoints: [EndpointRecord]

    init(_ error: RenderingError, of message: Message, on channel: Channel, endpoints: [EndpointRecord]) {
        self.error = error
        self.message = message
        self.channel = channel
        self.endpoints = endpoints
    }

    var label: Label {
        let (zh, en) = (place.zh, place.en)
        switch error {
        case .emptyHeadline: return Label("请填写标题。", "the digest needs a title")
        case .itemTooLarge(let section, let item, let bytes, let limit):
            let name = name(of: item, in: section)
            return Label(
                "“\(name)”在\(zh)的消息中占 \(bytes) 字节，超过上限 \(limit)：请缩短它，或不选该渠道。",
                "“\(name)” takes \(bytes) bytes in a message for \(en), which holds \(limit): shorten it, or leave that "
                    + "channel out")
        case .headTooLarge(let bytes, let limit):
            return Label(
                "标题和导语在\(zh)的消息中占 \(bytes) 字节，超过上限 \(limit)：请缩短导语，或不选该渠道。",
                "title and introduction take \(bytes) bytes in a message for \(en), which holds \(limit): shorten the "
                    + "introduction, or leave that channel out")
        case .tooManyParts(let count, let maximum):
            return Label(
                "\(zh)要分成 \(count) 条消息，最多 \(maximum) 条：请减少内容。",
                "it makes \(count) messages for \(en), of at most \(maximum): take fewer items")
        case .invalidLink(let section, let item):
            let name = self.name(of: item, in: section)
            return Label(
                "“\(name)”的链接不是 http 或 https 网址：请改正。", "the link of “\(name)” is no http or https address: mend it")
        case .missingLink(let section, let item):
            let name = self.name(of: item, in: section)
            return Label(
                "“\(name)”没有链接，而\(zh)的消息形式只显示链接：请换一种形式。",
                "“\(name)” has no link, and the kind of message for \(en) shows links only: choose another")
        case .unknownForm(let form):
            return Label(
                "\(zh)不支持消息形式 \(form.rawValue)：请为端点另选。",
                "\(en) takes no messages of the form \(form.rawValue): choose another for the endpoint")
        }
    }

    /// The channel, and for whom on it.
    private var place: Label {
        let names = endpoints.prefix(3).map(\.name)
        guard !names.isEmpty else { return Label(channel.rawValue, channel.rawValue) }
        return Label(
            "\(channel.rawValue)（\(names.joined(separator: "、"))\(endpoints.count > 3 ? "等" : "")）",
            "\(channel.rawValue) (\(names.joined(separator: ", "))\(endpoints.count > 3 ? " and others" : ""))")
    }

    /// Section and title of an item; the title of all where it is about no item.
    private func name(of item: Int?, in section: Int?) -> String {
        guard let section, let item, message.sections.indices.contains(section),
            message.sections[section].items.indices.contains(item)
        else { return message.headline }
        return "\(message.sections[section].title) · \(message.sections[section].items[item].title)"
    }
}

extension Message {
    /// Why it cannot be rendered; nil if it can.
    func problem(on channel: Channel, in context: RenderingContext) -> RenderingError? {
        do throws(RenderingError) {
            _ = try rendered(for: channel, in: context)
            return nil
        } catch {
            return error
        }
    }
}

extension Refusal {
    static var emptyCorrection: Refusal {
        Refusal(
            .invalidDigest, reason: "empty",
            Label(
                "更正没有内容：原来的内容都已过期或撤回，请用导语（--intro）写明更正了什么。",
                "the correction says nothing: what it corrects is over or withdrawn; say in the introduction (--intro) what was "
                    + "wrong"))
    }
}
