import Foundation
import RoostSchema
import RoostSync

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What an old backup must not bring back, access that was ended, people who were erased and endpoints that were given up;
/// and which imports it lacks.
///
/// A file beside the database with one JSON object a line. It is only ever added to, and each line is on the disk before
/// the transaction that it tells of commits: the ledger may know of an end that the database does not, never the other
/// way round. Whoever begins a new epoch reads it and ends again what the copy revived.
struct Ledger: Sendable {
    enum Entry: Hashable, Sendable {
        /// A device's access ended.
        case revoked(ReplicaID, at: Milliseconds)
        /// A grant ended, by its row.
        case ended(RowID, at: Milliseconds)
        /// A grant began, or began anew.
        case granted(RowID, at: Milliseconds)
        /// A sheet was imported.
        case imported(ImportNote)
        /// An import was taken back, by its batch.
        case undone(RowID, at: Milliseconds)
        /// A row was erased, with all that is about it.
        case erased(RowID, of: CollectionName, at: Milliseconds)
        /// An endpoint was given up for good.
        case retired(RowID, at: Milliseconds)
        /// Whoever gets an endpoint's letters at this address wants no more; see ``EndpointRecord/addressMark``.
        case unsubscribed(RowID, address: RowID, at: Milliseconds)
        /// A person has an endpoint used again whose owner had wanted no more. The one line that may be missing: it is added
        /// after the commit.
        case resubscribed(RowID, at: Milliseconds)
    }

    /// What is kept of an import, so that importing the sheet once more makes the same rows again.
    struct ImportNote: Hashable, Sendable {
        let batch: RowID
        /// A digest of the file under the server's key.
        let sheet: String
        /// The file's name.
        let source: String
        /// The time of its first edit; the others follow in steps of two.
        let first: HybridTime
    }

    static let name = "ledger"

    private let path: String

    init(directory: String) { path = directory + "/" + Self.name }

    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Adds lines and makes them durable; throws `POSIXError`.
    func append(_ entries: [Entry]) throws {
        guard !entries.isEmpty else { return }
        let isNew = !exists
        let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        defer { close(file) }
        // One call, so that lines of two processes do not mix; and none behind what a full disk or a power failure cut off.
        let bytes: [UInt8] = [0x0A] + entries.flatMap(\.line)
        let written = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(file) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        if isNew { try makeDurable((path as NSString).deletingLastPathComponent) }
    }

    /// All lines, oldest first; what cannot be read, as after a power failure in the middle of one, is passed over.
    func entries() -> [Entry] {
        guard let bytes = FileManager.default.contents(atPath: path) else { return [] }
        return bytes.split(separator: 0x0A).compactMap { line in
            (try? Value(json: Array(line))).flatMap { Entry($0) }
        }
    }

    /// What is over: devices, and grants that did not begin again.
    func ends() -> (devices: [ReplicaID: Milliseconds], grants: [RowID]) {
        var devices: [ReplicaID: Milliseconds] = [:]
        var isOver: [RowID: Bool] = [:]
        for entry in entries() {
            switch entry {
            case .revoked(let replica, let moment): devices[replica] = devices[replica] ?? moment
            case .ended(let row, _): isOver[row] = true
            case .granted(let row, _): isOver[row] = false
            case .imported, .undone, .erased, .retired, .unsubscribed, .resubscribed: break
            }
        }
        return (devices, isOver.filter(\.value).map(\.key).sorted())
    }

    /// The imports that were not taken back, oldest first.
    func imports() -> [ImportNote] {
        var notes: [ImportNote] = []
        for entry in entries() {
            switch entry {
            case .imported(let note): notes.append(note)
            case .undone(let batch, _): notes.removeAll { $0.batch == batch }
            case .revoked, .ended, .granted, .erased, .retired, .unsubscribed, .resubscribed: break
            }
        }
        return notes
    }

    /// What was erased.
    func erasures() -> [(row: RowID, collection: CollectionName)] {
        entries().compactMap { entry in
            guard case .erased(let row, let collection, _) = entry else { return nil }
            return (row, collection)
        }
    }

