import Foundation

/// Recognition of text that was decoded with the wrong encoding before it was saved.
///
/// Such text is valid, so no decoder objects to it; it can only be told by what it turns into when the mistake is undone.
package enum Mojibake {
    /// Whether a cell is damaged for certain: it holds a substitute character or reads well once re-decoded.
    package static func isCertain(in text: String) -> Bool {
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return false }
        return hasReplacement(text) || isHanReadAsLatin(text) || isUTF8ReadAsGBK(text)
    }

    /// Whether a text holds U+FFFD or 锟斤拷, which is U+FFFD saved as UTF-8 and read as GBK.
    package static func hasReplacement(_ text: String) -> Bool {
        var before: (Unicode.Scalar, Unicode.Scalar) = ("\0", "\0")
        for scalar in text.unicodeScalars {
            if scalar == "\u{FFFD}" || (scalar == "拷" && before.1 == "斤" && before.0 == "锟") { return true }
            before = (before.1, scalar)
        }
        return false
    }

    /// Whether GBK or UTF-8 bytes were read as Latin-1: a run of accented letters that decodes to Han.
    private static func isHanReadAsLatin(_ text: String) -> Bool {
        var run: [UInt8] = []
        for scalar in text.unicodeScalars {
            if let byte = latinByte(scalar) {
                run.append(byte)
            } else {
                if decodesToHan(run) { return true }
                run = []
            }
        }
        return decodesToHan(run)
    }

    /// The byte that Windows-1252 shows as this character, for bytes outside ASCII.
    private static func latinByte(_ scalar: Unicode.Scalar) -> UInt8? {
        if (0x80...0xFF).contains(scalar.value) { return UInt8(scalar.value) }
        return windowsBytes[scalar]
    }

    private static let windowsBytes: [Unicode.Scalar: UInt8] = [
        "€": 0x80, "‚": 0x82, "ƒ": 0x83, "„": 0x84, "…": 0x85, "†": 0x86, "‡": 0x87, "ˆ": 0x88, "‰": 0x89, "Š": 0x8A,
        "‹": 0x8B, "Œ": 0x8C, "Ž": 0x8E, "‘": 0x91, "’": 0x92, "“": 0x93, "”": 0x94, "•": 0x95, "–": 0x96, "—": 0x97,
        "˜": 0x98, "™": 0x99, "š": 0x9A, "›": 0x9B, "œ": 0x9C, "ž": 0x9E, "Ÿ": 0x9F,
    ]

    /// Whether bytes are at least two Han characters; a single pair may be two real accented letters or `°°`.
    private static func decodesToHan(_ bytes: [UInt8]) -> Bool {
        // Punctuation of Chinese text (“”……——) is in the Windows table too: without a letter of Latin-1 it is real.
        guard bytes.count >= 4, bytes.contains(where: { $0 >= 0xC0 }) else { return false }
        for encoding in [TextEncoding.utf8, .gb18030] {
            if let text = String(data: Data(bytes), encoding: encoding.foundation),
                text.unicodeScalars.allSatisfy({ Cleaning.isHan($0) || isWidePunctuation($0) }),
                text.unicodeScalars.contains(where: Cleaning.isHan)
            {
                return true
            }
        }
        return false
    }

    private static func isWidePunctuation(_ scalar: Unicode.Scalar) -> Bool {
        (0x3000...0x303F).contains(scalar.value) || (0xFF00...0xFFEF).contains(scalar.value)
    }

    /// Whether UTF-8 bytes were read as GBK (姓名 becomes 濮撳悕).
    ///
    /// Real text can by chance be valid UTF-8 when written in GBK. So the text must hold a rare character, and what comes
    /// out must be common characters only.
    private static func isUTF8ReadAsGBK(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first(where: { $0.value >= 0x80 }), firstOfGarbled.contains(first)
        else { return false }
        let han = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x80 }))
        guard han.unicodeScalars.count >= 3,
            let bytes = TextEncoding.gb18030.unmarked(han),
            let undone = String(validating: bytes, as: UTF8.self)
        else { return false }
        return !isCommon(han) && undone.unicodeScalars.allSatisfy(Cleaning.isHan) && isCommon(undone)
    }

    /// The characters whose first GBK byte is E4 to E9, as the first byte of a Han character in UTF-8 is: the only ones
    /// that such text can begin with, so that other text need not be converted.
    private static let firstOfGarbled: Set<Unicode.Scalar> = {
        var scalars: Set<Unicode.Scalar> = []
        for lead in UInt8(0xE4)...0xE9 {
            for trail in UInt8(0x80)...0xBF {
                let text = String(data: Data([lead, trail]), encoding: TextEncoding.gb18030.foundation)
                if let scalar = text?.unicodeScalars.first { scalars.insert(scalar) }
            }
        }
        return scalars
    }()

    /// Whether every character is in the first level of GB 2312, the 3,755 commonest (lead byte B0 to D7).
    private static func isCommon(_ text: String) -> Bool {
        guard let bytes = TextEncoding.gb18030.unmarked(text),
            bytes.count.isMultiple(of: 2)
        else { return false }
        return stride(from: 0, to: bytes.count, by: 2).allSatisfy {
            (0xB0...0xD7).contains(bytes[$0]) && bytes[$0 + 1] >= 0xA1
        }
    }
}
