import GRDB
import RoostSchema
import RoostSync

/// Our row, not GRDB's.
typealias Row = RoostSync.Row

/// The SQL table of a collection, derived from its declaration.
///
/// System columns come first, in a fixed order; the fields follow in the order of the declaration:
///
/// | column | holds |
/// |---|---|
/// | `id` | the row's identity, 16 bytes |
/// | `sequence` | when the server last changed the row |
/// | `stamp` | the row's stamp, 16 bytes |
/// | `overrides` | stamps of fields that differ, see ``encode(overridesOf:)``; NULL for none |
/// | `deleted` | 0 or 1 |
/// | `deletion` | the stamp of the deletion register; NULL where it is the row's |
/// | `unknown_fields` | JSON object of the fields this catalogue does not know; NULL for none |
///
/// A class because every row read passes it on.
final class RowTable: Sendable {
    let collection: Int
    let declaration: RoostSchema.Collection
    let indexed: [Int]
    let insert: String
    /// As ``insert``, in place of a row that is there: what a replica shows is written whole.
    let replace: String
    let update: String
    let select: String
    let selectByID: String
    /// How each field's column is read.
    let storage: [ColumnStorage]
    /// The fields' names in UTF-8.
    private let names: [[UInt8]]

    private static let system = ["id", "sequence", "stamp", "overrides", "deleted", "deletion", "unknown_fields"]

    init(_ collection: Int, _ declaration: RoostSchema.Collection, indexed: [Int]) {
        self.collection = collection
        self.declaration = declaration
        self.indexed = indexed
        let columns = Self.system + declaration.fields.map(\.name.text)
        let name = declaration.name.text
        let quoted = columns.map { "\"\($0)\"" }
        insert =
            "INSERT INTO \"\(name)\" (\(quoted.joined(separator: ", "))) VALUES ("
            + Array(repeating: "?", count: columns.count).joined(separator: ", ") + ")"
        replace = "INSERT OR REPLACE" + insert.dropFirst("INSERT".count)
        // The identity is bound last, so that both statements bind the other columns at the same places.
        update =
            "UPDATE \"\(name)\" SET "
            + quoted.enumerated().dropFirst().map { "\($1) = ?\($0 + 1)" }.joined(separator: ", ") + " WHERE id = ?1"
        select = "SELECT \(quoted.joined(separator: ", ")) FROM \"\(name)\""
        selectByID = select + " WHERE id = ?"
        storage = declaration.fields.map { ColumnStorage($0.kind) }
        names = declaration.fields.map { Array($0.name.text.utf8) }
    }

    /// Creates the table, or adds the columns and indexes a later declaration brought.
    ///
    /// Only ever adds: a field that was withdrawn keeps its column and values. New columns are NULL everywhere and cost
    /// nothing until used.
    func prepare(_ db: Database) throws {
        let name = declaration.name.text
        if try db.tableExists(name) {
            let existing = Set(try db.columns(in: name).map(\.name))
            for field in declaration.fields where !existing.contains(field.name.text) {
                try db.execute(sql: "ALTER TABLE \"\(name)\" ADD COLUMN \(Self.column(field))")
            }
        } else {
            let fields = declaration.fields.map { "\n    , \(Self.column($0))" }.joined()
            try db.execute(
                sql: """
                    CREATE TABLE "\(name)" (
                        id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16)
                        , sequence INTEGER NOT NULL
                        , stamp BLOB NOT NULL CHECK (length(stamp) = 16)
                        , overrides BLOB
                        , deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1))
                        , deletion BLOB
                        , unknown_fields TEXT\(fields)
                    ) STRICT
                    """)
        }
        for position in indexed {
            let field = declaration.fields[position].name.text
            try db.execute(
                sql: "CREATE INDEX IF NOT EXISTS \"\(name)_by_\(field)\" ON \"\(name)\" (\"\(field)\")")
        }
    }

    private static func column(_ field: Field) -> String { "\"\(field.name)\" \(type(of: field.kind))" }

    static func type(of kind: FieldKind) -> String {
        switch ColumnStorage(kind) {
        case .integer, .boolean: "INTEGER"
        case .id: "BLOB"
        case .text, .json: "TEXT"
        }
    }

    func write(_ row: Row, with statement: BoundStatement) throws {
        try statement.bind(1, row.key.id)
        try statement.bind(2, row.sequence.value)
        try statement.bind(3, row.stamp)
        let overrides = encode(overridesOf: row)
        if overrides.isEmpty { try statement.bindNull(4) } else { try statement.bind(4, overrides) }
        try statement.bind(5, row.isDeleted ? 1 : 0 as Int64)
        if row.deletion == row.stamp { try statement.bindNull(6) } else { try statement.bind(6, row.deletion) }
        if row.unknown.isEmpty {
            try statement.bindNull(7)
        } else {
            try statement.bind(text: Self.encode(row.unknown), at: 7)
        }
        for (position, value) in row.values.enumerated() { try statement.bind(8 + position, value) }
        try statement.run()
    }

