package import RoostSchema
import RoostText

/// Turns the digits of a valid identity number into a keyed digest of 64 hexadecimal digits.
package typealias IdentityDigest = ([UInt8]) -> String

/// Reading of a sheet by a template: from cells to values of fields, with a reason for whatever is left out.
package struct SheetParser {
    private let catalogue: Catalogue
    private let template: SheetTemplate
    private let directory: NameDirectory
    private let digest: IdentityDigest?
    private let year: Int?
    private let moment: Int64

    /// Prepares to read sheets.
    /// - Parameters:
    ///   - catalogue: the declaration of the collections.
    ///   - template: what the sheet's columns mean.
    ///   - directory: the lists in which names of schools, chapters and divisions are looked up.
    ///   - year: the year the sheet is about, if known better than from its title.
    ///   - moment: the moment of the import, milliseconds since the Unix epoch.
    ///   - digest: makes the digest of an identity number with the server's key; nil leaves such columns out.
    package init(
        catalogue: Catalogue, template: SheetTemplate, directory: NameDirectory, year: Int? = nil, moment: Int64,
        digest: IdentityDigest? = nil
    ) {
        self.catalogue = catalogue
        self.template = template
        self.directory = directory
        self.year = year
        self.moment = moment
        self.digest = digest
    }

    /// Reads every record behind the header.
    /// - Throws: ``SheetError`` if the header does not fit; single rows and cells are never a reason to throw.
    package func parse(_ sheet: Sheet) throws(SheetError) -> ParsedSheet {
        let headers = try HeaderMap(of: sheet, template: template, catalogue: catalogue)
        var columns = columns(of: headers)
        let year = year ?? Self.year(inTitlesOf: sheet, before: headers.headerIndex)
        let givens = template.parts.map { given(for: $0, year: year) }
        var unknown: [ParsedSheet.UnknownName: Int] = [:]
        var rows: [ParsedRow] = []
        for record in sheet.rows.dropFirst(headers.headerIndex + 1) {
            var row = ParsedRow(
                row: record.row, line: record.line, parts: Array(repeating: nil, count: template.parts.count), notes: []
            )
            row.problem = structureProblem(of: record, headers: headers)
            if row.problem == nil {
                read(record, into: &row, columns: &columns)
                judge(&row, record: record, headers: headers, columns: columns)
                finish(&row, record: record, columns: columns, givens: givens)
            }
            if row.problem == nil {
                for note in row.notes {
                    guard let words = note.words, let column = columns.first(where: { $0.position == note.column })
                    else { continue }
                    let name = ParsedSheet.UnknownName(
                        collection: column.collection, field: column.reader.field.name, words: words)
                    unknown[name, default: 0] += 1
                }
            }
            rows.append(row)
        }
        return ParsedSheet(
            template: template, headers: headers, year: year, rows: rows,
            warnings: warnings(headers: headers, columns: columns, year: year, isEmpty: rows.isEmpty),
            unknownNames: unknown)
    }

    /// A column that means something.
    private struct Column {
        let position: Int
        let header: String
        let part: Int
        let collection: CollectionName
        var reader: CellReader
    }

    private func columns(of headers: HeaderMap) -> [Column] {
        headers.targets.enumerated().compactMap { position, target in
            guard let target, let collection = catalogue[template.parts[target.part].collection],
                let field = collection[target.field]
            else { return nil }
            let part = template.parts[target.part]
            return Column(
                position: position, header: headers.headers[position], part: target.part, collection: collection.name,
                reader: CellReader(
                    field: field, spellings: part.spellings[field.name] ?? [:],
                    index: directory.index(for: field, of: collection.name),
                    landLines: part.landLines.contains(field.name)))
        }
    }

    /// What every row of a part gets.
    private func given(for part: SheetTemplate.Part, year: Int?) -> [FieldName: Value] {
        var given = part.constants
        guard let collection = catalogue[part.collection] else { return given }
        for name in part.sheetYear {
            guard let year, let field = collection[name], given[name] == nil else { continue }
            if case .integer = field.kind {
                given[name] = .integer(Int64(year))
            } else {
                given[name] = .text("\(year)")
            }
        }
        for name in part.importMoment where given[name] == nil { given[name] = .integer(moment) }
        return given
    }

    /// The first year that a title names: 鹤山市2025年…一览表.
    private static func year(inTitlesOf sheet: Sheet, before header: Int) -> Int? {
        for cell in sheet.rows[..<header].lazy.flatMap(\.cells) {
            for piece in Cleaning.compatible(cell).split(whereSeparator: { !$0.isASCII || !$0.isWholeNumber }) {
                if piece.utf8.count == 4, let year = Int(piece), (1990...2100).contains(year) { return year }
            }
        }
        return nil
    }

    /// What is wrong with a record before any cell is read.
    private func structureProblem(of record: SheetRow, headers: HeaderMap) -> RowProblem? {
        if record.isBlank { return .blank }
        var same = 0
        for (cell, (header, target)) in zip(record.cells, zip(headers.headers, headers.targets)) where target != nil {
            if Cleaning.text(cell) == header { same += 1 }
        }
        if same >= 3 { return .repeatedHeader }
        let extra = record.cells.dropFirst(headers.headers.count)
        return extra.contains { !Cleaning.text($0).isEmpty } ? .tooManyCells : nil
    }

    private func read(_ record: SheetRow, into row: inout ParsedRow, columns: inout [Column]) {
        var number: (IdentityNumber, Column)?
        for index in columns.indices where columns[index].position < record.cells.count {
            let column = columns[index]
            let field = column.reader.field
            let part = template.parts[column.part]
            if case .identityDigest = field.kind, digest == nil { continue }
            func note(_ problem: CellProblem, _ words: String? = nil) -> CellNote {
                CellNote(column: column.position, header: column.header, problem: problem, words: words)
            }
            switch columns[index].reader.read(record.cells[column.position]) {
            case .blank: break
            case .refused(let problem): row.notes.append(note(problem))
            case .value(let value): row.set(field.name, value, of: column.part)
            case .masked(let text):
                row.edit(column.part) { $0.masked[field.name] = .init(text: text, note: note(.masked)) }
            case .identity(let identity):
                number = (identity, column)
                row.identityNote = note(.identityShared)
                if let digest { row.set(field.name, .text(digest(identity.canonical)), of: column.part) }
            case .unresolved(let words):
                let target = part.unresolved[field.name].flatMap { catalogue[part.collection]?[$0] }
                guard let target, target.kind.problem(with: .text(words)) == nil else {
                    row.notes.append(note(.unknownName))
                    continue
                }
                row.set(target.name, .text(words), of: column.part)
                row.notes.append(note(.unknownName, words))
            }
        }
        if let (identity, column) = number { infer(from: identity, into: &row, part: column.part) }
    }

    /// Fills blank fields from what a valid identity number says.
    private func infer(from identity: IdentityNumber, into row: inout ParsedRow, part position: Int) {
        let part = template.parts[position]
        let facts: [(SheetTemplate.IdentityFact, String?)] = [
            (.birth, identity.birth?.text), (.gender, identity.gender), (.divisionOfIssue, identity.division),
        ]
        for (fact, text) in facts {
            guard let text, let name = part.identityFacts[fact], let field = catalogue[part.collection]?[name],
                row.parts[position]?.values[name] == nil, field.kind.problem(with: .text(text)) == nil
            else { continue }
            row.edit(position) {
                $0.values[name] = .text(text)
                $0.inferred.insert(name)
            }
        }
    }

    /// Refuses rows whose cells moved, and rows without what the sheet is about.
    private func judge(_ row: inout ParsedRow, record: SheetRow, headers: HeaderMap, columns: [Column]) {
        let foreign = row.notes.count { $0.problem.isForeign }
        let hasWrongLength = record.cells.count != headers.headers.count
        if record.cells.count > headers.headers.count, row.notes.contains(where: \.isRefusal) {
            row.problem = .tooManyCells
            return
        }
        // One odd cell is a slip of whoever typed it. Two, or one in a row of the wrong length, are cells that moved.
        if foreign >= 2 || (hasWrongLength && foreign >= 1) {
            row.problem = .shifted
            return
        }
        guard let root = template.parts.first, let collection = catalogue[root.collection] else { return }
        for field in collection.fields where field.required && field.initial.isNull && field.derivation == nil {
            if row.parts[0]?.values[field.name] != nil || root.constants[field.name] != nil { continue }
            if root.references[field.name] != nil { continue }
            let column = columns.first { $0.part == 0 && $0.reader.field.name == field.name }
            let isRefused = row.notes.contains { $0.column == column?.position }
            row.problem = isRefused ? .unreadableRequired : .missingRequired
        }
    }

    /// Adds what holds for all rows to the parts that the row speaks of.
    private func finish(
        _ row: inout ParsedRow, record: SheetRow, columns: [Column], givens: [[FieldName: Value]]
    ) {
        for (position, part) in template.parts.enumerated() {
            if let absorbs = part.absorbs { absorb(absorbs.part, into: position, of: &row, when: absorbs.when) }
        }
        for (position, part) in template.parts.enumerated() {
            if row.parts[position] == nil, let other = part.follows,
                let leader = template.parts.firstIndex(where: { $0.name == other }), row.parts[leader] != nil
            {
                row.edit(position) { _ in }
            }
            guard row.parts[position] != nil else { continue }
            var given = givens[position]
            for hint in part.hints {
                guard
                    let column = columns.first(where: { $0.part == position && $0.reader.field.name == hint.source }),
                    column.position < record.cells.count, record.cells[column.position].contains(hint.word)
                else { continue }
                given[hint.field] = hint.value
            }
            row.edit(position) { parsed in
                parsed.given = given.filter { parsed.values[$0.key] == nil }
            }
        }
    }

    /// Moves another part's values into a part that they belong to, unless the two contradict each other.
    private func absorb(_ name: String, into position: Int, of row: inout ParsedRow, when condition: Condition) {
        guard let parsed = row.parts[position],
            condition.holds({ parsed.values[FieldName($0)].map { [$0] } ?? [] }),
            let other = template.parts.firstIndex(where: { $0.name == name }), other != position,
            let absorbed = row.parts[other]
        else { return }
        let contradicts = absorbed.values.contains { field, value in
            parsed.values[field].map { $0 != value } ?? false
        }
        guard !contradicts else { return }
        row.edit(position) { $0.values.merge(absorbed.values) { own, _ in own } }
        row.parts[other] = nil
    }

    private func warnings(headers: HeaderMap, columns: [Column], year: Int?, isEmpty: Bool) -> [SheetWarning] {
        var warnings: [SheetWarning] = []
        if digest == nil, columns.contains(where: { $0.reader.field.kind == .identityDigest }) {
            warnings.append(.identityColumnDropped)
        }
        if isEmpty { warnings.append(.noRows) }
        let needsYear = template.parts.enumerated().contains { position, part in
            part.sheetYear.contains { name in
                headers.targets.contains { $0?.part == position }
                    && !headers.targets.contains(ColumnTarget(part: position, field: name))
            }
        }
        if year == nil, needsYear { warnings.append(.yearUnknown) }
        return warnings
    }
}

extension ParsedRow {
    /// Changes a part, making it if the row said nothing of it yet.
    mutating func edit(_ part: Int, _ change: (inout ParsedPart) -> Void) {
        var parsed = parts[part] ?? ParsedPart()
        change(&parsed)
        parts[part] = parsed
    }

    mutating func set(_ field: FieldName, _ value: Value, of part: Int) {
        edit(part) { $0.values[field] = value }
    }
}
