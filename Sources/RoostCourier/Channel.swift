/// A way a digest reaches a group: which format its messages have and how its failures are treated.
package enum Channel: String, CaseIterable, Hashable, Sendable {
    /// A WeCom (企业微信) group robot, 消息推送.
    case wecom
    /// Anybody's HTTPS address, by Standard Webhooks.
    case generic
    /// A person who copies the text into a group that no machine can reach.
    case manual

    /// Whether the receiver is a chat robot: it knows no idempotency key, and what it posted cannot be taken back.
    package var isRobot: Bool { self == .wecom }

    /// How many deliveries to one endpoint may be under way at once.
    ///
    /// One for robots, whose parts must arrive in order; four for receivers that recognise a repetition by its
    /// webhook id; none where a person delivers.
    package var maximumInFlight: Int {
        switch self {
        case .wecom: 1
        case .generic: 4
        case .manual: 0
        }
    }

    /// The most bytes of one part; what is counted is ``RenderedPart/content``.
    package var byteLimit: Int {
        switch self {
        // The vendor's limit for markdown.content, in UTF-8 bytes of the decoded string.
        case .wecom: 4096
        // Our promise of a thin payload, below the 20 KB receivers are told to expect.
        case .generic: 20_000
        // About a thousand Chinese characters: two screens of a phone.
        case .manual: 3000
        }
    }
}
