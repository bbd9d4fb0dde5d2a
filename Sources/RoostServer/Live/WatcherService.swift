import Logging
import RoostStore
import ServiceLifecycle

/// Keeps the lines of all watchers alive with one timer, and ends their streams when the server stops.
struct WatcherService: Service {
    let store: ServerStore
    let watchers: Watchers
    let pause: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // From here on: what was there before, those who come will see.
            _ = try? await store.wasWrittenElsewhere()
            while !Task.isCancelled {
                do { try await ContinuousClock().sleep(for: pause) } catch { break }
                guard watchers.count > 0 else { continue }
                do {
                    // The operator's commands write beside the server and tell it nothing.
                    if try await store.wasWrittenElsewhere() { watchers.reviewAll() }
                } catch {
                    logger.warning(
                        "cannot tell whether the database changed",
                        metadata: ["type": "\(String(reflecting: type(of: error)))"])
                }
                watchers.beat()
            }
        }
        watchers.close()
    }
}
