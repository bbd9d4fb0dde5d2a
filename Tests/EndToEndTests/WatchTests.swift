import Glibc
import RoostAPI
import Testing

/// A laptop that stays open: `roost sync --watch`.
@Suite(.timeLimit(.minutes(5)))
struct WatchTests {
    /// Waits for the first line after `start` that tells of `event`, and returns it with the count of lines up to it.
    private func line(
        _ process: ChildProcess, _ event: String, after start: Int,
        where fits: @escaping @Sendable (JSON) -> Bool = { _ in true }
    ) async throws -> (line: JSON, count: Int) {
        try await process.output.first("a line that tells of \(event)") { text in
            let lines = text.string.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            for (index, line) in lines.enumerated().dropFirst(start) {
                guard let json = try? JSON(Array(line.utf8)), json["event"].text == event, fits(json) else { continue }
                return (json, index + 1)
            }
            return nil
        }
    }

    @Test func `a watch brings what others did at once, sends what is edited beside it, and survives the server`()
        async throws
    {
        let county = try await County.founded()
        let device = try await county.device("watching", of: county.registrar)
        let process = try device.begin("sync", "--watch", "--json")
        var seen = try await line(process, "listening", after: 0).count

        let row = WireDevice.newRow()
        try await county.wire.push([.create("student", row, ["name": "钱守候"])])
        seen = try await line(process, "synchronised", after: seen) { ($0["received"].integer ?? 0) > 0 }.count

        try await device.roost("students", "edit", row, "note_public=本机修改")
        seen = try await line(process, "synchronised", after: seen) { $0["sent"] == 1 }.count

        try await county.server.kill()
        try await county.server.start()
        let later = WireDevice.newRow()
        try await county.wire.push([.create("student", later, ["name": "孙重启"])])
        // The exchange may come before the stream.
        let received = try await line(process, "synchronised", after: seen) { ($0["received"].integer ?? 0) > 0 }.count
        seen = max(received, try await line(process, "listening", after: seen).count)

        // A graceful stop does not wait for the stream.
        #expect(try await county.server.stop() == .exit(0))
        try await county.server.start()
        seen = try await line(process, "listening", after: seen).count
        process.send(SIGINT)
        #expect(try await process.finished() == .exit(0))
        _ = try await line(process, "stopped", after: seen)
        let shown = try await device.roost("students", "show", later)
        #expect(shown["fields"]["name"] == "孙重启")
    }

    @Test func `where streams are not offered, a watch asks now and then`() async throws {
        let county = try await County.founded(settings: [
            "ROOST_LIMITS_WATCHERS": "0", "ROOST_EVENTS_POLL_SECONDS": "5",
        ])
        let device = try await county.device("polling", of: county.registrar)
        let process = try device.begin("sync", "--watch", "--json")
        let seen = try await line(process, "polling", after: 0)
        #expect(seen.line["code"] == "unavailable")
        try await county.wire.push([.create("student", WireDevice.newRow(), ["name": "李轮询"])])
        _ = try await line(process, "synchronised", after: seen.count) { ($0["received"].integer ?? 0) > 0 }
        process.send(SIGTERM)
        #expect(try await process.finished() == .exit(0))
    }
}
