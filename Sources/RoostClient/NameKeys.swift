package import RoostSchema
package import RoostStore
import RoostModel
import RoostText

/// The forms of a person's name that people type when they look for somebody.
package enum NameKeys {
    /// Makes the names of a collection findable.
    ///
    /// Of the fields `names` the first orders the list; `spelling` is the field that overrides how it is read.
    package static func search(
        _ collection: RoostSchema.Collection, names: [FieldName], spelling: FieldName?
    ) -> NameSearch {
        let positions = names.compactMap { collection.position(of: $0) }
        let override = spelling.flatMap { collection.position(of: $0) }
        return NameSearch(collection.name) { values in
            let names = positions.compactMap { values[$0].text }
            let first = names.first ?? ""
            let read = override.flatMap { values[$0].text }.map { syllables(written: $0) }
            let spoken = read ?? Pinyin.syllables(of: first)
            var spelled = suffixes(spoken)
            var initials = suffixes(spoken.map { String($0.prefix(1)) })
            for other in names.dropFirst() {
                let words = Pinyin.syllables(of: other)
                spelled += suffixes(words)
                initials += suffixes(words.map { String($0.prefix(1)) })
            }
            return NameSearch.Keys(
                folded: names.map(HanFolding.matchingKey).joined(separator: "\n"), spelled: spelled, initials: initials,
                sortKey: spoken.joined(separator: " ") + "\u{1}" + (read == nil ? Cleaning.personName(first) : first))
        }
    }

    /// The programme's students.
    package static var programme: [NameSearch] {
        guard let student = Catalogue.programme[Programme.subject] else { return [] }
        return [search(student, names: ["name", "other_name"], spelling: "pinyin")]
    }

    /// From each syllable on, each behind a blank.
    private static func suffixes(_ syllables: [String]) -> String {
        var text = ""
        for start in syllables.indices {
            text += " "
            for syllable in syllables[start...] { text += syllable }
        }
        return text
    }

    private static func syllables(written text: String) -> [String] {
        ASCIIWords.split(text, where: ASCIIWords.isLetter)
            ?? text.lowercased().split { !$0.isLetter }.map(String.init)
    }
}
