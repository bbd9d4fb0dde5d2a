import Foundation
import Synchronization

/// Romanised spellings of Chinese names, without tones, for sorting and for search by typing.
///
/// ICU gives the commonest reading of each character; surnames that are read differently come from ``surnames``. A
/// family that reads its name otherwise (翟, 乐, 覃, 盖) overrides the result in the row.
package enum Pinyin {
    /// One lower-case syllable for each Han character, one word for each run of other letters or digits.
    ///
    /// `ü` is written `v`, as input methods do. A character that ICU cannot read stays as it is.
    package static func syllables(of name: String) -> [String] {
        let plain = ASCIIWords.split(name) {
            ASCIIWords.isLetter($0) || ASCIIWords.isDigit($0) || $0 == UInt8(ascii: "'")
        }
        if let plain { return plain }
        let scalars = Array(Cleaning.personName(name).unicodeScalars)
        var result: [String] = []
        var index = 0
        for length in [2, 1] where scalars.count >= length {
            let surname = HanFolding.simplified(String(String.UnicodeScalarView(scalars[..<length])))
            if scalars.count > length || length == 1, let reading = surnames[surname] {
                result = reading.split(separator: " ").map(String.init)
                index = length
                break
            }
        }
        var word = ""
        func endWord() {
            if !word.isEmpty { result.append(word.lowercased()) }
            word = ""
        }
        while index < scalars.count {
            let scalar = scalars[index]
            if Cleaning.isHan(scalar) {
                endWord()
                result.append(reading(of: scalar))
            } else if scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "'" {
                word.unicodeScalars.append(scalar)
            } else {
                endWord()
            }
            index += 1
        }
        endWord()
        return result
    }

    /// The whole spelling with a space between syllables: `tan zi sen`.
    package static func spelling(of name: String) -> String {
        syllables(of: name).joined(separator: " ")
    }

    /// The first letter of each syllable: `tzs`.
    package static func initials(of name: String) -> String {
        String(syllables(of: name).compactMap(\.first))
    }

    /// A key whose plain byte order is the order of an address book: by spelling, then by the characters themselves.
    ///
    /// The separator sorts before every letter, so that 李安 stands before 力安娜.
    package static func sortKey(of name: String) -> String {
        spelling(of: name) + "\u{1}" + Cleaning.personName(name)
    }

    /// Whether two names sound the same to people who type by sound, as happens when a clerk hears a name.
    ///
    /// Speakers of southern dialects do not tell zh from z, ch from c, sh from s, nor -ing from -in and -eng from -en.
    package static func soundAlike(_ left: String, _ right: String) -> Bool {
        let keys = [left, right].map { name in syllables(of: HanFolding.simplified(name)).map(southern) }
        return keys[0] == keys[1]
    }

    private static func southern(_ syllable: String) -> String {
        var sound = syllable
        if ["zh", "ch", "sh"].contains(where: sound.hasPrefix) {
            sound.remove(at: sound.index(after: sound.startIndex))
        }
        if sound.hasSuffix("ing") || sound.hasSuffix("eng") { sound.removeLast() }
        return sound
    }

    /// The reading of one character, kept once it is known: ICU needs some 20 µs for each call.
    private static func reading(of scalar: Unicode.Scalar) -> String {
        known.withLock { known in
            if let reading = known[scalar] { return reading }
            let character = String(Character(scalar))
            let toned = character.applyingTransform(.mandarinToLatin, reverse: false) ?? character
            var plain = String.UnicodeScalarView()
            for scalar in toned.decomposedStringWithCanonicalMapping.unicodeScalars {
                if scalar == "\u{308}", plain.last == "u" {
                    plain.removeLast()
                    plain.append("v")
                } else if !isToneMark(scalar) {
                    plain.append(scalar)
                }
            }
            let reading = String(plain).lowercased()
            known[scalar] = reading
            return reading
        }
    }

    private static let known = Mutex<[Unicode.Scalar: String]>([:])

    private static func isToneMark(_ scalar: Unicode.Scalar) -> Bool {
        (0x300...0x36F).contains(scalar.value)
    }

    /// Surnames whose reading as a surname differs from the commonest reading, and surnames of two characters.
    private static let surnames: [String: String] = [
        "区": "ou", "单": "shan", "曾": "zeng", "仇": "qiu", "查": "zha", "解": "xie", "朴": "piao", "任": "ren",
        "盖": "ge", "尹": "yin", "缪": "miao", "洗": "xian", "冼": "xian", "乐": "yue", "翟": "zhai", "覃": "qin",
        "宓": "mi", "员": "yun", "种": "chong", "纪": "ji", "华": "hua", "燕": "yan", "祭": "zhai", "秘": "bi",
        "逄": "pang", "黑": "he", "折": "she", "召": "shao", "那": "na", "佴": "nai", "车": "che", "逯": "lu",
        "繁": "po", "晁": "chao", "訾": "zi", "隗": "wei", "句": "gou", "阚": "kan", "卜": "bu", "沈": "shen",
        "石": "shi", "薄": "bo", "葛": "ge", "柏": "bai", "尉": "wei", "逮": "dai", "角": "jue", "哈": "ha",
        "尉迟": "yu chi", "万俟": "mo qi", "欧阳": "ou yang", "司徒": "si tu", "司马": "si ma", "上官": "shang guan",
        "诸葛": "zhu ge", "东方": "dong fang", "皇甫": "huang fu", "令狐": "ling hu", "长孙": "zhang sun",
        "宇文": "yu wen", "慕容": "mu rong", "夏侯": "xia hou", "公孙": "gong sun", "澹台": "tan tai",
        "单于": "chan yu", "呼延": "hu yan", "独孤": "du gu", "鲜于": "xian yu",
    ]
}
