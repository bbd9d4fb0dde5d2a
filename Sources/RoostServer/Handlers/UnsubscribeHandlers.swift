import HTTPTypes
import Hummingbird
import NIOCore
import RoostStore

/// Lets people who get letters stop them; they have no account here.
struct UnsubscribeHandlers: Sendable {
    let store: ServerStore
    let vault: EndpointVault

    /// `GET /v1/unsubscribe/{token}`: a page with a button; programs that look at links beforehand must change nothing.
    func ask(_ request: Request, _ context: RoostContext) async throws -> Response {
        guard let endpoint = try await endpoint(context) else { return Self.unknown }
        guard !endpoint.isUnsubscribed else { return Self.stopped }
        return Self.page(
            """
            <form method="post"><p>不再接收这些邮件？<br>Stop these letters?</p>
            <button name="List-Unsubscribe" value="One-Click">退订 · Unsubscribe</button></form>
            """)
    }

    /// `POST /v1/unsubscribe/{token}`: stops the letters at once, and harmlessly again if it is repeated (RFC 8058).
    func stop(_ request: Request, _ context: RoostContext) async throws -> Response {
        guard let endpoint = try await endpoint(context) else { return Self.unknown }
        if !endpoint.isUnsubscribed { try await store.unsubscribe(endpoint.id) }
        return Self.stopped
    }

    private func endpoint(_ context: RoostContext) async throws -> EndpointRecord? {
        let token = try context.parameters.require("token")
        guard let id = UnsubscribeLink.endpoint(in: token),
            let endpoint = try await store.reading({ reader in try reader.endpoint(id) }),
            vault.unsubscribes(token, endpoint)
        else { return nil }
        return endpoint
    }

    private static var stopped: Response {
        page("<p>已退订，不会再收到这些邮件。<br>You get no more of these letters.</p>")
    }

    private static var unknown: Response {
        page("<p>链接无效，或该邮箱已不在收件名单中。<br>No such link, or the mailbox gets no letters any more.</p>", .notFound)
    }

    private static func page(_ content: String, _ status: HTTPResponse.Status = .ok) -> Response {
        let text = """
            <!DOCTYPE html>
            <html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>Roost 归巢</title></head><body>\(content)</body></html>
            """
        return Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
