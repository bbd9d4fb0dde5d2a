/// The part of the check that is about sheets.
extension Catalogue {
    func check(_ template: SheetTemplate, _ report: inout ProblemReport) {
        let place = "template \(template.name)"
        report.label(template.label, place)
        report.unique(template.parts.map(\.name), place)
        var owners: [String: String] = [:]
        for part in template.parts {
            check(part, of: template, &report)
            for (field, headers) in part.headers {
                let owner = "\(part.name).\(field)"
                for header in Set(headers) where owners.updateValue(owner, forKey: header) != nil {
                    report.add(.duplicateHeader, "\(place): \(header)")
                }
            }
        }
        for term in template.evidence.flatMap({ $0.terms + ($0.confirmedBy.map { [$0] } ?? []) }) {
            guard let part = template.parts.first(where: { $0.name == term.part }),
                let collection = self[part.collection]
            else {
                report.add(.unknownPart, "\(place): \(term.part)")
                continue
            }
            report.field(term.field.text, in: collection, place)
        }
    }

    private func check(_ part: SheetTemplate.Part, of template: SheetTemplate, _ report: inout ProblemReport) {
        let place = "template \(template.name): \(part.name)"
        guard let collection = report.collection(part.collection, in: self, place) else { return }
        let named = [
            Array(part.headers.keys), Array(part.references.keys), Array(part.fields ?? []),
            Array(part.spellings.keys), Array(part.unresolved.keys), Array(part.unresolved.values),
            Array(part.sheetYear), Array(part.identityFacts.values), part.identity.flatMap { $0 },
            part.among.names.map { FieldName($0) }, Array(part.importMoment), Array(part.landLines),
            part.hints.flatMap { [$0.field, $0.source] },
        ]
        for name in Set(named.flatMap { $0 }) { report.field(name.text, in: collection, place) }
        report.values(part.constants, of: collection, place)
        for (name, words) in part.spellings {
            for value in words.values { report.values([name: value], of: collection, place) }
        }
        for hint in part.hints { report.values([hint.field: hint.value], of: collection, place) }
        let others = Array(part.references.values) + [part.follows, part.absorbs?.part].compactMap { $0 }
        for name in others where !template.parts.contains(where: { $0.name == name }) {
            report.add(.unknownPart, "\(place): \(name)")
        }
    }
}
