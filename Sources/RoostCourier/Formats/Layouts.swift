/// The lines of a part as plain text, for people who read no markup.
struct PlainLayout {
    let context: RenderingContext

    func lines(of part: MessagePart) -> [String] {
        var lines = [context.headline(of: part)]
        lines += part.summary?.contentLines ?? []
        if let url = part.url { lines.append("\(context.language.readMore)\(context.language.colon)\(url)") }
        for section in part.sections {
            let title = section.title.singleLine
            lines += title.isEmpty ? [""] : ["", "■ \(title)"]
            for item in section.items { lines += self.lines(of: item) }
        }
        return lines
    }

    private func lines(of item: Message.Item) -> [String] {
        var lines = ["· \(item.title.singleLine)"]
        lines += (item.text?.contentLines ?? []).map { "  \($0)" }
        if let deadline = item.deadline {
            lines.append("  \(context.language.deadline)\(context.language.colon)\(deadline.singleLine)")
        }
        if let url = item.url { lines.append("  \(url)") }
        return lines
    }
}

/// The blocks of a part in a dialect of markdown.
struct MarkdownLayout {
    let context: RenderingContext
    /// The characters this dialect would take for markup.
    var special: Set<Unicode.Scalar> = ["<", ">", "[", "]", "*", "`", "#", "~", "_", "|"]
    var bullet = "- "
    var quote = "> "
    /// How the deadline of an item is written after its title.
    var deadline: (String) -> String = { "**\($0)**" }

    /// The text with every character of markup, a mention among them, in its full-width form.
    ///
    /// No vendor documents an escape character that all its clients know, and `<@all>` in somebody's title would call a
    /// whole group.
    func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            // The full-width forms lie in the order of ASCII, 0xFEE0 higher.
            result.unicodeScalars.append(
                special.contains(scalar) ? Unicode.Scalar(scalar.value + 0xFEE0) ?? scalar : scalar)
        }
        return result
    }

    /// Summary and link, which come before the sections.
    func introduction(of part: MessagePart) -> [String] {
        (part.summary?.contentLines ?? []).map(escaped)
            + (part.url.map { ["[\(context.language.readMore)](\($0))"] } ?? [])
    }

    /// A section's title and its items.
    func lines(of section: Message.Section) -> [String] {
        let title = escaped(section.title.singleLine)
        return (title.isEmpty ? [] : ["**\(title)**"]) + section.items.flatMap(lines)
    }

    private func lines(of item: Message.Item) -> [String] {
        let title = escaped(item.title.singleLine)
        var line = bullet + (item.url.map { "[\(title)](\($0))" } ?? title)
        if let last = item.deadline {
            line += " " + deadline("\(context.language.deadline) \(escaped(last.singleLine))")
        }
        return [line] + (item.text?.contentLines ?? []).map { quote + escaped($0) }
    }

    /// All of a part after its headline, sections set apart by an empty line.
    func lines(of part: MessagePart) -> [String] {
        introduction(of: part) + part.sections.flatMap { [""] + lines(of: $0) }
    }
}

extension RenderingContext {
    /// The keyword, the headline and the place among the parts.
    func headline(of part: MessagePart) -> String { keywordPrefix + part.headline.singleLine + part.marker }
}

extension String {
    /// The text cut to at most this many bytes of UTF-8 between two characters, with an ellipsis where something is missing.
    func cut(toBytes limit: Int) -> String { cut(to: limit) { $0.utf8.count } }

    /// The text cut to at most this many characters.
    func cut(toCharacters limit: Int) -> String { cut(to: limit) { _ in 1 } }

    private func cut(to limit: Int, size: (Character) -> Int) -> String {
        guard reduce(0, { $0 + size($1) }) > limit else { return self }
        var room = limit - size("…")
        let kept = prefix { character in
            room -= size(character)
            return room >= 0
        }
        return kept + "…"
    }
}
