import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

private typealias World = ReplicaWorld

/// A server that plays back answers and keeps what it was asked.
private final class PlayedServer: ExchangeServer {
    private let state: Mutex<(answers: [ExchangeAnswer], requests: [ExchangeRequest])>
    private let limit: Int

    init(_ answers: [ExchangeAnswer], mutations limit: Int = 5000) {
        state = Mutex((answers, []))
        self.limit = limit
    }

    var requests: [ExchangeRequest] { state.withLock { $0.requests } }

    func limits() async throws(ClientError) -> Limits { Limits(mutations: limit) }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        let answer = state.withLock { state -> ExchangeAnswer? in
            state.requests.append(request)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        guard let answer else { throw .unreachable(reason: "interrupted") }
        return answer
    }
}

/// A server behind a line on which nothing larger than so many bytes arrives in time; it applies what does.
private final class SlowLine: ExchangeServer {
    private let sizes = Mutex<[Int]>([])
    private let largest: Int
    private let failure: ClientError

    init(upTo largest: Int, failing failure: ClientError) {
        (self.largest, self.failure) = (largest, failure)
    }

    /// Bytes of each request, in their order.
    var tried: [Int] { sizes.withLock(\.self) }

    func limits() async throws(ClientError) -> Limits { Limits() }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        let size = request.json.count
        sizes.withLock { $0.append(size) }
        guard size <= largest else { throw failure }
        return ExchangeAnswer(
            now: request.now, epoch: "e1", offset: 0, expected: (request.mutations.last?.number ?? 0) + 1,
            verdicts: request.mutations.map {
                Verdict(number: $0.number, outcome: .applied, stamp: Stamp($0.time, request.replica))
            }, lost: [], scopes: [])
    }

    static func refusal(_ status: Int) -> ClientError {
        .refused(.init(status: status, code: nil, message: Label("慢", "slow"), reason: nil, requestID: nil))
    }
}

@Suite struct SyncTests {
    /// Queues edits of about a kibibyte each, in one group or none.
    private func queue(_ count: Int, grouped: Bool = false, in world: World) throws {
        let edits = (0..<count).map { _ in
            Edit(
                "student", world.bench.environment.newRow(), .create,
                [.init("name", "谭梓森"), .init("note_public", .text(String(repeating: "长", count: 280)))])
        }
        try world.replica.queue(edits, grouped: grouped, at: world.moment)
    }

    @Test(arguments: [
        SlowLine.refusal(408), SlowLine.refusal(413), SlowLine.refusal(504), .unreachable(reason: "timed_out"),
        .unreachable(reason: "interrupted"),
    ])
    func `what does not arrive over a slow line is sent in halves until it does`(failure: ClientError) async throws {
        let world = try World()
        try queue(80, in: world)
        let line = SlowLine(upTo: 30_000, failing: failure)
        let report = try await Synchroniser(
            replica: world.replica, server: line, environment: world.bench.environment
        ).run()
        #expect(report.verdicts == [.applied: 80])
        #expect(try world.replica.status().pending == 0)
        let failed = line.tried.prefix { $0 > 30_000 }
        #expect(failed.count == 2 && line.tried.dropFirst(2).allSatisfy { $0 <= 30_000 })
        #expect(zip(failed, line.tried.dropFirst()).allSatisfy { $1 <= $0 / 2 + 100 })
    }

    @Test func `a group larger than what the line took before goes whole`() async throws {
        let world = try World()
        try queue(40, in: world)
        try queue(40, grouped: true, in: world)
        try queue(40, in: world)
        let line = SlowLine(upTo: 48_000, failing: SlowLine.refusal(408))
        let report = try await Synchroniser(
            replica: world.replica, server: line, environment: world.bench.environment
        ).run()
        #expect(report.verdicts == [.applied: 120])
        #expect(line.tried.filter { $0 > 48_000 }.count == 2)
    }

