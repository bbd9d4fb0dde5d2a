package import RoostSchema
import RoostText

/// Where a column of a sheet goes: a field of a part of the template.
package struct ColumnTarget: Hashable, Sendable {
    /// Position of the part in the template.
    package let part: Int
    package let field: FieldName

    /// Names a field of a part.
    package init(part: Int, field: FieldName) {
        self.part = part
        self.field = field
    }
}

/// Which column means which field, found from the catalogue's labels and synonyms.
package struct HeaderMap: Sendable {
    /// Position of the header in the sheet's records.
    package let headerIndex: Int
    /// The headers as written.
    package let headers: [String]
    /// For each column its target, nil for columns that are unknown or ignored.
    package let targets: [ColumnTarget?]
    /// Columns that have a header and mean nothing known; reported, so that nobody takes them for imported.
    package let unknownColumns: [String]

    /// The column that the error sheet adds, and that a corrected sheet brings back.
    package static let reasonHeader = "原因"

    /// Finds the header row, the first record with three known headers, and maps its columns.
    /// - Throws: ``SheetError`` when there is no header row, when two columns mean the same field, and when the first
    ///   part lacks a column for something required.
    package init(of sheet: Sheet, template: SheetTemplate, catalogue: Catalogue) throws(SheetError) {
        let words = HeaderWords(template: template, catalogue: catalogue)
        guard
            let found = sheet.rows.firstIndex(where: { row in
                Set(row.cells.compactMap { words.target(of: $0) }).count >= 3
            })
        else { throw .noHeader }
        headerIndex = found
        headers = sheet.rows[found].cells.map { Cleaning.text($0) }
        var targets: [ColumnTarget?] = []
        var columns: [ColumnTarget: Int] = [:]
        var unknown: [String] = []
        for (column, header) in headers.enumerated() {
            let target = words.target(of: header)
            if let target {
                if let other = columns[target] {
                    throw .duplicateColumns(first: headers[other], second: header)
                }
                columns[target] = column
            } else if !header.isEmpty, !words.isIgnored(header) {
                unknown.append(header)
            }
            targets.append(target)
        }
        self.targets = targets
        unknownColumns = unknown
        guard let root = template.parts.first, let collection = catalogue[root.collection] else { return }
        for field in collection.fields where field.required && field.initial.isNull && field.derivation == nil {
            let given = columns[ColumnTarget(part: 0, field: field.name)] != nil
            if !given, root.constants[field.name] == nil, root.references[field.name] == nil {
                throw .missingColumn(field.label)
            }
        }
    }

    /// How well a template fits a sheet: the headers it knows, and once more those that tell its sort of sheet.
    ///
    /// Nil if the sheet has no header row, or none of the headers that such a sheet must have one of.
    package static func score(of sheet: Sheet, template: SheetTemplate, catalogue: Catalogue) -> Int? {
        let words = HeaderWords(template: template, catalogue: catalogue)
        for row in sheet.rows {
            let known = Set(row.cells.compactMap { words.target(of: $0) }).count
            guard known >= 3 else { continue }
            let telling = row.cells.count { words.isTelling($0) }
            return telling == 0 && !template.tellingHeaders.isEmpty ? nil : known + telling
        }
        return nil
    }
}

/// Every header that a template and its catalogue know.
private struct HeaderWords {
    private var targets: [String: ColumnTarget] = [:]
    private var ignored: Set<String> = []
    private let telling: Set<String>

    init(template: SheetTemplate, catalogue: Catalogue) {
        telling = Set(template.tellingHeaders.map(Self.key))
        ignored = Set((template.ignoredHeaders + [HeaderMap.reasonHeader]).map(Self.key))
        // What the sheet says of itself comes before what the catalogue says, and an earlier part before a later one.
        for (position, part) in template.parts.enumerated() {
            for (field, headers) in part.headers {
                for header in headers { add(header, ColumnTarget(part: position, field: field)) }
            }
        }
        for (position, part) in template.parts.enumerated() {
            guard let collection = catalogue[part.collection] else { continue }
            for field in collection.fields where Self.accepts(part, field) {
                let target = ColumnTarget(part: position, field: field.name)
                for header in [field.label.zh, field.label.en] + field.headers { add(header, target) }
            }
        }
    }

    private mutating func add(_ header: String, _ target: ColumnTarget) {
        let key = Self.key(header)
        if targets[key] == nil { targets[key] = target }
    }

    private static func accepts(_ part: SheetTemplate.Part, _ field: Field) -> Bool {
        field.derivation == nil && part.constants[field.name] == nil && part.references[field.name] == nil
            && (part.fields?.contains(field.name) ?? true)
    }

    func isTelling(_ header: String) -> Bool { telling.contains(Self.key(header)) }

    func isIgnored(_ header: String) -> Bool { ignored.contains(Self.key(header)) }

    func target(of header: String) -> ColumnTarget? {
        let key = Self.key(header)
        guard !key.isEmpty, !ignored.contains(key) else { return nil }
        if let target = targets[key] { return target }
        // 曾用名/英文名: a header that offers several words means what its first known word means.
        let words = key.split(separator: "/")
        return words.count > 1 ? words.lazy.compactMap { targets[String($0)] }.first : nil
    }

    /// A header as it is compared: without stars, blanks, and hints in brackets such as （必填） or (YYYY-MM).
    private static func key(_ header: String) -> String {
        var key = NameIndex.key(header).filter { $0 != "*" && $0 != ":" }
        while key.hasSuffix(")"), let open = key.lastIndex(of: "("), open != key.startIndex {
            key = String(key[..<open])
        }
        return key
    }
}
