import Crypto
import Foundation
import RoostAPI
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

    /// The digest arrives under one `webhook-id`, though the server loses its power in the middle of the first attempt and
    /// the receiver fails the second.
    func sendADigestThroughAPowerFailure() async throws {
        let receiver = try Receiver(.hang)
        let admin = try await WireDevice.enrolled(as: county.admin, at: county.server)
        let approver = try await WireDevice.enrolled(as: county.approver, at: county.server)
        let added = try await admin.caller.post(
            Path.endpoints, ["name": "校友网站", "channel": "generic", "address": .text(receiver.url + "/hook")])
        #expect(added.status == 201)
        let secret = try #require(added.json["secret"].text)

        let digest = try await approvedDigest(approver)
        try await digest.step("send", county.wire)
        let first = try await receiver.requests.first("the first attempt", \.first)
        try await county.server.kill()
        receiver.behave(.answer(500))
        try await county.server.start()
        _ = try await receiver.requests.first("the attempt after the power failure") { $0.count >= 2 ? true : nil }
        receiver.behave(.answer(204))
        _ = try await receiver.requests.first("the attempt after a failure") { $0.count >= 3 ? true : nil }

        let requests = receiver.requests.value
        let ids = Set(requests.map { $0.values(of: "webhook-id") })
        let id = try #require(first.values(of: "webhook-id").first)
        #expect(ids == [[id]])
        #expect(Set(requests.map(\.body)) == [first.body])
        for request in requests { try expectSigned(request, by: secret, id: id) }
        let payload = try JSON(first.body)
        #expect(payload["data"]["digest"].text == digest.row)

        // Stopping waits for what is under way; delivered means delivered, so the next start sends nothing again.
        #expect(try await county.server.stop() == .exit(0))
        try await county.server.start()
        let deliveries = try await digest.report(county.wire)["deliveries"].list
        #expect(deliveries.map(\.["state"]) == ["sent"])
        #expect(receiver.requests.value.count == 3)
    }

    /// A digest on its way through the hands of author and approver.
    private struct Digest {
        let row: String

        func step(_ name: String, _ device: WireDevice) async throws {
            let version = try await report(device)["digest"]["version"]
            let answer = try await device.caller.post("\(Path.digests)/\(row)/\(name)", ["version": version])
            try #require(answer.status == 200, "\(name): \(answer.json)")
        }

        func report(_ device: WireDevice) async throws -> JSON {
            try await device.caller.get("\(Path.digests)/\(row)").json
        }
    }

    private func approvedDigest(_ approver: WireDevice) async throws -> Digest {
        let policy = WireDevice.newRow()
        try await county.wire.push([
            .create(
                "policy", policy,
                ["code": "鹤府〔2026〕1号", "title": "返乡安家补贴", "summary": "本科每月 800 元", "status": "published"])
        ])
        let composed = try await county.wire.caller.post(
            Path.digests,
            [
                "title": "第一期", "intro": "近期政策", "channels": ["generic"],
                "items": [["collection": "policy", "id": .text(policy)]],
            ])
        let digest = Digest(row: try #require(composed.json["digest"]["id"].text, "\(composed.json)"))
        try await digest.step("submit", county.wire)
        // Nobody approves their own digest.
        let version = try await digest.report(county.wire)["digest"]["version"]
        let own = try await county.wire.caller.post("\(Path.digests)/\(digest.row)/approve", ["version": version])
        #expect(own.code == .forbidden)
        try await digest.step("approve", approver)
        return digest
    }
}
