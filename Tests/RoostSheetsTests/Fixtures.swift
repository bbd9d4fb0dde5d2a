import Foundation
import RoostModel
import RoostSchema
import RoostSheets
import RoostText

/// What the manifest says of the test sheets, as far as the tests read it.
struct Manifest: Decodable {
    struct File: Decodable {
        struct Column: Decodable {
            let col: Int
            let header: String
            let field: String
        }
        struct Expectation: Decodable {
            let action: String
            let rows_kept: Int?
            let rows_refused: Int?
        }
        struct Defect: Decodable {
            let row: Int?
            let line: Int?
            let field: String?
            let kind: String
            let raw: String?
            let action: String
            let value: String?
            let also_ok: [String]?
            let also_value: String?
        }
        let path: String
        let header_row: Int?
        let rows_after_header: Int
        let columns: [Column]?
        let expect: Expectation
        let defects: [Defect]
    }
    struct Pairs: Decodable {
        struct Link: Decodable {
            let a_row: Int
            let b_row: Int
            let evidence: String
        }
        let a: String
        let b: String
        let links: [Link]
        let not_links: [Link]
    }
    struct SharedPhones: Decodable {
        let rows: [[Int]]
    }
    let files: [File]
    let pairs: [Pairs]
    let shared_phones: SharedPhones

    func file(_ path: String) throws -> File {
        guard let file = files.first(where: { $0.path == path }) else { throw FixtureError.missing(path) }
        return file
    }
}

enum FixtureError: Error {
    case missing(String)
}

/// The test sheets and the lists that they are read with.
enum Rosters {
    static let bureau = "education-bureau-2025.csv"
    static let members = "alliance-members.csv"
    /// 2025-09-12, the day the sheets are written for.
    static let moment: Int64 = 1_757_635_200_000

    static func bytes(_ path: String) throws -> [UInt8] {
        guard let folder = Bundle.module.resourceURL else { throw FixtureError.missing(path) }
        return Array(try Data(contentsOf: folder.appending(path: "Rosters").appending(path: path)))
    }

    static let manifest = Result { try JSONDecoder().decode(Manifest.self, from: Data(try bytes("manifest.json"))) }

    /// The lists that ship with the product, read from the repository.
    static func list(_ name: String) throws -> [[String]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appending(path: "Config").appending(path: name))
        return try Sheet(reading: Array(data)).rows.dropFirst().map(\.cells)
    }

    /// Official names by the identity of their rows, to turn references back into words.
    struct Lists {
        let directory: NameDirectory
        let names: [Value: String]
    }

    static let lists = Result { try makeLists() }

    private static func makeLists() throws -> Lists {
        var names: [Value: String] = [:]
        var schools = NameIndex()
        func addSchool(_ name: String, code: String) -> Value {
            let value = Value.id(Programme.schoolRow(code: code, name: name))
            schools.add(name, for: value)
            names[value] = name
            return value
        }
        for row in try list("schools.csv") { _ = addSchool(row[1], code: row[0]) }
        for row in try list("senior-schools.csv") {
            let value = addSchool(row[0], code: "")
            for alias in row[2].split(separator: "|") { schools.add(String(alias), for: value) }
        }
        for row in try list("school-aliases.csv") {
            schools.add(row[0], for: .id(Programme.schoolRow(code: row[2], name: row[1])))
        }
        let divisions = try list("divisions.csv").map { Division(code: $0[0], name: $0[1], parent: $0[3]) }
        for division in divisions { names[.text(division.code)] = division.name }
        var chapters = NameIndex(ignoring: SheetTemplates.chapterWords)
        for row in try Sheet(reading: bytes("chapters.csv")).rows.dropFirst() {
            let value = Value.id(RowID(naming: "chapter", row.cells[0]))
            chapters.add(row.cells[0], for: value)
            names[value] = row.cells[0]
        }
        return Lists(
            directory: NameDirectory(
                collections: ["school": schools, "chapter": chapters],
                fields: ["student": ["home_div": NameIndex(divisions: divisions, home: "440784")]]),
            names: names)
    }

    /// A stand-in for the server's keyed digest: injective, of the right form, and it never holds the number.
    static func digest(_ number: [UInt8]) -> String {
        let halves = [
            RowID(naming: "digest", String(decoding: number, as: UTF8.self)), RowID(naming: "again", "\(number)"),
        ]
        return halves.map { $0.description.replacing("-", with: "") }.joined()
    }

    static func template(for path: String) -> SheetTemplate {
        switch path {
        case bureau: SheetTemplates.admissions
        case members: SheetTemplates.members
        default: SheetTemplates.roster
        }
    }

    /// The two large sheets are read once, since a debug build takes seconds for them.
    private static let large = Result { try [bureau, members].map { ($0, try read($0, digest: digest)) } }

    static func parse(_ path: String) throws -> ParsedSheet {
        for (name, sheet) in try large.get() where name == path { return sheet }
        return try read(path, digest: digest)
    }

    static func read(_ path: String, digest: IdentityDigest?) throws -> ParsedSheet {
        try parse(try Sheet(reading: bytes(path)), template: template(for: path), digest: digest)
    }

    static func parse(
        _ sheet: Sheet, template: SheetTemplate, catalogue: Catalogue = .programme,
        digest: IdentityDigest? = Rosters.digest
    ) throws -> ParsedSheet {
        let parser = SheetParser(
            catalogue: catalogue, template: template, directory: try lists.get().directory, moment: moment,
            digest: digest)
        return try parser.parse(sheet)
    }
}

/// Rows in memory, changed by applying plans: what the store is to an import.
struct MemoryStore {
    var catalogue = Catalogue.programme
    var rows: [CollectionName: [RowID: [Value]]] = [:]
    private var nextID: UInt128 = 1

    init() {}

    /// Plans a sheet against what is stored, without storing anything.
    mutating func plan(_ sheet: ParsedSheet) -> ImportPlan {
        let known = KnownRows(
            catalogue: catalogue, template: sheet.template,
            rows: rows.mapValues { $0.sorted { $0.key < $1.key }.map { KnownRow(id: $0.key, values: $0.value) } })
        var next = nextID
        var planner = ImportPlanner(known: known) { _, _ in
            next += 1
            return RowID(bits: next)
        }
        let plan = planner.plan(sheet)
        nextID = next
        return plan
    }

    mutating func apply(_ plan: ImportPlan) {
        for change in plan.rows.flatMap(\.changes) {
            guard let collection = catalogue[change.collection] else { continue }
            var values = rows[change.collection]?[change.id] ?? collection.fields.map(\.initial)
            for (field, value) in change.values {
                if let position = collection.position(of: field) { values[position] = value }
            }
            rows[change.collection, default: [:]][change.id] = values
        }
    }
}
