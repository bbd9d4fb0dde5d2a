import Foundation
import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Synchronization
import Testing

/// Edits are filed when they were made, whatever became of the machine's clocks since.
@Suite struct ClockSegmentTests {
    /// A machine whose wall clock is wrong by some amount and whose steady clock begins anew with each boot.
    private final class Machine: Sendable {
        private struct State {
            var now: Int64 = 1_795_219_200_000
            var skew: Int64 = 0
            var boot = 1
            var bootedAt: Int64 = 1_795_219_200_000
        }

        private let state = Mutex(State())

        var truth: Milliseconds { Milliseconds(state.withLock { $0.now }) }
        func pass(hours: Int64) { state.withLock { $0.now += hours * 3_600_000 } }
        func set(skew: Int64) { state.withLock { $0.skew = skew } }
        func reboot() {
            state.withLock { state in
                state.boot += 1
                state.bootedAt = state.now
            }
        }

        var environment: Environment {
            Environment(
                now: { Milliseconds(self.state.withLock { $0.now + $0.skew }) },
                mark: {
                    self.state.withLock { Mutation.Mark(monotonic: $0.now - $0.bootedAt, boot: "boot \($0.boot)") }
                }, random: { 1 }, sleep: { _ in })
        }
    }

    /// A server that says what time it is, takes everything, and keeps when it took each edit to be made.
    private final class Server: ExchangeServer {
        private let machine: Machine
        private let taken = Mutex<(requests: [Int], made: [Int64: HybridTime])>(([], [:]))

        init(_ machine: Machine) { self.machine = machine }

        /// How many mutations each request had.
        var requests: [Int] { taken.withLock { $0.requests } }
        func made(_ number: Int64) -> Milliseconds? { taken.withLock { $0.made[number]?.moment } }

        func limits() async throws(ClientError) -> Limits { Limits() }

        func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
            let now = machine.truth
            guard let sent = try? ExchangeRequest(json: request.json) else { throw .badAnswer }
            let correction = ClockCorrection(now: now, device: sent.now, mark: sent.mark, boots: sent.boots)
            let verdicts = sent.mutations.map { mutation in
                let time = correction.corrected(mutation.time, mark: mutation.mark)
                taken.withLock { $0.made[mutation.number] = time }
                return Verdict(number: mutation.number, outcome: .applied, stamp: Stamp(time, sent.replica))
            }
            taken.withLock { $0.requests.append(sent.mutations.count) }
            let next = (taken.withLock { $0.made.keys.max() } ?? 0) + 1
            return ExchangeAnswer(
                now: now, epoch: "e1", offset: correction.offset, expected: next, verdicts: verdicts, scopes: [])
        }
    }

    private static let twoYears: Int64 = 63_072_000_000

    private func add(_ world: ReplicaWorld, _ machine: Machine) throws {
        let desk = try Desk(world.replica, environment: machine.environment)
        try desk.replica.queue(
            [Edit("school", machine.environment.newRow(), .create, [Mutation.Change("name", "校")])], grouped: false,
            at: machine.environment.moment)
    }

    private func sync(_ world: ReplicaWorld, _ machine: Machine, _ server: Server) async throws {
        _ = try await Synchroniser(replica: world.replica, server: server, environment: machine.environment).run()
    }

    @Test func `a boot without contact is placed by the one after it, though the clock was set right since`()
        async throws
    {
        let (world, machine) = (try ReplicaWorld(), Machine())
        let server = Server(machine)
        machine.set(skew: Self.twoYears)
        machine.pass(hours: 1)
        let first = machine.truth
        try add(world, machine)
        machine.pass(hours: 5)
        machine.reboot()
        machine.pass(hours: 1)
        // Somebody looks something up, sees the wrong year, and sets the clock.
        _ = try Desk(world.replica, environment: machine.environment)
        machine.set(skew: 0)
        machine.pass(hours: 1)
        let second = machine.truth
        try add(world, machine)
        machine.pass(hours: 1)
        try await sync(world, machine, server)
        #expect(server.requests == [0, 2])
        #expect(server.made(1) == first)
        #expect(server.made(2) == second)
    }

    @Test func `a boot with contact is known whatever the wall clock did in it and since`() async throws {
        let (world, machine) = (try ReplicaWorld(), Machine())
        let server = Server(machine)
        try await sync(world, machine, server)
        machine.set(skew: -Self.twoYears)
        machine.pass(hours: 2)
        let first = machine.truth
        try add(world, machine)
        machine.set(skew: 40 * 60_000)
        machine.pass(hours: 2)
        let second = machine.truth
        try add(world, machine)
        machine.reboot()
        machine.set(skew: 0)
        machine.pass(hours: 1)
        try await sync(world, machine, server)
        #expect(server.requests == [0, 0, 2])
        #expect(server.made(1) == first)
        #expect(server.made(2) == second)
    }

    @Test func `edits over several boots keep their order and their distance`() async throws {
        let (world, machine) = (try ReplicaWorld(), Machine())
        let server = Server(machine)
        machine.set(skew: -Self.twoYears)
        var made: [Milliseconds] = []
        for _ in 0..<4 {
            machine.pass(hours: 3)
            made.append(machine.truth)
            try add(world, machine)
            machine.pass(hours: 3)
            machine.reboot()
        }
        machine.pass(hours: 1)
        _ = try Desk(world.replica, environment: machine.environment)
        machine.set(skew: 0)
        try await sync(world, machine, server)
        #expect((1...4).map { server.made($0) } == made)
        // Nothing of it is kept once everything is sent.
        machine.pass(hours: 1)
        try add(world, machine)
        try await sync(world, machine, server)
        #expect(server.requests.suffix(1) == [1])
    }
}
