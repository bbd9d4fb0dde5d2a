import Hummingbird
import RoostAPI
import Synchronization

/// Gives up a request that takes too long, slow uploads included.
struct TimedResponder<Base: HTTPResponder>: HTTPResponder where Base.Context == RoostContext {
    let base: Base
    let limit: Duration
    /// For imports: a large sheet takes its time, and is asked for by few.
    let importLimit: Duration

    func respond(to request: Request, context: RoostContext) async throws -> Response {
        let limit = request.uri.path.hasPrefix(Path.imports) ? importLimit : limit
        return try await withThrowingTaskGroup(of: Response?.self) { group in
            let isAnswered = Atomic(false)
            // Begun on this thread: most requests are answered before they wait for anything, and need no alarm then.
            group.addImmediateTask {
                defer { isAnswered.store(true, ordering: .releasing) }
                return try await base.respond(to: request, context: context)
            }
            if !isAnswered.load(ordering: .acquiring) {
                group.addTask {
                    try await ContinuousClock().sleep(for: limit)
                    return nil
                }
            }
            defer { group.cancelAll() }
            guard let response = try await group.next() ?? nil else {
                throw Refusal(.timeout, "the request took longer than \(limit.components.seconds) seconds")
            }
            return response
        }
    }
}
