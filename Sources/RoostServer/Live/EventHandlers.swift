import HTTPTypes
import Hummingbird
import NIOCore
import RoostAPI
import RoostStore
import RoostSync

/// `GET /v1/events`: a stream of server-sent events that tells a device when to synchronise.
///
/// An event names scopes and never shows anything of them: what a device may see is decided by the exchange alone.
struct EventHandlers: Sendable {
    let store: ServerStore
    let watchers: Watchers
    let limits: Limits

    func events(_ request: Request, _ context: RoostContext) async throws -> Response {
        let device = try context.sender
        let channel = context.channel
        let watcher = try watchers.admit(device) { channel.close(promise: nil) }
        watchers.place(watcher, in: try store.heldScopes(of: device.officer))
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .connection: "close",
                .proxyBuffering: "no",
            ],
            body: ResponseBody { writer in
                defer { watchers.dismiss(watcher) }
                try await write(.open(heartbeatSeconds: limits.heartbeatSeconds), to: &writer)
                let ending = try await tell(device, through: watcher, &writer)
                try await write(.end(ending.rawValue), to: &writer)
                try await writer.finish(nil)
                // What was written must leave first; a reader that stays does not keep the server from stopping.
                channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
            })
    }

    /// Tells what moves until something ends the stream; throws when the line is broken.
    @concurrent private func tell(
        _ device: Device, through watcher: Watcher, _ writer: inout any ResponseBodyWriter
    ) async throws -> WireEvent.Ending {
        while true {
            switch await watcher.next() {
            case .moved(let scopes):
                try await write(.moved(scopes.map { store.rules.scope($0) }), to: &writer)
            case .review:
                guard try !store.isRevoked(device.replica) else { return .credentials }
                watchers.place(watcher, in: try store.heldScopes(of: device.officer))
                try await write(.moved(nil), to: &writer)
            case .heartbeat: try await write(.heartbeat, to: &writer)
            case .end(let ending): return ending
            }
        }
    }

    @concurrent private func write(_ event: WireEvent, to writer: inout any ResponseBodyWriter) async throws {
        try await writer.write(ByteBuffer(bytes: event.bytes))
    }
}

extension HTTPField.Name {
    /// Tells nginx and its like to pass on what comes as it comes.
    fileprivate static var proxyBuffering: Self { Self(HeaderName.proxyBuffering) ?? .via }
}
