package import RoostSheets
import RoostModel
import RoostReference
package import RoostSchema
package import RoostStore
import RoostSync

/// The lists in which names are looked up offline: the shipped divisions, and the schools and chapters synchronised.
package struct ReferenceLists: Sendable {
    private let divisions: [Division]

    /// Reads the shipped divisions.
    package init() {
        let list = unsafe roost_reference_divisions()
        let bytes = unsafe Array(UnsafeBufferPointer(start: list.bytes, count: list.count))
        let records = (try? Sheet(reading: bytes))?.rows.dropFirst().map(\.cells) ?? []
        divisions = records.compactMap { cells in
            cells.count >= 4 ? Division(code: cells[0], name: cells[1], parent: cells[3]) : nil
        }
    }

    /// What people call a division, with the county's name before a town's; nil for an unknown code.
    package func name(of code: String) -> String? {
        guard let division = divisions.first(where: { $0.code == code }) else { return nil }
        guard code.utf8.count > 6, let parent = divisions.first(where: { $0.code == division.parent }) else {
            return division.name
        }
        return parent.name + division.name
    }

    /// The names in which references and open codes of the catalogue are looked up.
    ///
    /// `homeDivision` is the code of the county whose towns go by their bare names; `fields` are those that somebody will
    /// look up, nil for all: there are thousands of schools and of divisions.
    package func directory(
        _ replica: Replica, homeDivision: String = "440784", for fields: [Field]? = nil
    ) throws -> NameDirectory {
        var collections: [CollectionName: NameIndex] = [:]
        for collection in replica.rules.catalogue.collections {
            guard let name = collection.position(of: FieldName("name")), collection.name != Programme.subject,
                collection.subject == nil, fields?.contains(where: { $0.target == collection.name }) ?? true
            else { continue }
            var index = NameIndex(ignoring: collection.name == "chapter" ? SheetTemplates.chapterWords : [])
            let aliases = collection.position(of: FieldName("aliases"))
            for shown in try replica.rows(of: collection.name) {
                let id = Value.id(shown.row.key.id)
                if let text = shown.row.values[name].text { index.add(text, for: id) }
                for alias in aliases.flatMap({ shown.row.values[$0].list }) ?? [] {
                    if let text = alias.text { index.add(text, for: id) }
                }
            }
            collections[collection.name] = index
        }
        guard fields?.contains(where: { $0.name == "home_div" }) ?? true else {
            return NameDirectory(collections: collections)
        }
        let places = NameIndex(divisions: divisions, home: homeDivision)
        return NameDirectory(
            collections: collections, fields: [Programme.subject: ["home_div": places]])
    }
}
