internal import Foundation

/// How one channel writes a part in one form.
protocol MessageFormat: Sendable {
    var contentType: String { get }
    /// How many items one message of this form shows at most, where that is limited by number.
    func mostItems(of message: Message) -> Int?
    /// Refuses what this form cannot show at all, such as an item without a link where each is one.
    func check(_ message: Message) throws(RenderingError)
    func format(_ part: MessagePart) -> FormattedPart
}

extension MessageFormat {
    var contentType: String { "application/json" }
    func mostItems(of message: Message) -> Int? { nil }
    func check(_ message: Message) throws(RenderingError) {}
}

/// One part as a channel writes it.
struct FormattedPart: Hashable, Sendable {
    /// The text as a reader gets it.
    let content: String
    let body: [UInt8]
    /// What counts against the channel's limit.
    let countedBytes: Int

    /// A part of which the vendor counts the text that readers get.
    init(counting content: String, in body: JSONValue) {
        self.content = content
        self.body = body.bytes
        countedBytes = content.utf8.count
    }

    /// A part of which the whole body counts.
    init(content: String, body: [UInt8]) {
        self.content = content
        self.body = body
        countedBytes = body.count
    }
}

/// JSON as it is written in a message's format.
indirect enum JSONValue: Encodable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    case string(String)
    case number(Int)
    case flag(Bool)
    case list([JSONValue])
    case object([String: JSONValue])

    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .flag(value) }
    init(arrayLiteral elements: JSONValue...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { $1 })
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .flag(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value in raw UTF-8, object members in alphabetical order, so that equal values give equal bytes.
    ///
    /// A Chinese character costs three bytes raw and six as `\uXXXX`; vendors count what is sent.
    var bytes: [UInt8] { encodedJSON(self) }
}

/// The value as JSON in raw UTF-8, object members in alphabetical order.
func encodedJSON(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
        return Array(try encoder.encode(value))
    } catch {
        // Only a non-finite number or an unrepresentable date can fail, and none is in these values.
        preconditionFailure("a value of strings and whole numbers is always JSON")
    }
}
