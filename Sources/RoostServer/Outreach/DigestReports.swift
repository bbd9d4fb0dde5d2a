package import RoostAPI
package import RoostSchema
import RoostCourier
import RoostStore
import RoostSync

/// What is told of digests.
extension DigestDesk {
    /// The digests an officer is shown, newest first.
    package func list(for officer: RowID) async throws -> DigestList {
        let permissions = try await permissions(of: officer)
        try permissions.mayList()
        return try await store.reading { reader in
            DigestList(
                digests: try reader.rows("digest", where: .always).compactMap { DigestRow($0, reader.catalogue) }
                    .filter(permissions.sees).sorted { $0.version > $1.version }.map(\.summary))
        }
    }

    /// A digest and where its deliveries stand.
    package func report(_ id: RowID, for officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let vault = vault
        return try await store.reading { reader in
            let digest = try Self.digest(id, reader, permissions)
            let endpoints = Dictionary(uniqueKeysWithValues: try reader.endpoints().map { ($0.id, $0) })
            return DigestReport(
                digest: digest.summary,
                deliveries: try reader.deliveries(of: id).compactMap { delivery in
                    endpoints[delivery.endpoint].map { Self.status(of: delivery, at: $0, vault) }
                }.sorted { ($0.endpoint, $0.part) < ($1.endpoint, $1.part) })
        }
    }

    private static func status(
        of delivery: DeliveryRecord, at endpoint: EndpointRecord, _ vault: EndpointVault
    ) -> DeliveryStatusReport {
        var instruction: Instruction?
        if let code = delivery.code, let outcome = delivery.outcome.flatMap(Outcome.Class.init(rawValue:)),
            let channel = Channel(rawValue: endpoint.channel)
        {
            instruction = Instruction(after: outcome, code: code, on: channel)
        }
        return DeliveryStatusReport(
            id: delivery.id.description, endpoint: endpoint.name, channel: endpoint.channel,
            address: vault.redactedAddress(of: endpoint), part: delivery.part, parts: delivery.parts,
            state: delivery.state.rawValue, attempts: delivery.attempts, code: delivery.code,
            instructionZH: instruction?.chinese, instructionEN: instruction?.english, nextAt: delivery.nextAt?.value,
            sentAt: delivery.sentAt?.value, reach: delivery.reach)
    }

    /// Exactly what would be sent, or once approved what will be.
    package func preview(_ id: RowID, for officer: RowID) async throws -> DigestPreview {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        return try await store.reading { reader in
            let digest = try Self.digest(id, reader, permissions)
            let audience = try DigestAudience(digest.audience, channels: digest.channels, reader)
            let all = try reader.endpoints()
            let frozen = try reader.deliveries(of: id)
            let renderings =
                frozen.isEmpty
                ? try Self.renderings(of: digest, for: audience, reader, now: now).map(Self.preview)
                : Self.preview(frozen, all)
            return DigestPreview(
                digest: digest.summary, audience: audience.report(all), isFrozen: !frozen.isEmpty,
                renderings: renderings)
        }
    }

    private static func preview(_ rendering: DigestRendering) -> DigestPreview.Rendering {
        DigestPreview.Rendering(
            channel: rendering.channel.rawValue, keyword: rendering.keyword,
            contentType: rendering.rendering.contentType, byteLimit: rendering.rendering.byteLimit,
            endpoints: rendering.endpoints.map(\.name),
            parts: rendering.rendering.parts.map { part in
                DigestPreview.Part(
                    body: String(decoding: part.body, as: UTF8.self), content: part.content, bytes: part.contentBytes)
            })
    }

    /// The frozen bytes, endpoints with the same ones together.
    private static func preview(
        _ deliveries: [DeliveryRecord], _ endpoints: [EndpointRecord]
    ) -> [DigestPreview.Rendering] {
        var renderings: [DigestPreview.Rendering] = []
        for endpoint in endpoints {
            let own = deliveries.filter { $0.endpoint == endpoint.id }.sorted { $0.part < $1.part }
            guard let channel = Channel(rawValue: endpoint.channel), let first = own.first else { continue }
            let messages = own.map { FrozenMessage($0.body, on: channel) }
            let parts = zip(own, messages).map { delivery, message in
                DigestPreview.Part(
                    body: String(decoding: delivery.body, as: UTF8.self), content: message?.content ?? "",
                    bytes: message?.contentBytes ?? delivery.body.count)
            }
            if let place = renderings.firstIndex(where: { $0.channel == endpoint.channel && $0.parts == parts }) {
                renderings[place].endpoints.append(endpoint.name)
            } else {
                renderings.append(
                    DigestPreview.Rendering(
                        channel: endpoint.channel, keyword: endpoint.keyword, contentType: first.contentType,
                        byteLimit: messages.first??.byteLimit ?? channel.byteLimit, endpoints: [endpoint.name],
                        parts: parts))
            }
        }
        return renderings
    }

    /// Notes a delivery made by hand, or found to have arrived.
    package func markSent(_ delivery: RowID, reach: Int?, by officer: RowID) async throws -> DigestReport {
        let digest = try await digest(of: delivery, handledBy: officer)
        guard (reach ?? 0) >= 0, try await store.markDelivered(delivery, reach: reach) else {
            throw Refusal(
                .conflict, reason: "not_waiting",
                Label("这条推送不在等待人工处理。", "the delivery does not wait for anybody"))
        }
        return try await report(digest, for: officer)
    }

    /// Sends once more what did not arrive or may not have.
    package func resend(_ delivery: RowID, by officer: RowID) async throws -> DigestReport {
        let digest = try await digest(of: delivery, handledBy: officer)
        guard try await store.requeue(delivery, until: store.clock() + Self.lifetime) else {
            throw Refusal(
                .conflict, reason: "not_resendable",
                Label("这条推送不需要重发。", "the delivery is in no state to be sent again"))
        }
        wake()
        return try await report(digest, for: officer)
    }

    /// The digest of a delivery that the officer may decide about.
    private func digest(of delivery: RowID, handledBy officer: RowID) async throws -> RowID {
        let permissions = try await permissions(of: officer)
        return try await store.reading { reader in
            guard let record = try reader.delivery(delivery) else { throw Refusal(.notFound, "no such delivery") }
            let digest = try Self.digest(record.digest, reader, permissions)
            try permissions.mayEdit(digest)
            return digest.id
        }
    }
}
