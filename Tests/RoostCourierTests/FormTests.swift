import RoostCourier
import Testing

/// A channel and a form it takes.
struct ChannelForm: Hashable, Sendable, CustomTestStringConvertible {
    let channel: Channel
    let form: MessageForm

    var testDescription: String { "\(channel.rawValue)/\(form.rawValue)" }

    static let all = Channel.allCases.flatMap { channel in
        channel.forms.map { ChannelForm(channel: channel, form: $0) }
    }
    static let robots = all.filter(\.channel.isRobot)
}

/// The exact shapes that vendors ask for, each with one digest.
@Suite struct FormTests {
    let message = Message(
        headline: "11月政策与岗位", summary: "面向2027届", url: "https://roost.example.org/d/11",
        sections: [
            Message.Section(
                title: "政策",
                items: [
                    Message.Item(
                        title: "安家补贴", text: "本科 1 万元", url: "https://example.org/p?a=1&b=2", deadline: "2026-12-31",
                        picture: "https://example.org/a.png")
                ]),
            Message.Section(
                title: "岗位", items: [Message.Item(title: "助理工程师 <急> <@all>", picture: "https://example.org/b.png")]),
        ])

    private func rendering(_ channel: Channel, _ form: MessageForm, of other: Message? = nil) throws -> Rendering {
        let context = RenderingContext(
            keyword: "青年人才政策", form: form, digest: "d", frozenAt: RenderingTests.frozenAt)
        return try (other ?? message).rendered(for: channel, in: context)
    }

    private func body(_ channel: Channel, _ form: MessageForm, of other: Message? = nil) throws -> [String: Any] {
        let rendering = try rendering(channel, form, of: other)
        #expect(rendering.form == form && rendering.parts.count == 1)
        return try parsed(rendering.parts[0].body)
    }

