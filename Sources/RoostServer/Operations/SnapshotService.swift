import Logging
import RoostStore
import RoostSync
import ServiceLifecycle

/// Makes the snapshots that replicas ask for, one after the other, until the server stops.
struct SnapshotService: Service {
    let store: ServerStore
    let minimumRows: Int
    let logger: Logger

    func run() async throws {
        let requests = try store.snapshots.open(minimumRows: minimumRows)
        defer { store.snapshots.close() }
        for await scope in requests.cancelOnGracefulShutdown() {
            let clock = ContinuousClock()
            let start = clock.now
            do {
                guard let made = try await store.makeSnapshot(of: scope) else { continue }
                logger.info(
                    "made a snapshot",
                    metadata: [
                        "scope": "\(scope)", "rows": "\(made.offer.rows)", "bytes": "\(made.offer.bytes)",
                        "milliseconds": "\(Int((clock.now - start) / .milliseconds(1)))",
                    ])
            } catch {
                // Replicas that wait for it go over to pages.
                logger.error(
                    "a snapshot could not be made",
                    metadata: ["scope": "\(scope)", "type": "\(String(reflecting: type(of: error)))"])
            }
        }
    }
}
