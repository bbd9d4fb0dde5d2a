/// What stands between two cells of a line.
package enum Delimiter: String, CaseIterable, Hashable, Sendable {
    case comma = ","
    case semicolon = ";"
    case tab = "\t"

    var byte: UInt8 {
        switch self {
        case .comma: 0x2C
        case .semicolon: 0x3B
        case .tab: 0x09
        }
    }

    /// The delimiter that the first lines hold most of outside quotation marks; a comma if they hold none.
    init(sniffing text: [UInt8]) {
        var counts: [UInt8: Int] = [:]
        var quoted = false
        var lines = 0
        for byte in text {
            if byte == 0x22 {
                quoted.toggle()
            } else if !quoted {
                counts[byte, default: 0] += 1
                if byte == 0x0A { lines += 1 }
            }
            // Twenty lines are enough to see past titles, few enough that free text hardly counts.
            if lines == 20 { break }
        }
        var best = Delimiter.comma
        for candidate in Self.allCases where counts[candidate.byte, default: 0] > counts[best.byte, default: 0] {
            best = candidate
        }
        self = best
    }
}

/// Reading and writing of RFC 4180 text, with the delimiters that spreadsheets use.
package enum DelimitedText {
    /// Splits text into records; LF, CRLF and CR end a line, quoted cells may hold any of them.
    ///
    /// A quotation mark inside a cell that does not begin with one is an ordinary character, as spreadsheets have it.
    static func records(of text: [UInt8], delimiter: Delimiter, limits: SheetLimits) throws(SheetError) -> [SheetRow] {
        var rows: [SheetRow] = []
        var cells: [String] = []
        var cell: [UInt8] = []
        var cellCount = 0
        var line = 1
        var rowLine = 1
        var quoteLine = 1
        var quoted = false
        var index = 0
        let separator = delimiter.byte

        func endCell() throws(SheetError) {
            cellCount += 1
            guard cellCount <= limits.cells else { throw .tooManyCells(limit: limits.cells) }
            cells.append(String(decoding: cell, as: UTF8.self))
            cell.removeAll(keepingCapacity: true)
        }
        func endRow() throws(SheetError) {
            try endCell()
            guard rows.count < limits.rows else { throw .tooManyRows(limit: limits.rows) }
            rows.append(SheetRow(row: rows.count + 1, line: rowLine, cells: cells))
            cells.removeAll(keepingCapacity: true)
            rowLine = line
        }

        while index < text.count {
            let byte = text[index]
            index += 1
            if quoted {
                if byte == 0x22 {
                    if index < text.count, text[index] == 0x22 {
                        cell.append(0x22)
                        index += 1
                    } else {
                        quoted = false
                    }
                } else {
                    if byte == 0x0A || (byte == 0x0D && (index == text.count || text[index] != 0x0A)) { line += 1 }
                    cell.append(byte)
                }
            } else if byte == 0x22, cell.isEmpty {
                quoted = true
                quoteLine = line
            } else if byte == separator {
                try endCell()
            } else if byte == 0x0A || byte == 0x0D {
                if byte == 0x0D, index < text.count, text[index] == 0x0A { index += 1 }
                line += 1
                try endRow()
            } else {
                cell.append(byte)
            }
        }
        guard !quoted else { throw .unterminatedQuote(line: quoteLine) }
        if !cell.isEmpty || !cells.isEmpty { try endRow() }
        return rows
    }

    /// Writes records with CRLF, quoting where it is needed.
    package static func text(of records: [[String]], delimiter: Delimiter) -> String {
        var text = ""
        for record in records {
            for (index, cell) in record.enumerated() {
                if index > 0 { text += delimiter.rawValue }
                text += quoted(cell, delimiter: delimiter)
            }
            text += "\r\n"
        }
        return text
    }

    private static func quoted(_ cell: String, delimiter: Delimiter) -> String {
        let needsQuotes =
            cell.utf8.contains { $0 == 0x22 || $0 == 0x0A || $0 == 0x0D || $0 == delimiter.byte }
            || cell.utf8.first == 0x20 || cell.utf8.last == 0x20
        return needsQuotes ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }
}
