/// Text in columns that stay aligned with Chinese characters, which take two columns of a terminal.
struct Table {
    let headers: [String]
    let rows: [[String]]

    /// The widest a column gets; longer text is cut with an ellipsis, except in the last one, which nothing follows.
    private static let widest = 36

    var text: String {
        var widths = headers.map(Self.width)
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], min(Self.width(cell), Self.widest))
            }
        }
        let lines = headers.allSatisfy(\.isEmpty) ? rows : [headers] + rows
        return lines.map { row in
            var line = ""
            for (index, cell) in row.enumerated() where index < widths.count {
                let shown = Self.cut(cell, to: index == widths.count - 1 ? .max : widths[index])
                line += shown
                guard row[(index + 1)...].contains(where: { !$0.isEmpty }) else { break }
                line += String(repeating: " ", count: widths[index] - Self.width(shown) + 2)
            }
            return line
        }.joined(separator: "\n")
    }

    static func width(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + width($1) } }

    /// Two for the wide and full-width ranges of Unicode's East Asian Width, none for combining marks.
    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x300: 1
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            2
        default: scalar.properties.generalCategory == .nonspacingMark || scalar.value == 0x200D ? 0 : 1
        }
    }

    private static func cut(_ text: String, to width: Int) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard Self.width(line) > width else { return line }
        var kept = ""
        for character in line {
            guard Self.width(kept) + Self.width(String(character)) < width else { break }
            kept.append(character)
        }
        return kept + "…"
    }
}
