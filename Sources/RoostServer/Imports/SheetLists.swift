import RoostModel
import RoostReference
import RoostSchema
import RoostSheets
import RoostStore

/// The shipped lists that sheets are read with; they do not change while the server runs.
struct SheetLists: Sendable {
    private let divisions: NameIndex
    private let schoolAliases: [(alias: String, school: RowID)]
    private let seniorAliases: [(alias: String, school: RowID)]

    /// Reads the lists.
    /// - Parameter homeDivision: GB/T 2260 code of the county whose people the sheets are about; its towns go by their
    ///   bare names.
    /// - Throws: ``SheetError`` if a list cannot be read, which is a fault of the build.
    init(homeDivision: String) throws(SheetError) {
        let divisions = try unsafe Self.records(roost_reference_divisions()).compactMap { cells in
            cells.count >= 4 ? Division(code: cells[0], name: cells[1], parent: cells[3]) : nil
        }
        self.divisions = NameIndex(divisions: divisions, home: homeDivision)
        schoolAliases = try unsafe Self.records(roost_reference_school_aliases()).compactMap { cells in
            cells.count >= 3 ? (cells[0], Programme.schoolRow(code: cells[2], name: cells[1])) : nil
        }
        seniorAliases = try unsafe Self.records(roost_reference_senior_schools()).flatMap { cells in
            guard cells.count >= 3 else { return [] as [(String, RowID)] }
            let school = Programme.schoolRow(code: "", name: cells[0])
            return cells[2].split(separator: "|").map { (String($0), school) }
        }
    }

    private static func records(_ list: roost_reference_list) throws(SheetError) -> [[String]] {
        let bytes = unsafe Array(UnsafeBufferPointer(start: list.bytes, count: list.count))
        return try Sheet(reading: bytes).rows.dropFirst().map(\.cells)
    }

    /// The directory of names, with the schools and chapters that are stored now, and those rows' names.
    ///
    /// Only stored rows are referred to: an alias of a school that nobody keeps resolves to nothing.
    func directory(_ reader: RosterReader) throws -> (directory: NameDirectory, names: [RowID: String]) {
        var names: [RowID: String] = [:]
        var schools = NameIndex()
        var aliases = schoolAliases + seniorAliases
        try reader.scan("school", ["name", "aliases"]) { id, values in
            guard let name = values[0].text else { return }
            names[id] = name
            schools.add(name, for: .id(id))
            aliases += (values[1].list ?? []).compactMap(\.text).map { ($0, id) }
        }
        for (alias, school) in aliases where names[school] != nil { schools.add(alias, for: .id(school)) }
        var chapters = NameIndex(ignoring: SheetTemplates.chapterWords)
        try reader.scan("chapter", ["name"]) { id, values in
            guard let name = values[0].text else { return }
            names[id] = name
            chapters.add(name, for: .id(id))
        }
        let directory = NameDirectory(
            collections: ["school": schools, "chapter": chapters], fields: ["student": ["home_div": divisions]])
        return (directory, names)
    }
}
