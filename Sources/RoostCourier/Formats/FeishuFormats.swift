/// Feishu's `text`.
struct FeishuText: MessageFormat {
    let context: RenderingContext

    func format(_ part: MessagePart) -> FormattedPart {
        // `<at user_id="all">` in somebody's title would call a whole group.
        let layout = MarkdownLayout(context: context, special: ["<", ">"])
        let text = PlainLayout(context: context).lines(of: part).map(layout.escaped).joined(separator: "\n")
        let body: JSONValue = ["msg_type": "text", "content": ["text": .string(text)]]
        return FormattedPart(content: text, body: body.bytes)
    }
}

/// Feishu's `post`: a title and paragraphs of texts and links.
struct FeishuPost: MessageFormat {
    let context: RenderingContext

    private enum Span {
        case text(String)
        case link(String, String)

        var value: JSONValue {
            switch self {
            case .text(let text): ["tag": "text", "text": .string(text)]
            case .link(let text, let url): ["tag": "a", "text": .string(text), "href": .string(url)]
            }
        }

        var text: String {
            switch self {
            case .text(let text): text
            case .link(let text, let url): "\(text) \(url)"
            }
        }
    }

    func format(_ part: MessagePart) -> FormattedPart {
        let title = context.headline(of: part)
        let paragraphs = paragraphs(of: part)
        let language = context.language == .chinese ? "zh_cn" : "en_us"
        let body: JSONValue = [
            "msg_type": "post",
            "content": [
                "post": .object([
                    language: [
                        "title": .string(title),
                        "content": .list(paragraphs.map { .list($0.map(\.value)) }),
                    ]
                ])
            ],
        ]
        let lines = [title] + paragraphs.map { $0.map(\.text).joined() }
        return FormattedPart(content: lines.joined(separator: "\n"), body: body.bytes)
    }

    private func paragraphs(of part: MessagePart) -> [[Span]] {
        var paragraphs = (part.summary?.contentLines ?? []).map { [Span.text($0)] }
        if let url = part.url { paragraphs.append([.link(context.language.readMore, url)]) }
        for section in part.sections {
            let title = section.title.singleLine
            if !title.isEmpty { paragraphs.append([.text("■ \(title)")]) }
            for item in section.items {
                let title = item.title.singleLine
                var line: [Span] = [.text("· ")]
                line.append(item.url.map { .link(title, $0) } ?? .text(title))
                if let deadline = item.deadline {
                    line.append(.text(" \(context.language.deadline) \(deadline.singleLine)"))
                }
                paragraphs.append(line)
                paragraphs += (item.text?.contentLines ?? []).map { [.text("  \($0)")] }
            }
        }
        // The vendor refuses a post without a paragraph.
        return paragraphs.isEmpty ? [[.text(part.headline.singleLine)]] : paragraphs
    }
}

/// Feishu's `interactive` card: a coloured headline, markdown for each section, a button to the whole digest.
struct FeishuCard: MessageFormat {
    let context: RenderingContext

    func format(_ part: MessagePart) -> FormattedPart {
        let title = context.headline(of: part)
        let layout = MarkdownLayout(
            context: context, quote: "  ", deadline: { "<font color='orange'>\($0)</font>" })
        let summary = (part.summary?.contentLines ?? []).map(layout.escaped)
        let blocks = ([summary] + part.sections.map { layout.lines(of: $0) })
            .filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
        var elements: [JSONValue] = blocks.map { ["tag": "markdown", "content": .string($0)] }
        if let url = part.url {
            elements.append([
                "tag": "button", "text": ["tag": "plain_text", "content": .string(context.language.readMore)],
                "behaviors": [["type": "open_url", "default_url": .string(url)]],
            ])
        }
        if elements.isEmpty { elements = [["tag": "markdown", "content": .string(layout.escaped(title))]] }
        let body: JSONValue = [
            "msg_type": "interactive",
            "card": [
                "schema": "2.0", "config": ["update_multi": true],
                "header": ["title": ["tag": "plain_text", "content": .string(title)], "template": "blue"],
                "body": ["direction": "vertical", "elements": .list(elements)],
            ],
        ]
        let link = part.url.map { ["[\(context.language.readMore)](\($0))"] } ?? []
        return FormattedPart(content: ([title] + blocks + link).joined(separator: "\n"), body: body.bytes)
    }
}
