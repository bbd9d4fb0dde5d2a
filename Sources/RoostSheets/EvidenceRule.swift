import RoostSchema
import RoostText

/// An evidence of a template with its fields found in the catalogue.
struct EvidenceRule: Sendable {
    struct Term: Sendable {
        let part: Int
        let field: FieldName
        /// Position of the field in its collection.
        let position: Int
        let kind: FieldKind
        /// The field that keeps the words of an unresolved name, and its position.
        let words: (field: FieldName, position: Int)?
    }

    let level: SheetTemplate.Evidence.Level
    let terms: [Term]
    let confirmedBy: Term?
    /// The parts that the terms speak of, each once.
    let parts: [Int]

    /// Finds the fields of an evidence; nil if the catalogue or the template lacks one.
    init?(_ evidence: SheetTemplate.Evidence, template: SheetTemplate, catalogue: Catalogue) {
        func term(_ term: SheetTemplate.Evidence.Term) -> Term? {
            guard let part = template.parts.firstIndex(where: { $0.name == term.part }),
                let collection = catalogue[template.parts[part].collection],
                let position = collection.position(of: term.field)
            else { return nil }
            let words = template.parts[part].unresolved[term.field].flatMap { field in
                collection.position(of: field).map { (field: field, position: $0) }
            }
            return Term(
                part: part, field: term.field, position: position, kind: collection.fields[position].kind, words: words)
        }
        level = evidence.level
        terms = evidence.terms.compactMap(term)
        confirmedBy = evidence.confirmedBy.flatMap(term)
        parts = Array(Set(terms.map(\.part))).sorted()
        guard !terms.isEmpty, terms.count == evidence.terms.count else { return nil }
    }

    /// The key that rows about the same thing share, nil if a term has no value.
    ///
    /// `value` gives the value of a part's field, which is named and at this position of its collection.
    func key(value: (_ part: Int, _ field: FieldName, _ position: Int) -> Value?) -> String? {
        var key = ""
        for term in terms {
            if let found = value(term.part, term.field, term.position), !found.isNull {
                key += SheetTemplate.Evidence.piece(found, term.kind)
            } else if let words = term.words, let found = value(term.part, words.field, words.position)?.text {
                key += "~" + NameIndex.key(found)
            } else {
                return nil
            }
            key += "\u{1F}"
        }
        return key
    }
}

extension SheetTemplate.Evidence {
    /// A value as it is compared between rows: names without regard to script, dates by year.
    static func piece(_ value: Value, _ kind: FieldKind) -> String {
        switch (value, kind) {
        case (.text(let text), .personName): HanFolding.matchingKey(text)
        case (.text(let text), .partialDate), (.text(let text), .date): String(text.prefix(4))
        case (.text(let text), _): text
        case (.integer(let number), _): String(number)
        case (.id(let id), _): String(id.bits, radix: 36)
        default: "\(value)"
        }
    }
}
