/// WeCom's `text`: at most 2,048 bytes.
struct WeComText: MessageFormat {
    let context: RenderingContext

    func format(_ part: MessagePart) -> FormattedPart {
        let text = PlainLayout(context: context).lines(of: part).joined(separator: "\n")
            .split(separator: "<@", omittingEmptySubsequences: false).joined(separator: "＜@")
        return FormattedPart(counting: text, in: ["msgtype": "text", "text": ["content": .string(text)]])
    }
}

/// WeCom's `markdown`: headings, bold, links, quotes and three colours, at most 4,096 bytes.
struct WeComMarkdown: MessageFormat {
    let context: RenderingContext

    func format(_ part: MessagePart) -> FormattedPart {
        let layout = MarkdownLayout(
            context: context, special: ["<", ">", "[", "]", "*", "`", "#"], bullet: "• ",
            deadline: { "<font color=\"warning\">\($0)</font>" })
        let lines = ["# \(layout.escaped(context.keywordPrefix + part.headline.singleLine))\(part.marker)"]
        let text = (lines + layout.lines(of: part)).joined(separator: "\n")
        return FormattedPart(counting: text, in: ["msgtype": "markdown", "markdown": ["content": .string(text)]])
    }
}

/// WeCom's `markdown_v2`: lists and bold, no colours and no mentions; clients older than 4.1.36 show it as plain text.
struct WeComMarkdownV2: MessageFormat {
    let context: RenderingContext

    func format(_ part: MessagePart) -> FormattedPart {
        let layout = MarkdownLayout(context: context, quote: "  > ")
        let lines = ["# \(layout.escaped(context.keywordPrefix + part.headline.singleLine))\(part.marker)"]
        let text = (lines + layout.lines(of: part)).joined(separator: "\n")
        return FormattedPart(
            counting: text, in: ["msgtype": "markdown_v2", "markdown_v2": ["content": .string(text)]])
    }
}

/// WeCom's `news`: up to eight articles, each a link; an item without one leads to the digest itself.
///
/// The first article is the digest when it has an address. WeCom cuts titles over 128 bytes and descriptions over 512
/// without saying so, so they are cut here, between characters.
struct WeComNews: MessageFormat {
    let context: RenderingContext

    func mostItems(of message: Message) -> Int? { message.url == nil ? 8 : 7 }

    func check(_ message: Message) throws(RenderingError) {
        guard message.url == nil else { return }
        guard !message.items.isEmpty else { throw .missingLink(section: nil, item: nil) }
        try message.checkEveryItemHasLink()
    }

    func format(_ part: MessagePart) -> FormattedPart {
        var articles: [(title: String, description: String, url: String, picture: String?)] = []
        let summary = part.summary?.contentLines ?? []
        if let url = part.url {
            articles.append((context.headline(of: part), summary.joined(separator: " "), url, nil))
        }
        for item in part.items {
            let deadline = item.deadline.map { "\(context.language.deadline) \($0.singleLine)" }
            var title = item.title.singleLine
            var words = [deadline].compactMap(\.self) + (item.text?.contentLines ?? [])
            if articles.isEmpty {
                // Without an article of the digest's own, keyword and headline go with the first item.
                title = context.keywordPrefix + title + part.marker
                words = [part.headline.singleLine] + summary + words
            }
            articles.append((title, words.joined(separator: " "), item.url ?? part.address ?? "", item.picture))
        }
        let cut = articles.map { ($0.title.cut(toBytes: 128), $0.description.cut(toBytes: 512), $0.url, $0.picture) }
        let body: JSONValue = [
            "msgtype": "news",
            "news": [
                "articles": .list(
                    cut.map { title, description, url, picture in
                        var article: [String: JSONValue] = [
                            "title": .string(title), "description": .string(description), "url": .string(url),
                        ]
                        if let picture { article["picurl"] = .string(picture) }
                        return .object(article)
                    })
            ],
        ]
        return FormattedPart(
            content: cut.map { [$0.0, $0.1, $0.2].filter { !$0.isEmpty }.joined(separator: "\n") }.joined(
                separator: "\n"),
            body: body.bytes)
    }
}

/// WeCom's `template_card` of the kind `text_notice`: up to six lines and a link.
///
/// The vendor shows so many characters of each field and no more; what is longer is cut here, where the preview shows it.
struct WeComTemplateCard: MessageFormat {
    let context: RenderingContext

    func mostItems(of message: Message) -> Int? { 6 }

    func check(_ message: Message) throws(RenderingError) {
        guard message.url == nil, !message.items.contains(where: { $0.url != nil }) else { return }
        throw .missingLink(section: nil, item: nil)
    }

    func format(_ part: MessagePart) -> FormattedPart {
        let title = context.headline(of: part)
        let summary = part.summary?.contentLines.joined(separator: " ") ?? ""
        let url = part.address ?? ""
        var card: [String: JSONValue] = [
            "card_type": "text_notice", "card_action": ["type": 1, "url": .string(url)],
            "main_title": ["title": .string(title.cut(toCharacters: 26))],
            "jump_list": [["type": 1, "title": .string(context.language.readMore), "url": .string(url)]],
        ]
        if title.count > 26 || !summary.isEmpty {
            let rest = (title.count > 26 ? [title, summary] : [summary]).joined(separator: " ")
            card["sub_title_text"] = .string(rest.cut(toCharacters: 112))
        }
        let lines = part.sections.flatMap { section in section.items.map { line(of: $0, in: section) } }
        if !lines.isEmpty { card["horizontal_content_list"] = .list(lines.map(\.value)) }
        let body: JSONValue = ["msgtype": "template_card", "template_card": .object(card)]
        return FormattedPart(
            content: ([title, summary].filter { !$0.isEmpty } + lines.map(\.text) + [url]).joined(separator: "\n"),
            body: body.bytes)
    }

    private func line(of item: Message.Item, in section: Message.Section) -> (text: String, value: JSONValue) {
        let deadline = item.deadline.map { " \(context.language.deadline)\($0.singleLine)" } ?? ""
        let name = section.title.singleLine.isEmpty ? "·" : section.title.singleLine.cut(toCharacters: 5)
        let text = item.title.singleLine.cut(toCharacters: 26 - deadline.count) + deadline
        var value: [String: JSONValue] = ["keyname": .string(name), "value": .string(text)]
        if let url = item.url {
            value["type"] = 1
            value["url"] = .string(url)
        }
        return ("\(name) \(text)", .object(value))
    }
}

extension Message {
    var items: [Item] { sections.flatMap(\.items) }

    /// Throws for the first item that leads nowhere.
    func checkEveryItemHasLink() throws(RenderingError) {
        for (section, items) in sections.map(\.items).enumerated() {
            for (item, value) in items.enumerated() where value.url == nil {
                throw .missingLink(section: section, item: item)
            }
        }
    }
}

extension Array where Element == Message.Item {
    /// The first value that is not nil.
    func firstMap<Value>(_ value: (Message.Item) -> Value?) -> Value? {
        for item in self { if let value = value(item) { return value } }
        return nil
    }
}
