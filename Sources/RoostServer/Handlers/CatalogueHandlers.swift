import Hummingbird
import RoostAPI
import RoostSchema
import RoostSync

/// What a stranger needs to know before writing a client: how much the server takes, and what it keeps.
struct CatalogueHandlers: Sendable {
    private let limits: [UInt8]
    private let schema: [UInt8]

    init(limits: Limits, catalogue: Catalogue) {
        self.limits = limits.json
        schema = catalogue.json
    }

    /// `GET /v1/limits`.
    func limits(_ request: Request, _ context: RoostContext) async throws -> Response { Response(json: limits) }

    /// `GET /v1/schema`.
    func schema(_ request: Request, _ context: RoostContext) async throws -> Response {
        Response(json: schema, to: request)
    }
}

extension Limits {
    fileprivate var json: [UInt8] {
        jsonObject { writer in
            writer.name("protocol")
            writer.integer(protocolVersion)
            writer.name("body_bytes")
            writer.integer(Int64(bodyBytes))
            writer.name("mutations")
            writer.integer(Int64(mutations))
            writer.name("timeout_seconds")
            writer.integer(Int64(timeoutSeconds))
            writer.name("requests_per_minute_per_device")
            writer.integer(Int64(requestsPerMinutePerDevice))
            writer.name("requests_per_minute_per_address")
            writer.integer(Int64(requestsPerMinutePerAddress))
            writer.name("page_bytes")
            writer.integer(Int64(pageBytes))
            writer.name("import_timeout_seconds")
            writer.integer(Int64(importTimeoutSeconds))
            writer.name("watchers")
            writer.integer(Int64(watchers))
            writer.name("heartbeat_seconds")
            writer.integer(Int64(heartbeatSeconds))
            writer.name("poll_seconds")
            writer.integer(Int64(pollSeconds))
            writer.name("lease_days")
            writer.integer(Int64(leaseDays))
        }
    }
}
