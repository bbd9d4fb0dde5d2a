package import RoostSchema

/// Tells which stored rows a sheet could be about, from a few of their fields, so that only those are loaded in full.
///
/// It admits too many rather than too few: whatever the planner could match is admitted.
package struct Candidates: Sendable {
    private struct Test: Sendable {
        /// Positions in ``Candidates/fields``.
        let positions: [Int]
        let kinds: [FieldKind]
        var keys: Set<String> = []
    }

    /// The fields of the template's first collection that have to be read.
    package let fields: [FieldName]
    private var tests: [Test] = []
    private let admitsAll: Bool

    /// Gathers what the rows of a sheet say.
    package init(of sheet: ParsedSheet, catalogue: Catalogue) {
        guard let root = sheet.template.parts.first, let collection = catalogue[root.collection] else {
            fields = []
            admitsAll = true
            return
        }
        let terms = sheet.template.evidence.map { evidence in
            evidence.terms.filter { $0.part == root.name }.map(\.field)
        }
        let fields = Array(Set(terms.joined())).sorted()
        self.fields = fields
        // An evidence that says nothing about the row itself could match any.
        admitsAll = terms.contains { $0.isEmpty }
        guard !admitsAll else { return }
        for names in Set(terms) {
            var test = Test(
                positions: names.compactMap { fields.firstIndex(of: $0) },
                kinds: names.compactMap { collection[$0]?.kind })
            for row in sheet.rows {
                guard let part = row.parts.first ?? nil else { continue }
                let values = names.map { part.values[$0] ?? part.given[$0] ?? .null }
                if let key = Self.key(values, test.kinds) { test.keys.insert(key) }
            }
            tests.append(test)
        }
    }

    /// Whether a stored row with these values, in the order of ``fields``, could be one of the sheet's.
    package func admits(_ values: [Value]) -> Bool {
        admitsAll
            || tests.contains { test in
                Self.key(test.positions.map { values[$0] }, test.kinds).map(test.keys.contains) ?? false
            }
    }

    private static func key(_ values: [Value], _ kinds: [FieldKind]) -> String? {
        var key = ""
        for (value, kind) in zip(values, kinds) {
            guard !value.isNull else { return nil }
            key += SheetTemplate.Evidence.piece(value, kind) + "\u{1F}"
        }
        return key
    }
}
