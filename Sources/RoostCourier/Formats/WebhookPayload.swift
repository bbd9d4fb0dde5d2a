internal import Foundation

/// The thin JSON payload of Standard Webhooks, `{type, timestamp, data}`, without personal data.
struct WebhookPayload: MessageFormat {
    let context: RenderingContext

    func format(_ part: MessagePart) -> FormattedPart {
        let payload = Payload(
            type: context.eventType,
            timestamp: Date(timeIntervalSince1970: TimeInterval(context.frozenAt.seconds)).formatted(.iso8601),
            data: Payload.Digest(
                digest: context.digest, part: part.position, parts: part.count,
                headline: context.keywordPrefix + part.headline.singleLine, summary: part.summary, url: part.url,
                sections: part.sections.map { section in
                    Payload.Section(
                        title: section.title.singleLine,
                        items: section.items.map { item in
                            Payload.Item(
                                title: item.title.singleLine, text: item.text, url: item.url, deadline: item.deadline)
                        })
                }))
        let body = encodedJSON(payload)
        return FormattedPart(content: String(decoding: body, as: UTF8.self), body: body)
    }

    private struct Payload: Encodable {
        struct Digest: Encodable {
            let digest: String
            let part: Int
            let parts: Int
            let headline: String
            let summary: String?
            let url: String?
            let sections: [Section]
        }

        struct Section: Encodable {
            let title: String
            let items: [Item]
        }

        struct Item: Encodable {
            let title: String
            let text: String?
            let url: String?
            let deadline: String?
        }

        let type: String
        let timestamp: String
        let data: Digest
    }
}
