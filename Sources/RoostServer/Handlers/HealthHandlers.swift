import Crypto
import HTTPTypes
import Hummingbird
import RoostAPI
import RoostStore
import RoostSync

/// What machines ask: is the process there, can it work, how is it doing.
struct HealthHandlers: Sendable {
    let store: ServerStore
    let readiness: Readiness
    let metrics: ServerMetrics
    let watchers: Watchers
    let metricsToken: String?

    /// Answers as long as the process does.
    func health(_ request: Request, _ context: RoostContext) async throws -> Response {
        Response(
            json: jsonObject { writer in
                writer.name("status")
                writer.plain("ok")
            })
    }

    /// Answers well only if the database can be written and is the one this epoch belongs to.
    func ready(_ request: Request, _ context: RoostContext) async throws -> Response {
        guard await readiness.isWritable else {
            throw Refusal(.unavailable, "the database cannot be written", retryAfter: 10)
        }
        guard store.epochBeside == store.epoch else {
            throw Refusal(.unavailable, "the epoch beside the database is another one", retryAfter: 60)
        }
        return Response(
            json: jsonObject { writer in
                writer.name("status")
                writer.plain("ready")
                writer.name("epoch")
                writer.plain(store.epoch)
            })
    }

    func metrics(_ request: Request, _ context: RoostContext) async throws -> Response {
        // Digests are compared in constant time, which strings are not.
        if let metricsToken,
            hash("Bearer " + metricsToken) != hash(request.headers[.authorization] ?? "")
        {
            throw Refusal(.unauthorized, "/metrics wants the bearer token of its configuration")
        }
        metrics.told(try await store.outboxFigures(rules: StoreDeliveryQueue.rules), now: store.clock())
        metrics.watched(by: watchers.count)
        return Response(text: metrics.text, type: PrometheusText.contentType)
    }

    private func hash(_ text: String) -> SHA256Digest { SHA256.hash(data: Array(text.utf8)) }
}
