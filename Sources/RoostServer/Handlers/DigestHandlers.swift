import Hummingbird
import RoostAPI
import RoostSchema

/// Digests and their deliveries.
struct DigestHandlers: Sendable {
    let desk: DigestDesk

    /// `GET /v1/digests`.
    func list(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.list(for: try context.officer))
    }

    /// `POST /v1/digests`.
    func compose(_ request: Request, _ context: RoostContext) async throws -> Response {
        let draft = try await request.value(DigestDraft.self)
        return try Response(try await desk.compose(draft, by: try context.officer), status: .created)
    }

    /// `GET /v1/digests/{digest}`.
    func report(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.report(try context.row("digest"), for: try context.officer))
    }

    /// `PUT /v1/digests/{digest}`.
    func edit(_ request: Request, _ context: RoostContext) async throws -> Response {
        let draft = try await request.value(DigestDraft.self)
        return try Response(
            try await desk.edit(try context.row("digest"), draft, by: try context.officer))
    }

    /// `GET /v1/digests/{digest}/preview`.
    func preview(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.preview(try context.row("digest"), for: try context.officer))
    }

    /// `POST /v1/digests/{digest}/submit`, `…/approve`, `…/reject`, `…/send`, `…/cancel`.
    func step(_ request: Request, _ context: RoostContext) async throws -> Response {
        let digest = try context.row("digest")
        let officer = try context.officer
        let version = try await request.value(DigestStepRequest.self).version
        let report: DigestReport
        switch context.parameters.get("step") {
        case "submit": report = try await desk.submit(digest, version: version, by: officer)
        case "approve": report = try await desk.approve(digest, version: version, by: officer)
        case "reject": report = try await desk.reject(digest, version: version, by: officer)
        case "send": report = try await desk.send(digest, version: version, by: officer)
        case "cancel": report = try await desk.cancel(digest, version: version, by: officer)
        default: throw Refusal(.notFound, "no such path")
        }
        return try Response(report)
    }

    /// `POST /v1/deliveries/{delivery}/mark-sent`.
    func markSent(_ request: Request, _ context: RoostContext) async throws -> Response {
        let reach = try await request.value(MarkSentRequest.self).reach
        return try Response(
            try await desk.markSent(try context.row("delivery"), reach: reach, by: try context.officer))
    }

    /// `POST /v1/deliveries/{delivery}/resend`.
    func resend(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.resend(try context.row("delivery"), by: try context.officer))
    }
}
