/// Why an audience cannot be used, though it may be well written.
package enum AudienceProblem: Error, Hashable, Sendable {
    case syntax(ConditionProblem)
    /// No facet and no field has this name.
    case unknownName(String)
    /// The word is none of the field's closed list, or no value of its kind.
    case unknownWord(name: String, word: String)
    /// The field has no order, or nothing that can begin with a word.
    case wrongComparison(name: String)

    /// Stable, for machines.
    package var code: String {
        switch self {
        case .syntax(let problem): problem.code.rawValue
        case .unknownName: "unknown_name"
        case .unknownWord: "unknown_word"
        case .wrongComparison: "wrong_comparison"
        }
    }
}

/// From what people write (`level>=本科 and dfc=yes`) to what is stored and compared (`level in (21,14,11) and …`).
extension Catalogue {
    /// Reads an audience about rows of `collection`; blank text is everybody.
    package func audience(_ text: String, about collection: CollectionName) throws(AudienceProblem) -> Condition {
        if text.allSatisfy(\.isWhitespace) { return .always }
        let condition: Condition
        do {
            condition = try Condition(parsing: text)
        } catch {
            throw .syntax(error)
        }
        return try resolving(condition, about: collection)
    }

    /// The same condition in stored values: words become codes, and comparisons of ordered codes become sets.
    ///
    /// `yes` and `no` ask of a number whether there is one; of a list whether it holds the word so spelt.
    package func resolving(
        _ condition: Condition, about collection: CollectionName
    ) throws(AudienceProblem) -> Condition {
        switch condition {
        case .always, .never, .compare(_, _, .principal):
            return condition
        case .not(let part):
            return .not(try resolving(part, about: collection))
        case .all(let parts):
            return .all(try resolving(parts, about: collection))
        case .any(let parts):
            return .any(try resolving(parts, about: collection))
        case .compare(let name, let comparison, .value(let value)):
            guard let term = term(named: name, about: collection) else { throw .unknownName(name) }
            return try term.resolved(comparison, value)
        }
    }

    private func resolving(
        _ parts: [Condition], about collection: CollectionName
    ) throws(AudienceProblem) -> [Condition] {
        var resolved: [Condition] = []
        for part in parts { resolved.append(try resolving(part, about: collection)) }
        return resolved
    }

    /// What a name in a condition about rows of `collection` stands for: a facet first, then a field.
    func term(named name: String, about collection: CollectionName) -> AudienceTerm? {
        if let facet = facets.first(where: { $0.name == name }), let field = field(of: facet) {
            return AudienceTerm(
                name: name, label: facet.label, kind: field.kind, phrase: facet.phrase,
                matchesPrefix: facet.matchesPrefix)
        }
        guard let declared = self[collection], let position = declared.position(of: name) else { return nil }
        let field = declared.fields[position]
        return AudienceTerm(name: name, label: field.label, kind: field.kind, phrase: nil, matchesPrefix: false)
    }

    /// The field whose values a facet compares.
    package func field(of facet: Facet) -> Field? {
        guard let field = self[facet.collection]?[facet.field] else { return nil }
        guard let through = facet.through else { return field }
        return field.target.flatMap { self[$0]?[through] }
    }
}

/// A name in an audience with what is needed to read its values.
struct AudienceTerm {
    let name: String
    let label: Label
    let kind: FieldKind
    let phrase: Label?
    let matchesPrefix: Bool

    func resolved(_ comparison: Condition.Comparison, _ value: Value) throws(AudienceProblem) -> Condition {
        if value.isNull {
            guard comparison == .equal || comparison == .notEqual else { throw .wrongComparison(name: name) }
            return .compare(name, comparison, .value(.null))
        }
        switch kind {
        case .code(let codes):
            return try resolved(comparison, value, codes)
        case .integer, .instant:
            return try resolvedNumber(comparison, value)
        case .boolean:
            guard comparison == .equal || comparison == .notEqual else { throw .wrongComparison(name: name) }
            return .compare(name, comparison, .value(.boolean(try truth(of: value))))
        case .reference:
            guard comparison == .equal || comparison == .notEqual || comparison == .oneOf else {
                throw .wrongComparison(name: name)
            }
            guard (value.list ?? [value]).allSatisfy({ $0.id != nil }) else { throw unknown(value) }
            return .compare(name, comparison, .value(value))
        case .structure, .predicate, .identityDigest:
            throw .wrongComparison(name: name)
        case .text, .personName, .openCode, .partialDate, .date, .phone, .email, .url, .tags:
            return try resolvedText(comparison, value)
        }
    }