    @Test(arguments: [false, true])
    func `where nothing arrives, the server's word is told after a few tries, and one group is not tried again`(
        grouped: Bool
    ) async throws {
        let world = try World()
        try queue(80, grouped: grouped, in: world)
        let line = SlowLine(upTo: 0, failing: SlowLine.refusal(408))
        await #expect(throws: SlowLine.refusal(408)) {
            _ = try await Synchroniser(replica: world.replica, server: line, environment: world.bench.environment)
                .run()
        }
        #expect(grouped ? line.tried.count == 1 : line.tried.count == 4)
        #expect(try world.request().mutations.count == 80)
    }

    @Test func `two processes that synchronise one device take turns`() async throws {
        let county = try ServedCounty()
        try await county.appoint("谭联络", "liaison")
        let device = try await county.device(of: "谭联络", "liaison")
        let path = device.world.directory + "/sync.lock"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let other = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        #expect(flock(other.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
        await #expect(throws: ClientError.synchronising) { try await device.sync() }
        try other.close()
        #expect(try await device.sync().gained.count == 4)
    }

    private func answer(
        _ pages: [ScopePage] = [], verdicts: [Verdict] = [], expected: Int64
    ) -> ExchangeAnswer {
        ExchangeAnswer(
            now: Milliseconds(0), epoch: "e1", offset: 0, expected: expected, verdicts: verdicts, scopes: pages)
    }

    @Test func `exchanges go on until everything is sent and received`() async throws {
        let world = try World()
        for name in ["甲", "乙", "丙"] { _ = try world.desk.add(["name": .text(name)]) }
        let server = PlayedServer(
            [
                answer(
                    [
                        World.page(
                            World.county, cursor: 5, [World.row("student", "li", at: 5, ["name": "李"])], more: true)
                    ],
                    verdicts: [world.applied(1), world.applied(2)], expected: 3),
                answer([World.page(World.county, cursor: 9)], verdicts: [world.applied(3)], expected: 4),
            ], mutations: 2)
        let report = try await Synchroniser(
            replica: world.replica, server: server, environment: world.bench.environment
        ).run()
        #expect(server.requests.map { $0.mutations.map(\.number) } == [[1, 2], [3]])
        #expect(server.requests.map { $0.scopes.map(\.cursor.value) } == [[], [5]])
        #expect(report.exchanges == 2)
        #expect(report.sent == 3)
        #expect(report.verdicts == [.applied: 3])
        #expect(report.gained == [World.county])
        #expect(try world.replica.status().pending == 0)
    }

    @Test func `an exchange that breaks off is taken up with the same mutations`() async throws {
        let world = try World()
        _ = try world.desk.add(["name": "甲"])
        let silent = PlayedServer([])
        await #expect(throws: ClientError.unreachable(reason: "interrupted")) {
            _ = try await Synchroniser(replica: world.replica, server: silent, environment: world.bench.environment)
                .run()
        }
        let server = PlayedServer([answer(verdicts: [world.applied(1)], expected: 2)])
        _ = try await Synchroniser(replica: world.replica, server: server, environment: world.bench.environment).run()
        #expect(server.requests.map(\.mutations) == silent.requests.map(\.mutations))
    }

    @Test func `a server that says more and gives nothing is not asked for ever`() async throws {
        let world = try World()
        let empty = answer([World.page(World.county, cursor: 0, epoch: 1, more: true)], expected: 1)
        let server = PlayedServer(Array(repeating: empty, count: 50))
        await #expect(throws: ClientError.badAnswer) {
            _ = try await Synchroniser(replica: world.replica, server: server, environment: world.bench.environment)
                .run()
        }
        #expect(server.requests.count < 5)
    }

    @Test func `a server with another history is told apart and nothing is wiped`() async throws {
        let world = try World()
        _ = try world.desk.add(["name": "甲"])
        let copied = PlayedServer([answer(expected: 7)])
        await #expect(throws: ClientError.replicaCopied) {
            _ = try await Synchroniser(replica: world.replica, server: copied, environment: world.bench.environment)
                .run()
        }
        #expect(try world.desk.students(["甲"]).count == 1)
        #expect(try world.replica.status().pending == 1)
    }
}
