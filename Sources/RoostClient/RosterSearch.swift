package import RoostStore
import RoostSchema
import RoostSync
import RoostText

/// What somebody typed to find students: every word must match, each in whichever way it can.
///
/// A word of Han characters matches names and schools, a Latin one the spelling or initials of a name, a year the
/// year of leaving school.
package struct RosterSearch {
    private let replica: Replica

    package init(_ replica: Replica) { self.replica = replica }

    package func terms(_ words: [String]) throws -> [SearchTerm] {
        try words.flatMap { $0.split { $0.isWhitespace }.map(String.init) }.map(term)
    }

    private func term(_ word: String) throws -> SearchTerm {
        let key = HanFolding.matchingKey(word)
        var related: [SearchTerm.Related] = []
        if let year = year(word) {
            related.append(.init("schooling", via: "student", field: "cohort", .oneOf([.integer(year)])))
        } else if Cleaning.hasHan(word) || key.utf8.count >= 4 {
            let schools = try replica.rows(of: "school").filter { school in
                names(of: school).contains { HanFolding.matchingKey($0).contains(key) }
            }
            related.append(
                .init("schooling", via: "student", field: "school", .oneOf(schools.map { .id($0.row.key.id) })))
            related.append(.init("schooling", via: "student", field: "school_name", .contains(word)))
        }
        let isLatin = key.utf8.allSatisfy { $0 < 0x80 }
        return SearchTerm(folded: isLatin ? "" : key, spelled: isLatin ? key.filter(\.isLetter) : "", related: related)
    }

    private func names(of school: ShownRow) -> [String] {
        guard let collection = replica.rules.catalogue["school"] else { return [] }
        let name = collection.position(of: FieldName("name")).flatMap { school.row.values[$0].text }
        let aliases = collection.position(of: FieldName("aliases")).flatMap { school.row.values[$0].list } ?? []
        return [name].compactMap(\.self) + aliases.compactMap(\.text)
    }

    /// `2026`, `2026届`.
    private func year(_ word: String) -> Int64? {
        let digits = word.hasSuffix("届") ? String(word.dropLast()) : word
        guard digits.utf8.count == 4, let year = Int64(digits), (1950...2100).contains(year) else { return nil }
        return year
    }
}
