import Foundation
import RoostAPI
import RoostClient
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

/// Sleep that ends when a test says so; less than a second is over at once.
private final class Sleepers: Sendable {
    private struct State {
        var next = 0
        var asleep: [Int: (duration: Duration, wake: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())
    private let bell = Bell()

    func sleep(_ duration: Duration) async throws {
        try Task.checkCancellation()
        guard duration >= .seconds(1) else { return }
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wake in
                let isCancelled = state.withLock { state in
                    if state.cancelled.contains(number) { return true }
                    state.asleep[number] = (duration, wake)
                    return false
                }
                if isCancelled { wake.resume(throwing: CancellationError()) } else { bell.ring() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(number)
                return state.asleep.removeValue(forKey: number)
            }
            sleeper?.wake.resume(throwing: CancellationError())
        }
    }

    /// Waits until somebody sleeps for so long.
    func asleep(_ duration: Duration) async {
        await bell.until { state.withLock { $0.asleep.contains { $0.value.duration == duration } } }
    }

    /// Waits until somebody sleeps for so long, and wakes them.
    func wake(_ duration: Duration) async {
        while !Task.isCancelled {
            await asleep(duration)
            let found = state.withLock { state in
                let number = state.asleep.first { $0.value.duration == duration }?.key
                return number.flatMap { state.asleep.removeValue(forKey: $0) }
            }
            if let found { return found.wake.resume() }
        }
    }
}

/// A server whose events a test sends, and whose exchanges find nothing new.
private final class ToldServer: EventServer {
    enum Stream: Sendable {
        case open(AsyncStream<WireEvent>)
        case failing(ClientError)
    }

    private struct State {
        var streams: [Stream] = []
        var opened = 0
        var requests: [ExchangeRequest] = []
        var refusals: [ClientError] = []
        var expected: Int64 = 1
    }

    private let state = Mutex(State())

    var requests: [ExchangeRequest] { state.withLock(\.requests) }
    var opened: Int { state.withLock(\.opened) }

    /// Adds a stream to be served next; returns the end that a test speaks into.
    func offer() -> AsyncStream<WireEvent>.Continuation {
        let (stream, end) = AsyncStream.makeStream(of: WireEvent.self)
        state.withLock { $0.streams.append(.open(stream)) }
        return end
    }

    func fail(_ errors: [ClientError]) { state.withLock { $0.streams += errors.map(Stream.failing) } }
    func refuse(_ errors: [ClientError]) { state.withLock { $0.refusals += errors } }

    func limits() async throws(ClientError) -> Limits { Limits(pollSeconds: 60) }

    func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
        let refusal = state.withLock { state -> ClientError? in
            guard state.refusals.isEmpty else { return state.refusals.removeFirst() }
            state.requests.append(request)
            if let last = request.mutations.last { state.expected = last.number + 1 }
            return nil
        }
        if let refusal { throw refusal }
        return ExchangeAnswer(
            now: Milliseconds(0), epoch: "e1", offset: 0, expected: state.withLock(\.expected),
            verdicts: request.mutations.map {
                Verdict(number: $0.number, outcome: .applied, stamp: Stamp($0.time, request.replica))
            })
    }

    func watch(_ tell: @Sendable (WireEvent) -> Void) async throws(ClientError) {
        let stream = state.withLock { state -> Stream? in
            state.opened += 1
            return state.streams.isEmpty ? nil : state.streams.removeFirst()
        }
        switch stream {
        case .open(let events):
            for await event in events { tell(event) }
            if Task.isCancelled { throw .unreachable(reason: "cancelled") }
        case .failing(let error): throw error
        // Nobody thought of what comes now, so it is a line without a sound.
        case nil:
            let (silence, end) = AsyncStream.makeStream(of: WireEvent.self)
            for await _ in silence {}
            end.finish()
        }
    }
}

/// What a watch told, in words a test can compare.
private final class Told: Sendable {
    private let words = Mutex<[String]>([])
    private let bell = Bell()

    var all: [String] { words.withLock { $0 } }

    func note(_ news: Watch.News) {
        let word =
            switch news {
            case .listening: "listening"
            case .polling(let seconds, let error): "polling \(seconds) \(error?.code ?? "")"
            case .synchronised(let report): "synchronised \(report.sent)"
            case .retrying(let error, let seconds): "retrying \(error.code) \(seconds)"
            }
        words.withLock { $0.append(word) }
        bell.ring()
    }

    /// Waits until so many streams were open.
    func listening(_ count: Int) async { await bell.until { all.count { $0 == "listening" } >= count } }

    /// Waits until so many exchanges were told of.
    func exchanges(_ count: Int) async {
        await bell.until { all.count(where: { $0.hasPrefix("synchronised") }) >= count }
    }
}

