import RoostAPI
import Synchronization
import Testing

/// A server that is killed while many push at once, whose pushes share commits.
@Suite(.timeLimit(.minutes(5)))
struct DurabilityTests {
    /// Rows whose creation was answered.
    private final class Acknowledged: Sendable {
        private let rows = Watched<Set<String>>([])

        var all: Set<String> { rows.value }
        func add(_ new: [String]) { rows.update { $0.formUnion(new) } }
        func reached(_ count: Int) async throws {
            _ = try await rows.first("\(count) acknowledged rows") { $0.count >= count ? true : nil }
        }
    }

    @Test func `every acknowledged mutation survives the server being killed`() async throws {
        let county = try await County.founded()
        let acknowledged = Acknowledged()
        for round in 1...3 {
            var devices: [WireDevice] = []
            for _ in 0..<6 {
                devices.append(try await WireDevice.enrolled(as: county.registrar, at: county.server))
            }
            await withTaskGroup(of: Void.self) { group in
                for device in devices {
                    group.addTask {
                        // Until the server is gone.
                        while true {
                            let rows = (0..<3).map { _ in WireDevice.newRow() }
                            do {
                                try await device.push(rows.map { .create("student", $0, ["name": "吴不失"]) })
                            } catch { return }
                            acknowledged.add(rows)
                        }
                    }
                }
                group.addTask {
                    try? await acknowledged.reached(round * 60)
                    _ = try? await county.server.kill()
                }
            }
            try await county.server.start()
        }
        #expect(acknowledged.all.count >= 180)
        let reader = try await county.device("reader", of: county.registrar)
        try await reader.roost("sync")
        let list = try await reader.roost("students", "list", "--limit", "100000")
        let stored = Set(list.list.compactMap { $0["id"].text })
        #expect(acknowledged.all.subtracting(stored).isEmpty)
        // What was decided without an answer may be there as well, but nothing else is: at most one changeset a device.
        #expect(stored.count - acknowledged.all.count <= 3 * 6 * 3)
    }
}
