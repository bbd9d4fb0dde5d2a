import RoostSchema

extension ExchangeRequest {
    /// Reads a request; members this version does not know are passed over.
    package init(json: [UInt8]) throws(WireProblem) {
        var reader = JSONReader(json)
        var version: Int64?
        var catalogue: Int64 = 0
        var replica: ReplicaID?
        var incarnation: Int64 = 1
        var epoch: String?
        var run: ServerRun?
        var now: Int64?
        var mark: Mutation.Mark?
        var boots: [String: Milliseconds] = [:]
        var mutations: [Mutation] = []
        var scopes: [ScopeCursor] = []
        var surrendered: [Surrender] = []
        var purged: PurgeConfirmation?
        var owed = false
        var pageBytes: Int?
        var answered: Int64?
        var unrecovered: Int64 = 0
        var snapshots = false
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "protocol": version = try reader.integer()
            case "catalogue": catalogue = try reader.integer()
            case "replica": replica = try reader.replica(name)
            case "incarnation": incarnation = try reader.integer(in: 1...Int64.max, name)
            case "epoch": if !reader.null() { epoch = try reader.string() }
            case "run": if !reader.null() { run = try reader.run(name) }
            case "now": now = try reader.integer(in: 0...maximumMoment, name)
            case "mark": if !reader.null() { mark = try Mutation.Mark(&reader) }
            case "boots":
                try reader.array { reader throws(WireProblem) in
                    let (boot, zero) = try Self.boot(&reader)
                    boots[boot] = zero
                }
            case "mutations":
                try reader.array { reader throws(WireProblem) in mutations.append(try Mutation(&reader)) }
            case "scopes":
                try reader.array { reader throws(WireProblem) in scopes.append(try ScopeCursor(&reader)) }
            case "surrendered":
                try reader.array { reader throws(WireProblem) in surrendered.append(try Surrender(&reader)) }
            case "purged": if !reader.null() { purged = try PurgeConfirmation(&reader) }
            case "owed": owed = try reader.boolean()
            case "page_bytes": pageBytes = Int(clamping: try reader.integer())
            case "answered": if !reader.null() { answered = try reader.integer(in: 0...Int64.max, name) }
            case "unrecovered": unrecovered = try reader.integer(in: 0...Int64.max, name)
            case "snapshots": snapshots = try reader.boolean()
            default: _ = try reader.value()
            }
        }
        try reader.end()
        guard version == protocolVersion else {
            throw reader.problem(version == nil ? .missing : .unsupportedVersion, "protocol")
        }
        guard let replica else { throw reader.problem(.missing, "replica") }
        guard let now else { throw reader.problem(.missing, "now") }
        self.init(
            catalogue: Int(clamping: catalogue), replica: replica, incarnation: incarnation, epoch: epoch,
            now: Milliseconds(now), mark: mark, mutations: mutations, scopes: scopes)
        self.run = run
        self.boots = boots
        self.surrendered = surrendered
        self.purged = purged
        self.owed = owed
        self.pageBytes = pageBytes
        self.answered = answered
        self.unrecovered = unrecovered
        self.snapshots = snapshots
    }

    private static func boot(_ reader: inout JSONReader) throws(WireProblem) -> (String, Milliseconds) {
        var boot: String?
        var zero: Int64?
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "boot": boot = try reader.string()
            case "zero": zero = try reader.integer(in: -maximumMoment...maximumMoment, name)
            default: _ = try reader.value()
            }
        }
        guard let boot else { throw reader.problem(.missing, "boot") }
        guard boot.utf8.count <= 64 else { throw reader.problem(.outOfRange, "boot") }
        guard let zero else { throw reader.problem(.missing, "zero") }
        return (boot, Milliseconds(zero))
    }

    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 256 + mutations.count * 256)
        writer.object { writer in
            writer.name("protocol")
            writer.integer(protocolVersion)
            writer.name("catalogue")
            writer.integer(Int64(catalogue))
            writer.name("replica")
            writer.plain(replica.description)
            writer.name("incarnation")
            writer.integer(incarnation)
            if let epoch {
                writer.name("epoch")
                writer.string(epoch)
            }
            if let run {
                writer.name("run")
                writer.plain(run.description)
            }
            writer.name("now")
            writer.integer(now.value)
            if let mark {
                writer.name("mark")
                mark.write(to: &writer)
            }
            if !boots.isEmpty {
                writer.name("boots")
                writer.array { writer in
                    for (boot, zero) in boots.sorted(by: { $0.key < $1.key }) {
                        writer.object { writer in
                            writer.name("boot")
                            writer.string(boot)
                            writer.name("zero")
                            writer.integer(zero.value)
                        }
                    }
                }
            }
            if !mutations.isEmpty {
                writer.name("mutations")
                writer.array { writer in for mutation in mutations { mutation.write(to: &writer) } }
            }
            if !scopes.isEmpty {
                writer.name("scopes")
                writer.array { writer in for scope in scopes { scope.write(to: &writer) } }
            }
            if !surrendered.isEmpty {
                writer.name("surrendered")
                writer.array { writer in for surrender in surrendered { surrender.write(to: &writer) } }
            }
            if let purged {
                writer.name("purged")
                purged.write(to: &writer)
            }
            if owed {
                writer.name("owed")
                writer.boolean(true)
            }
            if let pageBytes {
                writer.name("page_bytes")
                writer.integer(Int64(pageBytes))
            }
            if let answered {
                writer.name("answered")
                writer.integer(answered)
            }
            if unrecovered > 0 {
                writer.name("unrecovered")
                writer.integer(unrecovered)
            }
            if snapshots {
                writer.name("snapshots")
                writer.boolean(true)
            }
        }
        return writer.bytes
    }
}