@Suite(.timeLimit(.minutes(4))) struct WatchTests {
    private let sleepers = Sleepers()
    private let server = ToldServer()
    private let told = Told()
    private let world: ReplicaWorld

    init() throws { world = try ReplicaWorld() }

    /// Begins to watch; waits after failures are 1, 3, 5, 9, 17, 33 and 65 seconds, none of them that of a glance.
    private func begin() -> Task<Void, any Error> {
        let (told, bench, sleepers) = (told, world.bench, sleepers)
        let environment = Environment(
            now: { bench.now }, mark: { nil }, random: { 1 }, sleep: { try await sleepers.sleep($0) })
        let watch = Watch(replica: world.replica, server: server, environment: environment)
        return Task { try await watch.run { told.note($0) } }
    }

    /// Watches while `body` runs.
    private func watching(_ body: () async throws -> Void) async throws {
        let task = begin()
        try await body()
        task.cancel()
        try await task.value
    }

    @Test func `each event brings an exchange`() async throws {
        let line = server.offer()
        try await watching {
            await told.exchanges(1)
            line.yield(.open(heartbeatSeconds: 20))
            await told.exchanges(2)
            line.yield(.moved(nil))
            await told.exchanges(3)
            line.yield(.heartbeat)
            line.yield(.unknown)
            line.yield(.moved([ReplicaWorld.county]))
            await told.exchanges(4)
        }
        #expect(told.all.contains("listening"))
        #expect(server.requests.count == 4)
        #expect(server.opened == 1)
    }

    @Test func `where nothing moves there is an exchange an hour, so that the device stays in contact`() async throws {
        let line = server.offer()
        try await watching {
            line.yield(.open(heartbeatSeconds: 20))
            await told.exchanges(2)
            world.bench.advance(3_600_000)
            line.yield(.heartbeat)
            await told.exchanges(3)
        }
        #expect(server.requests.count == 3)
    }

    @Test func `a stream that ends is opened again, and what happened meanwhile is fetched`() async throws {
        let first = server.offer()
        let second = server.offer()
        try await watching {
            first.yield(.open(heartbeatSeconds: 20))
            await told.exchanges(2)
            first.yield(.end("stopping"))
            first.finish()
            await sleepers.wake(.seconds(1))
            second.yield(.open(heartbeatSeconds: 20))
            await told.listening(2)
            await told.exchanges(3)
        }
        #expect(server.opened == 2)
        #expect(told.all.count { $0 == "listening" } == 2)
    }

    @Test func `a line that breaks is tried again after growing waits`() async throws {
        server.fail(Array(repeating: .unreachable(reason: "unreachable"), count: 4))
        let line = server.offer()
        try await watching {
            for seconds in [1, 3, 5, 9] { await sleepers.wake(.seconds(seconds)) }
            line.yield(.open(heartbeatSeconds: 20))
            await told.exchanges(2)
        }
        #expect(server.opened == 5)
    }

    @Test func `a server without events is asked now and then`() async throws {
        let refusal = ClientError.ServerRefusal(
            status: 404, code: .notFound, message: Label("", ""), reason: nil, requestID: nil)
        server.fail(Array(repeating: .refused(refusal), count: 20))
        try await watching {
            await told.exchanges(1)
            for seconds in [1, 3, 5, 9, 17, 33] { await sleepers.wake(.seconds(seconds)) }
            await sleepers.wake(.seconds(60))
            await told.exchanges(2)
            await sleepers.wake(.seconds(5))
            for count in 3...4 {
                await sleepers.wake(.seconds(60))
                await told.exchanges(count)
            }
        }
        #expect(told.all.contains("polling 60 not_found"))
    }

    @Test func `a line without a sign of life is given up`() async throws {
        let first = server.offer()
        let second = server.offer()
        try await watching {
            await sleepers.asleep(.seconds(75))
            first.yield(.open(heartbeatSeconds: 10))
            await told.exchanges(2)
            // The patience before the server named its heartbeat, during which one sign came; then that of its own.
            await sleepers.wake(.seconds(75))
            await sleepers.wake(.seconds(25))
            await sleepers.wake(.seconds(1))
            second.yield(.open(heartbeatSeconds: 10))
            await told.exchanges(3)
        }
        #expect(told.all.contains("polling 60 unreachable_silent"))
        #expect(server.opened == 2)
    }

    @Test func `two watches of one device do not replace each other for ever`() async throws {
        let line = server.offer()
        try await watching {
            line.yield(.open(heartbeatSeconds: 20))
            await told.exchanges(2)
            line.yield(.end("replaced"))
            line.finish()
            await sleepers.wake(.seconds(60))
            await told.exchanges(3)
        }
        #expect(server.opened == 1)
        #expect(told.all.contains("polling 60 "))
    }

    @Test func `an edit made by another program is sent`() async throws {
        let line = server.offer()
        try await watching {
            line.yield(.open(heartbeatSeconds: 20))
            await told.exchanges(2)
            let other = try Replica(
                directory: world.directory, catalogue: world.catalogue, names: NameKeys.programme)
            _ = try Desk(other, environment: world.bench.environment).add(["name": "甲"])
            try other.close()
            await sleepers.wake(.seconds(2))
            await told.exchanges(3)
        }
        #expect(told.all.last == "synchronised 1")
        #expect(try world.replica.status().pending == 0)
    }

    @Test func `what passes by itself is waited for, what does not ends the watch`() async throws {
        let revoked = ClientError.refused(
            .init(status: 403, code: .deviceRevoked, message: Label("", ""), reason: nil, requestID: nil))
        server.refuse([.unreachable(reason: "unreachable"), .badAnswer, revoked])
        let task = begin()
        await sleepers.wake(.seconds(1))
        await sleepers.wake(.seconds(3))
        await #expect(throws: ClientError.deviceRevoked(kept: 0)) { try await task.value }
        #expect(told.all == ["retrying unreachable_unreachable 1", "retrying bad_answer 3"])
    }
}
