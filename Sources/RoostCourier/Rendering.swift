/// The exact bytes a digest is to be sent as on one endpoint, made once, when the digest is frozen.
package struct Rendering: Hashable, Sendable {
    package let channel: Channel
    package let form: MessageForm
    /// The `Content-Type` the bodies are sent with.
    package let contentType: String
    /// In the order in which they must arrive.
    package let parts: [RenderedPart]
    /// The most bytes of a part, of which ``RenderedPart/contentBytes`` counts.
    package var byteLimit: Int { channel.byteLimit(of: form) }
}

/// One message of a rendering.
package struct RenderedPart: Hashable, Sendable {
    /// From 1.
    package let position: Int
    /// The bytes that are signed and sent, and shown as the preview.
    package let body: [UInt8]
    /// The text as a reader gets it.
    package let content: String
    /// What counts against the channel's limit: the text's bytes in UTF-8, or the body's where the vendor counts those.
    package let contentBytes: Int
    /// How many of the message's items it holds; they follow those of the part before.
    package let items: Int
}

/// What a rendering needs to know besides the message.
package struct RenderingContext: Hashable, Sendable {
    /// The word that the endpoint's robot demands in every message; it goes before each headline as `【word】`.
    package var keyword: String?
    package var language: MessageLanguage
    /// The kind of message to make; nil for the channel's usual one.
    package var form: MessageForm?
    /// The event a generic webhook announces, such as `digest.published`.
    package var eventType: String
    /// The digest's name in a generic webhook.
    package var digest: String
    /// When the digest was frozen.
    package var frozenAt: Moment

    package init(
        keyword: String? = nil, language: MessageLanguage = .chinese, form: MessageForm? = nil,
        eventType: String = "digest.published", digest: String, frozenAt: Moment
    ) {
        self.keyword = keyword
        self.language = language
        self.form = form
        self.eventType = eventType
        self.digest = digest
        self.frozenAt = frozenAt
    }

    var keywordPrefix: String {
        keyword.map { "【\($0.singleLine)】" } ?? ""
    }
}

/// Why a message cannot be rendered; section and item count from 0.
package enum RenderingError: Error, Hashable, Sendable {
    case emptyHeadline
    /// The item fills more than a whole part by itself.
    case itemTooLarge(section: Int, item: Int, bytes: Int, limit: Int)
    /// Headline and summary fill more than a whole part.
    case headTooLarge(bytes: Int, limit: Int)
    case tooManyParts(Int, maximum: Int)
    /// A link, of the item or of the message itself (nil), is no http or https address.
    case invalidLink(section: Int?, item: Int?)
    /// The form shows links only, and the item, or the message itself (nil), has none.
    case missingLink(section: Int?, item: Int?)
    /// The channel takes no messages of this form.
    case unknownForm(MessageForm)

    /// The stable code.
    package var code: String {
        switch self {
        case .emptyHeadline: "empty_headline"
        case .itemTooLarge: "item_too_large"
        case .headTooLarge: "head_too_large"
        case .tooManyParts: "too_many_parts"
        case .invalidLink: "invalid_link"
        case .missingLink: "missing_link"
        case .unknownForm: "unknown_form"
        }
    }
}

extension Message {
    /// Renders the message for a channel, in as many parts as its limit asks for.
    package func rendered(for channel: Channel, in context: RenderingContext) throws(RenderingError) -> Rendering {
        let message = try withEncodedLinks()
        guard !message.headline.singleLine.isEmpty else { throw .emptyHeadline }
        var form = context.form ?? channel.usualForm
        guard channel.forms.contains(form) else { throw .unknownForm(form) }
        // Each link of a feed has a picture; where one is missing, a card with buttons says the same.
        if form == .feedCard, message.items.isEmpty || message.items.contains(where: { $0.picture == nil }) {
            form = .actionCard
        }
        let format = channel.format(form, in: context)
        try format.check(message)
        let splitter = PartSplitter(
            limit: channel.byteLimit(of: form), mostItems: format.mostItems(of: message) ?? .max
        ) { format.format($0).countedBytes }
        let parts = try splitter.split(message).map { part in
            let formatted = format.format(part)
            return RenderedPart(
                position: part.position, body: formatted.body, content: formatted.content,
                contentBytes: formatted.countedBytes,
                items: part.items.count)
        }
        return Rendering(channel: channel, form: form, contentType: format.contentType, parts: parts)
    }

    /// The message with every link checked and percent-encoded.
    private func withEncodedLinks() throws(RenderingError) -> Message {
        var message = self
        if let url {
            guard let link = encodedLink(url) else { throw .invalidLink(section: nil, item: nil) }
            message.url = link
        }
        for (sectionIndex, section) in sections.enumerated() {
            for (itemIndex, item) in section.items.enumerated() {
                func link(_ url: String) throws(RenderingError) -> String {
                    guard let link = encodedLink(url) else {
                        throw .invalidLink(section: sectionIndex, item: itemIndex)
                    }
                    return link
                }
                if let url = item.url { message.sections[sectionIndex].items[itemIndex].url = try link(url) }
                if let picture = item.picture {
                    message.sections[sectionIndex].items[itemIndex].picture = try link(picture)
                }
            }
        }
        return message
    }
}

extension Channel {
    /// How a form among ``forms`` is written.
    fileprivate func format(_ form: MessageForm, in context: RenderingContext) -> any MessageFormat {
        switch (self, form) {
        case (.wecom, .text): WeComText(context: context)
        case (.wecom, .markdownV2): WeComMarkdownV2(context: context)
        case (.wecom, .news): WeComNews(context: context)
        case (.wecom, .templateCard): WeComTemplateCard(context: context)
        case (.wecom, _): WeComMarkdown(context: context)
        case (.dingtalk, .text): DingTalkText(context: context)
        case (.dingtalk, .link): DingTalkLink(context: context)
        case (.dingtalk, .actionCard): DingTalkActionCard(context: context)
        case (.dingtalk, .feedCard): DingTalkFeedCard(context: context)
        case (.dingtalk, _): DingTalkMarkdown(context: context)
        case (.feishu, .text): FeishuText(context: context)
        case (.feishu, .post): FeishuPost(context: context)
        case (.feishu, _): FeishuCard(context: context)
        case (.generic, _): WebhookPayload(context: context)
        case (.email, _): MailLetter(context: context)
        case (.manual, .poster): PosterText(context: context)
        case (.manual, _): CopyText(context: context)
        }
    }
}

/// The link with all bytes that a URL may not hold, and parentheses, percent-encoded; nil unless http or https.
///
/// Parentheses are legal in a URL but end a link of markdown.
private func encodedLink(_ text: String) -> String? {
    let scheme = text.prefix { $0 != ":" }.lowercased()
    guard scheme == "http" || scheme == "https", text.dropFirst(scheme.count).hasPrefix("://"),
        text.utf8.count > scheme.utf8.count + 3
    else { return nil }
    var link = ""
    for byte in text.utf8 {
        if byte <= 0x20 || byte >= 0x7F || "\"<>\\^`{|}()".utf8.contains(byte) {
            link += "%" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        } else {
            link.unicodeScalars.append(Unicode.Scalar(byte))
        }
    }
    return link
}

extension String {
    /// The text with every run of white space as one space, and none at the ends.
    var singleLine: String {
        split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The lines that hold anything, each as a ``singleLine``.
    var contentLines: [String] {
        split(whereSeparator: \.isNewline).map { String($0).singleLine }.filter { !$0.isEmpty }
    }
}