    private func resolved(
        _ comparison: Condition.Comparison, _ value: Value, _ codes: [Code]
    ) throws(AudienceProblem) -> Condition {
        func set(_ kept: ArraySlice<Code>) -> Condition {
            .compare(name, .oneOf, .value(.list(kept.map { .text($0.value) })))
        }
        if comparison == .oneOf {
            var values: [Value] = []
            for word in value.list ?? [value] { values.append(.text(codes[try position(of: word, codes)].value)) }
            return .compare(name, .oneOf, .value(.list(values)))
        }
        let position = try position(of: value, codes)
        switch comparison {
        case .equal, .notEqual: return .compare(name, comparison, .value(.text(codes[position].value)))
        case .greaterOrEqual: return set(codes[position...])
        case .greater: return set(codes[(position + 1)...])
        case .lessOrEqual: return set(codes[...position])
        case .less: return set(codes[..<position])
        case .hasPrefix, .oneOf: throw .wrongComparison(name: name)
        }
    }

    private func position(of value: Value, _ codes: [Code]) throws(AudienceProblem) -> Int {
        guard let word = Self.word(value), let position = codes.position(ofWord: word) else { throw unknown(value) }
        return position
    }

    private func resolvedNumber(
        _ comparison: Condition.Comparison, _ value: Value
    ) throws(AudienceProblem) -> Condition {
        if let boolean = value.boolean {
            guard comparison == .equal || comparison == .notEqual else { throw .wrongComparison(name: name) }
            let exists = Condition.compare(name, .greaterOrEqual, .value(.integer(.min)))
            return boolean == (comparison == .equal) ? exists : .not(exists)
        }
        guard comparison != .hasPrefix else { throw .wrongComparison(name: name) }
        guard (value.list ?? [value]).allSatisfy({ $0.integer != nil }) else { throw unknown(value) }
        return .compare(name, comparison, .value(value))
    }

    private func resolvedText(_ comparison: Condition.Comparison, _ value: Value) throws(AudienceProblem) -> Condition {
        var words: [Value] = []
        for part in value.list ?? [value] {
            guard let word = Self.word(part) else { throw unknown(part) }
            words.append(.text(word))
        }
        func term(_ comparison: Condition.Comparison, _ word: Value) -> Condition {
            .compare(name, comparison, .value(word))
        }
        guard matchesPrefix else {
            return comparison == .oneOf ? term(.oneOf, .list(words)) : term(comparison, words[0])
        }
        switch comparison {
        case .equal: return term(.hasPrefix, words[0])
        case .notEqual: return .not(term(.hasPrefix, words[0]))
        case .oneOf: return .any(words.map { term(.hasPrefix, $0) })
        default: return term(comparison, words[0])
        }
    }

    private func truth(of value: Value) throws(AudienceProblem) -> Bool {
        if let boolean = value.boolean { return boolean }
        switch value.text {
        case "是": return true
        case "否": return false
        default: throw unknown(value)
        }
    }

    /// A value as the word it was written as: `2017`, `yes` and `中职` are all words where a word is wanted.
    static func word(_ value: Value) -> String? {
        switch value {
        case .text(let text): text
        case .integer(let integer): "\(integer)"
        case .boolean(let boolean): boolean ? "yes" : "no"
        case .null, .real, .id, .list, .object: nil
        }
    }

    private func unknown(_ value: Value) -> AudienceProblem {
        .unknownWord(name: name, word: Self.word(value) ?? "")
    }
}

extension [Code] {
    /// The position of the code that a word means: its value, either label or a synonym, in any case.
    package func position(ofWord word: String) -> Int? {
        if let exact = firstIndex(where: { $0.value == word }) { return exact }
        let lower = word.lowercased()
        return firstIndex { code in
            code.label.zh.lowercased() == lower || code.label.en.lowercased() == lower
                || code.synonyms.contains { $0.lowercased() == lower }
        }
    }
}
