import RoostCourier
import Testing

import struct Foundation.Data
import class Foundation.JSONSerialization

/// What a vendor or a receiver reads in a body.
func parsed(_ body: [UInt8]) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
}

@Suite struct RenderingTests {
    /// 2026-11-20 11:00:00 UTC.
    static let frozenAt = Moment(milliseconds: 1_795_172_400_000)
    let context = RenderingContext(keyword: "青年人才政策", digest: "dgst-2026-11", frozenAt: frozenAt)

    let message = Message(
        headline: "11月政策与岗位", summary: "面向2027届\n 在外学子 ", url: "https://roost.example.org/d/11",
        sections: [
            Message.Section(
                title: "政策",
                items: [
                    Message.Item(
                        title: "安家补贴", text: "本科 1 万元\n硕士 3 万元", url: "https://example.org/p?a=1&b=(2)",
                        deadline: "2026-12-31")
                ]),
            Message.Section(title: "空", items: []),
            Message.Section(title: "岗位", items: [Message.Item(title: "助理工程师 <急> [3名]")]),
        ])

    @Test func `WeCom gets markdown in one object of raw UTF-8`() throws {
        let rendering = try message.rendered(for: .wecom, in: context)
        let content = """
            # 【青年人才政策】11月政策与岗位
            面向2027届
            在外学子
            [阅读全文](https://roost.example.org/d/11)

            **政策**
            • [安家补贴](https://example.org/p?a=1&b=%282%29) <font color="warning">截止 2026-12-31</font>
            > 本科 1 万元
            > 硕士 3 万元

            **岗位**
            • 助理工程师 ＜急＞ ［3名］
            """
        #expect(rendering.contentType == "application/json")
        #expect(rendering.parts.map(\.content) == [content])
        #expect(rendering.parts[0].contentBytes == content.utf8.count)
        let body = try parsed(rendering.parts[0].body)
        #expect(body["msgtype"] as? String == "markdown")
        #expect((body["markdown"] as? [String: String])?["content"] == content)
        let text = String(decoding: rendering.parts[0].body, as: UTF8.self)
        #expect(text.contains("安家补贴") && !text.contains("\\u") && !text.contains("\\/"))
    }

