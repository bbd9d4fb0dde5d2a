package import RoostAPI
import Curl

/// A server that also tells when something moved; tests put another in its place.
package protocol EventServer: ExchangeServer {
    /// Tells of events until the stream ends; throws where there is none, or when the line breaks.
    func watch(_ tell: @Sendable (WireEvent) -> Void) async throws(ClientError)
}

extension ServerConnection: EventServer {
    /// How much of a refusal is read.
    private static let refusalLimit = 64 << 10

    package func watch(_ tell: @Sendable (WireEvent) -> Void) async throws(ClientError) {
        var refusal: HTTPResponse?
        var body: [UInt8] = []
        var reader = EventReader()
        do {
            for try await piece in pieces(.get, Path.events) {
                switch piece {
                case .head(let head):
                    if head.status != 200 {
                        refusal = head
                    } else if head.header("content-type")?.hasPrefix("text/event-stream") != true {
                        throw ClientError.badAnswer
                    }
                case .body(let bytes) where refusal != nil: body += bytes.prefix(Self.refusalLimit - body.count)
                case .body(let bytes):
                    guard let events = reader.read(bytes) else { throw ClientError.badAnswer }
                    for event in events { tell(event) }
                }
            }
        } catch let error as CurlError {
            throw .unreachable(reason: error.reason.rawValue)
        } catch let error as ClientError {
            throw error
        } catch {
            throw .unreachable(reason: CurlError.Reason.cancelled.rawValue)
        }
        guard let refusal else { return }
        throw .refused(Self.refusal(in: HTTPResponse(status: refusal.status, headers: refusal.headers, body: body)))
    }
}
