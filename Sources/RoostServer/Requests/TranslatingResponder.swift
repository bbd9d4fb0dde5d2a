import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import RoostAPI
import RoostStore

/// Turns every error into the error body of the wire format: known ones into their code, unknown ones into `internal`.
struct TranslatingResponder<Base: HTTPResponder>: HTTPResponder where Base.Context == RoostContext {
    let base: Base
    let logger: Logger
    let metrics: ServerMetrics

    func respond(to request: Request, context: RoostContext) async throws -> Response {
        do {
            let response = try await base.respond(to: request, context: context)
            // Refusals of ours are thrown; an answer of this sort is the router's own, for a path it does not know.
            guard response.status.kind == .clientError else { return response }
            throw HTTPError(response.status)
        } catch {
            let refusal = refusal(for: error, context)
            metrics.refused(refusal.code)
            var response = Response(refusal, requestID: context.trace.requestID)
            if [.bodyTooLarge, .timeout].contains(refusal.code) {
                response.headers[.connection] = "close"
                closeSoon(context.channel)
            }
            return response
        }
    }

    private func refusal(for error: any Error, _ context: RoostContext) -> Refusal {
        if let refusal = Refusal(error) { return refusal }
        switch error {
        case let error as HTTPError where error.status == .notFound: return Refusal(.notFound, "no such path")
        case let error as HTTPError where error.status == .methodNotAllowed:
            return Refusal(.notFound, "the path does not take this method")
        case let error as HTTPError where error.status == .contentTooLarge:
            return Refusal(.bodyTooLarge, "the body is larger than /v1/limits allows")
        case let error as HTTPError where error.status.kind == .clientError:
            return Refusal(.malformedRequest, "the request is not one this path takes")
        case is NIOTooManyBytesError: return Refusal(.bodyTooLarge, "the body is larger than /v1/limits allows")
        case is HTTPParserError: return Refusal(.malformedRequest, "the request ended early or is not HTTP")
        case is CancellationError: return Refusal(.unavailable, "the server is stopping", retryAfter: 5)
        default:
            logger.error(
                "unexpected error",
                metadata: [
                    "request_id": "\(context.trace.requestID)", "type": "\(String(reflecting: type(of: error)))",
                    "detail": "\(diagnosis(of: error))",
                ])
            return Refusal(.internalError, "something went wrong on the server; its log has the request id")
        }
    }

    /// Other errors may hold what was sent, so only those known to hold none are printed.
    private func diagnosis(of error: any Error) -> String {
        if let error = error as? StoreError { return "\(error)" }
        return ServerStore.diagnosis(of: error) ?? "not shown"
    }

    /// Ends a connection whose request will not be read to its end.
    ///
    /// Not at once: closing while data still arrives resets the connection, and the answer could be lost with it.
    private func closeSoon(_ channel: any Channel) {
        channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }
}

extension Response {
    /// The answer that tells of a refusal.
    init(_ refusal: Refusal, requestID: String) {
        let body = ErrorBody(
            error: ErrorBody.Detail(
                code: refusal.code.rawValue, message: refusal.message, messageZH: refusal.messageZH,
                reason: refusal.reason, requestID: requestID))
        self.init(json: body.json, status: HTTPResponse.Status(code: refusal.code.status))
        if let seconds = refusal.retryAfter { headers[.retryAfter] = String(seconds) }
        if refusal.code == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
    }
}
