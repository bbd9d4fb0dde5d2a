internal import Foundation

extension Channel {
    /// The text in a body that the channel's limit counts, read back from frozen bytes; nil for bytes of another channel.
    package func countedText(of body: [UInt8]) -> String? {
        switch self {
        case .wecom: (try? JSONDecoder().decode(WeComBody.self, from: Data(body)))?.markdown.content
        case .generic, .manual: String(bytes: body, encoding: .utf8)
        }
    }
}

private struct WeComBody: Decodable {
    struct Markdown: Decodable {
        let content: String
    }

    let markdown: Markdown
}
