package import RoostSchema
package import RoostSync
import Foundation
import GRDB
import Synchronization

/// Why a replica cannot be opened or used.
package enum ReplicaError: Error, Hashable, Sendable {
    /// The folder has no replica yet.
    case absent
    case alreadyEnrolled(server: String)
    /// The database was written by a later version of this program.
    case newerDatabase
    case damaged(String)
    /// An edit names a collection or field that this catalogue does not declare.
    case undeclared(String)
    /// Another process kept the database to itself for too long.
    case busy
    /// The database cannot be opened or written; SQLite's result code.
    case unusable(Int)
}

/// Names of the facts a replica keeps about itself.
enum ReplicaFact: String {
    case server, token, replica, incarnation, officer, name, roles, label, epoch, offset, catalogue
    case nextNumber = "next_number"
    case nextGroup = "next_group"
    /// The bits of the hybrid clock's last time.
    case clock
    case exchangedAt = "exchanged_at_ms"
    /// How many rows went since the server last noted a purge; absent if none.
    case purgedRows = "purged_rows"
    /// The server's latest run that is known here.
    case serverRun = "server_run"
    /// Present while the files may hold bytes of rows that went.
    case filesHoldPurged = "log_holds_purged"
    /// Since when the files may hold bytes of rows that were deleted and that nobody took from this device: wall clock.
    case filesHoldDeleted = "files_hold_deleted_since_ms"
    /// How many acknowledged mutations cannot be given again; until the server was told.
    case unrecovered
    /// Set while a copy of this database is known to be in use elsewhere.
    case copied
    /// When this device learned that it may come no more; absent while it may.
    case revokedAt = "revoked_at_ms"
    /// Days without contact after which contact fields are locked; 0 for never.
    case leaseDays = "lease_days"
    /// The device's clocks when it was last in step with the server: wall, monotonic and boot, separated by blanks.
    case leaseFrom = "lease_from"
    /// How much of the lease was gone for certain, in milliseconds, and the device's clocks then; absent at its beginning.
    case leasePassed = "lease_passed"
    /// How many mutations and bytes the server last said it takes at once, separated by a blank.
    case limits
    /// When the journal was last rid of what is too old.
    case journalTrimmedAt = "journal_trimmed_at_ms"
}

/// What enrolment tells a replica about itself.
package struct Enrolled: Hashable, Sendable {
    package let server: String
    package let token: String
    package let replica: ReplicaID
    package let officer: RowID
    package let name: String
    package let roles: [RoleName]
    package let label: String

    package init(
        server: String, token: String, replica: ReplicaID, officer: RowID, name: String, roles: [RoleName],
        label: String
    ) {
        self.server = server
        self.token = token
        self.replica = replica
        self.officer = officer
        self.name = name
        self.roles = roles
        self.label = label
    }
}

/// How names of a collection are made findable; the store knows neither pinyin nor scripts.
package struct NameSearch: Sendable {
    package struct Keys: Hashable, Sendable {
        package let folded: String
        package let spelled: String
        package let initials: String
        package let sortKey: String

        package init(folded: String, spelled: String, initials: String, sortKey: String) {
            self.folded = folded
            self.spelled = spelled
            self.initials = initials
            self.sortKey = sortKey
        }
    }

    package let collection: CollectionName
    /// The keys of a row from its values, which stand in the order of the collection's fields.
    package let keys: @Sendable ([Value]) -> Keys

    package init(_ collection: CollectionName, keys: @escaping @Sendable ([Value]) -> Keys) {
        self.collection = collection
        self.keys = keys
    }
}

