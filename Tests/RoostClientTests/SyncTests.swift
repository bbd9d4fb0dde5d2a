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

@Suite struct SyncTests {
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
