import Logging
import RoostCourier
import ServiceLifecycle

/// Runs the courier until the server stops; what is under way then is waited for and kept.
struct CourierService: Service {
    let courier: Courier
    let logger: Logger

    func run() async throws {
        if let warning = courier.settings.warning { logger.warning("\(warning)") }
        try await withGracefulShutdownHandler {
            try await courier.run()
        } onGracefulShutdown: {
            courier.drain()
        }
    }

    /// Writes what the sender tells to the log: codes and times, nothing of receivers' words and no address.
    static func observer(_ logger: Logger, _ metrics: ServerMetrics) -> @Sendable (SenderEvent) -> Void {
        { event in
            switch event {
            case .attempted(let result):
                metrics.attempted(result.channel.rawValue, result.outcome.class.rawValue)
                logger.log(
                    level: result.outcome.class == .sent ? .info : .notice, "delivery attempted",
                    metadata: [
                        "delivery": "\(result.delivery.row)", "channel": "\(result.channel.rawValue)",
                        "outcome": "\(result.outcome.class.rawValue)", "code": "\(result.outcome.code)",
                        "state": "\(result.decision.status.rawValue)",
                    ])
            case .leaseFailed(is CancellationError): break
            case .leaseFailed(let error):
                logger.error(
                    "the outbox could not be read", metadata: ["type": "\(String(reflecting: type(of: error)))"])
            case .recordFailed(let error, let results):
                logger.error(
                    "results of deliveries could not be kept; sending waits",
                    metadata: ["type": "\(String(reflecting: type(of: error)))", "results": "\(results)"])
            }
        }
    }
}
