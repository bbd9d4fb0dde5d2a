import Foundation
import GRDB
import Testing

/// What SQLite leaves in a database of rows that were deleted with `secure_delete`: why a replica that purged rows is
/// written anew (see ``Replica/scrubIfOwed()``).
@Suite struct RemnantTests {
    /// Whether one of a few hundred deleted rows can still be read in the file.
    private func leaves(seed: UInt64, vacuuming: Bool) throws -> Bool {
        var dice = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func below(_ bound: UInt64) -> UInt64 {
            dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (dice >> 33) % bound
        }
        let path = NSTemporaryDirectory() + "roost-remnants-" + UUID().uuidString
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = OFF;
                    PRAGMA secure_delete = ON;
                    CREATE TABLE student (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT
                    """)
            for _ in 0..<50 + below(350) {
                try db.execute(
                    sql: "INSERT OR IGNORE INTO student VALUES (?, ?)",
                    arguments: [
                        Int64(below(1 << 31)),
                        (below(2) == 0 ? "leaver" : "stayer") + String(repeating: "x", count: Int(below(300))),
                    ])
            }
            for id in try Int64.fetchAll(db, sql: "SELECT id FROM student WHERE name LIKE 'leaver%'") {
                try db.execute(sql: "DELETE FROM student WHERE id = ?", arguments: [id])
            }
            if vacuuming { try db.execute(sql: "VACUUM") }
            _ = try db.checkpoint(.truncate)
        }
        try queue.close()
        return try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data("leaver".utf8)) != nil
    }

    @Test func `secure_delete alone leaves rows readable where pages were split, and writing anew does not`() throws {
        let seeds = 0..<40 as Range<UInt64>
        #expect(try seeds.contains { try leaves(seed: $0, vacuuming: false) })
        #expect(try !seeds.contains { try leaves(seed: $0, vacuuming: true) })
    }
}
