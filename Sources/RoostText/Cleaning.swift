import Foundation

/// Removal of what spreadsheets, chat programs and input methods leave around a value.
package enum Cleaning {
    /// Drops invisible characters, makes every blank an ASCII space or line feed, and trims the ends.
    ///
    /// CRLF and CR become LF. The words and their script are left as they were written.
    package static func text(_ raw: String) -> String {
        if isPlain(raw) { return raw }
        var scalars = String.UnicodeScalarView()
        var previousWasReturn = false
        for scalar in raw.unicodeScalars {
            defer { previousWasReturn = scalar == "\r" }
            if scalar == "\n", previousWasReturn { continue }
            if scalar == "\r" || scalar == "\n" {
                scalars.append("\n")
            } else if isBlank(scalar) {
                scalars.append(" ")
            } else if !isInvisible(scalar) {
                scalars.append(scalar)
            }
        }
        return trimmed(String(scalars))
    }

    /// The text in Unicode's compatibility form: full-width digits and letters become ASCII.
    ///
    /// For numbers, codes and dates only; it would rewrite characters of a name.
    package static func compatible(_ text: String) -> String {
        text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCompatibilityMapping
    }

    /// The text in Unicode's canonical composed form (NFC), which is how names are stored and compared.
    package static func composed(_ text: String) -> String {
        text.unicodeScalars.allSatisfy(isComposed) ? text : text.precomposedStringWithCanonicalMapping
    }

    /// A person's name as it is stored: NFC, no blanks between Han characters, U+00B7 as the dot inside a name.
    ///
    /// Blanks between Latin words stay, as one space. The script is never changed.
    package static func personName(_ raw: String) -> String {
        // Most names are a few Han characters and need nothing.
        if raw.unicodeScalars.allSatisfy({ (0x3400...0x9FFF).contains($0.value) }) || isPlainASCII(raw) { return raw }
        let words = text(raw).unicodeScalars.split { $0 == " " || $0 == "\n" }.map(String.init)
        guard var name = words.first else { return "" }
        for word in words.dropFirst() {
            let joinsHan =
                (name.unicodeScalars.last.map(isHan) ?? false) || (word.unicodeScalars.first.map(isHan) ?? false)
            name += joinsHan ? word : " " + word
        }
        let dotted = String(
            String.UnicodeScalarView(name.unicodeScalars.map { middleDots.contains($0) ? "\u{B7}" : $0 }))
        return composed(hasHan(name) ? dotted : name)
    }

    /// Whether a character is a Han ideograph, supplementary planes included.
    package static func isHan(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFD, 0x3007: true
        default: false
        }
    }

    /// Whether a text has at least one Han ideograph.
    package static func hasHan(_ text: String) -> Bool {
        text.unicodeScalars.contains(where: isHan)
    }

    /// The spellings of the dot between the parts of a name; full stops too, since only names with Han come here.
    private static let middleDots: Set<Unicode.Scalar> = [
        "\u{B7}", "\u{2022}", "\u{2027}", "\u{2219}", "\u{22C5}", "\u{30FB}", "\u{FF0E}", "\u{FF65}", "\u{2E31}",
    ]

    /// Whether a text is words of ASCII with one space between them.
    private static func isPlainASCII(_ text: String) -> Bool {
        var isBehindSpace = true
        for byte in text.utf8 {
            guard (0x20..<0x7F).contains(byte), byte != 0x20 || !isBehindSpace else { return false }
            isBehindSpace = byte == 0x20
        }
        return !isBehindSpace
    }

    /// Whether nothing needs to be done: no control, no outer blank, nothing that hides outside ASCII and Han.
    private static func isPlain(_ text: String) -> Bool {
        guard text.utf8.first != 0x20, text.utf8.last != 0x20 else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            (scalar.value >= 0x20 && scalar.value < 0x7F) || (scalar.value >= 0x3400 && scalar.value <= 0x9FFF)
        }
    }

    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { $0 != " " && $0 != "\n" }),
            let last = scalars.lastIndex(where: { $0 != " " && $0 != "\n" })
        else { return "" }
        return String(scalars[first...last])
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\t" || scalar.properties.isWhitespace
    }

    /// Zero-width characters, direction marks, soft hyphens and controls: never part of what somebody meant to write.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F...0x9F, 0xAD, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2069, 0xFEFF: true
        default: false
        }
    }

    /// Whether a character is certain to be unchanged by NFC, whatever stands beside it.
    private static func isComposed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x300, 0x3400...0x9FFF, 0x20000...0x2F7FF, 0x30000...0x3FFFD: true
        default: false
        }
    }
}
