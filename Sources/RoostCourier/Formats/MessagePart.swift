/// What one of the messages that carry a digest says: its share of the items, and its place among the parts.
struct MessagePart: Hashable, Sendable {
    let headline: String
    let summary: String?
    /// The digest's address, shown in the first part only.
    let url: String?
    /// Where a card as a whole leads: the digest's address, or else the first item's.
    let address: String?
    var sections: [Message.Section]
    var position: Int
    var count: Int

    /// ` (1/3)`, or nothing when there is only one part.
    var marker: String { count == 1 ? "" : " (\(position)/\(count))" }

    var items: [Message.Item] { sections.flatMap(\.items) }
}

/// Divides a message into parts that fit a channel.
///
/// Only whole items move from part to part, in order; a section that continues repeats its title. Sizes are measured by
/// rendering the part, so that what is counted is what is sent.
struct PartSplitter {
    /// More parts than this would bury a group, and the marker has two digits.
    static let maximumParts = 99

    let limit: Int
    /// The most items of one part, where the form limits their number.
    var mostItems = Int.max
    /// The bytes of the part's rendering that count against the limit.
    let measure: (MessagePart) -> Int

    func split(_ message: Message) throws(RenderingError) -> [MessagePart] {
        let address = message.url ?? message.items.firstMap(\.url)
        let whole = MessagePart(
            headline: message.headline, summary: message.summary, url: message.url, address: address,
            sections: message.sections.filter { !$0.items.isEmpty }, position: 1, count: 1)
        if whole.items.count <= mostItems, measure(whole) <= limit { return [whole] }

        // Room is kept for the widest marker; the true one, put in at the end, is never wider.
        var current = MessagePart(
            headline: message.headline, summary: message.summary, url: message.url, address: address, sections: [],
            position: Self.maximumParts, count: Self.maximumParts)
        let head = measure(current)
        guard head <= limit else { throw .headTooLarge(bytes: head, limit: limit) }
        let next = MessagePart(
            headline: message.headline, summary: nil, url: nil, address: address, sections: [],
            position: Self.maximumParts, count: Self.maximumParts)

        var parts: [MessagePart] = []
        for (sectionIndex, section) in message.sections.enumerated() {
            var sectionIsOpen = false
            for (itemIndex, item) in section.items.enumerated() {
                let longer = current.adding(item, of: section, sectionIsOpen: sectionIsOpen)
                sectionIsOpen = true
                if longer.items.count <= mostItems, measure(longer) <= limit {
                    current = longer
                    continue
                }
                parts.append(current)
                current = next.adding(item, of: section, sectionIsOpen: false)
                let bytes = measure(current)
                guard bytes <= limit else {
                    throw .itemTooLarge(section: sectionIndex, item: itemIndex, bytes: bytes, limit: limit)
                }
            }
        }
        parts.append(current)
        guard parts.count <= Self.maximumParts else { throw .tooManyParts(parts.count, maximum: Self.maximumParts) }
        for index in parts.indices {
            parts[index].position = index + 1
            parts[index].count = parts.count
        }
        return parts
    }
}

extension MessagePart {
    fileprivate func adding(_ item: Message.Item, of section: Message.Section, sectionIsOpen: Bool) -> MessagePart {
        var longer = self
        if sectionIsOpen {
            longer.sections[longer.sections.count - 1].items.append(item)
        } else {
            longer.sections.append(Message.Section(title: section.title, items: [item]))
        }
        return longer
    }
}
