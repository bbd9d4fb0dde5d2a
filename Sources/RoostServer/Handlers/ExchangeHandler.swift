import Hummingbird
import RoostAPI
import RoostStore
import RoostSync

/// `POST /v1/sync`: push and pull in one.
struct ExchangeHandler: Sendable {
    let store: ServerStore
    let limits: Limits
    let metrics: ServerMetrics

    func exchange(_ request: Request, _ context: RoostContext) async throws -> Response {
        let device = try context.sender
        // Before the body, which takes a slow line its time.
        let arrived = store.clock()
        let exchange = try ExchangeRequest(json: try await request.bytes(upTo: limits.bodyBytes))
        let (answer, summary) = try await store.exchange(
            exchange, device: device, mutationLimit: limits.mutations, pageBytes: limits.pageBytes,
            arrived: arrived)
        metrics.exchanged(summary)
        if let begun = summary.begun { begun.log(to: context.logger) }
        return Response(json: answer, to: request)
    }
}
