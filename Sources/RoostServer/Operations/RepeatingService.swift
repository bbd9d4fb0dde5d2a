package import Logging
import ServiceLifecycle

/// Does something at once and then again and again, until the server stops.
///
/// A failure is logged and does not end the service: the next time may do better.
package struct RepeatingService: Service {
    package let name: String
    private let logger: Logger
    private let pause: @Sendable () -> Duration
    private let action: @Sendable () async throws -> Void

    /// Makes a service that asks after each time how long to pause before the next.
    package init(
        _ name: String, logger: Logger, every pause: @escaping @Sendable () -> Duration,
        action: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.logger = logger
        self.pause = pause
        self.action = action
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await action() } catch is CancellationError { return } catch {
                    logger.error(
                        "a service failed and will try again",
                        metadata: ["service": "\(name)", "type": "\(String(reflecting: type(of: error)))"])
                }
                do { try await ContinuousClock().sleep(for: pause()) } catch { return }
            }
        }
    }
}
