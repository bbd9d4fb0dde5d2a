import Crypto
import Foundation
import GRDB
import RoostSchema
import RoostSync
import Zlib

/// Writes what a scope shows into a file, within one read of the database.
///
/// One JSON object per line in the wire form of a row, as gzip. The order is that of collections and identities: rows lie
/// so in the tables that are read here and in those that are written at the other end.
struct SnapshotWriter {
    let store: ServerStore
    let db: Database

    private static let pieceSize = 256 << 10
    /// Measured on rows of twenty fields: half the time of zlib's default for a tenth more bytes.
    private static let level = 4

    /// Makes the file; nil if the scope has no rows or is none of this catalogue.
    func write(_ name: String) throws -> Snapshot? {
        guard let scope = Scope(name).flatMap({ store.rules.key(of: $0) }),
            let state = try store.state(ofScope: name, db)
        else { return nil }
        let head = try store.lastSequence(db)
        let part = store.snapshots.directory + "/" + UUID().uuidString + ".part"
        var isWhole = false
        defer { if !isWhole { try? FileManager.default.removeItem(atPath: part) } }
        guard
            FileManager.default.createFile(atPath: part, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: part)
        else { throw CocoaError(.fileWriteUnknown) }
        defer { try? file.close() }
        var output = Output(file: file)
        let (rows, size) = try compress(state.id, kind: scope.kind, into: &output)
        guard rows > 0 else { return nil }
        try output.flush()
        let id = output.hash.finalize().map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let path = store.snapshots.directory + "/" + id
        // Atomic, and in place of the same content if that was made before.
        guard unsafe rename(part, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        isWhole = true
        return Snapshot(
            scope: name, epoch: state.epoch,
            offer: SnapshotOffer(id: id, sequence: head, rows: rows, bytes: output.count, size: size), path: path,
            madeAt: store.clock())
    }

    private func compress(_ scope: Int64, kind: Int, into output: inout Output) throws -> (rows: Int, size: Int) {
        var source = ScopeRows(store: store, db: db, kind: kind)
        var encoder = try GzipEncoder(level: Self.level)
        var writer = JSONWriter(reserving: Self.pieceSize + 65_536)
        var (rows, size) = (0, 0)
        let members = try BoundStatement(db, "SELECT collection, row FROM member WHERE scope = ? AND present = 1")
        defer { members.reset() }
        try members.bind(1, scope)
        while try members.step() {
            guard let collection = store.positions[members.integer(0)] else { continue }
            let before = writer.count
            try source.show(RowKey(collection, members.id(1)), to: &writer)
            guard writer.count > before else { continue }
            writer.endLine()
            rows += 1
            guard writer.count >= Self.pieceSize else { continue }
            size += writer.count
            try encoder.write(writer.bytes) { try output.take($0) }
            writer.removeAll()
        }
        size += writer.count
        try encoder.write(writer.bytes) { try output.take($0) }
        try encoder.finish { try output.take($0) }
        return (rows, size)
    }

    /// The file with the hash of what went into it.
    private struct Output {
        let file: FileHandle
        var hash = SHA256()
        var count = 0
        var pending = Data()

        init(file: FileHandle) { self.file = file }

        mutating func take(_ piece: ArraySlice<UInt8>) throws {
            pending.append(contentsOf: piece)
            if pending.count >= 1 << 20 { try flush() }
        }

        mutating func flush() throws {
            hash.update(data: pending)
            count += pending.count
            try file.write(contentsOf: pending)
            pending.removeAll(keepingCapacity: true)
        }
    }
}

/// Rows as one kind of scope shows them, with the rows they are about at hand.
struct ScopeRows {
    private let store: ServerStore
    private let source: ServerRows
    private let projection: Projection
    private let kind: Int
    /// The subject last looked up: what is about one person often lies together.
    private var subject: Row?

    init(store: ServerStore, db: Database, kind: Int) {
        self.store = store
        source = ServerRows(store: store, db: db)
        projection = store.projection
        self.kind = kind
    }

    /// Writes a row as the scope shows it; nothing if there is no such row.
    mutating func show(_ key: RowKey, to writer: inout JSONWriter) throws {
        guard projection.needsSubject(key.collection, in: kind) else {
            return try source.withRow(key) { projection.write($0, subject: nil, in: kind, to: &writer) }
        }
        guard let row = try source.row(key) else { return }
        projection.write(row, subject: try subject(of: row), in: kind, to: &writer)
    }

    /// Whether a row is deleted or shown with less than others of its collection, as far as a condition decides.
    mutating func isWithheld(_ key: RowKey) throws -> Bool {
        guard let row = try source.row(key), !row.isDeleted else { return true }
        return store.rules.withholds(from: kind, row, subject: try subject(of: row))
    }

    private mutating func subject(of row: Row) throws -> Row? {
        guard projection.needsSubject(row.key.collection, in: kind),
            let about = store.rules.subjects[row.key.collection],
            let id = row.values[about.position].id
        else { return nil }
        let key = RowKey(about.collection, id)
        if subject?.key != key { subject = try source.row(key) }
        return subject
    }
}
