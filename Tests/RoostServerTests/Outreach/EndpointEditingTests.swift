import Curl
import Foundation
import RoostAPI
import RoostCourier
import RoostModel
import RoostSchema
import RoostStore
import RoostSync
import Testing

@testable import RoostServer

/// What changes of an endpoint when somebody changes one thing of it.
struct EndpointEditingTests {
    private static let token = "0123456789abcdef0123456789abcdef"

    private func secret(of id: RowID, in world: DigestWorld) async throws -> RobotSecret? {
        let record = try await world.fixture.store.endpoint(id)
        let vault = EndpointVault(key: world.fixture.key, settings: world.settings)
        guard case .dingtalk(_, let secret) = try vault.target(of: record, at: world.fixture.time.now) else {
            return nil
        }
        return secret
    }

    @Test func `a robot's secret and address are changed each without the other`() async throws {
        let world = try await DigestWorld()
        let id = try world.row(
            try await world.add(
                EndpointDraft(name: "钉钉", channel: "dingtalk", address: Self.token, secret: "SECfirst")
            ).endpoint.id)
        _ = try await world.endpoints.edit(
            id, EndpointDraft(secret: "SECsecond"), by: OutreachFixture.administrator)
        #expect(try await secret(of: id, in: world) == (try RobotSecret("SECsecond")))
        #expect(try await world.fixture.store.endpoint(id).state == .active)
        _ = try await world.endpoints.edit(
            id, EndpointDraft(address: String(Self.token.reversed())), by: OutreachFixture.administrator)
        #expect(try await secret(of: id, in: world) == (try RobotSecret("SECsecond")))
        #expect(try await world.fixture.store.endpoint(id).state == .untested)
        _ = try await world.endpoints.edit(id, EndpointDraft(secret: ""), by: OutreachFixture.administrator)
        #expect(try await secret(of: id, in: world) == nil)
    }

    @Test(arguments: [
        ("generic", "https://example.com/hook", "rotate_secret"), ("wecom", "0123456789abcdef0123", "no_secret"),
        ("email", "liaison@example.org", "no_secret"),
    ])
    func `a secret that would be ignored is refused`(channel: String, address: String, reason: String) async throws {
        let world = try await DigestWorld()
        let id = try world.row(try await world.add("端点", channel, address).endpoint.id)
        let before = try await world.fixture.store.endpoint(id)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.endpoints.edit(
                id, EndpointDraft(secret: WebhookSecret.random().revealed), by: OutreachFixture.administrator)
        }
        #expect(refusal?.reason == reason)
        #expect(try await world.fixture.store.endpoint(id) == before)
    }

    @Test(arguments: [-1, 169, .max, .min, Int.max / 3600 + 1])
    func `an overlap of any number of hours is judged and harms nobody`(hours: Int) async throws {
        let world = try await DigestWorld()
        let id = try world.row(try await world.add("合作方", "generic", "https://example.com/hook").endpoint.id)
        let refusal = await #expect(throws: Refusal.self) {
            try await world.endpoints.rotate(
                id, EndpointRotation(overlapHours: hours), by: OutreachFixture.administrator)
        }
        #expect(refusal?.reason == "overlap_range")
    }

    @Test func `two who change an endpoint at once undo nothing of each other's`() async throws {
        let world = try await DigestWorld()
        let id = try world.row(try await world.add("合作方", "generic", "https://example.com/hook").endpoint.id)
        let secrets = try await withThrowingTaskGroup(of: String?.self) { group in
            for number in 0..<8 {
                group.addTask {
                    try await world.endpoints.rotate(id, EndpointRotation(), by: OutreachFixture.administrator).secret
                }
                group.addTask {
                    _ = try await world.endpoints.edit(
                        id, EndpointDraft(keyword: "词\(number)"), by: OutreachFixture.administrator)
                    return nil
                }
            }
            var secrets: Set<String> = []
            for try await secret in group { if let secret { secrets.insert(secret) } }
            return secrets
        }
        let record = try await world.fixture.store.endpoint(id)
        let kept = try EndpointVault(key: world.fixture.key, settings: world.settings).secrets(of: record)
        #expect(secrets.count == 8)
        #expect(Set(kept.entries.map(\.secret.revealed)).isSuperset(of: secrets))
        #expect(record.keyword?.hasPrefix("词") == true)
    }

    @Test func `after the server's key was lost, an endpoint comes back by its address alone`() async throws {
        let world = try await DigestWorld()
        let webhook = try await world.add("合作方", "generic", "https://example.com/hook")
        let robot = try await world.add(
            EndpointDraft(
                name: "飞书群", channel: "feishu", address: "3fa2c0de-1b2c-4d5e-8f90-a1b2c3d4e5f6", secret: "former"))
        let other = world.fixture.directory + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        try ServerKey.create(in: other)
        let desk = EndpointDesk(
            store: world.fixture.store, key: try ServerKey(directory: other), settings: world.settings,
            transport: HTTPClient(), wake: {})
        let administrator = OutreachFixture.administrator
        let (first, second) = (try world.row(webhook.endpoint.id), try world.row(robot.endpoint.id))
        for id in [first, second] {
            let refusal = await #expect(throws: Refusal.self) { try await desk.test(id, by: administrator) }
            #expect(refusal?.reason == "endpoint_unreadable")
            #expect(refusal?.messageZH?.contains("endpoints edit --address") == true)
        }
        let mended = try await desk.edit(
            first, EndpointDraft(address: "https://example.com/hook"), by: administrator)
        #expect(mended.secret?.hasPrefix("whsec_") == true && mended.secret != webhook.secret)
        #expect(mended.endpoint.address == "https://example.com/hook")
        // A robot's secret is its vendor's to give.
        let address = EndpointDraft(address: "3fa2c0de-1b2c-4d5e-8f90-a1b2c3d4e5f6")
        let refusal = await #expect(throws: Refusal.self) {
            _ = try await desk.edit(second, address, by: administrator)
        }
        #expect(refusal?.reason == "secret_unreadable")
        var whole = address
        whole.secret = "now"
        #expect(try await desk.edit(second, whole, by: administrator).endpoint.address.isEmpty == false)
        // Nor does giving a webhook another secret need the one that is lost.
        try await world.fixture.store.change(first) { record, _ in record.sealedSecrets = [1] }
        #expect(try await desk.rotate(first, EndpointRotation(), by: administrator).secret != nil)
    }
}
