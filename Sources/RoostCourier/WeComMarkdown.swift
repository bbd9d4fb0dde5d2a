internal import Foundation

/// WeCom's `markdown` message: headings, bold, links, quotes and three colours, at most 4,096 bytes.
struct WeComMarkdown: MessageFormat {
    let context: RenderingContext

    var contentType: String { "application/json" }

    func content(of part: MessagePart) -> String {
        var lines = ["# \(escaped(context.keywordPrefix + part.headline.singleLine))\(part.marker)"]
        lines += (part.summary?.contentLines ?? []).map(escaped)
        if let url = part.url { lines.append("[\(context.language.readMore)](\(url))") }
        for section in part.sections {
            let title = escaped(section.title.singleLine)
            lines += title.isEmpty ? [""] : ["", "**\(title)**"]
            for item in section.items { lines += self.lines(of: item) }
        }
        return lines.joined(separator: "\n")
    }

    func body(content: String) -> [UInt8] {
        encodedJSON(Envelope(markdown: Envelope.Markdown(content: content)))
    }

    private func lines(of item: Message.Item) -> [String] {
        let title = escaped(item.title.singleLine)
        var line = "• " + (item.url.map { "[\(title)](\($0))" } ?? title)
        if let deadline = item.deadline {
            line += " <font color=\"warning\">\(context.language.deadline) \(escaped(deadline.singleLine))</font>"
        }
        return [line] + (item.text?.contentLines ?? []).map { "> " + escaped($0) }
    }

    /// The text with every character that WeCom would take for markup, a mention among them, in its full-width form.
    ///
    /// WeCom documents no escape character, and `<@all>` in somebody's title would call a whole group.
    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<", ">", "[", "]", "*", "`", "#":
                // The full-width forms lie in the same order, 0xFEE0 higher.
                result.unicodeScalars.append(Unicode.Scalar(scalar.value + 0xFEE0) ?? scalar)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private struct Envelope: Encodable {
        struct Markdown: Encodable {
            let content: String
        }

        let msgtype = "markdown"
        let markdown: Markdown
    }
}

/// The value as JSON in raw UTF-8, object members in alphabetical order, so that equal values give equal bytes.
///
/// A Chinese character costs three bytes raw and six as `\uXXXX`; vendors count what is sent.
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
