import Crypto
import Foundation
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync

/// Why what an endpoint keeps sealed cannot be used: another key file, or a damaged database.
struct UnsealableEndpoint: Error, Hashable, Sendable {
    let endpoint: RowID
}

/// Seals and opens the addresses and secrets of endpoints with a key that is not in the database.
struct EndpointVault: Sendable {
    private let key: SymmetricKey
    private let unsubscribeLink: UnsubscribeLink
    let settings: CourierSettings

    init(key: ServerKey, settings: CourierSettings) {
        self.key = key.derived("endpoint")
        unsubscribeLink = UnsubscribeLink(key: key)
        self.settings = settings
    }

    /// Bound to the endpoint and the use, so that sealed bytes cannot be moved to another row.
    private func context(_ endpoint: RowID, _ use: String) -> Data { Data("\(endpoint) \(use)".utf8) }

    private func seal(_ text: String, _ endpoint: RowID, _ use: String) throws -> [UInt8] {
        let box = try AES.GCM.seal(Data(text.utf8), using: key, authenticating: context(endpoint, use))
        guard let combined = box.combined else { throw UnsealableEndpoint(endpoint: endpoint) }
        return Array(combined)
    }

    private func open(_ bytes: [UInt8], _ endpoint: RowID, _ use: String) throws -> String {
        do {
            let box = try AES.GCM.SealedBox(combined: bytes)
            return String(
                decoding: try AES.GCM.open(box, using: key, authenticating: context(endpoint, use)), as: UTF8.self)
        } catch {
            throw UnsealableEndpoint(endpoint: endpoint)
        }
    }

    func sealedAddress(_ address: String, of endpoint: RowID) throws -> [UInt8] {
        try seal(address, endpoint, "address")
    }

    /// Whether two records of an endpoint lead to the same place, each having been sealed by itself.
    func isSameAddress(_ one: EndpointRecord, _ other: EndpointRecord) -> Bool {
        guard let address = try? open(one.sealedAddress, one.id, "address") else { return false }
        return address == (try? open(other.sealedAddress, other.id, "address"))
    }

    /// Whether an endpoint's address was sealed with this vault's key.
    func opens(_ endpoint: EndpointRecord) -> Bool {
        (try? open(endpoint.sealedAddress, endpoint.id, "address")) != nil
    }

    func sealedSecrets(_ ring: WebhookSecretRing, of endpoint: RowID) throws -> [UInt8] {
        try seal(ring.revealed, endpoint, "secrets")
    }

    /// The signing secrets of a webhook.
    func secrets(of endpoint: EndpointRecord) throws -> WebhookSecretRing {
        try WebhookSecretRing(revealed: open(endpoint.sealedSecrets, endpoint.id, "secrets"))
    }

    /// The secret of a robot that checks signatures; nothing for one that does not.
    func sealedRobotSecret(_ secret: String?, of endpoint: RowID) throws -> [UInt8] {
        guard let secret, !secret.isEmpty else { return [] }
        return try seal(RobotSecret(secret).revealed, endpoint, "secrets")
    }

    func robotSecret(of endpoint: EndpointRecord) throws -> RobotSecret? {
        guard !endpoint.sealedSecrets.isEmpty else { return nil }
        return try RobotSecret(open(endpoint.sealedSecrets, endpoint.id, "secrets"))
    }

    private func mailbox(of endpoint: EndpointRecord) throws -> MailAddress {
        try MailAddress(open(endpoint.sealedAddress, endpoint.id, "address"))
    }

    /// Whether the last part of an unsubscribing link stood in letters to this endpoint's mailbox.
    func unsubscribes(_ token: String, _ endpoint: EndpointRecord) -> Bool {
        guard endpoint.channel == Channel.email.rawValue, let mailbox = try? mailbox(of: endpoint) else { return false }
        return unsubscribeLink.isGenuine(token, for: endpoint.id, at: mailbox)
    }

    /// Where an endpoint's deliveries go; nil where a person delivers.
    func target(of endpoint: EndpointRecord, at now: Milliseconds) throws -> DeliveryTarget? {
        switch Channel(rawValue: endpoint.channel) {
        case .wecom: return .wecom(try WeComKey(try open(endpoint.sealedAddress, endpoint.id, "address")))
        case .dingtalk:
            return .dingtalk(
                try DingTalkToken(open(endpoint.sealedAddress, endpoint.id, "address")),
                secret: try robotSecret(of: endpoint))
        case .feishu:
            return .feishu(
                try FeishuToken(open(endpoint.sealedAddress, endpoint.id, "address")),
                secret: try robotSecret(of: endpoint))
        case .email:
            let mailbox = try mailbox(of: endpoint)
            return .email(
                MailTarget(
                    mailbox, unsubscribe: unsubscribeLink.url(for: endpoint.id, at: mailbox, settings: settings)))
        case .generic:
            return .generic(
                try WebhookURL(try open(endpoint.sealedAddress, endpoint.id, "address"), settings: settings),
                secrets: try secrets(of: endpoint).signing(at: Moment(milliseconds: now.value)))
        case .manual, nil: return nil
        }
    }

    /// The address as anybody may see it.
    func redactedAddress(of endpoint: EndpointRecord) -> String {
        switch try? target(of: endpoint, at: Milliseconds(0)) {
        case .wecom(let key): "\(key)"
        case .dingtalk(let token, _): "\(token)"
        case .feishu(let token, _): "\(token)"
        case .email(let target): "\(target.address)"
        case .generic(let url, _): "\(url)"
        case nil: ""
        }
    }
}
