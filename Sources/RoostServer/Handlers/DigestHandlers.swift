import Hummingbird
import RoostAPI
import RoostSchema
import RoostSync

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

    /// `POST /v1/digests/{digest}/submit`, `…/approve`, `…/reject`, `…/schedule`, `…/send`, `…/cancel`.
    func step(_ request: Request, _ context: RoostContext) async throws -> Response {
        let digest = try context.row("digest")
        let officer = try context.officer
        let step = try await request.value(DigestStepRequest.self)
        let version = step.version
        let report: DigestReport
        switch context.parameters.get("step") {
        case "submit": report = try await desk.submit(digest, version: version, by: officer)
        case "approve": report = try await desk.approve(digest, version: version, preview: step.preview, by: officer)
        case "reject": report = try await desk.reject(digest, version: version, by: officer)
        case "schedule":
            report = try await desk.schedule(
                digest, version: version, students: step.students, at: step.at.map { Milliseconds($0) },
                missed: step.missed, by: officer)
        case "send": report = try await desk.send(digest, version: version, students: step.students, by: officer)
        case "cancel": report = try await desk.cancel(digest, version: version, by: officer)
        default: throw Refusal(.notFound, "no such path")
        }
        return try Response(report)
    }

    /// `POST /v1/digests/{digest}/test`.
    func test(_ request: Request, _ context: RoostContext) async throws -> Response {
        let text = try await request.value(DigestTestRequest.self).endpoint
        guard let endpoint = RowID(text) else { throw Refusal(.notFound, "no such endpoint") }
        return try Response(try await desk.test(try context.row("digest"), at: endpoint, by: try context.officer))
    }

    /// `POST /v1/digests/{digest}/redrive`.
    func redrive(_ request: Request, _ context: RoostContext) async throws -> Response {
        let redrive = try await request.value(RedriveRequest.self)
        return try Response(try await desk.redrive(try context.row("digest"), redrive, by: try context.officer))
    }

    /// `GET /v1/deliveries/{delivery}`.
    func log(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.log(of: try context.row("delivery"), for: try context.officer))
    }

    /// `GET /v1/tellings?item=…`, `?endpoint=…` or `?member=…`.
    func tellings(_ request: Request, _ context: RoostContext) async throws -> Response {
        func row(_ name: Substring) -> RowID? { request.uri.queryParameters[name].flatMap { RowID($0) } }
        let officer = try context.officer
        var item: RowID?
        if let text = request.uri.queryParameters["item"] {
            item = try await desk.item(called: String(text), for: officer)
        }
        return try Response(
            try await desk.tellings(
                item: item, endpoint: row("endpoint"), member: row("member"), for: officer))
    }

    /// `GET /v1/schedules`.
    func schedules(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.schedules(for: try context.officer))
    }

    /// `POST /v1/schedules`.
    func addSchedule(_ request: Request, _ context: RoostContext) async throws -> Response {
        let draft = try await request.value(ScheduleDraft.self)
        return try Response(try await desk.add(draft, by: try context.officer), status: .created)
    }

    /// `POST /v1/schedules/{schedule}/pause`, `…/resume`, `…/remove`.
    func changeSchedule(_ request: Request, _ context: RoostContext) async throws -> Response {
        let change = context.parameters.get("change") ?? ""
        return try Response(
            try await desk.change(schedule: try context.row("schedule"), change, by: try context.officer))
    }

    /// `POST /v1/digests/{digest}/mark-sent`.
    func markEndpointSent(_ request: Request, _ context: RoostContext) async throws -> Response {
        let request = try await request.value(MarkEndpointSentRequest.self)
        guard let endpoint = RowID(request.endpoint) else { throw Refusal(.notFound, "no such endpoint") }
        return try Response(
            try await desk.markSent(
                try context.row("digest"), at: endpoint, reach: request.reach, by: try context.officer))
    }

    /// `POST /v1/deliveries/{delivery}/mark-sent`.
    func markSent(_ request: Request, _ context: RoostContext) async throws -> Response {
        let reach = try await request.value(MarkSentRequest.self).reach
        return try Response(
            try await desk.markSent(try context.row("delivery"), reach: reach, by: try context.officer))
    }
}
