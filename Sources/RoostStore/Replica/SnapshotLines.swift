import Dispatch
import Foundation
import RoostSchema
import RoostSync
import Synchronization
import Zlib

/// One row of a snapshot, with what can be said of it without the database.
struct SnapshotLine: Sendable {
    /// As it stands in the file, and as the replica keeps it.
    let bytes: [UInt8]
    let row: WireRow
    /// What is to be seen of it where nothing else is known of the row; nil in a collection this catalogue lacks.
    let shown: ShownRow?
    /// How its names are found.
    let keys: NameSearch.Keys?
}

/// Reads the rows of a snapshot's file.
///
/// Inflating and decoding take as long as writing does, so the next rows are made ready on a thread of their own while
/// those before them are written.
final class SnapshotLines: Sendable {
    private struct State: ~Copyable {
        let file: FileHandle
        var decoder: GzipDecoder
        var cutter: LineCutter
        var isAtEnd = false
    }

    /// Rows made ready at a time where nobody wants fewer: some megabytes.
    static let portion = 1000

    private let portion: Int
    private let reader: LineReader
    private let state: Mutex<State>
    private let ready = Mutex<Result<[SnapshotLine], any Error>?>(nil)
    /// Serial: what was ordered before is ready when a later order is carried out.
    private let queue = DispatchQueue(label: "roost.snapshot.lines")

    /// - Throws: ``ReplicaError/damaged(_:)`` if there is no file.
    init(path: String, of replica: Replica, size: Int, skipping: Int, portion: Int) throws {
        self.portion = portion
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw ReplicaError.damaged("a snapshot is missing")
        }
        reader = LineReader(replica)
        state = Mutex(
            State(file: file, decoder: try GzipDecoder(limit: size), cutter: LineCutter(skipping: skipping)))
        prepare()
    }

    /// The next rows, in the order of the file; none at its end.
    func next() throws -> [SnapshotLine] {
        let result = queue.sync { ready.withLock { $0.take() } }
        guard let lines = try result?.get(), !lines.isEmpty else { return [] }
        prepare()
        return lines
    }

    private func prepare() {
        queue.async { [self] in
            let result = state.withLock { state in Result { try Self.read(&state, portion).map(reader.line) } }
            ready.withLock { $0 = result }
        }
    }

    private static func read(_ state: inout State, _ portion: Int) throws -> [[UInt8]] {
        while state.cutter.lines.count < portion, !state.isAtEnd {
            guard let piece = try state.file.read(upToCount: 64 << 10), !piece.isEmpty else {
                try state.decoder.finish()
                try state.cutter.finish()
                try? state.file.close()
                state.isAtEnd = true
                break
            }
            var inflated: [UInt8] = []
            try state.decoder.write([UInt8](piece)) { inflated += $0 }
            try state.cutter.take(inflated[...])
        }
        return state.cutter.next(portion)
    }
}

/// Reads one row after another; pure.
private struct LineReader: Sendable {
    private let rules: Rules
    /// By collection.
    private let searches: [NameSearch?]

    init(_ replica: Replica) {
        rules = replica.rules
        searches = replica.searches
    }

    func line(_ bytes: [UInt8]) throws -> SnapshotLine {
        let row = try WireRow(stored: bytes)
        guard let collection = rules.catalogue.position(of: row.collection) else {
            return SnapshotLine(bytes: bytes, row: row, shown: nil, keys: nil)
        }
        let shown = Overlay(rules: rules, key: RowKey(collection, row.row)).alone(row)
        return SnapshotLine(
            bytes: bytes, row: row, shown: shown, keys: searches[collection]?.keys(shown.row.values))
    }
}

/// Cuts the content of a snapshot into lines.
struct LineCutter {
    private(set) var lines: [[UInt8]] = []
    private var rest: [UInt8] = []
    private var skipping: Int

    /// No honest row comes near it.
    private static let longest = 16 << 20

    init(skipping: Int) { self.skipping = skipping }

    mutating func take(_ piece: ArraySlice<UInt8>) throws {
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: 0x0A) {
            let line = rest.isEmpty ? Array(piece[start..<end]) : rest + piece[start..<end]
            rest.removeAll(keepingCapacity: true)
            start = end + 1
            if skipping > 0 {
                skipping -= 1
                continue
            }
            lines.append(line)
        }
        rest += piece[start...]
        guard rest.count <= Self.longest else { throw ZlibError.tooLarge }
    }

    /// Hands over at most so many lines.
    mutating func next(_ count: Int) -> [[UInt8]] {
        let handed = Array(lines.prefix(count))
        lines.removeFirst(handed.count)
        return handed
    }

    func finish() throws { if !rest.isEmpty || skipping > 0 { throw ZlibError.incomplete } }
}
