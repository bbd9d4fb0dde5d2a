/// Text of ASCII alone, told apart byte by byte: a third of all names a device keeps, for which Unicode's tables need not be
/// asked.
package enum ASCIIWords {
    /// The text in lower case; nil if it is not all ASCII.
    package static func lowercased(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return String(decoding: text.utf8.map(lowercased), as: UTF8.self)
    }

    /// The runs of bytes that `belong` to words, in lower case; nil if the text is not all ASCII.
    package static func split(_ text: String, where belongs: (UInt8) -> Bool) -> [String]? {
        var words: [String] = []
        var word: [UInt8] = []
        for byte in text.utf8 {
            guard byte < 0x80 else { return nil }
            if belongs(byte) {
                word.append(lowercased(byte))
            } else if !word.isEmpty {
                words.append(String(decoding: word, as: UTF8.self))
                word.removeAll(keepingCapacity: true)
            }
        }
        if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }

    package static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    package static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
