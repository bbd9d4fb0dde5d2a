import RoostText
import Testing

struct TextTests {
    static let sentence = "姓名,䶮𬎆·é\r\n谭梓森,“引号”—…"

    @Test(arguments: TextEncoding.allCases)
    func `text survives every encoding`(encoding: TextEncoding) throws {
        let bytes = try encoding.bytes(of: Self.sentence)
        let decoded = try DecodedText(decoding: bytes)
        #expect(decoded.text == Self.sentence)
        #expect(decoded.encoding == encoding)
    }

    /// Written in one piece, the one of 167 (1,002 bytes) traps in Foundation on Linux.
    @Test func `a long text survives, wherever its codes come to lie`() throws {
        for count in 100..<400 {
            let text = String(repeating: "中\u{3030}", count: count)
            #expect(try DecodedText(decoding: TextEncoding.gb18030.bytes(of: text)).text == text)
            #expect(!Mojibake.isCertain(in: text))
        }
    }

    @Test(arguments: [TextEncoding.utf16LittleEndian, .utf16BigEndian])
    func `UTF-16 without a mark is known by its NUL bytes`(encoding: TextEncoding) throws {
        let bytes = Array(try encoding.bytes(of: "name,mobile,school\n张伟,1,五邑大学\n").dropFirst(2))
        #expect(try DecodedText(decoding: bytes).encoding == encoding)
    }

    @Test func `a file cut off inside a character is refused`() throws {
        let bytes = try TextEncoding.gb18030.bytes(of: Self.sentence + "森")
        #expect(throws: TextError.undecodable) { try DecodedText(decoding: Array(bytes.dropLast())) }
    }

    @Test func `a binary file is refused`() {
        let bytes = (0..<400).map { UInt8(truncatingIfNeeded: $0 % 7 == 0 ? 0 : $0) }
        #expect(throws: TextError.binary) { try DecodedText(decoding: bytes) }
    }

    @Test(arguments: ["ÐÕÃû", "¹ã¶«Ö°Òµ¼¼ÊõÑ§Ôº", "ºº×Ö", "锟斤拷锟斤拷", "严\u{FFFD}", "å§“å\u{90}\u{8D}", "濮撳悕鎵嬫満"])
    func `text decoded wrongly is recognised`(garbled: String) {
        #expect(Mojibake.isCertain(in: garbled))
    }

    @Test(arguments: [
        "张伟", "José Müller", "25℃ ±2° ×3", "“引号”——破折号…", "é", "Ñandú", "Åse Ørsted", "陈䶮", "冯𬎆文", "欧阳㛃", "¿Qué?",
        "亍丌兀丐",
    ])
    func `real text is not taken for garbled`(text: String) {
        #expect(!Mojibake.isCertain(in: text))
    }

    @Test(arguments: [
        ("区小明", "ou xiao ming", "oxm"), ("单田芳", "shan tian fang", "stf"), ("曾伟杰", "zeng wei jie", "zwj"),
        ("仇英", "qiu ying", "qy"), ("查良镛", "zha liang yong", "zly"), ("解缙", "xie jin", "xj"),
        ("朴树", "piao shu", "ps"), ("任欣慧", "ren xin hui", "rxh"), ("尉迟恭", "yu chi gong", "ycg"),
        ("万俟卨", "mo qi xie", "mqx"), ("欧阳修", "ou yang xiu", "oyx"), ("歐陽修", "ou yang xiu", "oyx"),
        ("司徒嘉琪", "si tu jia qi", "stjq"), ("谭梓森", "tan zi sen", "tzs"), ("譚梓森", "tan zi sen", "tzs"),
        ("吕布", "lv bu", "lb"), ("艾力·买买提", "ai li mai mai ti", "almmt"), ("CHAN Tai Man", "chan tai man", "ctm"),
        ("", "", ""),
    ])
    func `names are spelt as people type them`(name: String, spelling: String, initials: String) {
        #expect(Pinyin.spelling(of: name) == spelling)
        #expect(Pinyin.initials(of: name) == initials)
    }

    @Test func `sorting by key is sorting by spelling`() {
        let names = ["曾伟", "安娜", "区明", "陈晨", "陈琛"]
        let sorted = names.sorted { Pinyin.sortKey(of: $0) < Pinyin.sortKey(of: $1) }
        #expect(sorted.first == "安娜")
        #expect(sorted.suffix(2) == ["区明", "曾伟"])
        #expect(Set(sorted.map(Pinyin.sortKey)).count == names.count)
    }

    @Test(arguments: [("易荣杰", "易荣捷", true), ("刘颖诗", "刘颖思", true), ("张伟", "何薇", false), ("陈琴", "陈晴", true)])
    func `names that sound alike in the south are told from others`(left: String, right: String, alike: Bool) {
        #expect(Pinyin.soundAlike(left, right) == alike)
    }

    @Test(arguments: [
        ("张 三", "张三"), ("张　三", "张三"), (" 刘佳芷\u{A0}", "刘佳芷"), ("罗\u{200B}航瀚", "罗航瀚"), ("热依拉•达吾提", "热依拉·达吾提"),
        ("卡米拉．达吾提", "卡米拉·达吾提"), ("Chan  Tai Man", "Chan Tai Man"), ("陈䶮", "陈䶮"), ("吴\n宇智", "吴宇智"),
        ("J. Smith", "J. Smith"),
    ])
    func `names are cleaned and never rewritten`(raw: String, name: String) {
        #expect(Cleaning.personName(raw) == name)
    }

    @Test func `traditional script is folded for matching only`() {
        #expect(HanFolding.simplified("鶴山譚") == "鹤山谭")
        #expect(HanFolding.matchingKey("譚 梓森") == HanFolding.matchingKey("谭梓森"))
        #expect(Cleaning.personName("譚梓森") == "譚梓森")
    }
}