/// A device's own database: what the server showed it, what the person did since, and what became of that.
///
/// The client never merges: it shows the server's rows with its pending mutations on top. Files are readable by their
/// owner only, and deleted content is overwritten (`secure_delete`), because what leaves a scope must leave the disk.
package final class Replica: Sendable {
    package let rules: Rules
    package let directory: String
    /// How names are found, by collection.
    let searches: [NameSearch?]
    let queue: DatabaseQueue
    let tables: [RowTable]
    /// Whether the lease is known to have run out: see ``observeLease(at:)``.
    let isLocked = Mutex(false)

    package static let fileName = "replica.sqlite"

    /// Opens the replica in a directory.
    ///
    /// - Throws: ``ReplicaError/absent`` where nobody enrolled yet.
    package init(directory: String, catalogue: Catalogue, names: [NameSearch] = [], creating: Bool = false) throws {
        let rules = Rules(catalogue)
        SQLiteMemory.settle()
        self.rules = rules
        self.directory = directory
        searches = rules.catalogue.collections.map { collection in names.first { $0.collection == collection.name } }
        let path = directory + "/" + Self.fileName
        let files = FileManager.default
        guard creating || files.fileExists(atPath: path) else { throw ReplicaError.absent }
        do {
            try files.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ReplicaError.unusable(Int(ResultCode.SQLITE_CANTOPEN.rawValue))
        }
        if !files.fileExists(atPath: path) {
            // Made before SQLite opens it: the write-ahead log takes its mode from the database.
            _ = files.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        queue = try translating {
            let queue = try DatabaseQueue(path: path, configuration: Self.configuration)
            guard try !queue.read({ try ReplicaSchema.migrator.hasBeenSuperseded($0) }) else {
                throw ReplicaError.newerDatabase
            }
            try ReplicaSchema.migrator.migrate(queue)
            return queue
        }
        tables = rules.catalogue.collections.enumerated().map { RowTable($0, $1, indexed: rules.indexed[$0]) }
        try prepareTables()
        sweepDownloads()
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "roost.replica"
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            // FULL: an edit lost to a power failure after it was sent would have its number given to another edit, for
            // which the server would repeat the first one's verdict.
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    PRAGMA synchronous = FULL;
                    PRAGMA secure_delete = ON;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -16000
                    """)
        }
        return configuration
    }

    /// Brings the row tables to this catalogue; after a change of catalogue, values kept as unknown until now may be known.
    private func prepareTables() throws {
        try writing { db in
            for table in self.tables { try table.prepare(db) }
            let version = "\(self.rules.catalogue.version)"
            let known = try self.fact(.catalogue, db)
            guard known != version else { return }
            try self.setFact(.catalogue, version, db)
            if known != nil { try Materialiser(self, db).everything() }
        }
    }

    /// Makes a new replica of an enrolled device.
    package static func create(
        directory: String, catalogue: Catalogue, names: [NameSearch] = [], enrolled: Enrolled
    ) throws -> Replica {
        let replica = try Replica(directory: directory, catalogue: catalogue, names: names, creating: true)
        try replica.begin(enrolled)
        return replica
    }

    /// Makes an empty database the replica of an enrolled device.
    package func begin(_ enrolled: Enrolled) throws {
        try writing { db in
            if let server = try self.fact(.server, db) { throw ReplicaError.alreadyEnrolled(server: server) }
            try self.keep(enrolled, db)
            try self.setFact(.incarnation, "1", db)
            try self.setFact(.nextNumber, "1", db)
            try self.setFact(.nextGroup, "1", db)
            try self.setFact(.clock, "0", db)
        }
    }

    /// Keeps what an enrolment told.
    func keep(_ enrolled: Enrolled, _ db: Database) throws {
        try setFact(.server, enrolled.server, db)
        try setFact(.token, enrolled.token, db)
        try setFact(.replica, enrolled.replica.description, db)
        try setFact(.officer, enrolled.officer.description, db)
        try setFact(.name, enrolled.name, db)
        try setFact(.roles, enrolled.roles.map(\.text).joined(separator: " "), db)
        try setFact(.label, enrolled.label, db)
    }

    package func close() throws { try translating { try queue.close() } }

    func reading<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try translating { try queue.unsafeRead { db in try db.oneState(body) } }
    }

    func writing<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try translating { try queue.write(body) }
    }

    // MARK: Facts

    func fact(_ fact: ReplicaFact, _ db: Database) throws -> String? {
        let statement = try BoundStatement(db, "SELECT value FROM meta WHERE name = ?")
        defer { statement.reset() }
        try statement.bind(1, fact.rawValue)
        return try statement.step() ? statement.text(0) : nil
    }

    func number(_ fact: ReplicaFact, _ db: Database) throws -> Int64 {
        try self.fact(fact, db).flatMap { Int64($0) } ?? 0
    }

    func setFact(_ fact: ReplicaFact, _ value: String, _ db: Database) throws {
        let statement = try BoundStatement(
            db, "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        try statement.bind(1, fact.rawValue)
        try statement.bind(2, value)
        try statement.run()
    }

    func removeFact(_ fact: ReplicaFact, _ db: Database) throws {
        let statement = try BoundStatement(db, "DELETE FROM meta WHERE name = ?")
        try statement.bind(1, fact.rawValue)
        try statement.run()
    }

    /// What enrolment told.
    package func enrolled() throws -> Enrolled {
        try reading { db in
            guard let server = try self.fact(.server, db), let token = try self.fact(.token, db),
                let replica = try self.fact(.replica, db).flatMap({ ReplicaID($0) }),
                let officer = try self.fact(.officer, db).flatMap({ RowID($0) })
            else { throw ReplicaError.absent }
            return Enrolled(
                server: server, token: token, replica: replica, officer: officer,
                name: try self.fact(.name, db) ?? "",
                roles: (try self.fact(.roles, db) ?? "").split(separator: " ").map { RoleName(String($0)) },
                label: try self.fact(.label, db) ?? "")
        }
    }
}

/// Runs a piece of work with the database, whose own errors do not leave this target.
func translating<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as DatabaseError {
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: throw ReplicaError.busy
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: throw ReplicaError.damaged("SQLite \(error.resultCode.rawValue)")
        default: throw ReplicaError.unusable(Int(error.extendedResultCode.rawValue))
        }
    }
}
