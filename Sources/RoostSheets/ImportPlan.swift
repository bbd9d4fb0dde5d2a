package import RoostSchema

/// What importing a sheet would do: a value to be shown, compared and applied, never a half-done import.
package struct ImportPlan: Sendable {
    /// Where an input row ended; each is in exactly one bucket.
    package enum Bucket: String, CaseIterable, Hashable, Sendable {
        case new
        case updated
        case unchanged
        /// Imported as far as nothing is contradicted, and shown to a person who decides about the rest.
        case suspect
        case refused
    }

    /// Why a person should look at a row.
    package enum Suspicion: Hashable, Sendable {
        /// Somebody much like this is known: the row makes a new one, and the two are a case of possible duplicates.
        case looksLike([RowID], SheetTemplate.Evidence.Level)
        /// Several known rows are this one by certain evidence: nothing is changed until they are merged.
        case severalMatches([RowID])
        /// The identity number belongs to somebody of another name; the row is imported without it.
        case sharedIdentity(RowID)
        /// An earlier row of this sheet is about the same and says otherwise; only blanks are filled.
        case contradicts(row: Int)
    }

    /// One field that changes.
    package struct FieldChange: Hashable, Sendable {
        /// Name of the template's part.
        package let part: String
        package let collection: CollectionName
        package let id: RowID
        package let field: FieldName
        /// Null where there was nothing, or no row.
        package let old: Value
        package let new: Value
    }

    /// One row to write; the changes of one input row belong together.
    package struct RowChange: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable { case create, update }

        package let kind: Kind
        package let collection: CollectionName
        package let id: RowID
        /// Only what changes; references to rows made by the same input row are among them.
        package let values: [FieldName: Value]
    }

    /// What happens to one input row.
    package struct Row: Sendable {
        package let row: Int
        package let line: Int
        package let bucket: Bucket
        /// The row of the first part, known or new; nil if refused or undecided.
        package let subject: RowID?
        package let suspicion: Suspicion?
        package let problem: RowProblem?
        package let notes: [CellNote]
        package let fields: [FieldChange]
        package let changes: [RowChange]
    }

    package let rows: [Row]
    package let warnings: [SheetWarning]
    package let unknownColumns: [String]
    package let unknownNames: [ParsedSheet.UnknownName: Int]

    /// How many input rows are in each bucket; the counts sum to ``rowsRead``.
    package var counts: [Bucket: Int] {
        rows.reduce(into: Dictionary(uniqueKeysWithValues: Bucket.allCases.map { ($0, 0) })) { counts, row in
            counts[row.bucket, default: 0] += 1
        }
    }

    /// Every record behind the header.
    package var rowsRead: Int { rows.count }

    /// How many cells were left out of rows that are imported.
    package var cellsRefused: Int {
        rows.reduce(0) { $0 + ($1.bucket == .refused ? 0 : $1.notes.count(where: \.isRefusal)) }
    }

    /// What the 原因 column says, by spreadsheet row; rows without anything to say are absent.
    package var reasons: [Int: Label] {
        var reasons: [Int: Label] = [:]
        for row in rows {
            let parts = row.reasons
            guard !parts.isEmpty else { continue }
            reasons[row.row] = Label(
                parts.map(\.zh).joined(separator: "；"), parts.map(\.en).joined(separator: "; "))
        }
        return reasons
    }
}

extension ImportPlan.Row {
    /// Everything to tell about the row, the whole row's problem first.
    package var reasons: [Label] {
        var reasons: [Label] = []
        if let problem { reasons.append(Label("整行：" + problem.advice.zh, "row: " + problem.advice.en)) }
        for note in notes {
            reasons.append(
                Label("\(note.header)：\(note.problem.advice.zh)", "\(note.header): \(note.problem.advice.en)"))
        }
        switch suspicion {
        // A shared number has a note of its own.
        case nil, .sharedIdentity: break
        case .looksLike: reasons.append(Label("疑似与已有的人重复，请核对", "looks like somebody who is known; check"))
        case .severalMatches: reasons.append(Label("与多条已有资料相符，请先合并", "matches several known rows; merge them first"))
        case .contradicts(let row):
            reasons.append(Label("与第 \(row) 行是同一人但内容不同，请核对", "is the same as row \(row) but says otherwise; check"))
        }
        return reasons
    }
}
