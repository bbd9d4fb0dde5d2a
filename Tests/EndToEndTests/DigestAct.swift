import Crypto
import Foundation
import RoostAPI
import RoostSchema
import Testing

/// A digest leaves the server through a power failure.
extension Journey {
    /// What a receiver that believes nobody checks of a request, by the Standard Webhooks specification.
    private func expectSigned(_ request: Receiver.Request, by secret: String, id: String) throws {
        let key = try #require(Data(base64Encoded: String(secret.dropFirst("whsec_".count))))
        let moment = try #require(request.values(of: "webhook-timestamp").first)
        let signature = try #require(request.values(of: "webhook-signature").first)
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(id).\(moment).".utf8) + Data(request.body), using: SymmetricKey(data: key))
        #expect(signature.split(separator: " ").contains("v1,\(Data(code).base64EncodedString())"))
        let seconds = try #require(Double(moment))
        #expect(abs(seconds - Date().timeIntervalSince1970) < 300)
        #expect(request.head.hasPrefix("POST "))
    }

    /// The digest arrives under one `webhook-id` across a failing receiver and a power failure.
    ///
    /// The receiver fails the first attempt; the server loses its power in the middle of the second.
    /// - Returns: the secret it was signed with.
    func sendADigestThroughAPowerFailure() async throws -> String {
        let receiver = try Receiver(.answer(204))
        let admin = try await WireDevice.enrolled(as: county.admin, at: county.server)
        let added = try await admin.caller.post(
            Path.endpoints, ["name": "校友网站", "channel": "generic", "address": .text(receiver.url + "/hook")])
        #expect(added.status == 201)
        let secret = try #require(added.json["secret"].text)
        // Nothing goes to an endpoint before a test message has arrived there.
        let endpoint = try #require(added.json["endpoint"]["id"].text)
        #expect(try await admin.caller.post(Path.endpoints + "/\(endpoint)/test", [:]).status == 200)
        #expect(receiver.requests.value.count == 1)
        receiver.requests.update { $0 = [] }
        receiver.behave(.answer(500))

        let digest = try await approveADigest()
        #expect(receiver.requests.value.isEmpty)
        let hasty = try await registrar.attempt("digest", "send", digest, "--json")
        #expect(try hasty.json["error"]["code"] == "audience_unconfirmed")
        let students = try #require(try await registrar.roost("digest", "status", digest)["students"].integer)
        try await registrar.roost("digest", "send", digest, "--students", "\(students)")
        let first = try await receiver.requests.first("the first attempt", \.first)
        receiver.behave(.hang)
        _ = try await receiver.requests.first("the attempt after a failure") { $0.count == 2 ? true : nil }
        try await county.server.kill()
        receiver.behave(.answer(204))
        try await county.server.start()
        _ = try await receiver.requests.first("the attempt after the power failure") { $0.count == 3 ? true : nil }

        let requests = receiver.requests.value
        let id = try #require(first.values(of: "webhook-id").first)
        #expect(requests.map { $0.values(of: "webhook-id") } == [[id], [id], [id]])
        #expect(Set(requests.map(\.body)) == [first.body])
        for request in requests { try expectSigned(request, by: secret, id: id) }
        #expect(try JSON(first.body)["data"]["digest"].text == digest)

        // Stopping waits for what is under way; delivered means delivered, so the next start sends nothing again.
        #expect(try await county.server.stop() == .exit(0))
        try await county.server.start()
        let deliveries = try await registrar.roost("digest", "status", digest)["deliveries"].list
        #expect(deliveries.map(\.["state"]) == ["sent"])
        #expect(receiver.requests.value.count == 3)
        return secret
    }

    /// The registrar writes a digest, may not approve it, and the approver does.
    private func approveADigest() async throws -> String {
        let code = "鹤府〔2026〕1号"
        // A policy's row is named by the number its issuer gave it.
        try await county.wire.push([
            .create(
                "policy", RowID(naming: "policy", code).description,
                ["code": .text(code), "title": "返乡安家补贴", "summary": "本科每月 800 元", "status": "published"])
        ])
        try await sync([registrar])
        let composed = try await registrar.roost(
            "digest", "new", "第一期", "--policy", code, "--channel", "generic")
        let digest = try #require(composed["digest"]["id"].text)
        try await registrar.roost("digest", "submit", digest)
        let own = try await registrar.attempt("digest", "approve", digest, "--json")
        #expect(own.end == .exit(4))
        #expect(try own.json["error"]["code"] == "forbidden")
        let approver = try await county.device("approver", of: county.approver)
        try await approver.approve(digest)
        let preview = try await registrar.roost("digest", "preview", digest)
        #expect(preview["is_frozen"] == true)
        return digest
    }
}
