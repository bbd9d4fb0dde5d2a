import Foundation
import GRDBSQLite
import RoostModel
import RoostSchema
import RoostStore
import RoostSync

/// The outbox's own tables with nothing around them but prepared statements: the same rows in the same commits.
@safe final class BareOutbox {
    struct Failure: Error { let code: Int32 }

    private let db: OpaquePointer
    private var statements: [String: BareStatement] = [:]
    private let endpoints = (0..<16).map { RowID(naming: "bare endpoint", String($0)) }
    /// As in a row that the sender keeps.
    private static let (url, address) = ("http://127.0.0.1:40000/hook/1", "127.0.0.1:40000")

    /// Copies the tables of deliveries and attempts, with their indexes, from a server's empty database.
    init(directory: String) throws {
        let pattern = directory + "/pattern"
        try ServerStore(directory: pattern, catalogue: Catalogue.programme, clock: now).close()
        var db: OpaquePointer?
        let code = unsafe sqlite3_open(directory + "/bare.sqlite", &db)
        guard code == SQLITE_OK, let db = unsafe db else { throw Failure(code: code) }
        unsafe self.db = unsafe db
        for sql in [
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -16000",
            "PRAGMA wal_autocheckpoint = 4000", "ATTACH '\(pattern)/server.sqlite' AS pattern",
        ] { try execute(sql) }
        let tables = try prepare(
            """
            SELECT sql FROM pattern.sqlite_schema WHERE tbl_name IN ('delivery', 'attempt') AND sql NOT NULL
                ORDER BY type = 'index'
            """)
        var definitions: [String] = []
        while try tables.step() { definitions.append(tables.text()) }
        for sql in definitions + ["DETACH pattern"] { try execute(sql) }
    }

    deinit {
        statements = [:]
        unsafe sqlite3_close_v2(db)
    }

    /// Adds deliveries that are due.
    func release(_ count: Int) throws {
        let digest = RowID(milliseconds: now().value, random: UInt128.random(in: .min ... .max))
        let statement = try prepare(
            """
            INSERT INTO delivery (id, digest, version, endpoint, part, parts, content_type, body, content, state,
                next_ms, not_after_ms)
            VALUES (?, ?, zeroblob(16), ?, ?, 1, 'application/json', zeroblob(0), 1, 'queued', ?, ?)
            """)
        try execute("BEGIN IMMEDIATE")
        for number in 0..<count {
            statement.bind(1, RowID(milliseconds: now().value, random: UInt128.random(in: .min ... .max)))
            statement.bind(2, digest)
            statement.bind(3, endpoints[number % endpoints.count])
            statement.bind(4, Int64(number))
            statement.bind(5, now().value)
            statement.bind(6, now().value + 86_400_000)
            _ = try statement.step()
        }
        try execute("COMMIT")
    }

    /// Keeps what was sent and takes as many more as may be taken, in one durable commit; those that were taken.
    func turn(sent: [RowID], taking room: Int) throws -> [RowID] {
        let settle = try prepare(
            """
            UPDATE delivery SET state = 'sent', next_ms = NULL, attempts = 1, outcome = 'sent', code = 'sent',
                sent_ms = ?, lease_until_ms = NULL WHERE id = ? AND state = 'leased'
            """)
        let insert = try prepare(
            """
            INSERT INTO attempt (delivery, endpoint, started_ms, finished_ms, outcome, code, http_status, response, url,
                address, resolved_us, connected_us, first_byte_us)
            VALUES (?, ?, ?, ?, 'sent', 'sent', 200, '{"errcode":0,"errmsg":"ok"}', ?, ?, 10, 40, 400)
            """)
        let due = try prepare(
            """
            SELECT id FROM delivery INDEXED BY delivery_queue
                WHERE (state = 'queued' OR state = 'retry_wait' OR state = 'held') AND next_ms <= ? LIMIT ?
            """)
        let lease = try prepare("UPDATE delivery SET state = 'leased', lease_until_ms = ? WHERE id = ?")
        let moment = now().value
        try execute("BEGIN IMMEDIATE")
        for (index, id) in sent.enumerated() {
            settle.bind(1, moment)
            settle.bind(2, id)
            _ = try settle.step()
            insert.bind(1, id)
            insert.bind(2, endpoints[index % endpoints.count])
            insert.bind(3, moment)
            insert.bind(4, moment)
            insert.bind(5, Self.url)
            insert.bind(6, Self.address)
            _ = try insert.step()
        }
        due.bind(1, moment)
        due.bind(2, Int64(room))
        var taken: [RowID] = []
        while try due.step() { taken.append(due.id()) }
        for id in taken {
            lease.bind(1, moment + 60_000)
            lease.bind(2, id)
            _ = try lease.step()
        }
        try execute("COMMIT")
        return taken
    }

    private func execute(_ sql: String) throws {
        let code = unsafe sqlite3_exec(db, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw Failure(code: code) }
    }

    private func prepare(_ sql: String) throws -> BareStatement {
        if let statement = statements[sql] { return statement }
        let statement = unsafe try BareStatement(db, sql)
        statements[sql] = statement
        return statement
    }
}

/// A prepared statement.
@safe private final class BareStatement {
    private let pointer: OpaquePointer

    init(_ db: OpaquePointer, _ sql: String) throws {
        var pointer: OpaquePointer?
        let code = unsafe sqlite3_prepare_v2(db, sql, -1, &pointer, nil)
        guard code == SQLITE_OK, let pointer = unsafe pointer else { throw BareOutbox.Failure(code: code) }
        unsafe self.pointer = unsafe pointer
    }

    deinit { unsafe sqlite3_finalize(pointer) }

    // SQLite copies what is bound with this destructor (`SQLITE_TRANSIENT`, a macro Swift cannot import).
    private var copied: sqlite3_destructor_type { unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    func bind(_ index: Int32, _ number: Int64) { unsafe sqlite3_bind_int64(pointer, index, number) }
    func bind(_ index: Int32, _ text: String) { unsafe sqlite3_bind_text(pointer, index, text, -1, copied) }

    func bind(_ index: Int32, _ id: RowID) {
        unsafe withUnsafeBytes(of: id.bits.bigEndian) { bytes in
            _ = unsafe sqlite3_bind_blob(pointer, index, bytes.baseAddress, 16, copied)
        }
    }

    /// Carries it out; true while there is a row.
    func step() throws -> Bool {
        let code = unsafe sqlite3_step(pointer)
        if code == SQLITE_ROW { return true }
        unsafe sqlite3_reset(pointer)
        guard code == SQLITE_DONE else { throw BareOutbox.Failure(code: code) }
        return false
    }

    func text() -> String { unsafe sqlite3_column_text(pointer, 0).map { unsafe String(cString: $0) } ?? "" }

    func id() -> RowID {
        guard let bytes = unsafe sqlite3_column_blob(pointer, 0) else { return RowID(bits: 0) }
        return RowID(bits: UInt128(bigEndian: unsafe bytes.loadUnaligned(as: UInt128.self)))
    }
}
