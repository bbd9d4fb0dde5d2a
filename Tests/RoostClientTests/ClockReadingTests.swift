import RoostAPI
import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// A clock is called wrong only if it is, however long it takes to get a request ready and across.
@Suite struct ClockReadingTests {
    @Test func `the clocks are read when the files are clean, which takes long`() throws {
        let world = try ReplicaWorld()
        try world.receive(
            ReplicaWorld.page(
                ReplicaWorld.county, cursor: 5,
                [ReplicaWorld.row("student", "李明", at: 5, ["name": .text(CaredFor.canary)])]))
        try world.receive(ReplicaWorld.page(ReplicaWorld.county, cursor: 6, left: [("student", "李明")], more: true))
        #expect(try world.diskHolds(CaredFor.canary))
        var readings: [Bool] = []
        func reading() -> DeviceMoment {
            readings.append((try? world.diskHolds(CaredFor.canary)) ?? true)
            return world.moment
        }
        let request = try world.replica.nextRequest(
            limits: ChangesetLimits(mutations: 5000, bytes: 1 << 20), at: reading())
        #expect(readings == [false])
        #expect(request.purged != nil)
    }

    /// How long a request and its answer take, and by how much the device's clock is ahead, in milliseconds.
    struct Line: Sendable {
        var skew: Int64 = 0
        let there: Int64
        let back: Int64
        /// What is to be told of the clock.
        let told: Int64
    }

    private struct SlowServer: ExchangeServer {
        let bench: Bench
        let line: Line

        func limits() async throws(ClientError) -> Limits { Limits() }

        func exchange(_ request: ExchangeRequest) async throws(ClientError) -> ExchangeAnswer {
            bench.advance(line.there)
            let now = bench.now + -line.skew
            let correction = ClockCorrection(now: now, device: request.now, mark: request.mark)
            bench.advance(line.back)
            return ExchangeAnswer(now: now, epoch: "e1", offset: correction.offset, expected: 1)
        }
    }

    @Test(arguments: [
        Line(there: 0, back: 0, told: 0), Line(there: 7000, back: 100, told: 0),
        Line(there: 1500, back: 60_000, told: 0), Line(skew: -3000, there: 100, back: 200, told: -3100),
        Line(skew: -600_000, there: 7000, back: 1000, told: -607_000),
        Line(skew: 600_000, there: 7000, back: 1000, told: 593_000),
    ])
    func `delay alone makes no clock slow`(line: Line) async throws {
        let world = try ReplicaWorld()
        let report = try await Synchroniser(
            replica: world.replica, server: SlowServer(bench: world.bench, line: line),
            environment: world.bench.environment
        ).run()
        #expect(report.offset == line.told)
        #expect(try world.replica.status().offset == line.told)
    }
}
