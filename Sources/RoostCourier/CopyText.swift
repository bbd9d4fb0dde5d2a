/// Plain text that a person copies into a group no machine can reach.
struct CopyText: MessageFormat {
    let context: RenderingContext

    var contentType: String { "text/plain; charset=utf-8" }

    func content(of part: MessagePart) -> String {
        var lines = [context.keywordPrefix + part.headline.singleLine + part.marker]
        lines += part.summary?.contentLines ?? []
        if let url = part.url { lines.append("\(context.language.readMore)\(context.language.colon)\(url)") }
        for section in part.sections {
            let title = section.title.singleLine
            lines += title.isEmpty ? [""] : ["", "■ \(title)"]
            for item in section.items { lines += self.lines(of: item) }
        }
        return lines.joined(separator: "\n")
    }

    func body(content: String) -> [UInt8] { Array(content.utf8) }

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