    /// Endpoints to which nothing more goes: for good, and at these addresses.
    func stopped() -> (retired: Set<RowID>, unsubscribed: [RowID: Set<RowID>]) {
        var retired: Set<RowID> = []
        var unsubscribed: [RowID: Set<RowID>] = [:]
        for entry in entries() {
            switch entry {
            case .retired(let endpoint, _): retired.insert(endpoint)
            case .unsubscribed(let endpoint, let address, _): unsubscribed[endpoint, default: []].insert(address)
            case .resubscribed(let endpoint, _): unsubscribed[endpoint] = nil
            case .revoked, .ended, .granted, .imported, .undone, .erased: break
            }
        }
        return (retired, unsubscribed)
    }
}

extension Ledger.Entry {
    fileprivate var line: [UInt8] {
        let members: [Value.Member] =
            switch self {
            case .revoked(let replica, let moment): [.init("revoked", .text(replica.description)), at(moment)]
            case .ended(let row, let moment): [.init("ended", .id(row)), at(moment)]
            case .granted(let row, let moment): [.init("granted", .id(row)), at(moment)]
            case .undone(let batch, let moment): [.init("undone", .id(batch)), at(moment)]
            case .erased(let row, let collection, let moment):
                [.init("erased", .id(row)), .init("collection", .text(collection.text)), at(moment)]
            case .retired(let endpoint, let moment): [.init("retired", .id(endpoint)), at(moment)]
            case .unsubscribed(let endpoint, let address, let moment):
                [.init("unsubscribed", .id(endpoint)), .init("address", .id(address)), at(moment)]
            case .resubscribed(let endpoint, let moment): [.init("resubscribed", .id(endpoint)), at(moment)]
            case .imported(let note):
                [
                    .init("imported", .id(note.batch)), .init("sheet", .text(note.sheet)),
                    .init("source", .text(note.source)), at(note.first.moment),
                    .init("counter", .integer(Int64(note.first.bits & 0xFFFF))),
                ]
            }
        return Value.object(members).json + [0x0A]
    }

    private func at(_ moment: Milliseconds) -> Value.Member { .init("at", .integer(moment.value)) }

    fileprivate init?(_ value: Value) {
        guard let moment = value["at"]?.integer.map({ Milliseconds($0) }) else { return nil }
        if let replica = value["revoked"]?.text.flatMap({ ReplicaID($0) }) {
            self = .revoked(replica, at: moment)
        } else if let row = value["ended"]?.text.flatMap({ RowID($0) }) {
            self = .ended(row, at: moment)
        } else if let row = value["granted"]?.text.flatMap({ RowID($0) }) {
            self = .granted(row, at: moment)
        } else if let batch = value["undone"]?.text.flatMap({ RowID($0) }) {
            self = .undone(batch, at: moment)
        } else if let row = value["erased"]?.text.flatMap({ RowID($0) }), let collection = value["collection"]?.text {
            self = .erased(row, of: CollectionName(collection), at: moment)
        } else if let endpoint = value["retired"]?.text.flatMap({ RowID($0) }) {
            self = .retired(endpoint, at: moment)
        } else if let endpoint = value["unsubscribed"]?.text.flatMap({ RowID($0) }),
            let address = value["address"]?.text.flatMap({ RowID($0) })
        {
            self = .unsubscribed(endpoint, address: address, at: moment)
        } else if let endpoint = value["resubscribed"]?.text.flatMap({ RowID($0) }) {
            self = .resubscribed(endpoint, at: moment)
        } else if let batch = value["imported"]?.text.flatMap({ RowID($0) }), let sheet = value["sheet"]?.text,
            let source = value["source"]?.text, let counter = value["counter"]?.integer
        {
            let first = HybridTime(bits: HybridTime(moment).bits | UInt64(clamping: counter) & 0xFFFF)
            self = .imported(Ledger.ImportNote(batch: batch, sheet: sheet, source: source, first: first))
        } else {
            return nil
        }
    }
}
