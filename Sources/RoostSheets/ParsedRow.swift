package import RoostSchema

/// Something to say about one cell.
package struct CellNote: Hashable, Sendable {
    /// Position of the column, counted from 0.
    package let column: Int
    /// The header as written.
    package let header: String
    package let problem: CellProblem
    /// The words of a name that is in no list and was kept as text; nil for every other problem, so that notes hold no
    /// number of a person.
    package let words: String?

    /// Names a problem of a cell.
    package init(column: Int, header: String, problem: CellProblem, words: String? = nil) {
        self.column = column
        self.header = header
        self.problem = problem
        self.words = words
    }

    /// Whether the cell was left out; a name that is merely unknown may have been kept as text.
    package var isRefusal: Bool { words == nil }
}

/// What a row of the sheet says about one part of the template.
package struct ParsedPart: Equatable, Sendable {
    /// The values of the row's own cells, and what an identity number filled; blank cells are absent.
    package internal(set) var values: [FieldName: Value] = [:]
    /// Values that hold for every row: they describe a new row and tell rows apart, but correct nothing stored.
    package internal(set) var given: [FieldName: Value] = [:]
    /// Fields filled from the identity number, which yield to what is stored.
    package internal(set) var inferred: Set<FieldName> = []
    /// Masked text as written, to be compared with what is stored.
    var masked: [FieldName: MaskedCell] = [:]

    struct MaskedCell: Equatable {
        let text: String
        let note: CellNote
    }
}

/// A record of the sheet, understood as far as that goes without knowing what is stored.
package struct ParsedRow: Sendable {
    /// The row number a spreadsheet shows.
    package let row: Int
    package let line: Int
    /// One for each part of the template; nil where the row says nothing.
    package internal(set) var parts: [ParsedPart?]
    package internal(set) var notes: [CellNote]
    /// Why the whole row is refused, nil if it is not.
    package internal(set) var problem: RowProblem?
    /// The column of the identity number.
    var identityNote: CellNote?
}

/// Something to say about the sheet as a whole.
package enum SheetWarning: String, Hashable, Sendable {
    /// The column of identity numbers was left out, because there is no key to digest them with.
    case identityColumnDropped = "identity_column_dropped"
    /// There is a header and nothing under it.
    case noRows = "no_rows"
    /// Neither the sheet nor the caller says which year it is about.
    case yearUnknown = "year_unknown"

    /// What to tell the person.
    package var message: Label {
        switch self {
        case .identityColumnDropped:
            Label("证件号码一列未导入：只有在服务器上导入才处理。", "The identity numbers were left out: only the server takes them.")
        case .noRows: Label("表头下没有数据。", "There are no rows under the header.")
        case .yearUnknown:
            Label("表中没有年份，请指定年份（届别）。", "The sheet names no year; say which year it is about.")
        }
    }
}

/// A sheet read by a template.
package struct ParsedSheet: Sendable {
    package let template: SheetTemplate
    package let headers: HeaderMap
    /// The year the sheet is about: the caller's, or that of its title.
    package let year: Int?
    /// Every record after the header, blank ones included.
    package let rows: [ParsedRow]
    package let warnings: [SheetWarning]
    /// Names that are in no list, with the number of rows that use each, so that each is settled once.
    package let unknownNames: [UnknownName: Int]

    package struct UnknownName: Hashable, Sendable {
        package let collection: CollectionName
        package let field: FieldName
        package let words: String

        /// Names words found in a column.
        package init(collection: CollectionName, field: FieldName, words: String) {
            self.collection = collection
            self.field = field
            self.words = words
        }
    }
}
