import Curl
import RoostAPI

/// A stream of events as a device reads it.
struct EventFeed {
    /// What the server answered before the first event.
    let head: HTTPResponse
    private var pieces: AsyncThrowingStream<HTTPPiece, any Error>.Iterator
    private var reader = EventReader()
    private var events: [WireEvent] = []

    init(of server: RunningServer, token: String) async throws {
        let options = TransferOptions(
            connectTimeout: .seconds(60), totalTimeout: .seconds(300), allowedSchemes: [.http],
            addressPolicy: .publicOnly(allowingLoopback: true))
        pieces =
            server.client.pieces(
                of: HTTPRequest(
                    method: .get, url: "http://127.0.0.1:\(server.port)\(Path.events)",
                    headers: [HTTPHeader("authorization", "Bearer " + token)], options: options)
            ).makeAsyncIterator()
        guard case .head(let head)? = try await pieces.next(isolation: #isolation) else { throw Unexpected() }
        self.head = head
    }

    struct Unexpected: Error {}

    /// The next event that is no heartbeat, of which a busy machine has some in between; nil at the end.
    mutating func next() async throws -> WireEvent? {
        while true {
            let event = try await nextOfAny()
            if event != .heartbeat { return event }
        }
    }

    private mutating func nextOfAny() async throws -> WireEvent? {
        while events.isEmpty {
            guard let piece = try await pieces.next(isolation: #isolation) else { return nil }
            guard case .body(let bytes) = piece else { throw Unexpected() }
            guard let read = reader.read(bytes) else { throw Unexpected() }
            events = read
        }
        return events.removeFirst()
    }
}
