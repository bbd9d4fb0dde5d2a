internal import Foundation

/// A letter in plain text and HTML: the frozen part of it, to which ``MailEnvelope`` adds who gets it when it is sent.
struct MailLetter: MessageFormat {
    let context: RenderingContext

    var contentType: String { "message/rfc822" }

    func format(_ part: MessagePart) -> FormattedPart {
        let plain =
            (PlainLayout(context: context).lines(of: part) + ["", "--", context.language.howToUnsubscribe])
            .joined(separator: "\n")
        let html = html(of: part)
        // Base64 holds no "_", so that no line of the parts can be taken for the boundary.
        let boundary = "=_roost_part"
        let lines =
            MailHeader.lines("Subject", text: context.headline(of: part)) + [
                "MIME-Version: 1.0",
                "Content-Type: multipart/alternative; boundary=\"\(boundary)\"",
                "",
                "--\(boundary)",
                "Content-Type: text/plain; charset=utf-8",
                "Content-Transfer-Encoding: base64",
                "",
                base64Lines(plain),
                "--\(boundary)",
                "Content-Type: text/html; charset=utf-8",
                "Content-Transfer-Encoding: base64",
                "",
                base64Lines(html),
                "--\(boundary)--",
                "",
            ]
        return FormattedPart(content: plain, body: Array(lines.joined(separator: "\r\n").utf8))
    }

    private func base64Lines(_ text: String) -> String {
        // Lines of text end with CRLF in mail, encoded or not (RFC 2045, 6.8).
        let data = Data(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8)
        return data.base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
    }

    private func html(of part: MessagePart) -> String {
        var lines = [
            "<!DOCTYPE html>",
            "<html lang=\"\(context.language == .chinese ? "zh-CN" : "en")\"><head><meta charset=\"utf-8\"></head>",
            "<body style=\"font-family:sans-serif;line-height:1.6;max-width:40em\">",
            "<h1 style=\"font-size:1.3em\">\(escaped(context.headline(of: part)))</h1>",
        ]
        lines += (part.summary?.contentLines ?? []).map { "<p>\(escaped($0))</p>" }
        if let url = part.url { lines.append("<p>\(link(context.language.readMore, to: url))</p>") }
        for section in part.sections {
            let title = section.title.singleLine
            if !title.isEmpty { lines.append("<h2 style=\"font-size:1.1em\">\(escaped(title))</h2>") }
            lines.append("<ul>")
            lines += section.items.map(html)
            lines.append("</ul>")
        }
        lines.append("<p style=\"color:#666;font-size:0.9em\">\(escaped(context.language.howToUnsubscribe))</p>")
        lines.append("</body></html>")
        return lines.joined(separator: "\n")
    }

    private func html(of item: Message.Item) -> String {
        let title = item.title.singleLine
        let deadline = item.deadline.map {
            " <strong>\(escaped("\(context.language.deadline) \($0.singleLine)"))</strong>"
        }
        let text = (item.text?.contentLines ?? []).map { "<br>\(escaped($0))" }.joined()
        return "<li>\(item.url.map { link(title, to: $0) } ?? escaped(title))\(deadline ?? "")\(text)</li>"
    }

    private func link(_ text: String, to url: String) -> String { "<a href=\"\(escaped(url))\">\(escaped(text))</a>" }

    private func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

/// Header lines of mail, in which only printable ASCII may stand.
enum MailHeader {
    /// The lines of a header whose value may be any text, as encoded words (RFC 2047) where ASCII does not suffice.
    ///
    /// Nothing in the text can end the line: what is not printable ASCII is encoded, and a space at most is left of a break.
    static func lines(_ name: String, text: String) -> [String] {
        let words = encodedWords(text.singleLine)
        return ["\(name): \(words[0])"] + words.dropFirst().map { " \($0)" }
    }

    /// The text as it is if it is short printable ASCII, otherwise as encoded words.
    static func encodedWords(_ text: String) -> [String] {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.contains("=?") && text.utf8.count <= 60
        guard !isPlain else { return [text] }
        var chunks: [String] = [""]
        for scalar in text.unicodeScalars {
            // 39 bytes are 52 characters of base64, which leaves a line of 76 room for the header's name; a word must hold
            // whole characters (RFC 2047, 2 and 5).
            if chunks[chunks.count - 1].utf8.count + String(scalar).utf8.count > 39 { chunks.append("") }
            chunks[chunks.count - 1].unicodeScalars.append(scalar)
        }
        return chunks.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }
    }
}

extension MessageLanguage {
    fileprivate var howToUnsubscribe: String {
        switch self {
        case .chinese: "如不想再收到，请使用邮箱的“退订”按钮，或直接回复“退订”。"
        case .english:
            "To stop these letters use your mail program's unsubscribe button, or answer with \"unsubscribe\"."
        }
    }
}
