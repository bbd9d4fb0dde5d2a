/// The JSON of a message to a robot, read back for people.
///
/// Every form gives the words, addresses included, in the order in which its format gave them before they were frozen.
struct RobotBody: Decodable {
    private struct Words: Decodable {
        let content: String?
        let text: String?
    }

    /// WeCom's list of articles.
    private struct News: Decodable {
        struct Article: Decodable {
            let title: String
            let description: String
            let url: String
        }

        let articles: [Article]
    }

    /// WeCom's card.
    private struct Notice: Decodable {
        struct Title: Decodable { let title: String }
        struct Action: Decodable { let url: String }

        struct Line: Decodable {
            let keyname: String
            let value: String
        }

        let title: Title
        let rest: String?
        let lines: [Line]?
        let action: Action

        enum CodingKeys: String, CodingKey {
            case title = "main_title"
            case rest = "sub_title_text"
            case lines = "horizontal_content_list"
            case action = "card_action"
        }

        var words: String {
            let lines = (lines ?? []).map { "\($0.keyname) \($0.value)" }
            return ([title.title] + [rest].compactMap(\.self) + lines + [action.url]).joined(separator: "\n")
        }
    }

    /// DingTalk's link.
    private struct Link: Decodable {
        let title: String
        let text: String
        let messageUrl: String
    }

    /// DingTalk's list of links.
    private struct Feed: Decodable {
        struct Link: Decodable {
            let title: String
            let messageURL: String
        }

        let links: [Link]
    }

    /// Feishu's text or paragraphs, the latter by language.
    private struct Content: Decodable {
        struct Post: Decodable {
            let title: String
            let content: [[Span]]

            var words: String {
                ([title] + content.map { $0.map(\.words).joined() }).joined(separator: "\n")
            }
        }

        struct Span: Decodable {
            let text: String
            let href: String?

            var words: String { href.map { "\(text) \($0)" } ?? text }
        }

        let text: String?
        let post: [String: Post]?
    }

    /// Feishu's card: markdown and at last a button.
    private struct Card: Decodable {
        struct Header: Decodable { let title: Words }
        struct Body: Decodable { let elements: [Element] }
        struct Behaviour: Decodable {
            let url: String?

            enum CodingKeys: String, CodingKey { case url = "default_url" }
        }

        struct Element: Decodable {
            let content: String?
            let text: Words?
            let behaviors: [Behaviour]?

            var shown: String? {
                guard let name = text?.content else { return content }
                return behaviors?.first?.url.map { "[\(name)](\($0))" } ?? name
            }
        }

        let header: Header
        let body: Body

        var words: String {
            ([header.title.content] + body.elements.map(\.shown)).compactMap(\.self).joined(separator: "\n")
        }
    }

    private let msgtype: String?
    private let messageType: String?
    private let text: Words?
    private let markdown: Words?
    private let markdownV2: Words?
    private let news: News?
    private let templateCard: Notice?
    private let link: Link?
    private let actionCard: Words?
    private let feedCard: Feed?
    private let content: Content?
    private let card: Card?

    enum CodingKeys: String, CodingKey {
        case msgtype, text, markdown, news, link, actionCard, feedCard, content, card
        case messageType = "msg_type"
        case markdownV2 = "markdown_v2"
        case templateCard = "template_card"
    }

    /// The form on this channel and its words; nil for the bytes of another channel.
    func reading(on channel: Channel) -> (form: MessageForm, text: String?, countsText: Bool)? {
        let names = ["actionCard": MessageForm.actionCard, "feedCard": .feedCard]
        guard let name = channel == .feishu ? messageType : msgtype,
            let form = names[name] ?? MessageForm(rawValue: name), channel.forms.contains(form)
        else { return nil }
        let counts = channel == .wecom && [.text, .markdown, .markdownV2].contains(form)
        return (form, words(of: form), counts)
    }

    private func words(of form: MessageForm) -> String? {
        switch form {
        case .text: text?.content ?? content?.text
        case .markdown: markdown?.content ?? markdown?.text
        case .markdownV2: markdownV2?.content
        case .news:
            news?.articles.flatMap { [$0.title, $0.description, $0.url].filter { !$0.isEmpty } }.joined(separator: "\n")
        case .templateCard: templateCard?.words
        case .link: link.map { [$0.title, $0.text, $0.messageUrl].joined(separator: "\n") }
        case .actionCard: actionCard?.text
        case .feedCard: feedCard?.links.map { "\($0.title)\n\($0.messageURL)" }.joined(separator: "\n")
        case .post: content?.post?.values.first?.words
        case .interactive: card?.words
        case .payload, .mail, .copy, .poster: nil
        }
    }
}
