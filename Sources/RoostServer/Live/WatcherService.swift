package import Logging
package import RoostStore
import ServiceLifecycle

/// Keeps the lines of all watchers alive with one timer, and ends their streams when the server stops.
package struct WatcherService: Service {
    private let store: ServerStore
    private let watchers: Watchers
    private let pause: Duration
    private let logger: Logger

    package init(store: ServerStore, watchers: Watchers, pause: Duration, logger: Logger) {
        self.store = store
        self.watchers = watchers
        self.pause = pause
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // From here on: what was there before, those who come will see.
            _ = try? await store.wasWrittenElsewhere()
            while !Task.isCancelled {
                do { try await ContinuousClock().sleep(for: pause) } catch { break }
                await beat()
            }
        }
        watchers.close()
    }

    /// Sends everybody a sign of life; whatever their number, the database is asked one thing.
    package func beat() async {
        guard watchers.count > 0 else { return }
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
