import Foundation
package import RoostDemo
import RoostModel
package import RoostSchema
package import RoostStore
package import RoostSync

/// A directory with a server's database, epoch and key.
package struct DataDirectory: Sendable {
    package let path: String
    package let clock: @Sendable () -> Milliseconds

    package init(
        path: String,
        clock: @escaping @Sendable () -> Milliseconds = {
            Milliseconds(Int64(Date().timeIntervalSince1970 * 1000))
        }
    ) {
        self.path = path
        self.clock = clock
    }

    /// Whether there is a database.
    package var holdsDatabase: Bool { FileManager.default.fileExists(atPath: path + "/" + ServerStore.fileName) }

    /// Opens what is there, for serving or beside a server.
    ///
    /// The key is read first: with a database and no key, making a new one would only hide that the old one is lost.
    package func open(isServing: Bool = true) throws -> (store: ServerStore, key: ServerKey) {
        let key = try ServerKey(directory: path)
        let catalogue = Catalogue.programme.withConflicts(about: Programme.subject)
        return (try ServerStore(directory: path, catalogue: catalogue, clock: clock, isServing: isServing), key)
    }

    /// Makes key, database and the rows every programme starts with: the institutions that ship with the program.
    ///
    /// What is there already stays, so it can be run again after a failure.
    package func initialise() async throws -> (store: ServerStore, key: ServerKey) {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if !holdsDatabase, !FileManager.default.fileExists(atPath: ServerKey.path(in: path)) {
            try ServerKey.create(in: path)
        }
        let (store, key) = try open()
        if try await store.count(of: "school") == 0 {
            _ = try await store.write(SchoolList.edits(), by: Self.server)
        }
        return (store, key)
    }

    /// Whether the clock tells a moment before one that it told already, by more than clocks are set right by.
    ///
    /// Served under such a clock nobody would hold what was granted since, and every device that came would give up its
    /// scopes: a machine that starts without a battery and before it has asked the network for the time.
    package static func isClockBehind(_ store: ServerStore) throws -> Bool {
        try store.clock() + 60_000 < store.lastMoment()
    }

    /// Copies the database to a file, or to a file named by the moment if a directory is given.
    /// - Returns: The file written; it is readable for its owner only.
    package func backUp(to target: String) throws -> String {
        var isDirectory: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: target, isDirectory: &isDirectory)
        let stamp = Date(timeIntervalSince1970: Double(clock().value) / 1000)
            .formatted(Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted))
        let path = exists && isDirectory.boolValue ? "\(target)/roost-\(stamp).sqlite" : target
        guard !FileManager.default.fileExists(atPath: path) else {
            throw CocoaError(.fileWriteFileExists, userInfo: [NSFilePathErrorKey: path])
        }
        let (store, _) = try open(isServing: false)
        defer { try? store.close() }
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw CocoaError(.fileWriteNoPermission, userInfo: [NSFilePathErrorKey: path])
        }
        try store.backUp(to: path)
        return path
    }

    /// Fills a database without officers with the demo county; nil if there are officers already.
    package static func addDemo(to store: ServerStore) async throws -> DemoCounty? {
        guard try await store.count(of: "officer") == 0 else { return nil }
        // The county's days change at midnight in UTC+8.
        let today = Int((store.clock().value + 8 * 3_600_000) / 86_400_000)
        let county = DemoCounty(seed: 2025, today: today)
        let edits = county.rows.map { TrustedEdit($0.collection, $0.id, .create, $0.values) }
        _ = try await store.writeDemo(edits, by: server)
        return county
    }

    /// Whom rows are said to be written by that no officer wrote.
    package static let server = RowID(bits: 0)
}
