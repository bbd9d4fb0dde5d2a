package import RoostSchema
package import RoostText

/// The input with a 原因 column, to be corrected and imported again.
package enum ErrorSheet {
    /// Which rows the error sheet holds besides title and header.
    package enum Selection: Hashable, Sendable {
        case all
        case withReasons
    }

    /// Writes the sheet with a reason behind each row that has one.
    ///
    /// A 原因 column that the input has already is written anew. Cells that a spreadsheet would run as a formula are
    /// disarmed with an apostrophe, which the reader of cells takes off again.
    /// - Parameters:
    ///   - sheet: the input as it was read.
    ///   - headers: where the header row is.
    ///   - reasons: what to say, by spreadsheet row.
    ///   - selection: whether rows without a reason are left out.
    ///   - language: which of the two languages of a reason to write.
    ///   - encoding: UTF-8 with a mark unless an old system wants otherwise.
    /// - Returns: the bytes of a file with the input's delimiter.
    /// - Throws: ``TextError/unencodable``.
    package static func bytes(
        of sheet: Sheet, headers: HeaderMap, reasons: [Int: Label], rows selection: Selection = .all,
        language: KeyPath<Label, String> = \.zh, encoding: TextEncoding = .utf8WithMark
    ) throws(TextError) -> [UInt8] {
        let width = headers.headers.count
        let column = headers.headers.firstIndex(of: HeaderMap.reasonHeader) ?? width
        var records: [[String]] = []
        for (index, row) in sheet.rows.enumerated() {
            let isData = index > headers.headerIndex
            let reason = reasons[row.row]?[keyPath: language]
            if isData, reason == nil, selection == .withReasons { continue }
            var cells = row.cells.map(disarmed)
            if index >= headers.headerIndex {
                let text = isData ? reason ?? "" : HeaderMap.reasonHeader
                while cells.count < column { cells.append("") }
                // A row with too many cells keeps them all, so that whoever corrects it sees them.
                if column < width, column < cells.count {
                    cells[column] = text
                } else {
                    cells.append(text)
                }
            }
            records.append(cells)
        }
        return try encoding.bytes(of: DelimitedText.text(of: records, delimiter: sheet.delimiter))
    }

    /// A cell that no spreadsheet takes for a formula; telephone numbers need no disarming, they only lose their sign.
    private static func disarmed(_ cell: String) -> String {
        guard let first = cell.unicodeScalars.first, "=+-@＝＋－＠".unicodeScalars.contains(first) else { return cell }
        return cell.dropFirst().allSatisfy { $0.isWholeNumber || $0 == " " } ? cell : "'" + cell
    }
}