    @Test func `a webhook gets a thin payload of type, timestamp and data`() throws {
        let rendering = try message.rendered(for: .generic, in: context)
        let text = #"""
            {"data":{"digest":"dgst-2026-11","headline":"【青年人才政策】11月政策与岗位","part":1,"parts":1,"sections":[{"items":[{"deadline":"2026-12-31","text":"本科 1 万元\n硕士 3 万元","title":"安家补贴","url":"https://example.org/p?a=1&b=%282%29"}],"title":"政策"},{"items":[{"title":"助理工程师 <急> [3名]"}],"title":"岗位"}],"summary":"面向2027届\n 在外学子 ","url":"https://roost.example.org/d/11"},"timestamp":"2026-11-20T11:00:00Z","type":"digest.published"}
            """#
        #expect(rendering.contentType == "application/json")
        #expect(rendering.parts.map(\.body) == [Array(text.utf8)])
        #expect(rendering.parts[0].content == text)
    }

    @Test func `a person gets text to copy`() throws {
        var english = context
        english.language = .english
        english.keyword = nil
        let rendering = try message.rendered(for: .manual, in: english)
        let text = """
            11月政策与岗位
            面向2027届
            在外学子
            Read more: https://roost.example.org/d/11

            ■ 政策
            · 安家补贴
              本科 1 万元
              硕士 3 万元
              Until: 2026-12-31
              https://example.org/p?a=1&b=%282%29

            ■ 岗位
            · 助理工程师 <急> [3名]
            """
        #expect(rendering.contentType == "text/plain; charset=utf-8")
        #expect(rendering.parts.map(\.body) == [Array(text.utf8)])
    }

    @Test func `nothing anybody typed becomes markup or a mention in WeCom`() throws {
        let hostile = Message(
            headline: "<@all>\n# x", summary: "**粗** `码`",
            sections: [
                Message.Section(
                    title: "[a](http://evil.example)",
                    items: [
                        Message.Item(
                            title: "x](http://evil.example) <font color=\"info\">", text: "> 引用\n# 标题",
                            url: "https://example.org/a)b (c) <d> 路径", deadline: "<@all>")
                    ])
            ])
        let content = try message(hostile)
        #expect(!content.contains("<@") && !content.contains("](http://evil"))
        // What is left of the markup is our own: the heading, the bold title, the link, the colour, the quotes.
        #expect(content.split(separator: "\n").map { $0.prefix(2) } == ["# ", "＊＊", "**", "• ", "> ", "> "])
        #expect(content.contains("](https://example.org/a%29b%20%28c%29%20%3Cd%3E%20%E8%B7%AF%E5%BE%84) <font"))
        #expect(content.contains("> ＞ 引用\n> ＃ 标题"))
    }

    private func message(_ message: Message) throws -> String {
        let plain = RenderingContext(digest: "d", frozenAt: Self.frozenAt)
        return try #require(try message.rendered(for: .wecom, in: plain).parts.first).content
    }

    @Test(arguments: Channel.allCases)
    func `a notice without items is one part`(_ channel: Channel) throws {
        let rendering = try Message(headline: "测试").rendered(for: channel, in: context)
        #expect(rendering.parts.count == 1)
        #expect(rendering.parts[0].content.contains("【青年人才政策】测试"))
        #expect(!rendering.parts[0].content.contains("("))
    }

    @Test(arguments: [
        "javascript:alert(1)", "ftp://example.org", "example.org", "https://", "", "//example.org", "http:/x",
    ])
    func `a link that is none is refused and named`(_ url: String) {
        var broken = message
        broken.sections[2].items[0].url = url
        #expect(throws: RenderingError.invalidLink(section: 2, item: 0)) {
            try broken.rendered(for: .wecom, in: context)
        }
        broken = message
        broken.url = url
        #expect(throws: RenderingError.invalidLink(section: nil, item: nil)) {
            try broken.rendered(for: .generic, in: context)
        }
    }

    @Test func `a blank headline is refused`() {
        #expect(throws: RenderingError.emptyHeadline) {
            try Message(headline: " \n").rendered(for: .manual, in: context)
        }
    }

    @Test(arguments: Channel.allCases)
    func `an item or a head that fills more than a part is refused and named`(_ channel: Channel) throws {
        let long = String(repeating: "长", count: channel.byteLimit / 3)
        var broken = message
        broken.sections[2].items.append(Message.Item(title: "x", text: long))
        let item = #expect(throws: RenderingError.self) { try broken.rendered(for: channel, in: context) }
        guard case .itemTooLarge(section: 2, item: 1, let bytes, let limit) = try #require(item) else {
            Issue.record("\(String(describing: item))")
            return
        }
        #expect(bytes > limit && limit == channel.byteLimit)

        let head = #expect(throws: RenderingError.self) {
            try Message(headline: "x", summary: long).rendered(for: channel, in: context)
        }
        #expect(head?.code == "head_too_large")
    }

    @Test func `more parts than the marker can number are refused`() {
        let item = Message.Item(title: "x", text: String(repeating: "长", count: 1000))
        let huge = Message(
            headline: "x", sections: [Message.Section(title: "", items: Array(repeating: item, count: 100))])
        #expect(throws: RenderingError.tooManyParts(100, maximum: 99)) { try huge.rendered(for: .wecom, in: context) }
    }
}

/// Laws of splitting, over random messages whose items can be told apart.
@Suite struct SplittingTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            // SplitMix64.
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private func text(upTo count: Int, _ random: inout Generator) -> String {
        let alphabet = Array("青鹤归巢政策岗位👨‍👩‍👧‍👦𠮷é\"\\/<>[]*abc \n")
        return String(
            (0..<Int.random(in: 0...count, using: &random)).compactMap { _ in alphabet.randomElement(using: &random) })
    }

    /// Items are titled `第1项¶`, `第2项¶`, … in order.
    private func message(_ random: inout Generator) -> (message: Message, items: Int) {
        var number = 0
        let sections = (0..<Int.random(in: 0...5, using: &random)).map { section in
            Message.Section(
                title: "节\(section)§",
                items: (0..<Int.random(in: 0...25, using: &random)).map { _ in
                    number += 1
                    return Message.Item(
                        title: "第\(number)项¶", text: Bool.random(using: &random) ? text(upTo: 60, &random) : nil,
                        url: Bool.random(using: &random) ? "https://example.org/\(number)" : nil,
                        deadline: Bool.random(using: &random) ? "2026-12-31" : nil)
                })
        }
        let message = Message(
            headline: "摘要" + text(upTo: 20, &random),
            summary: Bool.random(using: &random) ? text(upTo: 80, &random) : nil,
            sections: sections)
        return (message, number)
    }

    @Test(arguments: 0..<40 as Range<UInt64>, ChannelForm.all)
    func `every form shows every item once, in order, and every part fits`(_ seed: UInt64, _ it: ChannelForm) throws {
        var random = Generator(state: seed)
        var (message, items) = message(&random)
        message.url = "https://example.org/digest"
        let rendering = try message.rendered(
            for: it.channel, in: RenderingContext(form: it.form, digest: "d", frozenAt: RenderingTests.frozenAt))
        let numbers = rendering.parts.flatMap { part in
            part.content.matches(of: /第(\d+)项¶/).compactMap { Int($0.1) }
        }
        #expect(numbers == Array(1...max(items, 1)).prefix(items).map(\.self))
        for part in rendering.parts {
            #expect(part.contentBytes <= rendering.byteLimit)
            if it.channel.isRobot { _ = try parsed(part.body) }
            let isNumbered = part.content.contains("(\(part.position)/\(rendering.parts.count))")
            #expect(isNumbered == (rendering.parts.count > 1 && it.channel != .generic))
        }
    }

    @Test(arguments: 0..<60 as Range<UInt64>, Channel.allCases)
    func `every item is in exactly one part, in order, and every part fits`(_ seed: UInt64, _ channel: Channel) throws {
        var random = Generator(state: seed)
        let (message, items) = message(&random)
        let context = RenderingContext(
            keyword: Bool.random(using: &random) ? "关键词" : nil, digest: "d", frozenAt: RenderingTests.frozenAt)
        let rendering = try message.rendered(for: channel, in: context)

        let numbers = rendering.parts.flatMap { part in
            part.content.matches(of: /第(\d+)项¶/).compactMap { Int($0.1) }
        }
        #expect(numbers == Array(1...max(items, 1)).prefix(items).map(\.self))
        #expect(rendering.parts.map(\.position) == Array(1...rendering.parts.count))
        for part in rendering.parts {
            #expect(part.contentBytes <= channel.byteLimit)
            #expect(context.keyword.map { part.content.contains("【\($0)】摘要") } ?? true)
            let isNumbered = part.content.contains("(\(part.position)/\(rendering.parts.count))")
            #expect(isNumbered == (rendering.parts.count > 1 && channel != .generic))
            if channel == .generic {
                let data = try #require(try parsed(part.body)["data"] as? [String: Any])
                #expect(data["part"] as? Int == part.position && data["parts"] as? Int == rendering.parts.count)
            }
        }
        // Each item stands under its own section's title, which a continued section repeats.
        for part in rendering.parts where channel != .generic {
            #expect(part.content.matches(of: /节\d+§/).count == Set(part.content.matches(of: /节\d+§/).map(\.0)).count)
        }
        #expect(try message.rendered(for: channel, in: context) == rendering)
    }

    @Test
    func `a typical digest of thirty links is one WeCom message, and the next item over the limit begins another`()
        throws
    {
        func rendering(_ count: Int) throws -> Rendering {
            let items = (0..<count).map {
                Message.Item(title: "鹤山市青年人才安家补贴申领办法\($0)", url: "https://example.org/policies/\($0)")
            }
            return try Message(headline: "周报", sections: [Message.Section(title: "政策", items: items)])
                .rendered(for: .wecom, in: RenderingContext(digest: "d", frozenAt: RenderingTests.frozenAt))
        }
        let counts = try (30...60).map { try rendering($0).parts.count }
        #expect(counts.first == 1 && counts.last == 2)
        #expect(counts == counts.sorted())
        let last = 30 + (counts.lastIndex(of: 1) ?? 0)
        #expect(try rendering(last).parts[0].contentBytes > 4096 - 100)
    }
}
