package import RoostSchema
package import RoostText

/// Why a whole file cannot be imported; nothing of it is.
package enum SheetError: Error, Hashable, Sendable {
    case empty
    case workbook
    case text(TextError)
    case mojibake
    case tooManyBytes(limit: Int)
    case tooManyRows(limit: Int)
    case tooManyCells(limit: Int)
    /// A quoted cell that began on this physical line never ends.
    case unterminatedQuote(line: Int)
    case noHeader
    /// Two columns mean the same field; the headers as written.
    case duplicateColumns(first: String, second: String)
    /// No column for something that every row needs; the label of the field.
    case missingColumn(Label)

    /// The stable name of the error.
    package var code: String {
        switch self {
        case .empty: "sheet_empty"
        case .workbook: "sheet_is_workbook"
        case .text(let error): error.rawValue
        case .mojibake: "sheet_mojibake"
        case .tooManyBytes: "sheet_too_many_bytes"
        case .tooManyRows: "sheet_too_many_rows"
        case .tooManyCells: "sheet_too_many_cells"
        case .unterminatedQuote: "sheet_unterminated_quote"
        case .noHeader: "sheet_no_header"
        case .duplicateColumns: "sheet_duplicate_columns"
        case .missingColumn: "sheet_missing_column"
        }
    }

    /// What to tell the person who chose the file, and what to do about it.
    package var message: Label {
        switch self {
        case .empty:
            Label("文件是空的。", "The file is empty.")
        case .workbook:
            Label(
                "这是 Excel 工作簿，目前请先在 Excel 中另存为“CSV UTF-8（逗号分隔）”再导入。",
                "This is an Excel workbook; for now, save it as “CSV UTF-8 (comma delimited)” and import that.")
        case .text(.undecodable):
            Label(
                "无法识别文件的文字编码，文件可能不完整。请在 Excel 中另存为“CSV UTF-8”再试。",
                "The text encoding is not recognised; the file may be cut off. Save it as “CSV UTF-8” and try again.")
        case .text(.binary):
            Label("这不是文本表格文件。", "This is not a text sheet.")
        case .text(.unencodable):
            Label("有文字无法用所选编码保存。", "Some text cannot be written in the chosen encoding.")
        case .mojibake:
            Label(
                "文件内容是乱码：曾被用错误的编码打开后保存。请用原始文件重新导出。",
                "The text is garbled: it was opened with a wrong encoding and saved. Export it again from the original."
            )
        case .tooManyBytes(let limit):
            Label("文件超过 \(limit) 字节。", "The file has more than \(limit) bytes.")
        case .tooManyRows(let limit):
            Label("表格超过 \(limit) 行，请分成几份。", "The sheet has more than \(limit) rows; split it.")
        case .tooManyCells(let limit):
            Label("表格超过 \(limit) 个单元格，请分成几份。", "The sheet has more than \(limit) cells; split it.")
        case .unterminatedQuote(let line):
            Label("第 \(line) 行开始的引号没有结束。", "The quotation mark opened on line \(line) is never closed.")
        case .noHeader:
            Label(
                "找不到表头：没有一行含有三个以上可识别的列名。",
                "No header row was found: no row has three column names that are known.")
        case .duplicateColumns(let first, let second):
            Label(
                "“\(first)”和“\(second)”两列含义相同，请只保留一列。",
                "The columns “\(first)” and “\(second)” mean the same; keep one of them.")
        case .missingColumn(let label):
            Label("缺少“\(label.zh)”列。", "There is no column for “\(label.en)”.")
        }
    }
}
