import Curl
import RoostAPI
import RoostSchema
import RoostSync

/// A replica that keeps cursors and nothing else, so that what is measured is the server.
struct Replicant: Sendable {
    var connection: BenchConnection
    let replica: ReplicaID
    let token: String
    var generator = BenchRows()
    private let clock = ContinuousClock()
    private var cursors: [Scope: ScopeCursor] = [:]
    private var epoch: String?
    private(set) var rows = 0
    private(set) var more = true

    init(_ server: BenchServer, _ bits: UInt64, as officer: BenchServer.Officer = .registrar) async throws {
        try await self.init(server, bits, of: officer.row)
    }

    init(_ server: BenchServer, _ bits: UInt64, of officer: RowID) async throws {
        replica = ReplicaID(bits)
        token = try await server.enrol([(replica, officer)])[0]
        connection = server.connection
    }

    func request(_ mutations: [Mutation]) -> [UInt8] {
        ExchangeRequest(
            catalogue: 1, replica: replica, incarnation: 1, epoch: epoch, now: now(), mutations: mutations,
            scopes: cursors.values.sorted { $0.scope < $1.scope }
        ).json
    }

    func post(_ body: [UInt8]) async throws -> [UInt8] {
        try await connection.send(.post, Path.sync, body, token: token)
    }

    mutating func accept(_ bytes: [UInt8]) throws -> [Verdict] {
        let answer = try ExchangeAnswer(json: bytes)
        epoch = answer.epoch
        for page in answer.scopes {
            rows += page.rows.count
            cursors[page.scope] = ScopeCursor(scope: page.scope, epoch: page.epoch, cursor: page.cursor)
        }
        more = answer.scopes.contains { $0.more }
        if let refused = answer.verdicts.first(where: { $0.outcome == .rejected }) {
            throw BenchServer.Failure.status(200, "refused: \(refused)")
        }
        return answer.verdicts
    }

    mutating func exchange(_ mutations: [Mutation]) async throws -> [Verdict] {
        var verdicts: [Verdict] = []
        repeat { verdicts += try accept(try await post(request(mutations))) } while more && mutations.isEmpty
        return verdicts
    }

    /// Pushes mutations of the generator's in one exchange, and tells how long that took.
    @discardableResult
    mutating func timed(_ mutations: [Mutation]) async throws -> Duration {
        let body = request(mutations)
        let start = clock.now
        let bytes = try await post(body)
        let time = clock.now - start
        generator.note(mutations, try accept(bytes))
        return time
    }

    /// Takes it that this replica has what another of the same officer's has.
    mutating func adopt(_ other: Replicant) {
        cursors = other.cursors
        epoch = other.epoch
        generator = other.generator.forAnotherReplica
    }

    var scopes: Int { cursors.count }
}