    /// Reads the row at which a statement beginning with ``select`` stands.
    func row(_ statement: BoundStatement) -> Row {
        let stamp = statement.stamp(2)
        var values: [Value] = []
        values.reserveCapacity(storage.count)
        for position in storage.indices { values.append(statement.value(7 + position, as: storage[position])) }
        let stamps = stamps(statement)
        // A field that nobody declared when it was written may be declared by now: its stamp is then among the known.
        let named = stamps.unknown + stamps.known.map { (declaration.fields[$0.position].name.text, $0.stamp) }
        return Row(
            key: RowKey(collection, statement.id(0)), values: values, stamp: stamp, overrides: stamps.known,
            isDeleted: statement.integer(4) != 0,
            deletion: statement.isNull(5) ? nil : statement.stamp(5),
            unknown: statement.isNull(6) ? [] : Self.decode(statement.text(6), named, stamp),
            sequence: ServerSequence(statement.integer(1)))
    }

    /// Overrides as a run of (length of name, name, stamp): by name, so that a later declaration may add or move fields.
    ///
    /// Those of fields unknown to this catalogue come last.
    private func encode(overridesOf row: Row) -> [UInt8] {
        guard !row.overrides.isEmpty || !row.unknown.isEmpty else { return [] }
        var bytes: [UInt8] = []
        func append(_ name: some Swift.Collection<UInt8>, _ stamp: Stamp) {
            bytes.append(UInt8(name.count))
            bytes.append(contentsOf: name)
            var shift: UInt128 = 120
            for _ in 0..<16 {
                bytes.append(UInt8(truncatingIfNeeded: stamp.bits >> shift))
                shift = shift &- 8
            }
        }
        bytes.reserveCapacity(row.overrides.count * 28)
        for override in row.overrides { append(names[override.position], override.stamp) }
        for field in row.unknown where field.stamp != row.stamp { append(field.name.utf8, field.stamp) }
        return bytes
    }

    /// The stamps that differ from the row's, of the row at which a statement stands.
    func stamps(_ statement: BoundStatement) -> (known: [Row.Override], unknown: [(name: String, stamp: Stamp)]) {
        guard !statement.isNull(3) else { return ([], []) }
        let bytes = statement.blob(3)
        var known: [Row.Override] = []
        var unknown: [(name: String, stamp: Stamp)] = []
        var index = 0
        while index < bytes.count {
            let end = index + 1 + Int(bytes[index])
            guard end + 16 <= bytes.count else { break }
            var bits: UInt128 = 0
            for byte in bytes[end..<end + 16] { bits = bits << 8 | UInt128(byte) }
            let name = bytes[index + 1..<end]
            if let position = names.firstIndex(where: { $0.count == name.count && $0.elementsEqual(name) }) {
                known.append(Row.Override(position, Stamp(bits: bits)))
            } else {
                unknown.append((String(decoding: name, as: UTF8.self), Stamp(bits: bits)))
            }
            index = end + 16
        }
        return (known.sorted { $0.position < $1.position }, unknown)
    }

    private static func encode(_ unknown: [UnknownField]) -> [UInt8] {
        Value.object(unknown.map { Value.Member($0.name, $0.value) }).json
    }

    /// Databases of the first version hold a list of (name, value, stamp) instead of an object.
    static func decode(_ text: String, _ stamps: [(name: String, stamp: Stamp)], _ stamp: Stamp) -> [UnknownField] {
        switch try? Value(json: Array(text.utf8)) {
        case .object(let members):
            members.map { member in
                UnknownField(member.name, member.value, stamps.first { $0.name == member.name }?.stamp ?? stamp)
            }
        case .list(let list):
            list.compactMap { entry in
                guard let parts = entry.list, parts.count == 3, let name = parts[0].text,
                    let stamp = parts[2].text.flatMap({ Stamp($0) })
                else { return nil }
                return UnknownField(name, parts[1], stamp)
            }
        default: []
        }
    }
}

/// How a field's values lie in their column.
enum ColumnStorage: Sendable {
    case integer, boolean, id, text, json

    init(_ kind: FieldKind) {
        switch kind {
        case .integer, .instant: self = .integer
        case .boolean: self = .boolean
        case .reference: self = .id
        case .tags, .structure: self = .json
        case .text, .personName, .code, .openCode, .partialDate, .date, .phone, .email, .url, .predicate,
            .identityDigest:
            self = .text
        }
    }
}
