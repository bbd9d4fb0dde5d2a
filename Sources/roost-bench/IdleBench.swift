import RoostAPI

/// What an exchange costs in which nothing happens.
enum IdleBench {
    static func measure(_ server: BenchServer, _ report: inout Report) async throws {
        // An officer without a role holds what everybody holds, and nothing else.
        try await measure(server, as: .guest, "idle_exchange", &report)
        try await measure(server, as: .manifold, "idle_exchange_8_scopes", &report)
    }

    private static func measure(
        _ server: BenchServer, as officer: BenchServer.Officer, _ name: String, _ report: inout Report
    ) async throws {
        var device = try await Replicant(server, 0xBE9E_0000 + UInt64(officer.roles.count), as: officer)
        _ = try await device.exchange([])
        let cost = try await cost(&device)
        report["\(name)_scopes"] = Double(device.scopes)
        report["\(name)_round_trip_us"] = cost.roundTrip * 1e6
        report["\(name)_server_us"] = cost.server * 1e6
        report["\(name)_bytes"] = Double(cost.bytes)
    }

    /// Seconds of one exchange, at the client and in the server, and the bytes of both bodies together.
    static func cost(_ device: inout Replicant) async throws -> (roundTrip: Double, server: Double, bytes: Int) {
        let count = 1000
        let before = try await device.connection.timeSpent(on: Path.sync)
        let clock = ContinuousClock()
        let start = clock.now
        var bytes = 0
        for _ in 0..<count {
            let body = device.request([])
            bytes = try await device.post(body).count + body.count
        }
        let roundTrip = (clock.now - start).seconds / Double(count)
        let after = try await device.connection.timeSpent(on: Path.sync)
        return (roundTrip, (after.seconds - before.seconds) / (after.count - before.count), bytes)
    }
}
