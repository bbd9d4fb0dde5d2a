import HTTPTypes
import Hummingbird
import Logging
import Metrics
import RoostAPI

/// Names each request, and leaves one log line and its metrics behind.
///
/// The line holds the path's template and never the path, so no identity in it reaches the log; neither do query,
/// headers, bodies or addresses.
struct RecordingResponder<Base: HTTPResponder>: HTTPResponder where Base.Context == RoostContext {
    let base: Base
    let logger: Logger
    let metrics: ServerMetrics

    func respond(to request: Request, context: RoostContext) async throws -> Response {
        let start = ContinuousClock.now
        context.trace.requestID = RequestName.accepting(request.headers[.requestID])
        metrics.requestsInFlight.increment()
        defer { metrics.requestsInFlight.decrement() }
        var response = try await base.respond(to: request, context: context)
        response.headers[.requestID] = context.trace.requestID
        let duration = ContinuousClock.now - start
        let path = context.endpointPath ?? "unmatched"
        metrics.record(method: request.method.rawValue, path: path, status: response.status.code, duration: duration)
        // What a machine asks every few seconds would drown what people did.
        let isProbe = [Path.health, Path.ready, Path.metrics].contains(path) && response.status.code < 400
        let level: Logger.Level = isProbe ? .debug : .info
        guard logger.logLevel <= level else { return response }
        var metadata: Logger.Metadata = [
            "request_id": "\(context.trace.requestID)", "method": "\(request.method.rawValue)", "path": "\(path)",
            "status": "\(response.status.code)", "ms": "\(milliseconds(duration))",
            "bytes": "\(response.body.contentLength ?? 0)",
        ]
        if let replica = context.trace.replica { metadata["replica"] = "\(replica)" }
        logger.log(level: level, "request", metadata: metadata)
        return response
    }

    /// Milliseconds with three decimals.
    private func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
        let rest = String(microseconds % 1000)
        return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

extension HTTPField.Name {
    static var requestID: Self { Self(HeaderName.requestID) ?? .via }
}
