/// DingTalk's `text`.
struct DingTalkText: MessageFormat {
    let context: RenderingContext

    var contentType: String { "application/json; charset=utf-8" }

    func format(_ part: MessagePart) -> FormattedPart {
        let text = PlainLayout(context: context).lines(of: part).joined(separator: "\n")
        let body: JSONValue = ["msgtype": "text", "text": ["content": .string(text)]]
        return FormattedPart(content: text, body: body.bytes)
    }
}

/// DingTalk's `markdown`; its title is what the list of conversations shows.
struct DingTalkMarkdown: MessageFormat {
    let context: RenderingContext

    var contentType: String { "application/json; charset=utf-8" }

    func format(_ part: MessagePart) -> FormattedPart {
        let text = dingTalkText(of: part, context)
        let body: JSONValue = [
            "msgtype": "markdown",
            "markdown": ["title": .string(context.headline(of: part)), "text": .string(text)],
        ]
        return FormattedPart(content: text, body: body.bytes)
    }
}

/// DingTalk's `link`: one link with a title and a few words, for an announcement that is read elsewhere.
///
/// It leads to the digest, or to its only item; several items would all seem to be behind the address of one.
struct DingTalkLink: MessageFormat {
    let context: RenderingContext

    var contentType: String { "application/json; charset=utf-8" }

    func check(_ message: Message) throws(RenderingError) {
        guard message.url == nil else { return }
        try message.checkEveryItemHasLink()
        if message.items.count == 1 { return }
        throw .missingLink(section: nil, item: nil)
    }

    func format(_ part: MessagePart) -> FormattedPart {
        let title = context.headline(of: part)
        let items = part.items.map { item in
            item.title.singleLine + (item.deadline.map { "（\(context.language.deadline) \($0.singleLine)）" } ?? "")
        }
        let text = ((part.summary?.contentLines ?? []) + items).joined(separator: "\n")
        let url = part.address ?? ""
        let body: JSONValue = [
            "msgtype": "link",
            "link": [
                // The vendor demands some text.
                "title": .string(title), "text": .string(text.isEmpty ? title : text), "messageUrl": .string(url),
                "picUrl": "",
            ],
        ]
        return FormattedPart(content: [title, text, url].joined(separator: "\n"), body: body.bytes)
    }
}

/// DingTalk's `actionCard`: the digest with a button to all of it, or else with one for each item.
struct DingTalkActionCard: MessageFormat {
    let context: RenderingContext

    var contentType: String { "application/json; charset=utf-8" }

    /// A screen of a phone shows about five buttons.
    func mostItems(of message: Message) -> Int? { message.url == nil ? 5 : nil }

    func check(_ message: Message) throws(RenderingError) {
        guard message.url == nil else { return }
        guard !message.items.isEmpty else { throw .missingLink(section: nil, item: nil) }
        try message.checkEveryItemHasLink()
    }

    func format(_ part: MessagePart) -> FormattedPart {
        let text = dingTalkText(of: part, context)
        var card: [String: JSONValue] = ["title": .string(context.headline(of: part)), "text": .string(text)]
        // More buttons than fit, or an item without one, and the digest as a whole is what the button leads to.
        let leadsToDigest = part.items.isEmpty || part.items.count > 5 || part.items.contains { $0.url == nil }
        if let url = part.url ?? (leadsToDigest ? part.address : nil) {
            card["btnOrientation"] = "0"
            card["singleTitle"] = .string(context.language.readMore)
            card["singleURL"] = .string(url)
        } else {
            card["btnOrientation"] = "0"
            card["btns"] = .list(
                part.items.map { item in
                    [
                        "title": .string(item.title.singleLine.cut(toCharacters: 20)),
                        "actionURL": .string(item.url ?? ""),
                    ]
                })
        }
        let body: JSONValue = ["msgtype": "actionCard", "actionCard": .object(card)]
        return FormattedPart(content: text, body: body.bytes)
    }
}

/// DingTalk's `feedCard`: a list of links with pictures; the first is the digest when it has an address.
struct DingTalkFeedCard: MessageFormat {
    let context: RenderingContext

    var contentType: String { "application/json; charset=utf-8" }

    func check(_ message: Message) throws(RenderingError) {
        guard message.url == nil else { return }
        try message.checkEveryItemHasLink()
    }

    func format(_ part: MessagePart) -> FormattedPart {
        var links: [(title: String, url: String, picture: String?)] = []
        let headline = context.headline(of: part)
        if let url = part.url { links.append((headline, url, part.items.firstMap(\.picture))) }
        for item in part.items {
            let deadline = item.deadline.map { "（\(context.language.deadline) \($0.singleLine)）" } ?? ""
            let title = item.title.singleLine + deadline
            links.append(
                (links.isEmpty ? "\(headline) \(title)" : title, item.url ?? part.address ?? "", item.picture))
        }
        let body: JSONValue = [
            "msgtype": "feedCard",
            "feedCard": [
                "links": .list(
                    links.map { link in
                        [
                            "title": .string(link.title), "messageURL": .string(link.url),
                            "picURL": .string(link.picture ?? ""),
                        ]
                    })
            ],
        ]
        return FormattedPart(
            content: links.map { "\($0.title)\n\($0.url)" }.joined(separator: "\n"), body: body.bytes)
    }
}

/// A part in DingTalk's markdown, where only two spaces before it make a line break stay.
private func dingTalkText(of part: MessagePart, _ context: RenderingContext) -> String {
    let layout = MarkdownLayout(context: context)
    let headline = "#### \(layout.escaped(context.keywordPrefix + part.headline.singleLine))\(part.marker)"
    let blocks =
        [[headline], layout.introduction(of: part)] + part.sections.map { layout.lines(of: $0) }
    return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "  \n") }.joined(separator: "\n\n")
}
