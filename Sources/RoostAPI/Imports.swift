/// What importing a sheet did or, as a dry run, would do: the answer to `POST /v1/imports`.
package struct ImportReport: Codable, Hashable, Sendable {
    /// How many rows of the sheet ended where; the five buckets sum to `read`.
    package struct Counts: Codable, Hashable, Sendable {
        package var read: Int
        package var new: Int
        package var updated: Int
        package var unchanged: Int
        package var suspect: Int
        package var refused: Int

        package init(read: Int, new: Int, updated: Int, unchanged: Int, suspect: Int, refused: Int) {
            self.read = read
            self.new = new
            self.updated = updated
            self.unchanged = unchanged
            self.suspect = suspect
            self.refused = refused
        }
    }

    /// A column and the field it was taken for.
    package struct Column: Codable, Hashable, Sendable {
        /// As written in the sheet.
        package var header: String
        package var collection: String
        package var field: String

        package init(header: String, collection: String, field: String) {
            self.header = header
            self.collection = collection
            self.field = field
        }
    }

    /// Something to tell, in both languages, under a stable code; it never holds what a cell held.
    package struct Remark: Codable, Hashable, Sendable {
        package var code: String
        /// The header of the column it is about; nil for a whole row or sheet.
        package var column: String?
        package var zh: String
        package var en: String

        package init(code: String, column: String? = nil, zh: String, en: String) {
            self.code = code
            self.column = column
            self.zh = zh
            self.en = en
        }
    }

    /// One field that changes.
    package struct Change: Codable, Hashable, Sendable {
        package var collection: String
        package var field: String
        /// As text: codes as stored, references by name; nil where there was nothing.
        package var old: String?
        package var new: String?
        /// True where values are withheld, because the importing officer may not see the field.
        package var hidden: Bool

        package init(collection: String, field: String, old: String?, new: String?, hidden: Bool) {
            self.collection = collection
            self.field = field
            self.old = old
            self.new = new
            self.hidden = hidden
        }
    }

    /// One row of the sheet.
    package struct Entry: Codable, Hashable, Sendable {
        /// The row number that a spreadsheet shows.
        package var row: Int
        /// `new`, `updated`, `unchanged`, `suspect` or `refused`.
        package var bucket: String
        /// The row about whom it is, known or new.
        package var subject: String?
        /// For rows that are updated or suspect.
        package var changes: [Change]
        package var problems: [Remark]

        package init(row: Int, bucket: String, subject: String?, changes: [Change], problems: [Remark]) {
            self.row = row
            self.bucket = bucket
            self.subject = subject
            self.changes = changes
            self.problems = problems
        }
    }

    /// Words that are in no list and were kept as text, so that each is settled once.
    package struct UnknownName: Codable, Hashable, Sendable {
        package var collection: String
        package var field: String
        package var words: String
        /// How many rows use them.
        package var rows: Int

        package init(collection: String, field: String, words: String, rows: Int) {
            self.collection = collection
            self.field = field
            self.words = words
            self.rows = rows
        }
    }

    /// Names the import, so that it can be undone; nil for a dry run.
    package var batch: String?
    package var source: String
    package var template: String
    package var encoding: String
    /// `,`, `;` or a tab.
    package var delimiter: String
    /// The row number, as a spreadsheet shows it, of the header.
    package var headerRow: Int
    /// The year the sheet is about, if it says.
    package var year: Int?
    package var columns: [Column]
    package var unknownColumns: [String]
    package var unknownNames: [UnknownName]
    package var warnings: [Remark]
    package var counts: Counts
    /// Every row but those that change nothing and need no remark.
    package var entries: [Entry]
    /// The sheet with a 原因 column, as base64 of CSV in UTF-8 with a mark; nil where there is nothing to tell.
    ///
    /// It is in the answer and nowhere else: the sheet may hold identity numbers, which the server does not keep.
    package var errorSheet: String?

    enum CodingKeys: String, CodingKey {
        case batch, source, template, encoding, delimiter, year, columns, warnings, counts, entries
        case headerRow = "header_row"
        case unknownColumns = "unknown_columns"
        case unknownNames = "unknown_names"
        case errorSheet = "error_sheet"
    }

    package init(
        batch: String?, source: String, template: String, encoding: String, delimiter: String, headerRow: Int,
        year: Int?, columns: [Column], unknownColumns: [String], unknownNames: [UnknownName], warnings: [Remark],
        counts: Counts, entries: [Entry], errorSheet: String?
    ) {
        self.batch = batch
        self.source = source
        self.template = template
        self.encoding = encoding
        self.delimiter = delimiter
        self.headerRow = headerRow
        self.year = year
        self.columns = columns
        self.unknownColumns = unknownColumns
        self.unknownNames = unknownNames
        self.warnings = warnings
        self.counts = counts
        self.entries = entries
        self.errorSheet = errorSheet
    }
}

/// One import, as `GET /v1/imports` lists it.
package struct ImportSummary: Codable, Hashable, Sendable {
    package var batch: String
    package var officer: String
    package var source: String
    package var template: String
    package var counts: ImportReport.Counts
    /// Milliseconds since the Unix epoch.
    package var committedAt: Int64
    package var undoneAt: Int64?

    enum CodingKeys: String, CodingKey {
        case batch, officer, source, template, counts
        case committedAt = "committed_at"
        case undoneAt = "undone_at"
    }

    package init(
        batch: String, officer: String, source: String, template: String, counts: ImportReport.Counts,
        committedAt: Int64, undoneAt: Int64?
    ) {
        self.batch = batch
        self.officer = officer
        self.source = source
        self.template = template
        self.counts = counts
        self.committedAt = committedAt
        self.undoneAt = undoneAt
    }
}

/// The answer to `GET /v1/imports`, newest first.
package struct ImportList: Codable, Hashable, Sendable {
    package var imports: [ImportSummary]

    package init(imports: [ImportSummary]) { self.imports = imports }
}

/// The answer to `POST /v1/imports/{batch}/undo`.
package struct ImportUndoReport: Codable, Hashable, Sendable {
    /// Something the import wrote that stays, and why.
    package struct Kept: Codable, Hashable, Sendable {
        package var collection: String
        package var row: String
        /// Nil for a whole row.
        package var field: String?
        /// `edited_later`, `touched_later` or `in_use`.
        package var reason: String
        package var zh: String
        package var en: String

        package init(collection: String, row: String, field: String?, reason: String, zh: String, en: String) {
            self.collection = collection
            self.row = row
            self.field = field
            self.reason = reason
            self.zh = zh
            self.en = en
        }
    }

    package var batch: String
    /// Fields that have their earlier values again.
    package var restored: Int
    /// Rows the import made that are deleted again.
    package var deleted: Int
    package var kept: [Kept]

    package init(batch: String, restored: Int, deleted: Int, kept: [Kept]) {
        self.batch = batch
        self.restored = restored
        self.deleted = deleted
        self.kept = kept
    }
}
