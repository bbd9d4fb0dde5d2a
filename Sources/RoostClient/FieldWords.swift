package import RoostSchema
package import RoostSheets
import RoostText

/// Reads `field=value` as people type it: a field by its name or label, a value by label, name or code.
package struct FieldWords {
    private let catalogue: Catalogue
    private let directory: NameDirectory

    package init(catalogue: Catalogue, directory: NameDirectory) {
        self.catalogue = catalogue
        self.directory = directory
    }

    package struct Assignment: Hashable, Sendable {
        package let collection: CollectionName
        package let field: Field
        package let value: TypedValue

        package static func == (left: Self, right: Self) -> Bool {
            left.collection == right.collection && left.field.name == right.field.name && left.value == right.value
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(collection)
            hasher.combine(field.name)
        }
    }

    /// Reads one assignment, whose field is looked for in the collections in their order.
    ///
    /// `collection.field` names one of them.
    package func assignment(
        _ text: String, in collections: [CollectionName]
    ) throws(ClientError) -> Assignment {
        guard let sign = text.firstIndex(where: { $0 == "=" || $0 == "＝" }) else { throw .malformedAssignment(text) }
        let (collection, field) = try self.field(String(text[..<sign]), in: collections)
        let words = String(text[text.index(after: sign)...])
        let index = directory.index(for: field, of: collection)
        if field.target != nil, let id = RowID(words) {
            return Assignment(collection: collection, field: field, value: .value(.id(id)))
        }
        do throws(CellProblem) {
            return Assignment(
                collection: collection, field: field, value: try TypedValue(reading: words, as: field, in: index))
        } catch {
            if field.derivation != nil { throw .derivedField(field.label) }
            throw .invalidValue(field.label, advice: Self.allowed(error, field) ?? error.advice)
        }
    }

    /// The values that a field of a closed list takes.
    private static func allowed(_ problem: CellProblem, _ field: Field) -> Label? {
        guard problem == .unknownCode, case .code(let codes) = field.kind else { return nil }
        return Label(
            "应为其中之一：" + codes.map(\.label.zh).joined(separator: "、"),
            "is one of: " + codes.map(\.label.en).joined(separator: ", "))
    }

    /// The field of an assignment, if there is one of its name.
    package func field(of assignment: String, in collections: [CollectionName]) -> Field? {
        let name = assignment.prefix { $0 != "=" && $0 != "＝" }
        return (try? field(String(name), in: collections))?.1
    }

    /// Finds a field by its English name, a label or a sheet header.
    package func field(
        _ text: String, in collections: [CollectionName]
    ) throws(ClientError) -> (CollectionName, Field) {
        var word = Cleaning.text(text)
        var places = collections
        if let dot = word.firstIndex(of: "."), let named = self.collection(String(word[..<dot]), in: collections) {
            places = [named]
            word = String(word[word.index(after: dot)...])
        }
        // What people may write comes before what the server derives, and the field's own name before its labels.
        let all = places.compactMap { catalogue[$0] }.flatMap { collection in
            collection.fields.map { (collection.name, $0) }
        }
        let key = HanFolding.matchingKey(word)
        let ways: [(Field) -> Bool] = [
            { $0.name.text == word },
            { HanFolding.matchingKey($0.label.zh) == key || HanFolding.matchingKey($0.label.en) == key },
            { $0.headers.contains { HanFolding.matchingKey($0) == key } },
        ]
        for isWritable in [true, false] {
            for way in ways {
                if let found = all.first(where: { ($0.1.derivation == nil) == isWritable && way($0.1) }) {
                    return found
                }
            }
        }
        throw .unknownField(text)
    }

    private func collection(_ word: String, in collections: [CollectionName]) -> CollectionName? {
        collections.first { name in
            guard let collection = catalogue[name] else { return false }
            return name.text == word || collection.label.zh == word
                || collection.label.en.lowercased() == word.lowercased()
        }
    }
}
