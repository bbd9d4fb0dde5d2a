package import RoostAPI
package import RoostSchema
import RoostCourier
import RoostModel
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
        let (vault, now) = (vault, store.clock())
        return try await store.reading { reader in
            let digest = try Self.digest(id, reader, permissions)
            let endpoints = Dictionary(uniqueKeysWithValues: try reader.endpoints().map { ($0.id, $0) })
            let isPaused = try reader.sendingPause() != nil
            let all = try reader.deliveries(of: id)
            let blocked = Self.blocked(among: all)
            let deliveries = all.compactMap { delivery in
                endpoints[delivery.endpoint].map {
                    Self.status(
                        of: delivery, at: $0, vault, isBlocked: blocked.contains(delivery.id),
                        isSendingPaused: isPaused,
                        now: now)
                }
            }.sorted { ($0.endpoint, $0.part) < ($1.endpoint, $1.part) }
            // What was for an endpoint that was given up has come to its end, whatever became of it.
            let retired = Set(endpoints.values.filter(\.isRetired).map(\.name))
            let advice = Self.advice(on: deliveries.filter { !retired.contains($0.endpoint) })
            return DigestReport(
                digest: digest.summary, students: try reader.audience(of: id)?.students, deliveries: deliveries,
                instructionZH: advice?.zh, instructionEN: advice?.en)
        }
    }

    /// What a person is expected to do about a digest that was released; nil for nothing.
    private static func advice(on deliveries: [DeliveryStatusReport]) -> Label? {
        func count(_ states: DeliveryState..., byHand: Bool) -> Int {
            deliveries.count { delivery in
                states.contains { $0.rawValue == delivery.state }
                    && (delivery.channel == Channel.manual.rawValue) == byHand
            }
        }
        var parts: [Label] = []
        let doubtful = deliveries.count {
            $0.state == DeliveryState.frozen.rawValue && $0.code == ServerStore.restoredCode
        }
        if doubtful > 0 {
            parts.append(
                Label(
                    "\(doubtful) 条可能在服务器恢复备份之前已发出：请先到群里查看；发送时它们不会直接发出，而标为“无法确认”。",
                    "\(doubtful) may have gone out before the server was restored from a backup: look in the groups first; when it is "
                        + "sent, they become uncertain and do not go out by themselves."))
        }
        let uncertain = count(.uncertain, byHand: false)
        if uncertain > 0 {
            parts.append(
                Label(
                    "\(uncertain) 条无法确认是否送达：请到群里查看，已出现的标记为已送达，未出现的重发。",
                    "\(uncertain) may or may not have arrived: look in the group, mark those that did, send the others again."
                ))
        }
        let lost = count(.failed, .expired, byHand: false)
        if lost > 0 {
            parts.append(
                Label(
                    "\(lost) 条未送达：按各条的说明处理后重发。",
                    "\(lost) did not arrive: do what is said of each, then send them again."))
        }
        let blocked = deliveries.count { $0.heldBy == "earlier_part" }
        if blocked > 0 {
            parts.append(
                Label(
                    "\(blocked) 条在等待同一推送前面的部分：前面的重发、标记或送达后自动继续。",
                    "\(blocked) wait for earlier parts: they go on once those were sent again, marked or have arrived.")
            )
        }
        let waiting = count(.manualPending, byHand: true)
        if waiting > 0 {
            parts.append(
                Label(
                    "\(waiting) 条待人工发送：把预览中的文字复制到群里，再用 roost digest mark-sent 标记。",
                    "\(waiting) are to be posted by hand: copy the text of the preview into the group, then mark them by roost digest mark-sent."
                )
            )
        }
        let forgotten = count(.expired, byHand: true)
        if forgotten > 0 {
            parts.append(
                Label(
                    "\(forgotten) 条没有人标记已人工发送，已发的请补标。",
                    "\(forgotten) were not marked as posted by hand; mark those that were."))
        }
        guard !parts.isEmpty else { return nil }
        return Label(parts.map(\.zh).joined(), parts.map(\.en).joined(separator: " "))
    }

    /// Deliveries before which an earlier part of the same digest stands that has not arrived and may not by itself.
    static func blocked(among deliveries: [DeliveryRecord]) -> Set<RowID> {
        let stuck: Set<DeliveryState> = [.failed, .uncertain, .expired, .retryWait, .held]
        let first = Dictionary(
            deliveries.filter { stuck.contains($0.state) }.map { ($0.endpoint, $0.part) }, uniquingKeysWith: min)
        return Set(deliveries.filter { $0.part > first[$0.endpoint] ?? .max }.map(\.id))
    }

    static func status(
        of delivery: DeliveryRecord, at endpoint: EndpointRecord, _ vault: EndpointVault, isBlocked: Bool,
        isSendingPaused: Bool, now: Milliseconds
    ) -> DeliveryStatusReport {
        // What is under way has no result yet; what it is said to have come to is about an earlier attempt or a cancellation.
        let code = delivery.state == .leased ? nil : delivery.code
        let channel = Channel(rawValue: endpoint.channel) ?? .manual
        // Only where parts arrive in order; elsewhere each goes when it can.
        let waitsForEarlier = isBlocked && channel.maximumInFlight == 1
        let heldBy = delivery.hold(
            at: endpoint, waitsForEarlier: waitsForEarlier, isSendingPaused: isSendingPaused, now: now)
        let instruction = DeliveryAdvice(
            state: delivery.state, heldBy: heldBy, outcome: delivery.outcome.flatMap(Outcome.Class.init(rawValue:)),
            code: code, attempts: delivery.attempts, channel: channel, isRetired: endpoint.isRetired
        ).label
        return DeliveryStatusReport(
            id: delivery.id.description, endpoint: endpoint.name, channel: endpoint.channel,
            address: vault.redactedAddress(of: endpoint), part: delivery.part, parts: delivery.parts,
            state: heldBy == nil ? delivery.state.rawValue : DeliveryState.held.rawValue, heldBy: heldBy,
            attempts: delivery.attempts, code: code, instructionZH: instruction?.zh, instructionEN: instruction?.en,
            nextAt: delivery.nextAt?.value, sentAt: delivery.sentAt?.value,
            reach: delivery.reach)
    }

    /// Exactly what would be sent, or once approved what will be.
    package func preview(_ id: RowID, for officer: RowID) async throws -> DigestPreview {
        let principal = try await store.principal(of: officer)
        let (now, rules) = (store.clock(), store.rules)
        let permissions = DigestPermissions(principal, at: now, rules)
        let scopes = principal.scopes(at: now, rules).map { rules.scope($0) }
        return try await store.reading { reader in
            let digest = try Self.digest(id, reader, permissions)
            let audience = try DigestAudience(of: digest, reader)
            let frozen = try reader.deliveries(of: id)
            guard frozen.isEmpty else {
                let all = try reader.endpoints()
                var told = try audience.report(reader, sample: [], unaffected: [])
                if let kept = try reader.audience(of: id) {
                    told.sentenceZH = kept.sentence.zh
                    told.sentenceEN = kept.sentence.en
                    told.students = kept.students
                    told.groups = kept.members["contact_group"]?.count ?? 0
                    told.officers = kept.members["officer"]?.count ?? 0
                }
                return DigestPreview(
                    digest: digest.summary, audience: told, isFrozen: true, renderings: Self.preview(frozen, all))
            }
            let renderings = try DigestRenderings(of: digest, for: audience, reader, now: now)
            let sample = try reader.first(5, of: audience.students, in: Programme.subject, heldBy: scopes)
            return DigestPreview(
                digest: digest.summary,
                audience: try audience.report(reader, sample: sample, unaffected: renderings.unaffected),
                isFrozen: false, mark: renderings.mark(of: audience),
                renderings: renderings.renderings.map(Self.preview))
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
        let byEndpoint = Dictionary(grouping: deliveries, by: \.endpoint)
        for endpoint in endpoints {
            let own = (byEndpoint[endpoint.id] ?? []).sorted { $0.part < $1.part }
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
}

extension DeliveryRecord {
    /// What keeps it from being sent, be it due or not; nil if nothing does.
    fileprivate func hold(
        at endpoint: EndpointRecord, waitsForEarlier: Bool, isSendingPaused: Bool, now: Milliseconds
    ) -> String? {
        switch state {
        case .queued, .retryWait, .held: break
        default: return nil
        }
        switch endpoint.state {
        case .active: break
        case .untested, .paused, .disabled, .retired: return endpoint.state.rawValue
        }
        if isSendingPaused { return "sending_paused" }
        if waitsForEarlier { return "earlier_part" }
        if let until = endpoint.health.openUntil, until > now { return "suspended" }
        if let until = endpoint.heldUntil, until > now { return "rate" }
        if let nextAt, nextAt <= now, let hours = endpoint.quiet.flatMap({ QuietHours($0) }),
            hours.end(for: Moment(milliseconds: now.value)) > Moment(milliseconds: now.value)
        {
            return "quiet"
        }
        return state == .held ? "rate" : nil
    }
}
