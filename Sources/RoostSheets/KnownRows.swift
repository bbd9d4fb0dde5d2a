package import RoostSchema
import RoostText

/// One stored row, with the values in the order of its collection's fields.
package struct KnownRow: Sendable {
    package let id: RowID
    package let values: [Value]

    /// Names a row and its values.
    package init(id: RowID, values: [Value]) {
        self.id = id
        self.values = values
    }
}

/// The stored rows that a sheet may be about, indexed by the template's evidence.
///
/// The caller supplies live rows of the template's collections, as far as the importing person may see them.
package struct KnownRows: Sendable {
    let catalogue: Catalogue
    let template: SheetTemplate
    private var tables: [CollectionName: [RowID: [Value]]] = [:]
    /// For each part its rows by the row they belong to.
    private var children: [[RowID: [RowID]]]
    /// For each evidence the rows of the first part by key.
    private var evidence: [[String: [RowID]]]

    /// Indexes rows; about 10 µs for each person.
    /// - Parameter rows: rows by collection; collections that the template does not name are ignored.
    package init(catalogue: Catalogue, template: SheetTemplate, rows: [CollectionName: [KnownRow]]) {
        self.catalogue = catalogue
        self.template = template
        children = Array(repeating: [:], count: template.parts.count)
        evidence = Array(repeating: [:], count: template.evidence.count)
        for (name, rows) in rows {
            tables[name] = Dictionary(rows.map { ($0.id, $0.values) }, uniquingKeysWith: { first, _ in first })
        }
        for (position, part) in template.parts.enumerated() {
            guard position > 0, let collection = catalogue[part.collection] else { continue }
            for row in rows[part.collection] ?? [] where part.among.holds(in: collection, row.values) {
                guard let owner = owner(of: row.values, part: part, in: collection) else { continue }
                children[position][owner, default: []].append(row.id)
            }
        }
        if let root = template.parts.first, let collection = catalogue[root.collection] {
            for row in rows[root.collection] ?? [] where root.among.holds(in: collection, row.values) { index(row.id) }
        }
    }

    private func owner(of values: [Value], part: SheetTemplate.Part, in collection: Collection) -> RowID? {
        part.ownerField.flatMap(collection.position(of:)).flatMap { values[$0].id }
    }

    func values(of id: RowID, in collection: CollectionName) -> [Value]? { tables[collection]?[id] }

    /// The stored rows of a part that belong to a row.
    func rows(ofPart position: Int, owner: RowID) -> [RowID] { children[position][owner] ?? [] }

    /// The rows of the first part for which an evidence agrees.
    func matches(_ position: Int, key: String) -> [RowID] { evidence[position][key] ?? [] }

    /// Takes over a planned change, so that later rows of the sheet meet it.
    mutating func apply(_ change: ImportPlan.RowChange) {
        guard let collection = catalogue[change.collection] else { return }
        var values = tables[change.collection]?[change.id] ?? collection.fields.map(\.initial)
        for (field, value) in change.values {
            if let position = collection.position(of: field) { values[position] = value }
        }
        tables[change.collection, default: [:]][change.id] = values
        guard change.kind == .create else { return }
        for (position, part) in template.parts.enumerated() where position > 0 && part.collection == change.collection {
            guard part.among.holds(in: collection, values), let owner = owner(of: values, part: part, in: collection)
            else { continue }
            children[position][owner, default: []].append(change.id)
        }
    }

    /// Makes a row of the first part findable by what it and its parts now hold.
    mutating func index(_ root: RowID) {
        for position in template.evidence.indices {
            for key in keys(of: template.evidence[position], root: root) {
                if evidence[position][key]?.contains(root) ?? false { continue }
                evidence[position][key, default: []].append(root)
            }
        }
    }

    /// Every key of an evidence that a stored row has: one for each combination of its parts' rows.
    private func keys(of evidence: SheetTemplate.Evidence, root: RowID) -> [String] {
        var keys = [""]
        var chosen: [String: [[FieldName: Value]]] = [:]
        for term in evidence.terms {
            guard let position = template.parts.firstIndex(where: { $0.name == term.part }) else { return [] }
            if chosen[term.part] == nil { chosen[term.part] = termRows(part: position, root: root) }
        }
        // Terms of one part must come from the same row, so whole rows are combined, not single terms.
        var combinations: [[String: [FieldName: Value]]] = [[:]]
        for (part, rows) in chosen {
            combinations = combinations.flatMap { combination in
                rows.map { row in combination.merging([part: row]) { first, _ in first } }
            }
        }
        keys = combinations.compactMap { combination in
            evidence.key(in: template, catalogue: catalogue) { combination[$0.part]?[$0.field] }
        }
        return keys
    }

    private func termRows(part position: Int, root: RowID) -> [[FieldName: Value]] {
        let part = template.parts[position]
        guard let collection = catalogue[part.collection] else { return [] }
        let ids = position == 0 ? [root] : rows(ofPart: position, owner: root)
        return ids.compactMap { tables[part.collection]?[$0] }.map { values in
            Dictionary(
                zip(collection.fields, values).lazy.filter { !$1.isNull }.map { ($0.name, $1) },
                uniquingKeysWith: { first, _ in first })
        }
    }
}

extension SheetTemplate.Part {
    /// The reference that says to which row this part belongs: the first in alphabetical order, if there are several.
    var ownerField: FieldName? { references.keys.min() }
}

extension SheetTemplate.Evidence {
    /// The key of an evidence, nil if a term has no value.
    func key(
        in template: SheetTemplate, catalogue: Catalogue, value: (Term) -> Value?
    ) -> String? {
        var key = ""
        for term in terms {
            guard let part = template.parts.first(where: { $0.name == term.part }) else { return nil }
            let piece: String
            if let found = value(term), !found.isNull, let field = catalogue[part.collection]?[term.field] {
                piece = Self.piece(found, field.kind)
            } else if let field = part.unresolved[term.field],
                let words = value(Term(term.part, field))?.text
            {
                piece = "~" + NameIndex.key(words)
            } else {
                return nil
            }
            key += piece + "\u{1F}"
        }
        return key
    }

    /// A value as it is compared between rows: names without regard to script, dates by year.
    private static func piece(_ value: Value, _ kind: FieldKind) -> String {
        switch (value, kind) {
        case (.text(let text), .personName): HanFolding.matchingKey(text)
        case (.text(let text), .partialDate), (.text(let text), .date): String(text.prefix(4))
        case (.text(let text), _): text
        case (.integer(let number), _): String(number)
        case (.id(let id), _): id.description
        default: "\(value)"
        }
    }
}
