import Hummingbird
import RoostAPI
import RoostSchema

/// Where digests go.
struct EndpointHandlers: Sendable {
    let desk: EndpointDesk

    /// `GET /v1/endpoints`.
    func list(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.list(for: try context.officer))
    }

    /// `POST /v1/endpoints`.
    func add(_ request: Request, _ context: RoostContext) async throws -> Response {
        let draft = try await request.value(EndpointDraft.self, upTo: 16_384)
        return try Response(try await desk.add(draft, by: try context.officer), status: .created)
    }

    /// `PUT /v1/endpoints/{endpoint}`.
    func edit(_ request: Request, _ context: RoostContext) async throws -> Response {
        let draft = try await request.value(EndpointDraft.self, upTo: 16_384)
        return try Response(try await desk.edit(try context.row("endpoint"), draft, by: try context.officer))
    }

    /// `POST /v1/endpoints/{endpoint}/rotate`.
    func rotate(_ request: Request, _ context: RoostContext) async throws -> Response {
        let rotation = try await request.value(EndpointRotation.self, upTo: 16_384)
        return try Response(try await desk.rotate(try context.row("endpoint"), rotation, by: try context.officer))
    }

    /// `GET /v1/endpoint-notices`.
    func notices(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.notices(for: try context.officer))
    }

    /// `GET /v1/endpoints/{endpoint}/log`.
    func log(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.log(of: try context.row("endpoint"), for: try context.officer))
    }

    /// `POST /v1/endpoints/{endpoint}/test`.
    func test(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.test(try context.row("endpoint"), by: try context.officer))
    }

    /// `POST /v1/endpoints/{endpoint}/pause`.
    func pause(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.pause(try context.row("endpoint"), by: try context.officer))
    }

    /// `POST /v1/endpoints/{endpoint}/retire`.
    func retire(_ request: Request, _ context: RoostContext) async throws -> Response {
        try Response(try await desk.retire(try context.row("endpoint"), by: try context.officer))
    }

    /// `POST /v1/endpoints/{endpoint}/resume`.
    func resume(_ request: Request, _ context: RoostContext) async throws -> Response {
        let backlog = try await request.value(EndpointResumption.self).backlog
        return try Response(
            try await desk.resume(try context.row("endpoint"), backlog: backlog, by: try context.officer))
    }
}
