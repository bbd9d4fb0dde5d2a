import Foundation

/// The byte encodings in which office software saves Chinese text.
package enum TextEncoding: String, CaseIterable, Hashable, Sendable {
    case utf8 = "utf-8"
    /// UTF-8 behind a byte order mark: the only form of UTF-8 that Excel opens without being told.
    case utf8WithMark = "utf-8-bom"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    /// GB 18030, the superset of GBK and GB 2312 that Chinese Windows writes by default.
    case gb18030

    /// Foundation's name of the encoding, without regard to a byte order mark.
    var foundation: String.Encoding {
        switch self {
        case .utf8, .utf8WithMark: .utf8
        case .utf16LittleEndian: .utf16LittleEndian
        case .utf16BigEndian: .utf16BigEndian
        // 0x80000000 marks a Core Foundation encoding; 0x0632 is kCFStringEncodingGB_18030_2000.
        case .gb18030: String.Encoding(rawValue: 0x8000_0632)
        }
    }

    /// The byte order mark that announces the encoding, empty where there is none.
    var mark: [UInt8] {
        switch self {
        case .utf8, .gb18030: []
        case .utf8WithMark: [0xEF, 0xBB, 0xBF]
        case .utf16LittleEndian: [0xFF, 0xFE]
        case .utf16BigEndian: [0xFE, 0xFF]
        }
    }
}

/// Why bytes could not be read as text, or text not be written as bytes.
package enum TextError: String, Error, Hashable, Sendable {
    /// The bytes are valid in none of the known encodings; a file cut off in the middle looks like this.
    case undecodable = "text_undecodable"
    /// The bytes hold NUL characters that no text has: the file is not text.
    case binary = "text_binary"
    /// The text holds a character that the wanted encoding cannot write.
    case unencodable = "text_unencodable"
}

/// Bytes that were recognised as text.
package struct DecodedText: Equatable, Sendable {
    /// The text without its byte order mark.
    package let text: String
    /// The encoding that the bytes turned out to have.
    package let encoding: TextEncoding

    /// Names a text and the encoding it was read from.
    package init(text: String, encoding: TextEncoding) {
        self.text = text
        self.encoding = encoding
    }
}

extension DecodedText {
    /// Reads bytes by byte order mark, then as strict UTF-8, then as UTF-16 if NUL bytes say so, then as GB 18030.
    ///
    /// The order matters: GB 18030 accepts most byte strings, so everything with a stricter form is tried before it.
    /// - Throws: ``TextError/undecodable`` or ``TextError/binary``; nothing is ever replaced by a substitute character.
    package init(decoding bytes: [UInt8]) throws(TextError) {
        for encoding in [TextEncoding.utf8WithMark, .utf16LittleEndian, .utf16BigEndian]
        where bytes.starts(with: encoding.mark) {
            let body = Data(bytes.dropFirst(encoding.mark.count))
            guard let text = String(data: body, encoding: encoding.foundation) else { throw .undecodable }
            guard !text.unicodeScalars.contains("\0") else { throw .binary }
            self.init(text: text, encoding: encoding)
            return
        }
        if bytes.contains(0) {
            self = try Self.decodingUTF16(bytes)
        } else if let text = String(validating: bytes, as: UTF8.self) {
            self.init(text: text, encoding: .utf8)
        } else if let text = String(data: Data(bytes), encoding: TextEncoding.gb18030.foundation) {
            self.init(text: text, encoding: .gb18030)
        } else {
            throw .undecodable
        }
    }

    /// Reads unmarked UTF-16, whose commas and digits have a NUL as their upper byte.
    private static func decodingUTF16(_ bytes: [UInt8]) throws(TextError) -> DecodedText {
        var even = 0
        var odd = 0
        for (index, byte) in bytes.enumerated() where byte == 0 {
            if index.isMultiple(of: 2) { even += 1 } else { odd += 1 }
        }
        // Text in UTF-16 has its NULs in one half only; four times as many is far from the even split of binary files.
        let encoding: TextEncoding
        if odd > 4 * even {
            encoding = .utf16LittleEndian
        } else if even > 4 * odd {
            encoding = .utf16BigEndian
        } else {
            throw .binary
        }
        guard bytes.count.isMultiple(of: 2),
            let text = String(data: Data(bytes), encoding: encoding.foundation)
        else { throw .undecodable }
        guard !text.unicodeScalars.contains("\0") else { throw .binary }
        return DecodedText(text: text, encoding: encoding)
    }
}

extension TextEncoding {
    /// Writes a text with the encoding's byte order mark, if it has one.
    /// - Throws: ``TextError/unencodable``; GB 18030 and the Unicode forms can write every character.
    package func bytes(of text: String) throws(TextError) -> [UInt8] {
        guard let body = unmarked(text) else { throw .unencodable }
        return mark + body
    }

    /// A text in this encoding without a byte order mark; nil where it holds a character that cannot be written.
    ///
    /// GB 18030 is written in pieces of at most 800 bytes: Foundation on Linux traps where the last code, of four bytes,
    /// comes to lie across the end of its buffer of 1,000.
    func unmarked(_ text: String) -> [UInt8]? {
        guard self == .gb18030 else { return text.data(using: foundation).map(Array.init) }
        var bytes: [UInt8] = []
        var rest = text.unicodeScalars[...]
        while !rest.isEmpty {
            let piece = String(rest.prefix(200))
            guard let written = piece.data(using: foundation) else { return nil }
            bytes += written
            rest = rest.dropFirst(200)
        }
        return bytes
    }
}
