import CCurl
import Foundation
import GRDBSQLite

/// The same POSTs by nothing but `curl_multi` and prepared statements: what the machine can do.
@safe final class BareLoop {
    struct Failure: Error { let code: Int32 }

    private let db: OpaquePointer
    private var deliveries = 0

    /// An easy handle that is used again and again.
    @safe private final class Handle {
        let pointer: UnsafeMutableRawPointer

        init(to url: String, body: [UInt8], headers: UnsafeMutablePointer<curl_slist>?, _ kind: Kind) throws {
            guard let pointer = unsafe curl_easy_init() else { throw Failure(code: -4) }
            unsafe self.pointer = unsafe pointer
            unsafe _ = ccurl_set_string(pointer, CURLOPT_URL, url)
            unsafe _ = ccurl_set_long(pointer, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
            unsafe _ = ccurl_set_long(pointer, CURLOPT_POST, 1)
            unsafe _ = ccurl_copy_body(pointer, body, body.count)
            unsafe _ = ccurl_set_list(pointer, CURLOPT_HTTPHEADER, headers)
            if let file = kind.authorities { unsafe _ = ccurl_set_string(pointer, CURLOPT_CAINFO, file) }
            if kind.connectsAnew {
                unsafe _ = ccurl_set_long(pointer, CURLOPT_FRESH_CONNECT, 1)
                unsafe _ = ccurl_set_long(pointer, CURLOPT_FORBID_REUSE, 1)
            }
            unsafe _ = ccurl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION) { _, size, count, _ in size * count }
        }

        deinit { unsafe curl_easy_cleanup(pointer) }
    }

    /// How it connects.
    struct Kind {
        var connectsAnew = false
        /// A PEM file, for TLS.
        var authorities: String?
    }

    /// Opens a database file with two tables such as the outbox has.
    init(path: String) throws {
        var db: OpaquePointer?
        guard unsafe sqlite3_open(path, &db) == SQLITE_OK, let db = unsafe db else { throw Failure(code: -1) }
        unsafe self.db = unsafe db
        for sql in [
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
            "CREATE TABLE delivery (id INTEGER PRIMARY KEY, state TEXT NOT NULL, sent_ms INTEGER) STRICT",
            "CREATE TABLE attempt (delivery INTEGER NOT NULL, at_ms INTEGER NOT NULL, status INTEGER, answer TEXT) STRICT",
        ] {
            guard unsafe sqlite3_exec(db, sql, nil, nil, nil) == SQLITE_OK else { throw Failure(code: -2) }
        }
    }

    deinit { unsafe sqlite3_close_v2(db) }

    /// Deliveries per second, `concurrency` at once; each is written down before it counts, as many as have come in
    /// together in one durable commit.
    func run(
        _ total: Int, to url: String, body: [UInt8], concurrency: Int, _ kind: Kind = Kind()
    ) throws -> Double {
        let first = deliveries
        deliveries += total
        unsafe sqlite3_exec(db, "BEGIN", nil, nil, nil)
        for number in first..<deliveries {
            unsafe sqlite3_exec(db, "INSERT INTO delivery VALUES (\(number), 'queued', NULL)", nil, nil, nil)
        }
        unsafe sqlite3_exec(db, "COMMIT", nil, nil, nil)
        guard let multi = unsafe curl_multi_init() else { throw Failure(code: -3) }
        defer { unsafe curl_multi_cleanup(multi) }
        unsafe _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, concurrency)
        let headers = unsafe curl_slist_append(curl_slist_append(nil, "Content-Type: application/json"), "Expect:")
        defer { unsafe curl_slist_free_all(headers) }
        let handles = try (0..<concurrency).map { _ in try unsafe Handle(to: url, body: body, headers: headers, kind) }
        let byPointer = Dictionary(uniqueKeysWithValues: handles.map { (unsafe UInt(bitPattern: $0.pointer), $0) })
        let clock = ContinuousClock()
        let start = clock.now
        var begun = 0
        for handle in handles where begun < total {
            unsafe _ = curl_multi_add_handle(multi, handle.pointer)
            begun += 1
        }
        var done = 0
        while done < total {
            var active: Int32 = 0
            unsafe _ = curl_multi_perform(multi, &active)
            var finished: [Handle] = []
            var code = CURLE_OK
            while let pointer = unsafe ccurl_next_finished(multi, &code) {
                guard code == CURLE_OK, let handle = byPointer[UInt(bitPattern: pointer)] else {
                    throw Failure(code: Int32(bitPattern: code.rawValue))
                }
                finished.append(handle)
            }
            guard !finished.isEmpty else {
                unsafe _ = curl_multi_poll(multi, nil, 0, 1000, nil)
                continue
            }
            try commit(first + done..<first + done + finished.count)
            done += finished.count
            for handle in finished {
                unsafe _ = curl_multi_remove_handle(multi, handle.pointer)
                guard begun < total else { continue }
                unsafe _ = curl_multi_add_handle(multi, handle.pointer)
                begun += 1
            }
        }
        let rate = Double(total) / (clock.now - start).seconds
        for handle in handles { unsafe _ = curl_multi_remove_handle(multi, handle.pointer) }
        return rate
    }

    private func commit(_ deliveries: Range<Int>) throws {
        var (insert, update): (OpaquePointer?, OpaquePointer?)
        unsafe sqlite3_prepare_v2(db, "INSERT INTO attempt VALUES (?, ?, 200, 'ok')", -1, &insert, nil)
        unsafe sqlite3_prepare_v2(db, "UPDATE delivery SET state = 'sent', sent_ms = ? WHERE id = ?", -1, &update, nil)
        defer {
            unsafe sqlite3_finalize(insert)
            unsafe sqlite3_finalize(update)
        }
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        unsafe sqlite3_exec(db, "BEGIN IMMEDIATE", nil, nil, nil)
        for number in deliveries {
            unsafe sqlite3_bind_int64(insert, 1, Int64(number))
            unsafe sqlite3_bind_int64(insert, 2, now)
            unsafe sqlite3_step(insert)
            unsafe sqlite3_reset(insert)
            unsafe sqlite3_bind_int64(update, 1, now)
            unsafe sqlite3_bind_int64(update, 2, Int64(number))
            unsafe sqlite3_step(update)
            unsafe sqlite3_reset(update)
        }
        guard unsafe sqlite3_exec(db, "COMMIT", nil, nil, nil) == SQLITE_OK else { throw Failure(code: -5) }
    }
}
