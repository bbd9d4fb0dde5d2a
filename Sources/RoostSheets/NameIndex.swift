package import RoostSchema
import RoostText

/// Look-up of a name that people write in many ways among the official names and aliases of a list.
///
/// Blanks, width of brackets, quotation marks, case and script do not matter. A name that could mean two things means
/// none: it is left to a person.
package struct NameIndex: Sendable {
    private var values: [String: Value] = [:]
    private var ambiguous: Set<String> = []
    private let ignoredWords: [String]

    /// Makes an empty index.
    /// - Parameter ignoredWords: words that people put before a name or leave out of it, such as 分部; compared as keys.
    package init(ignoring ignoredWords: [String] = []) {
        self.ignoredWords = ignoredWords.map(Self.key)
    }

    /// Adds a name or alias of a value; the same name for two values makes it unusable.
    package mutating func add(_ name: String, for value: Value) {
        add(key: Self.key(name), for: value)
        let core = withoutIgnoredWords(Self.key(name))
        if core != Self.key(name) { add(key: "\u{1}" + core, for: value) }
    }

    /// Adds a name unless the index already has it, for spellings that are guessed rather than known.
    mutating func addIfFree(_ name: String, for value: Value) {
        let key = Self.key(name)
        if values[key] == nil, !ambiguous.contains(key) { values[key] = value }
    }

    private mutating func add(key: String, for value: Value) {
        guard !key.isEmpty, key != "\u{1}" else { return }
        if let known = values[key], known != value {
            ambiguous.insert(key)
        } else {
            values[key] = value
        }
    }

    /// The value a name stands for, nil if it is unknown or could be two.
    package func value(for name: String) -> Value? {
        let key = Self.key(name)
        if let value = found(key) { return value }
        if let campusless = Self.withoutCampus(key), let value = found(campusless) { return value }
        guard !ignoredWords.isEmpty else { return nil }
        let core = withoutIgnoredWords(key)
        return found("\u{1}" + core) ?? found(core)
    }

    private func found(_ key: String) -> Value? {
        ambiguous.contains(key) ? nil : values[key]
    }

    private func withoutIgnoredWords(_ key: String) -> String {
        guard !ignoredWords.isEmpty else { return key }
        var core = key
        for word in ignoredWords { core = core.replacing(word, with: "") }
        return core.filter { $0 != "(" && $0 != ")" }
    }

    /// A name as it is compared.
    static func key(_ name: String) -> String {
        if name.unicodeScalars.allSatisfy({ (0x4E00...0x9FFF).contains($0.value) }) {
            return HanFolding.simplified(name)
        }
        let folded = HanFolding.simplified(Cleaning.compatible(Cleaning.text(name)))
        var key = String.UnicodeScalarView()
        for scalar in folded.unicodeScalars where !scalar.properties.isWhitespace && !quotationMarks.contains(scalar) {
            key.append(scalar)
        }
        return String(key).lowercased()
    }

    private static let quotationMarks = Set("“”\"'‘’「」『』".unicodeScalars)

    /// The key without a campus in brackets at its end; other brackets tell schools apart and stay.
    private static func withoutCampus(_ key: String) -> String? {
        guard key.hasSuffix(")"), let open = key.lastIndex(of: "(") else { return nil }
        let inside = key[key.index(after: open)...].dropLast()
        guard ["校区", "校园", "campus"].contains(where: inside.hasSuffix) else { return nil }
        return String(key[..<open])
    }
}

/// The lists in which a sheet's names are looked up, filled by whoever has the rows.
package struct NameDirectory: Sendable {
    /// By the collection a reference points to.
    package var collections: [CollectionName: NameIndex]
    /// By collection and field, for codes of an open list such as divisions.
    package var fields: [CollectionName: [FieldName: NameIndex]]

    /// Names the lists.
    package init(
        collections: [CollectionName: NameIndex] = [:], fields: [CollectionName: [FieldName: NameIndex]] = [:]
    ) {
        self.collections = collections
        self.fields = fields
    }

    package func index(for field: Field, of collection: CollectionName) -> NameIndex? {
        fields[collection]?[field.name] ?? field.target.flatMap { collections[$0] }
    }
}
