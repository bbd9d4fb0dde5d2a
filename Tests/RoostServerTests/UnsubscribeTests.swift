import Curl
import Foundation
import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// Stopping letters by the link in them.
struct UnsubscribeTests {
    private static let settings: [SettingKey: String] = [
        .mailHost: "127.0.0.1", .mailPort: "2525", .mailFrom: "talents@example.org",
        .mailPublicURL: "https://roost.example.org/",
    ]

    private static let json = [HTTPHeader("content-type", "application/json")]

    /// Where the letters to a mailbox say that they can be stopped.
    private func path(_ server: RunningServer, _ mailbox: RowID) async throws -> String {
        let vault = EndpointVault(
            key: try ServerKey(directory: server.directory.path),
            settings: try ServerSettings { Self.settings[$0] }.courier)
        let target = try vault.target(of: try await server.store.endpoint(mailbox), at: server.clock.now)
        guard case .email(let letters) = target else { throw EndpointProblem.unknown }
        let url = try #require(letters.unsubscribe).revealed
        #expect(url.hasPrefix("https://roost.example.org/v1/unsubscribe/\(mailbox)."))
        return String(url.dropFirst("https://roost.example.org".count))
    }

    private func endpoint(_ server: RunningServer, _ token: String, _ draft: EndpointDraft) async throws -> RowID {
        let answer = try await server.send(
            .post, Path.endpoints, token: token, headers: Self.json,
            bytes: Array(try JSONEncoder().encode(draft)))
        #expect(answer.status == 201)
        let added = try JSONDecoder().decode(EndpointAdded.self, from: Data(answer.body))
        return try #require(RowID(added.endpoint.id))
    }

    @Test func `one POST to the link in a letter stops the letters, a look at it does not`() async throws {
        try await RunningServer.with(Self.settings) { server in
            let token = try await server.enrolled("admin").token
            let mailbox = try await endpoint(
                server, token, EndpointDraft(name: "联络员", channel: "email", address: "liaison@example.org"))
            let path = try await path(server, mailbox)

            let page = try await server.send(.get, path)
            #expect(page.status == 200 && page.text.contains("<form method=\"post\">"))
            #expect(page.header("content-security-policy")?.contains("default-src 'none'") == true)
            #expect(!page.text.contains("liaison"))
            #expect(try await !server.store.endpoint(mailbox).isUnsubscribed)

            let body = [HTTPHeader("content-type", "application/x-www-form-urlencoded")]
            for _ in 0..<2 {
                let answer = try await server.send(.post, path, headers: body, "List-Unsubscribe=One-Click")
                #expect(answer.status == 200)
                #expect(try await server.store.endpoint(mailbox).isUnsubscribed)
            }
            #expect(try await !server.send(.get, path).text.contains("<form"))
        }
    }

    @Test func `a link that was not in a letter of ours does nothing`() async throws {
        try await RunningServer.with(Self.settings) { server in
            let token = try await server.enrolled("admin").token
            let mailbox = try await endpoint(
                server, token, EndpointDraft(name: "联络员", channel: "email", address: "liaison@example.org"))
            let path = try await path(server, mailbox)
            let good = try #require(path.split(separator: "/").last)
            let stranger = RowID(bits: mailbox.bits ^ 1)
            let bad = [
                good.dropLast() + (good.hasSuffix("0") ? "1" : "0"), "\(stranger).\(good.suffix(32))", "\(mailbox)",
                "\(mailbox).", "x.y", "\(mailbox).\(String(repeating: "0", count: 32))", good + ".",
            ]
            for token in bad {
                #expect(try await server.send(.post, "\(Path.unsubscribe)/\(token)", "").status == 404)
                #expect(try await server.send(.get, "\(Path.unsubscribe)/\(token)").status == 404)
            }
            #expect(try await !server.store.endpoint(mailbox).isUnsubscribed)

            // Whoever had the letters before cannot stop those of whoever has them now.
            let changed = EndpointDraft(address: "successor@example.org")
            let answer = try await server.send(
                .put, "\(Path.endpoints)/\(mailbox)", token: token, headers: Self.json,
                bytes: Array(try JSONEncoder().encode(changed)))
            #expect(answer.status == 200)
            #expect(try await server.send(.post, path, "").status == 404)
            #expect(try await server.send(.post, try await self.path(server, mailbox), "").status == 200)
            #expect(try await server.store.endpoint(mailbox).isUnsubscribed)
        }
    }
}
