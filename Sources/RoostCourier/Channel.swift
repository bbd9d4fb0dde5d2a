/// A way a digest reaches a group: which format its messages have and how its failures are treated.
package enum Channel: String, CaseIterable, Hashable, Sendable {
    /// A WeCom (企业微信) group robot, 消息推送.
    case wecom
    /// A DingTalk (钉钉) group robot, 自定义机器人.
    case dingtalk
    /// A Feishu (飞书) or Lark group robot, 自定义机器人.
    case feishu
    /// Anybody's HTTPS address, by Standard Webhooks.
    case generic
    /// One person's mailbox.
    case email
    /// A person who copies the text into a group that no machine can reach.
    case manual

    /// Whether the receiver is a chat robot: it knows no idempotency key, and what it posted cannot be taken back.
    package var isRobot: Bool {
        switch self {
        case .wecom, .dingtalk, .feishu: true
        case .generic, .email, .manual: false
        }
    }

    /// How many deliveries to one endpoint may be under way at once.
    ///
    /// One for robots and mailboxes, whose parts must arrive in order; four for receivers that recognise a repetition by
    /// its webhook id; none where a person delivers.
    package var maximumInFlight: Int {
        switch self {
        case .wecom, .dingtalk, .feishu, .email: 1
        case .generic: 4
        case .manual: 0
        }
    }

    /// How many deliveries to one endpoint a sender may take at once, those under way included.
    ///
    /// More than that only where a receiver recognises a repetition: what was taken by a sender that died is sent again, or
    /// has to be looked after by a person. So many that those in hand outlast the transaction that keeps what arrived and takes
    /// more: with half as many, two processors stood idle for a fifth of the time.
    package var maximumInHand: Int { self == .generic ? 64 : maximumInFlight }

    /// The kinds of message the channel takes, the usual one first.
    package var forms: [MessageForm] {
        switch self {
        case .wecom: [.markdown, .markdownV2, .text, .news, .templateCard]
        case .dingtalk: [.markdown, .text, .link, .actionCard, .feedCard]
        case .feishu: [.interactive, .post, .text]
        case .generic: [.payload]
        case .email: [.mail]
        case .manual: [.copy, .poster]
        }
    }

    /// The kind of message the channel gets unless its endpoint wants another.
    package var usualForm: MessageForm {
        switch self {
        case .wecom, .dingtalk: .markdown
        case .feishu: .interactive
        case .generic: .payload
        case .email: .mail
        case .manual: .copy
        }
    }

    /// The most bytes of one part in the usual form; what is counted is ``RenderedPart/contentBytes``.
    package var byteLimit: Int { byteLimit(of: usualForm) }

    /// The most bytes of one part in this form.
    package func byteLimit(of form: MessageForm) -> Int {
        switch (self, form) {
        // The vendor's limits for text.content and markdown.content, in UTF-8 bytes of the decoded string.
        case (.wecom, .text): 2048
        case (.wecom, .markdown), (.wecom, .markdownV2): 4096
        // DingTalk refuses a longer body as a whole (460101).
        case (.dingtalk, _): 20_000
        // Feishu's 20 KB, less the room that timestamp and signature take when they are put in.
        case (.feishu, _): 19_800
        // Gmail and others cut a longer message off.
        case (.email, _): 100_000
        // About a thousand Chinese characters: two screens of a phone.
        case (.manual, .copy): 3000
        // A sheet of paper that is read while walking past.
        case (.manual, _): 1500
        // For webhooks our promise of a thin payload, below the 20 KB receivers are told to expect; the cards of WeCom
        // have limits per field, and this bounds them as a whole.
        case (.wecom, _), (.generic, _): 20_000
        }
    }
}

/// The kinds of message a digest can become; robots' have the vendors' own names.
package enum MessageForm: String, CaseIterable, Hashable, Sendable {
    case text
    case markdown
    /// WeCom's second markdown: lists, but no colours.
    case markdownV2 = "markdown_v2"
    /// Up to eight linked titles.
    case news
    /// A card with up to six lines.
    case templateCard = "template_card"
    /// One linked title with a few words.
    case link
    /// A text with buttons.
    case actionCard = "action_card"
    /// A list of linked titles.
    case feedCard = "feed_card"
    /// Rich text.
    case post
    /// A card with a coloured head and a button.
    case interactive
    /// The JSON of Standard Webhooks.
    case payload
    /// A letter in plain text and HTML.
    case mail
    /// Text to be pasted.
    case copy
    /// Text to be printed.
    case poster
}
