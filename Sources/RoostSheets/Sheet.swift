package import RoostText

/// How large a sheet may be.
package struct SheetLimits: Hashable, Sendable {
    /// Bytes of the file.
    package var bytes: Int
    /// Records, title and header included.
    package var rows: Int
    /// Cells of all rows together.
    package var cells: Int

    /// Names limits; the defaults hold a county's yearly sheet ten times over.
    package init(bytes: Int = 16 << 20, rows: Int = 50_000, cells: Int = 2_000_000) {
        self.bytes = bytes
        self.rows = rows
        self.cells = cells
    }
}

/// One record of a sheet, as it was written.
package struct SheetRow: Equatable, Sendable {
    /// The row number that a spreadsheet shows: 1 for the first record, whatever line breaks its cells hold.
    package let row: Int
    /// The physical line, counted from 1, on which the record begins.
    package let line: Int
    package let cells: [String]

    /// Names a record and where it stands.
    package init(row: Int, line: Int, cells: [String]) {
        self.row = row
        self.line = line
        self.cells = cells
    }

    /// Whether no cell holds anything but blanks.
    package var isBlank: Bool { cells.allSatisfy { Cleaning.text($0).isEmpty } }
}

/// A delimited text file, read but not yet understood.
package struct Sheet: Equatable, Sendable {
    package let encoding: TextEncoding
    package let delimiter: Delimiter
    /// Every record up to the last one that is not blank.
    package let rows: [SheetRow]

    /// Names the parts of a sheet.
    package init(encoding: TextEncoding, delimiter: Delimiter, rows: [SheetRow]) {
        self.encoding = encoding
        self.delimiter = delimiter
        self.rows = rows
    }

    /// Reads a file: encoding and delimiter are recognised, workbooks and garbled text are refused.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - limits: what is too much; checked before the work that it would cost.
    /// - Throws: ``SheetError``; a sheet is read completely or not at all.
    package init(reading bytes: [UInt8], limits: SheetLimits = SheetLimits()) throws(SheetError) {
        guard bytes.count <= limits.bytes else { throw .tooManyBytes(limit: limits.bytes) }
        guard !Self.isWorkbook(bytes) else { throw .workbook }
        let decoded: DecodedText
        do throws(TextError) {
            decoded = try DecodedText(decoding: bytes)
        } catch {
            throw .text(error)
        }
        let text = Array(decoded.text.utf8)
        let delimiter = Delimiter(sniffing: text)
        var rows = try DelimitedText.records(of: text, delimiter: delimiter, limits: limits)
        while let last = rows.last, last.isBlank { rows.removeLast() }
        guard !rows.isEmpty else { throw .empty }
        guard !Self.isGarbled(rows) else { throw .mojibake }
        self.init(encoding: decoded.encoding, delimiter: delimiter, rows: rows)
    }

    /// Whether the file begins as a zip archive (.xlsx, .ods) or an OLE compound file (.xls).
    private static func isWorkbook(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x50, 0x4B, 0x03, 0x04])
            || bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1])
    }

    /// Whether most of the first rows' words were decoded wrongly before they were saved.
    ///
    /// Single garbled cells are left to the reader of cells: the rest of such a sheet is good.
    private static func isGarbled(_ rows: [SheetRow]) -> Bool {
        let words = rows.prefix(30).lazy.flatMap(\.cells).filter { $0.utf8.contains { $0 >= 0x80 } }
        var seen = 0
        var garbled = 0
        for word in words.prefix(200) {
            seen += 1
            if Mojibake.isCertain(in: word) { garbled += 1 }
        }
        return garbled >= 2 && garbled * 2 >= seen
    }
}
