import Foundation
import RoostCourier
package import RoostDemo
import RoostModel
package import RoostSchema
package import RoostStore
package import RoostSync

/// A directory with a server's database, epoch and key.
package struct DataDirectory: Sendable {
    package let path: String
    /// The key in hexadecimal, where it is not kept in a file of the directory.
    private let keyText: String?
    package let clock: @Sendable () -> Milliseconds

    package init(
        path: String, key: String? = nil,
        clock: @escaping @Sendable () -> Milliseconds = {
            Milliseconds(Int64(Date().timeIntervalSince1970 * 1000))
        }
    ) {
        self.path = path
        keyText = key
        self.clock = clock
    }

    /// Whether there is a database.
    package var holdsDatabase: Bool { FileManager.default.fileExists(atPath: path + "/" + ServerStore.fileName) }

    /// The path of the file that holds the key; nil where the settings give the key itself.
    package var keyFile: String? { keyText == nil ? ServerKey.path(in: path) : nil }

    /// Opens what is there, for serving or beside a server.
    ///
    /// The key is read first: with a database and no key, making a new one would only hide that the old one is lost.
    package func open(isServing: Bool = true) throws -> (store: ServerStore, key: ServerKey) {
        let key = try key
        let catalogue = Catalogue.programme.withConflicts(about: Programme.subject)
        let store = try ServerStore(directory: path, catalogue: catalogue, clock: clock, isServing: isServing)
        do {
            guard try Self.isKey(key, of: store) else { throw KeyFileError.foreign(path: ServerKey.path(in: path)) }
        } catch {
            try? store.close()
            throw error
        }
        return (store, key)
    }

    /// Takes the key that is there for the database's own from now on, or a new one, its former one being lost.
    /// - Returns: How many endpoints' addresses have to be entered again; until then what is for them gathers.
    package func adoptKey() throws -> Int {
        if keyText == nil, !FileManager.default.fileExists(atPath: ServerKey.path(in: path)) {
            try ServerKey.create(in: path)
        }
        let key = try key
        let catalogue = Catalogue.programme.withConflicts(about: Programme.subject)
        let store = try ServerStore(directory: path, catalogue: catalogue, clock: clock)
        defer { try? store.close() }
        return try store.adoptKeyMark(key.mark, opens: EndpointVault(key: key, settings: .production()).opens)
    }

    /// The server's key: that of the settings, or that in the directory.
    package var key: ServerKey {
        get throws { try keyText.map { text throws in try ServerKey(hexadecimal: text) } ?? ServerKey(directory: path) }
    }

    /// Whether the database's secrets were sealed with this key.
    ///
    /// Another one would open none of them, and every endpoint would be disabled by its first delivery.
    /// A database from before keys were marked is judged by an endpoint it has, and marked.
    private static func isKey(_ key: ServerKey, of store: ServerStore) throws -> Bool {
        try store.checkKeyMark(key.mark) { endpoints in
            let vault = EndpointVault(key: key, settings: .production())
            let sealed = endpoints.filter { !$0.sealedAddress.isEmpty }
            return sealed.isEmpty || sealed.contains(where: vault.opens)
        }
    }

    /// Makes key, database and the rows every programme starts with: the institutions that ship with the program.
    ///
    /// What is there already stays, so it can be run again after a failure.
    package func initialise() async throws -> (store: ServerStore, key: ServerKey) {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if keyText == nil, !holdsDatabase, !FileManager.default.fileExists(atPath: ServerKey.path(in: path)) {
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
