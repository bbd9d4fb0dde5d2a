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
    /// The template's evidence, ready for use.
    let rules: [EvidenceRule]

    /// Indexes rows, which takes some 20 µs for each person.
    /// - Parameters:
    ///   - catalogue: the declaration that the rows follow.
    ///   - template: whose parts and evidence they are indexed for.
    ///   - rows: rows by collection; collections that the template does not name are ignored.
    package init(catalogue: Catalogue, template: SheetTemplate, rows: [CollectionName: [KnownRow]]) {
        self.catalogue = catalogue
        self.template = template
        children = Array(repeating: [:], count: template.parts.count)
        rules = template.evidence.compactMap { EvidenceRule($0, template: template, catalogue: catalogue) }
        evidence = Array(repeating: [:], count: rules.count)
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
        for (position, rule) in rules.enumerated() {
            for key in keys(of: rule, root: root) {
                if evidence[position][key]?.contains(root) ?? false { continue }
                evidence[position][key, default: []].append(root)
            }
        }
    }

    /// Every key of an evidence that a stored row has: one for each combination of its parts' rows.
    ///
    /// Terms of one part must come from the same row, so whole rows are combined, not single terms.
    private func keys(of rule: EvidenceRule, root: RowID) -> [String] {
        var combinations: [[Int: [Value]]] = [[:]]
        for part in rule.parts {
            let ids = part == 0 ? [root] : rows(ofPart: part, owner: root)
            let table = tables[template.parts[part].collection]
            combinations = combinations.flatMap { combination in
                ids.compactMap { table?[$0] }.map { values in
                    var longer = combination
                    longer[part] = values
                    return longer
                }
            }
        }
        return combinations.compactMap { combination in
            rule.key { part, _, position in combination[part]?[position] }
        }
    }
}

extension SheetTemplate.Part {
    /// The reference that says to which row this part belongs: the first in alphabetical order, if there are several.
    var ownerField: FieldName? { references.keys.min() }
}
