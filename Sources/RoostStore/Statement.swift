import GRDB
import GRDBSQLite
import RoostSchema
import RoostSync

/// A prepared statement, bound and stepped without boxing.
///
/// GRDB keeps and finalises the statement; this only binds values and reads columns through SQLite's C interface, which
/// takes a fifth of the time of boxed arguments where a push binds thirty values a row. Use within one database access.
@safe struct BoundStatement {
    private let pointer: OpaquePointer
    private let connection: OpaquePointer?

    /// Takes the connection's cached statement for `sql`.
    init(_ db: Database, _ sql: String) throws {
        let statement = try db.cachedStatement(sql: sql)
        unsafe pointer = unsafe statement.sqliteStatement
        unsafe connection = unsafe db.sqliteConnection
        reset()
    }

    /// Makes the statement ready to be bound again; values bound before stay until replaced.
    func reset() { unsafe sqlite3_reset(pointer) }

    // SQLite copies a value bound with this destructor (`SQLITE_TRANSIENT`, a macro Swift cannot import).
    private var copied: sqlite3_destructor_type { unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    func bind(_ index: Int, _ integer: Int64) throws {
        try check(unsafe sqlite3_bind_int64(pointer, Int32(index), integer))
    }

    func bindNull(_ index: Int) throws { try check(unsafe sqlite3_bind_null(pointer, Int32(index))) }

    func bind(_ index: Int, _ text: String) throws {
        var text = text
        try check(
            text.withUTF8 { bytes in
                // An empty Swift string has no base address; SQLite would take that for NULL.
                guard let base = bytes.baseAddress else {
                    return unsafe sqlite3_bind_text(pointer, Int32(index), "", 0, copied)
                }
                return unsafe base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    unsafe sqlite3_bind_text(pointer, Int32(index), $0, Int32(bytes.count), copied)
                }
            })
    }

    /// Binds bytes that are UTF-8 as text.
    func bind(text utf8: [UInt8], at index: Int) throws {
        try check(
            unsafe utf8.withUnsafeBytes { bytes in
                guard let base = unsafe bytes.bindMemory(to: CChar.self).baseAddress else {
                    return unsafe sqlite3_bind_text(pointer, Int32(index), "", 0, copied)
                }
                return unsafe sqlite3_bind_text(pointer, Int32(index), base, Int32(bytes.count), copied)
            })
    }

    func bind(_ index: Int, _ blob: [UInt8]) throws {
        try check(
            unsafe blob.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else {
                    return unsafe sqlite3_bind_zeroblob(pointer, Int32(index), 0)
                }
                return unsafe sqlite3_bind_blob(pointer, Int32(index), base, Int32(bytes.count), copied)
            })
    }

    /// Sixteen bytes, big-endian, so that the order of blobs is the order of numbers.
    func bind(_ index: Int, _ bits: UInt128) throws {
        try check(
            unsafe withUnsafeBytes(of: bits.bigEndian) { bytes in
                unsafe sqlite3_bind_blob(pointer, Int32(index), bytes.baseAddress, 16, copied)
            })
    }

    func bind(_ index: Int, _ id: RowID) throws { try bind(index, id.bits) }
    func bind(_ index: Int, _ stamp: Stamp) throws { try bind(index, stamp.bits) }
    func bind(_ index: Int, _ replica: ReplicaID) throws { try bind(index, Int64(bitPattern: replica.bits)) }

    func bind(_ index: Int, _ value: Value) throws {
        switch value {
        case .null: try bindNull(index)
        case .boolean(let boolean): try bind(index, boolean ? 1 : 0 as Int64)
        case .integer(let integer): try bind(index, integer)
        case .real(let real): try check(unsafe sqlite3_bind_double(pointer, Int32(index), real))
        case .text(let text): try bind(index, text)
        case .id(let id): try bind(index, id)
        case .list, .object: try bind(text: value.json, at: index)
        }
    }

    /// Advances; true while there is a row.
    func step() throws -> Bool {
        let code = unsafe sqlite3_step(pointer)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            reset()
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
        }
    }

    /// Runs a statement that returns nothing.
    func run() throws {
        _ = try step()
        reset()
    }

    func integer(_ column: Int) -> Int64 { unsafe sqlite3_column_int64(pointer, Int32(column)) }
    func isNull(_ column: Int) -> Bool { unsafe sqlite3_column_type(pointer, Int32(column)) == SQLITE_NULL }

    func text(_ column: Int) -> String {
        let count = Int(unsafe sqlite3_column_bytes(pointer, Int32(column)))
        guard count > 0, let start = unsafe sqlite3_column_text(pointer, Int32(column)) else { return "" }
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func blob(_ column: Int) -> [UInt8] {
        let count = Int(unsafe sqlite3_column_bytes(pointer, Int32(column)))
        guard count > 0, let start = unsafe sqlite3_column_blob(pointer, Int32(column)) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    func bits(_ column: Int) -> UInt128 {
        let count = unsafe sqlite3_column_bytes(pointer, Int32(column))
        guard count == 16, let start = unsafe sqlite3_column_blob(pointer, Int32(column)) else { return 0 }
        return UInt128(bigEndian: unsafe start.loadUnaligned(as: UInt128.self))
    }

    func id(_ column: Int) -> RowID { RowID(bits: bits(column)) }
    func stamp(_ column: Int) -> Stamp { Stamp(bits: bits(column)) }
    func replica(_ column: Int) -> ReplicaID { ReplicaID(UInt64(bitPattern: integer(column))) }

    /// Hands the bytes of a text to `body`, without a copy; they are gone when it returns.
    func withText(_ column: Int, _ body: (borrowing Span<UInt8>) -> Void) {
        let count = Int(unsafe sqlite3_column_bytes(pointer, Int32(column)))
        let start = unsafe sqlite3_column_text(pointer, Int32(column))
        body(unsafe Span(_unsafeElements: UnsafeBufferPointer(start: start, count: unsafe start == nil ? 0 : count)))
    }

    /// The column's value as a field of this storage holds it.
    func value(_ column: Int, as storage: ColumnStorage) -> Value {
        if isNull(column) { return .null }
        switch storage {
        case .integer: return .integer(integer(column))
        case .boolean: return .boolean(integer(column) != 0)
        case .id: return .id(id(column))
        case .json: return (try? Value(json: Array(text(column).utf8))) ?? .null
        case .text: return .text(text(column))
        }
    }

    private var message: String? { unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) } }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message) }
    }
}
