/// How an audience is said to people: `2026届·本科及以上·双一流`, in both languages.
extension Catalogue {
    /// The sentence of a condition about rows of `collection`, written or resolved; unknown names are said as they are.
    package func sentence(of condition: Condition, about collection: CollectionName) -> Label {
        switch condition {
        case .always: return Label("全体", "everybody")
        case .never: return Label("无人", "nobody")
        case .not(let part):
            let inner = sentence(of: part, about: collection)
            return part.isCompound
                ? Label("非（\(inner.zh)）", "not (\(inner.en))") : Label("非\(inner.zh)", "not \(inner.en)")
        case .all(let parts):
            return joined(parts, about: collection, Label("·", ", "))
        case .any(let parts):
            return joined(parts, about: collection, Label("或", " or "))
        case .compare(let name, let comparison, .principal):
            return Label("\(name)\(comparison.rawValue)本人", "\(name) \(comparison.rawValue) me")
        case .compare(let name, let comparison, .value(let value)):
            guard let term = term(named: name, about: collection) else {
                let text = Condition.compare(name, comparison, .value(value)).text
                return Label(text, text)
            }
            return term.sentence(comparison, value)
        }
    }

    private func joined(_ parts: [Condition], about collection: CollectionName, _ separator: Label) -> Label {
        let sentences = parts.map { part in
            let inner = sentence(of: part, about: collection)
            return part.isCompound ? Label("（\(inner.zh)）", "(\(inner.en))") : inner
        }
        return Label(
            sentences.map(\.zh).joined(separator: separator.zh), sentences.map(\.en).joined(separator: separator.en))
    }
}

extension Condition {
    fileprivate var isCompound: Bool {
        switch self {
        case .all, .any: true
        case .always, .never, .compare, .not: false
        }
    }
}

extension AudienceTerm {
    func sentence(_ comparison: Condition.Comparison, _ value: Value) -> Label {
        if value.isNull {
            return comparison == .equal
                ? Label("无\(label.zh)", "no \(label.en)") : Label("有\(label.zh)", "any \(label.en)")
        }
        if let boolean = value.boolean, !isList {
            let positive = boolean == (comparison == .equal)
            return positive ? label : Label("非\(label.zh)", "not \(label.en)")
        }
        if case .greaterOrEqual = comparison, value.integer == .min { return label }
        let words = (value.list ?? [value]).map(phrased)
        let word = Label(words.map(\.zh).joined(separator: "、"), words.map(\.en).joined(separator: " or "))
        switch comparison {
        case .equal, .oneOf, .hasPrefix: return word
        case .notEqual: return Label("非\(word.zh)", "not \(word.en)")
        case .greaterOrEqual: return isCode ? Label("\(word.zh)及以上", "\(word.en) or above") : after(word, true)
        case .greater: return isCode ? Label("\(word.zh)以上", "above \(word.en)") : after(word, false)
        case .lessOrEqual: return isCode ? Label("\(word.zh)及以下", "\(word.en) or below") : before(word, true)
        case .less: return isCode ? Label("\(word.zh)以下", "below \(word.en)") : before(word, false)
        }
    }

    private var isCode: Bool { if case .code = kind { true } else { false } }
    private var isList: Bool { if case .code = kind { true } else if case .tags = kind { true } else { false } }

    private func after(_ word: Label, _ inclusive: Bool) -> Label {
        inclusive ? Label("\(word.zh)及以后", "\(word.en) or later") : Label("\(word.zh)以后", "after \(word.en)")
    }

    private func before(_ word: Label, _ inclusive: Bool) -> Label {
        inclusive ? Label("\(word.zh)及以前", "\(word.en) or earlier") : Label("\(word.zh)以前", "before \(word.en)")
    }

    /// One value as said: a code's label, the facet's phrase around it, or name and value.
    private func phrased(_ value: Value) -> Label {
        let word = Self.word(value) ?? "…"
        if case .code(let codes) = kind {
            return codes.position(ofWord: word).map { codes[$0].label } ?? Label(word, word)
        }
        guard let phrase else { return Label(label.zh + word, "\(label.en) \(word)") }
        return Label(Self.filling(phrase.zh, word), Self.filling(phrase.en, word))
    }

    private static func filling(_ phrase: String, _ word: String) -> String {
        phrase.split(separator: "%", omittingEmptySubsequences: false).joined(separator: word)
    }
}
