import Foundation
import GRDBSQLite
import RoostSchema
import RoostSync

/// What the machine can do with the same rows and nothing around them: the measure of everything else.
@safe final class Baseline {
    private let db: OpaquePointer
    private let columns = 20

    struct Failure: Error { let code: Int32 }

    /// Opens a database file with one table: 16-byte primary key, sequence with an index, twenty text fields.
    init(path: String) throws {
        var db: OpaquePointer?
        let code = unsafe sqlite3_open(path, &db)
        guard code == SQLITE_OK, let db = unsafe db else { throw Failure(code: code) }
        unsafe self.db = unsafe db
        try execute("PRAGMA journal_mode = WAL")
        try execute("PRAGMA synchronous = FULL")
        let fields = (0..<columns).map { "f\($0) TEXT" }.joined(separator: ", ")
        try execute("CREATE TABLE plain (id BLOB NOT NULL PRIMARY KEY, sequence INTEGER NOT NULL, \(fields)) STRICT")
        try execute("CREATE INDEX plain_by_sequence ON plain (sequence)")
    }

    deinit { unsafe sqlite3_close_v2(db) }

    /// Rows per second of prepared upserts, `batch` rows a transaction, with `synchronous=FULL`.
    func upserts(_ rows: [[String]], batch: Int) throws -> Double {
        let places = Array(repeating: "?", count: columns + 2).joined(separator: ", ")
        let updates = (0..<columns).map { "f\($0) = excluded.f\($0)" }.joined(separator: ", ")
        let statement = unsafe try prepare(
            "INSERT INTO plain VALUES (\(places)) ON CONFLICT DO UPDATE SET sequence = excluded.sequence, \(updates)")
        defer { unsafe sqlite3_finalize(statement) }
        let clock = ContinuousClock()
        let time = try clock.measure {
            for start in stride(from: 0, to: rows.count, by: batch) {
                try execute("BEGIN IMMEDIATE")
                for index in start..<min(start + batch, rows.count) {
                    let id = RowID(naming: "baseline", String(index)).bits.bigEndian
                    unsafe withUnsafeBytes(of: id) { bytes in
                        _ = unsafe sqlite3_bind_blob(statement, 1, bytes.baseAddress, 16, Self.copied)
                    }
                    unsafe sqlite3_bind_int64(statement, 2, Int64(index))
                    for (column, text) in rows[index].prefix(columns).enumerated() {
                        unsafe sqlite3_bind_text(statement, Int32(column + 3), text, -1, Self.copied)
                    }
                    let code = unsafe sqlite3_step(statement)
                    guard code == SQLITE_DONE else { throw Failure(code: code) }
                    unsafe sqlite3_reset(statement)
                }
                try execute("COMMIT")
            }
        }
        return Double(rows.count) / time.seconds
    }

    /// Rows per second of a scan in the order of the sequence, each written to JSON by hand.
    func scan() throws -> Double {
        let statement = unsafe try prepare("SELECT * FROM plain ORDER BY sequence")
        defer { unsafe sqlite3_finalize(statement) }
        var count = 0
        var buffer: [UInt8] = []
        let clock = ContinuousClock()
        let time = clock.measure {
            while unsafe sqlite3_step(statement) == SQLITE_ROW {
                buffer.removeAll(keepingCapacity: true)
                buffer.append(UInt8(ascii: "{"))
                for column in 0..<Int32(columns) {
                    buffer.append(contentsOf: #""f":""#.utf8)
                    let length = Int(unsafe sqlite3_column_bytes(statement, column + 2))
                    if let text = unsafe sqlite3_column_text(statement, column + 2) {
                        for offset in 0..<length {
                            let byte = unsafe text[offset]
                            if byte == 0x22 || byte == 0x5C || byte < 0x20 { buffer.append(0x5C) }
                            buffer.append(byte)
                        }
                    }
                    buffer.append(contentsOf: #"","#.utf8)
                }
                count += buffer.isEmpty ? 0 : 1
            }
        }
        return Double(count) / time.seconds
    }

    private static var copied: sqlite3_destructor_type { unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    private func execute(_ sql: String) throws {
        let code = unsafe sqlite3_exec(db, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw Failure(code: code) }
    }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        let code = unsafe sqlite3_prepare_v2(db, sql, -1, &statement, nil)
        guard code == SQLITE_OK, let statement = unsafe statement else { throw Failure(code: code) }
        return unsafe statement
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
