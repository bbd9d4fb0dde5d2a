/// Plain text that a person copies into a group no machine can reach.
struct CopyText: MessageFormat {
    let context: RenderingContext

    var contentType: String { "text/plain; charset=utf-8" }

    func format(_ part: MessagePart) -> FormattedPart {
        let text = PlainLayout(context: context).lines(of: part).joined(separator: "\n")
        return FormattedPart(content: text, body: Array(text.utf8))
    }
}

/// Plain text for a notice board: what and until when, with one address to type or scan instead of one for each item.
struct PosterText: MessageFormat {
    let context: RenderingContext

    var contentType: String { "text/plain; charset=utf-8" }

    func format(_ part: MessagePart) -> FormattedPart {
        var lines = [context.headline(of: part)]
        lines += part.summary?.contentLines ?? []
        for section in part.sections {
            let title = section.title.singleLine
            lines += title.isEmpty ? [""] : ["", "【\(title)】"]
            for item in section.items {
                let deadline = item.deadline.map { "（\(context.language.deadline) \($0.singleLine)）" } ?? ""
                lines.append("★ \(item.title.singleLine)\(deadline)")
            }
        }
        if let url = part.url { lines += ["", "\(context.language.readMore)\(context.language.colon)\(url)"] }
        let text = lines.joined(separator: "\n")
        return FormattedPart(content: text, body: Array(text.utf8))
    }
}
