import RoostSchema
import RoostSync

/// The row at which a statement beginning with ``RowTable/select`` stands, shown straight from its columns.
///
/// Holds until the statement moves on.
struct StoredRow: ProjectableRow {
    let table: RowTable
    let statement: BoundStatement
    let stamp: Stamp
    let overrides: [Row.Override]
    private let stampsOfUnknown: [(name: String, stamp: Stamp)]

    init(_ table: RowTable, _ statement: BoundStatement) {
        self.table = table
        self.statement = statement
        stamp = statement.stamp(2)
        (overrides, stampsOfUnknown) = table.stamps(statement)
    }

    var key: RowKey { RowKey(table.collection, statement.id(0)) }
    var sequence: ServerSequence { ServerSequence(statement.integer(1)) }
    var isDeleted: Bool { statement.integer(4) != 0 }
    var deletion: Stamp { statement.isNull(5) ? stamp : statement.stamp(5) }
    var decoded: Row { table.row(statement) }

    func isNull(_ position: Int) -> Bool { statement.isNull(7 + position) }
    func value(_ position: Int) -> Value { statement.value(7 + position, as: table.storage[position]) }

    func writeValue(_ position: Int, to writer: inout JSONWriter) {
        let column = 7 + position
        switch table.storage[position] {
        case .integer: writer.integer(statement.integer(column))
        case .boolean: writer.boolean(statement.integer(column) != 0)
        case .id: writer.id(statement.id(column))
        case .json: statement.withText(column) { writer.raw(utf8: $0) }
        case .text: statement.withText(column) { writer.string(utf8: $0) }
        }
    }

    /// Of fields unknown to this catalogue a row has few; those of the first version's databases keep their stamps in
    /// the same column.
    private var isOfFirstVersion: Bool {
        var isList = false
        statement.withText(6) { isList = $0.count > 0 && $0[0] == 0x5B }
        return isList
    }

    var unknownStamps: [(name: String, stamp: Stamp)] {
        guard !statement.isNull(6) else { return [] }
        return isOfFirstVersion ? decoded.unknownStamps : stampsOfUnknown
    }

    func writeUnknown(to writer: inout JSONWriter) {
        guard !statement.isNull(6) else { return }
        if isOfFirstVersion { return decoded.writeUnknown(to: &writer) }
        statement.withText(6) { writer.members(ofObject: $0) }
    }
}
