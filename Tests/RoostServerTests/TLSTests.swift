import Curl
import Foundation
import RoostSchema
import RoostServer
import RoostSync
import Testing

/// A server that speaks TLS itself, and one that does not where it should.
@Suite struct TLSTests {
    @Test func `a server with a certificate answers over HTTPS whoever trusts it, and nobody without TLS`() async throws
    {
        try await withTemporaryDirectory { path in
            try Data(Self.certificate.utf8).write(to: URL(fileURLWithPath: path + "/chain.pem"))
            try Data(Self.key.utf8).write(to: URL(fileURLWithPath: path + "/key.pem"))
            let settings: [SettingKey: String] = [
                .certificate: path + "/chain.pem", .certificateKey: path + "/key.pem",
            ]
            try await RunningServer.with(settings) { server in
                func ask(_ scheme: String, trusting authorities: String?) async throws -> HTTPResponse {
                    try await server.client.send(
                        HTTPRequest(
                            method: .get, url: "\(scheme)://127.0.0.1:\(server.port)/healthz",
                            options: TransferOptions(
                                allowedSchemes: [.http, .https], addressPolicy: .publicOnly(allowingLoopback: true),
                                caFile: authorities)))
                }
                let answer = try await ask("https", trusting: path + "/chain.pem")
                #expect(answer.status == 200 && answer.json["status"] == "ok")
                let refused = await #expect(throws: CurlError.self) { try await ask("https", trusting: nil) }
                #expect(refused?.reason == .certificate)
                await #expect(throws: CurlError.self) { try await ask("http", trusting: nil) }
            }
        }
    }

    @Test(
        arguments: [
            ([:], true), ([.host: "::1"], true), ([.host: "localhost"], true), ([.host: "0.0.0.0"], false),
            ([.host: "roost.example.org"], false), ([.host: "0.0.0.0", .trustsForwardedFor: "true"], true),
            ([.host: "0.0.0.0", .certificate: "chain.pem", .certificateKey: "key.pem"], true),
        ] as [([SettingKey: String], Bool)])
    func `what others can reach is protected by TLS, by a proxy or not at all`(
        given: [SettingKey: String], isProtected: Bool
    ) throws {
        #expect(try ServerSettings { given[$0] }.isProtected == isProtected)
    }

    @Test func `a server that others can reach without TLS says so at its start`() async throws {
        try await RunningServer.with([.host: "0.0.0.0"]) { server in
            #expect(server.log.text.contains("can be read on the way"))
        }
        try await RunningServer.with { server in #expect(!server.log.text.contains("can be read on the way")) }
    }

    /// For 127.0.0.1, from 2020 to 2119, signed with its own key; for this test and nothing else.
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBXjCCAQSgAwIBAgIBATAKBggqhkjOPQQDAjAVMRMwEQYDVQQDDApSb29zdCB0
        ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAVMRMwEQYDVQQD
        DApSb29zdCB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhs376hdR7x0F
        KRk5I6Uc/TzTGziV56MSGiOAUY2hXcOPO9DI/q0I0ko9JU5/Oop0hlS7CcJR6Wke
        FF28xVUVm6NDMEEwDwYDVR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMB0G
        A1UdDgQWBBTTaWlijEBfCHjAm+htIBfDe+2K9jAKBggqhkjOPQQDAgNIADBFAiAp
        jlV1nOZvnhI+i4TWPTZhh5tgvdwlXrcrBKpzAHHLhQIhAN0czaiNyVF5i6o9LCRE
        6jQ4867+ojGkzRZruNE2k3Zq
        -----END CERTIFICATE-----
        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgK+DgLwkhwP6oNtDr
        85KSjx+U1YdthyPbu4oOuXaD1vGhRANCAASGzfvqF1HvHQUpGTkjpRz9PNMbOJXn
        oxIaI4BRjaFdw4870Mj+rQjSSj0lTn86inSGVLsJwlHpaR4UXbzFVRWb
        -----END PRIVATE KEY-----
        """
}