    @Test func `WeCom's text has its own limit and mentions nobody`() throws {
        let text = try #require(try body(.wecom, .text)["text"] as? [String: String])["content"]
        #expect(
            text == """
                【青年人才政策】11月政策与岗位
                面向2027届
                阅读全文：https://roost.example.org/d/11

                ■ 政策
                · 安家补贴
                  本科 1 万元
                  截止：2026-12-31
                  https://example.org/p?a=1&b=2

                ■ 岗位
                · 助理工程师 <急> ＜@all>
                """)
        #expect(try rendering(.wecom, .text).byteLimit == 2048)
    }

    @Test func `WeCom's second markdown has lists and no colours`() throws {
        let text = try #require(try body(.wecom, .markdownV2)["markdown_v2"] as? [String: String])["content"]
        #expect(
            text == """
                # 【青年人才政策】11月政策与岗位
                面向2027届
                [阅读全文](https://roost.example.org/d/11)

                **政策**
                - [安家补贴](https://example.org/p?a=1&b=2) **截止 2026-12-31**
                  > 本科 1 万元

                **岗位**
                - 助理工程师 ＜急＞ ＜@all＞
                """)
    }

    @Test func `WeCom's news is the digest and an article for each item`() throws {
        let news = try #require(try body(.wecom, .news)["news"] as? [String: [[String: String]]])["articles"]
        #expect(
            news == [
                ["title": "【青年人才政策】11月政策与岗位", "description": "面向2027届", "url": "https://roost.example.org/d/11"],
                [
                    "title": "安家补贴", "description": "截止 2026-12-31 本科 1 万元", "url": "https://example.org/p?a=1&b=2",
                    "picurl": "https://example.org/a.png",
                ],
                [
                    "title": "助理工程师 <急> <@all>", "description": "", "url": "https://roost.example.org/d/11",
                    "picurl": "https://example.org/b.png",
                ],
            ])
    }

    @Test func `WeCom's news cuts titles and descriptions between characters, and counts eight articles`() throws {
        let items = (0..<16).map { number in
            Message.Item(
                title: String(repeating: "长👨‍👩‍👧‍👦", count: 20), text: String(repeating: "很长", count: 200),
                url: "https://example.org/\(number)")
        }
        let long = Message(headline: "周报", sections: [Message.Section(title: "政策", items: items)])
        let parts = try rendering(.wecom, .news, of: long).parts
        #expect(parts.count == 2)
        for part in parts {
            let articles = try #require(try parsed(part.body)["news"] as? [String: [[String: String]]])["articles"]
            #expect(articles?.count == 8)
            for article in articles ?? [] {
                let (title, description) = (article["title"] ?? "", article["description"] ?? "")
                #expect(title.utf8.count <= 128 && title.hasSuffix("…"))
                #expect(description.utf8.count <= 512 && description.hasSuffix("…"))
                #expect(!title.dropLast().hasSuffix("\u{200D}"))
            }
            #expect(articles?.first?["title"]?.hasPrefix("【青年人才政策】") == true)
        }
    }

    @Test func `WeCom's card has six lines, a link and a field for what the title does not hold`() throws {
        let card = try #require(try body(.wecom, .templateCard)["template_card"] as? [String: Any])
        #expect(card["card_type"] as? String == "text_notice")
        #expect((card["main_title"] as? [String: String])?["title"] == "【青年人才政策】11月政策与岗位")
        #expect(card["sub_title_text"] as? String == "面向2027届")
        #expect((card["card_action"] as? [String: Any])?["url"] as? String == "https://roost.example.org/d/11")
        let lines = try #require(card["horizontal_content_list"] as? [[String: Any]])
        #expect(lines.map { $0["keyname"] as? String } == ["政策", "岗位"])
        #expect(lines.map { $0["value"] as? String } == ["安家补贴 截止2026-12-31", "助理工程师 <急> <@all>"])
        #expect(lines.map { $0["url"] as? String } == ["https://example.org/p?a=1&b=2", nil])
        #expect(lines.map { $0["type"] as? Int } == [1, nil])

        let items = (1...13).map { Message.Item(title: String(repeating: "长", count: 40) + "\($0)") }
        let long = Message(
            headline: "x", url: "https://example.org", sections: [Message.Section(title: "超过五个字", items: items)])
        #expect(try rendering(.wecom, .templateCard, of: long).parts.count == 3)
    }

    @Test func `DingTalk's text, markdown, link, card and feed have the vendor's members`() throws {
        #expect((try body(.dingtalk, .text)["text"] as? [String: String])?["content"]?.contains("安家补贴") == true)
        let markdown = try #require(try body(.dingtalk, .markdown)["markdown"] as? [String: String])
        #expect(markdown["title"] == "【青年人才政策】11月政策与岗位")
        #expect(
            markdown["text"]
                == "#### 【青年人才政策】11月政策与岗位\n\n面向2027届  \n[阅读全文](https://roost.example.org/d/11)\n\n"
                + "**政策**  \n- [安家补贴](https://example.org/p?a=1&b=2) **截止 2026-12-31**  \n> 本科 1 万元\n\n"
                + "**岗位**  \n- 助理工程师 ＜急＞ ＜@all＞")
        let link = try #require(try body(.dingtalk, .link)["link"] as? [String: String])
        #expect(link["messageUrl"] == "https://roost.example.org/d/11" && link["picUrl"]?.isEmpty == true)
        #expect(link["title"] == "【青年人才政策】11月政策与岗位")
        #expect(link["text"] == "面向2027届\n安家补贴（截止 2026-12-31）\n助理工程师 <急> <@all>")
        let card = try #require(try body(.dingtalk, .actionCard)["actionCard"] as? [String: Any])
        #expect(card["singleTitle"] as? String == "阅读全文" && card["btns"] == nil)
        #expect(card["singleURL"] as? String == "https://roost.example.org/d/11")
        let feed = try #require(try body(.dingtalk, .feedCard)["feedCard"] as? [String: [[String: String]]])
        #expect(
            feed["links"]?.map { $0["messageURL"] } == [
                "https://roost.example.org/d/11", "https://example.org/p?a=1&b=2", "https://roost.example.org/d/11",
            ])
        #expect(
            feed["links"]?.map { $0["picURL"] } == [
                "https://example.org/a.png", "https://example.org/a.png", "https://example.org/b.png",
            ])
    }

    @Test func `DingTalk's feed without a picture for each item is sent as a card`() throws {
        var plain = message
        plain.sections[0].items[0].picture = nil
        let rendering = try rendering(.dingtalk, .feedCard, of: plain)
        #expect(rendering.form == .actionCard)
        #expect(try parsed(rendering.parts[0].body)["msgtype"] as? String == "actionCard")
        #expect(rendering.parts == (try self.rendering(.dingtalk, .actionCard, of: plain).parts))
    }

    @Test func `DingTalk's card has a button for each item when the digest has no address`() throws {
        var alone = message
        alone.url = nil
        alone.sections[1].items[0].url = "https://example.org/job"
        let card = try #require(try body(.dingtalk, .actionCard, of: alone)["actionCard"] as? [String: Any])
        let buttons = try #require(card["btns"] as? [[String: String]])
        #expect(buttons.map { $0["actionURL"] } == ["https://example.org/p?a=1&b=2", "https://example.org/job"])
        #expect(card["singleURL"] == nil)
    }

    @Test func `Feishu's text, post and card have the vendor's members`() throws {
        let text = try #require(try body(.feishu, .text)["content"] as? [String: String])["text"]
        #expect(text?.contains("助理工程师 ＜急＞ ＜@all＞") == true)
        let post = try #require(try body(.feishu, .post)["content"] as? [String: [String: [String: Any]]])["post"]
        #expect(post?["zh_cn"]?["title"] as? String == "【青年人才政策】11月政策与岗位")
        let paragraphs = try #require(post?["zh_cn"]?["content"] as? [[[String: String]]])
        #expect(paragraphs[1] == [["tag": "a", "text": "阅读全文", "href": "https://roost.example.org/d/11"]])
        #expect(
            paragraphs[3] == [
                ["tag": "text", "text": "· "],
                ["tag": "a", "text": "安家补贴", "href": "https://example.org/p?a=1&b=2"],
                ["tag": "text", "text": " 截止 2026-12-31"],
            ])
        let card = try #require(try body(.feishu, .interactive)["card"] as? [String: Any])
        #expect(card["schema"] as? String == "2.0")
        let header = try #require(card["header"] as? [String: Any])
        #expect((header["title"] as? [String: String])?["content"] == "【青年人才政策】11月政策与岗位")
        let elements = try #require((card["body"] as? [String: Any])?["elements"] as? [[String: Any]])
        #expect(elements.map { $0["tag"] as? String } == ["markdown", "markdown", "markdown", "button"])
    }

    @Test func `a poster says what and until when, with one address`() throws {
        #expect(
            try rendering(.manual, .poster).parts.map(\.content) == [
                """
                【青年人才政策】11月政策与岗位
                面向2027届

                【政策】
                ★ 安家补贴（截止 2026-12-31）

                【岗位】
                ★ 助理工程师 <急> <@all>

                阅读全文：https://roost.example.org/d/11
                """
            ])
    }

    @Test(arguments: [
        ChannelForm(channel: .wecom, form: .news), ChannelForm(channel: .wecom, form: .templateCard),
        ChannelForm(channel: .dingtalk, form: .link), ChannelForm(channel: .dingtalk, form: .actionCard),
        ChannelForm(channel: .dingtalk, form: .feedCard),
    ])
    func `a form of links refuses what leads nowhere`(_ it: ChannelForm) {
        var nowhere = message
        nowhere.url = nil
        nowhere.sections[0].items[0].url = nil
        let error = #expect(throws: RenderingError.self) { try rendering(it.channel, it.form, of: nowhere) }
        #expect(error?.code == "missing_link")
    }

    @Test func `DingTalk's link never puts an item behind another's address`() throws {
        var several = message
        several.url = nil
        for index in 0..<2 {
            several.sections[index].items[0].url = "https://example.org/\(index)"
        }
        #expect(throws: RenderingError.missingLink(section: nil, item: nil)) {
            try rendering(.dingtalk, .link, of: several)
        }
        several.sections.removeLast()
        let link = try #require(try body(.dingtalk, .link, of: several)["link"] as? [String: String])
        #expect(link["messageUrl"] == "https://example.org/0")
    }

    @Test func `a form of another channel is refused`() {
        #expect(throws: RenderingError.unknownForm(.poster)) { try rendering(.wecom, .poster) }
        #expect(throws: RenderingError.unknownForm(.templateCard)) { try rendering(.feishu, .templateCard) }
        for channel in Channel.allCases { #expect(channel.forms.first == channel.usualForm) }
    }

    @Test(arguments: ChannelForm.all)
    func `a preview is read back from frozen bytes alone`(_ it: ChannelForm) throws {
        let rendering = try rendering(it.channel, it.form)
        let part = rendering.parts[0]
        let frozen = try #require(FrozenMessage(part.body, on: it.channel))
        #expect(frozen.form == it.form)
        #expect(frozen.contentBytes == part.contentBytes)
        #expect(frozen.byteLimit == rendering.byteLimit)
        #expect(frozen.content.contains("安家补贴"))
        // Whoever looks again after the approval reads what was read before it.
        #expect(frozen.content == part.content)
    }

    @Test(arguments: Channel.allCases.filter(\.isRobot))
    func `bytes of another channel are no preview`(_ channel: Channel) throws {
        #expect(FrozenMessage(Array("{}".utf8), on: channel) == nil)
        #expect(FrozenMessage(Array("text".utf8), on: channel) == nil)
        #expect(FrozenMessage([0xFF, 0xFE], on: channel) == nil)
    }
}
