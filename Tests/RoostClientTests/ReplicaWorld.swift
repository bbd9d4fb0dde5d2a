import Foundation
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Synchronization

/// Clock and chance under a test's control.
final class Bench: Sendable {
    private let state = Mutex((now: Int64(1_757_635_200_000), random: UInt64(1)))

    func advance(_ milliseconds: Int64) { state.withLock { $0.now += milliseconds } }
    var now: Milliseconds { Milliseconds(state.withLock { $0.now }) }

    var environment: Environment {
        Environment(
            now: { self.now },
            mark: { Mutation.Mark(monotonic: self.now.value - 1_757_000_000_000, boot: "bench") },
            random: {
                self.state.withLock { state in
                    state.random = state.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return state.random
                }
            },
            sleep: { _ in })
    }
}

/// A replica in a folder of its own, which goes when the world does; the server's side is played by the test.
final class ReplicaWorld {
    let bench: Bench
    let directory: String
    let catalogue: Catalogue
    private(set) var replica: Replica
    let me: ReplicaID
    let officer: RowID

    /// Another device, whose stamps the server's rows carry.
    static let other = ReplicaID(0xB2)

    init(
        _ role: RoleName = "registrar", catalogue: Catalogue = .programme.withConflicts(about: "student"),
        officer: RowID = RowID(naming: "test", "officer"), replica me: ReplicaID = ReplicaID(0xA1),
        bench: Bench = Bench()
    ) throws {
        self.me = me
        self.bench = bench
        self.officer = officer
        directory = NSTemporaryDirectory() + "roost-replica-" + UUID().uuidString
        self.catalogue = catalogue
        replica = try Replica.create(
            directory: directory, catalogue: catalogue, names: NameKeys.programme,
            enrolled: Enrolled(
                server: "http://server.invalid", token: "token", replica: me, officer: officer, name: "谭梓森",
                roles: [role], label: "laptop"))
    }

    deinit {
        try? replica.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    var desk: Desk { get throws { try Desk(replica, environment: bench.environment) } }
    var moment: DeviceMoment { bench.environment.moment }

    /// Opens the same database again, as after a crash.
    func reopen(_ catalogue: Catalogue? = nil) throws {
        try replica.close()
        replica = try Replica(directory: directory, catalogue: catalogue ?? self.catalogue, names: NameKeys.programme)
    }

    static func id(_ name: String) -> RowID { RowID(naming: "test", name) }
    static let county = Scope(ScopeKindName("county"))
    static let commons = Scope(ScopeKindName("commons"))
    static func liaison(_ name: String) -> Scope { Scope(ScopeKindName("liaison"), id(name)) }
    static func chapter(_ name: String) -> Scope { Scope(ScopeKindName("chapter"), id(name)) }

    /// A stamp of the other device, so many milliseconds after the beginning.
    static func stamp(_ milliseconds: Int64) -> Stamp {
        Stamp(HybridTime(Milliseconds(1_757_600_000_000 + milliseconds)), other)
    }

    static func row(
        _ collection: String, _ name: String, at sequence: Int64, _ fields: KeyValuePairs<String, Value>,
        masked: [String] = [], stamps: [String: Stamp] = [:], deleted: Bool = false
    ) -> WireRow {
        WireRow(
            collection: collection, row: id(name), sequence: ServerSequence(sequence), stamp: stamp(sequence),
            fields: fields.map { Mutation.Change($0, $1) }, stamps: stamps, masked: masked,
            deleted: deleted ? stamp(sequence) : nil)
    }

    static func page(
        _ scope: Scope, cursor: Int64, _ rows: [WireRow] = [], left: [(String, String)] = [], epoch: Int64 = 1,
        more: Bool = false
    ) -> ScopePage {
        ScopePage(
            scope: scope, epoch: epoch, cursor: ServerSequence(cursor), more: more, rows: rows,
            left: left.map { ScopePage.Departure(collection: $0, row: id($1)) })
    }

    func answer(
        _ pages: [ScopePage] = [], verdicts: [Verdict] = [], lost: [Scope] = [], expected: Int64? = nil
    ) throws -> ExchangeAnswer {
        let known = (verdicts.map(\.number).max() ?? 0) + 1
        return ExchangeAnswer(
            now: bench.now, epoch: "e1", offset: 0, expected: try expected ?? max(known, firstWaiting()),
            verdicts: verdicts, lost: lost, scopes: pages)
    }

    private func firstWaiting() throws -> Int64 {
        let request = try replica.nextRequest(limits: ChangesetLimits(mutations: 5000, bytes: 1 << 20), at: moment)
        return request.mutations.first?.number ?? 1
    }

    @discardableResult
    func receive(
        _ pages: ScopePage..., verdicts: [Verdict] = [], lost: [Scope] = [], expected: Int64? = nil
    ) throws -> AppliedAnswer {
        try replica.apply(
            try answer(pages, verdicts: verdicts, lost: lost, expected: expected), now: bench.now)
    }

    /// A value of a row as the person sees it.
    func value(_ collection: CollectionName, _ name: String, _ field: FieldName) throws -> Value? {
        try value(collection, Self.id(name), field)
    }

    func value(_ collection: CollectionName, _ row: RowID, _ field: FieldName) throws -> Value? {
        guard let position = replica.rules.catalogue[collection]?.position(of: field) else { return nil }
        return try replica.row(collection, row)?.row.values[position]
    }

    func request(mutations: Int = 5000, bytes: Int = 1 << 20) throws -> ExchangeRequest {
        try replica.nextRequest(limits: ChangesetLimits(mutations: mutations, bytes: bytes), at: moment)
    }

    /// Whether the files of the replica hold a text anywhere.
    func diskHolds(_ text: String) throws -> Bool {
        let needle = Array(text.utf8)
        return try FileManager.default.contentsOfDirectory(atPath: directory).contains { name in
            let bytes = FileManager.default.contents(atPath: directory + "/" + name) ?? Data()
            return bytes.firstRange(of: needle) != nil
        }
    }

    func applied(_ number: Int64, _ milliseconds: Int64 = 90_000_000) -> Verdict {
        Verdict(number: number, outcome: .applied, stamp: Stamp(Self.stamp(milliseconds).time, me))
    }
}