extension ScopeCursor {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        var scope: Scope?
        var epoch: Int64 = 0
        var cursor: Int64 = 0
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "scope": scope = try reader.scope(name)
            case "epoch": epoch = try reader.integer()
            case "cursor": cursor = try reader.integer(in: 0...Int64.max, name)
            default: _ = try reader.value()
            }
        }
        guard let scope else { throw reader.problem(.missing, "scope") }
        self.init(scope: scope, epoch: epoch, cursor: ServerSequence(cursor))
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("scope")
            writer.plain(scope.description)
            writer.name("epoch")
            writer.integer(epoch)
            writer.name("cursor")
            writer.integer(cursor.value)
        }
    }
}

extension Surrender {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        var incarnation: Int64 = 1
        var mutation: Mutation?
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "incarnation": incarnation = try reader.integer(in: 1...Int64.max, name)
            case "mutation": mutation = try Mutation(&reader)
            default: _ = try reader.value()
            }
        }
        guard let mutation else { throw reader.problem(.missing, "mutation") }
        self.init(incarnation: incarnation, mutation: mutation)
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("incarnation")
            writer.integer(incarnation)
            writer.name("mutation")
            mutation.write(to: &writer)
        }
    }
}

extension PurgeConfirmation {
    init(_ reader: inout JSONReader) throws(WireProblem) {
        var rows: Int64 = 0
        var digest: UInt64?
        try reader.object { reader, name throws(WireProblem) in
            switch name {
            case "rows": rows = try reader.integer(in: 0...Int64.max, name)
            case "digest":
                let text = try reader.string()
                guard text.utf8.count == 16, let bits = hexadecimal(text.utf8) else {
                    throw reader.problem(.outOfRange, name)
                }
                digest = bits
            default: _ = try reader.value()
            }
        }
        guard let digest else { throw reader.problem(.missing, "digest") }
        self.init(rows: Int(clamping: rows), digest: digest)
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("rows")
            writer.integer(Int64(rows))
            writer.name("digest")
            writer.plain(paddedHexadecimal(digest))
        }
    }
}

/// The last moment of the year 9999: beyond it no clock is right, and sums of moments could overflow.
let maximumMoment: Int64 = 253_402_300_799_999

extension JSONReader {
    mutating func integer(in range: ClosedRange<Int64>, _ member: String) throws(WireProblem) -> Int64 {
        let integer = try integer()
        guard range.contains(integer) else { throw problem(.outOfRange, member) }
        return integer
    }

    mutating func replica(_ member: String) throws(WireProblem) -> ReplicaID {
        guard let replica = ReplicaID(try string()) else { throw problem(.outOfRange, member) }
        return replica
    }

    mutating func run(_ member: String) throws(WireProblem) -> ServerRun {
        guard let run = ServerRun(try string()) else { throw problem(.outOfRange, member) }
        return run
    }

    mutating func rowID(_ member: String) throws(WireProblem) -> RowID {
        if let id = fixed(36, { RowID(utf8: $0) }) { return id }
        guard let id = RowID(try string()) else { throw problem(.outOfRange, member) }
        return id
    }

    mutating func stamp(_ member: String) throws(WireProblem) -> Stamp {
        if let stamp = fixed(33, { Stamp(utf8: $0) }) { return stamp }
        guard let stamp = Stamp(try string()) else { throw problem(.outOfRange, member) }
        return stamp
    }

    mutating func time(_ member: String) throws(WireProblem) -> HybridTime {
        if let bits = fixed(16, { hexadecimal(utf8: $0) }) { return HybridTime(bits: bits) }
        let text = try string()
        guard text.utf8.count == 16, let bits = hexadecimal(text.utf8) else { throw problem(.outOfRange, member) }
        return HybridTime(bits: bits)
    }

    mutating func scope(_ member: String) throws(WireProblem) -> Scope {
        let text = try string()
        guard text.utf8.count <= 80, let scope = Scope(text), scope.kind.isWellFormed else {
            throw problem(.outOfRange, member)
        }
        return scope
    }
}
