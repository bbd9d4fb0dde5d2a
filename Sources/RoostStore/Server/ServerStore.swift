package import RoostSchema
package import RoostSync
import Foundation
import GRDB
import Synchronization

/// Why the store cannot be opened or used, in words for the operator.
package enum StoreError: Error, Hashable, Sendable {
    /// The catalogue contradicts itself; the strings say where.
    case catalogue([String])
    /// The database was written by a later version of this program.
    case newerDatabase
    case damaged(String)
}

/// The server's database: finds and keeps what the pure engine decides.
///
/// SQLite in WAL mode with `synchronous=FULL`: an answered mutation survives power loss. One writer, a pool of readers.
package final class ServerStore: Sendable {
    package let rules: Rules
    let projection: Projection
    package let directory: String
    package let clock: @Sendable () -> Milliseconds
    let history: Mutex<History>
    let ledger: Ledger
    /// Officers who have something parked that no catalogue declares.
    let strangers = Mutex<Set<RowID>>([])
    let random: @Sendable () -> UInt64
    private let opened: Mutex<EpochRecord?>
    /// The replica under which the server itself writes, and the one under which it undoes.
    package let writer: ReplicaID
    package let undoer: ReplicaID

    let leniency = Mutex(Leniency())

    /// What commits of this process moved.
    package let movements = MovementFeed()
    /// What the sender of this process is to give back.
    package let recalled = RecalledDeliveries()
    package let snapshots: SnapshotShelf

    let pool: DatabasePool
    /// For what every exchange reads.
    let near: NearReaders
    /// For what comes often and from many at once: pushes.
    let commits: SharedCommit
    /// What ``wasWrittenElsewhere()`` saw last.
    let dataVersion = Atomic<Int64>(0)
    let tables: [RowTable]
    /// Collection positions of this catalogue to their numbers in the database, and back.
    let numbers: [Int64]
    let positions: [Int64: Int]

    /// What replicas last said they hold; filled as they come.
    let acknowledged = Mutex<[ReplicaID: Acknowledged]>([:])

    package static let fileName = "server.sqlite"

    /// Opens or creates the database in a directory; `random` draws epochs, and the writer of a new database.
    ///
    /// A database that was put back from a copy begins a new epoch, unless it is opened beside a server: `isServing` is
    /// false. `observing` is told each statement as it is run, for those who count what an operation costs.
    ///
    /// Throws ``StoreError`` where the file is not one this program may use.
    package init(
        directory: String, catalogue: Catalogue, clock: @escaping @Sendable () -> Milliseconds,
        isServing: Bool = true, random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) },
        observing: (@Sendable (_ sql: String) -> Void)? = nil
    ) throws {
        let rules = Rules(catalogue)
        self.rules = rules
        projection = Projection(rules)
        self.directory = directory
        self.clock = clock
        self.random = random
        ledger = Ledger(directory: directory)
        snapshots = SnapshotShelf(directory: directory + "/snapshots")
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        SQLiteMemory.settle()
        let configuration = Self.configuration(observing)
        let pool = try DatabasePool(path: directory + "/" + Self.fileName, configuration: configuration)
        // DatabasePool chooses NORMAL for WAL; an acknowledged push must survive power loss, which takes FULL
        // (sqlite.org/pragma.html#pragma_synchronous).
        try pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
        guard try !pool.read({ try ServerSchema.migrator.hasBeenSuperseded($0) }) else {
            throw StoreError.newerDatabase
        }
        try ServerSchema.migrator.migrate(pool)
        self.pool = pool
        near = NearReaders(path: pool.path, configuration: configuration)
        commits = SharedCommit(pool)
        let tables = rules.catalogue.collections.enumerated().map {
            RowTable($0, $1, indexed: rules.indexed[$0])
        }
        self.tables = tables
        let epoch: String
        let lostUntil: Int64?
        let isNew: Bool
        (numbers, epoch, writer, lostUntil, isNew) = try pool.write { db in
            var numbers: [Int64] = []
            for table in tables {
                try table.prepare(db)
                let name = table.declaration.name.text
                try db.execute(sql: "INSERT OR IGNORE INTO collection (name) VALUES (?)", arguments: [name])
                let number = try Int64.fetchOne(db, sql: "SELECT id FROM collection WHERE name = ?", arguments: [name])
                numbers.append(number ?? 0)
            }
            func fact(_ name: String, _ make: () -> String) throws -> String {
                let sql = "SELECT value FROM meta WHERE name = ?"
                if let value = try String.fetchOne(db, sql: sql, arguments: [name]) { return value }
                let value = make()
                try db.execute(sql: "INSERT INTO meta (name, value) VALUES (?, ?)", arguments: [name, value])
                return value
            }
            _ = try fact("sequence") { "0" }
            var isNew = false
            let epoch = try fact("epoch") {
                isNew = true
                return ReplicaID(random()).description
            }
            let writer = try fact("writer") { ReplicaID(random() | 1).description }
            let lostUntil = try Int64.fetchOne(db, sql: "SELECT max(begun_ms) FROM epoch_begun")
            return (numbers, epoch, ReplicaID(writer) ?? ReplicaID(1), lostUntil, isNew)
        }
        undoer = ReplicaID(writer.bits ^ 1)
        positions = Dictionary(uniqueKeysWithValues: zip(numbers, numbers.indices))
        history = Mutex(History(epoch: epoch, lostUntil: lostUntil.map { Milliseconds($0) }))
        opened = Mutex(nil)
        try adoptFormerQuarantine()
        if isServing {
            let record = try checkHistory(isNew: isNew)
            opened.withLock { $0 = record }
            try pool.write { db in
                try self.beginRun(db)
                try self.promoteUnknownFields(db)
                try self.admitStrangers(db)
                try self.placeAnew(db)
            }
        }
        try pool.read { db in try self.loadStrangers(db) }
    }

    /// The epoch that was begun when the database was opened, because it had been put back from a copy.
    package var begunAtStart: EpochRecord? { opened.withLock(\.self) }

    private static func configuration(_ observe: (@Sendable (String) -> Void)?) -> Configuration {
        var configuration = Configuration()
        configuration.label = "roost.server"
        configuration.maximumReaderCount = ProcessInfo.processInfo.activeProcessorCount + 4
        // The operator's commands write beside a running server: seconds for which one waits for the other.
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA cache_size = -16000")
            // Sixteen megabytes of log, where four would copy the same busy pages back several times a second.
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
            guard let observe else { return }
            db.trace(options: .statement) { event in
                if case .statement(let statement) = event { observe(statement.sql) }
            }
        }
        return configuration
    }

    /// Closes the database and leaves it in one file, unless another process has it open.
    package func close() throws {
        try? keepHighWater()
        try near.close()
        try pool.close()
        // SQLite tidies the log away with the last connection that may write; the pool closes its readers last.
        let last = try DatabaseQueue(path: directory + "/" + Self.fileName, configuration: Self.configuration(nil))
        _ = try last.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM meta") }
        try last.close()
    }

    /// Reads on the calling thread.
    ///
    /// For reads that every exchange makes: they take some ten microseconds, or are bounded by a page, and handing them to
    /// another thread and back would cost more than they do.
    func readHere<Result>(_ body: (Database) throws -> Result) throws -> Result { try near.read(body) }

    /// Whether the database answers a read and can be written.
    package func check() async throws {
        _ = try await pool.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM meta") }
        try await pool.write { db in
            try db.execute(sql: "UPDATE meta SET value = value WHERE name = 'sequence'")
        }
    }

    func lastSequence(_ db: Database) throws -> ServerSequence {
        let statement = try BoundStatement(db, "SELECT value FROM meta WHERE name = 'sequence'")
        defer { statement.reset() }
        // A text that is read as a number.
        return ServerSequence(try statement.step() ? statement.integer(0) : 0)
    }
}
