package import RoostAPI
package import RoostSchema
import RoostCourier
import RoostStore
import RoostSync

/// What is told of single deliveries, and who was told what.
extension DigestDesk {
    /// A delivery with its attempts.
    package func log(of delivery: RowID, for officer: RowID) async throws -> DeliveryLog {
        let permissions = try await permissions(of: officer)
        let (vault, now) = (vault, store.clock())
        return try await store.reading { reader in
            guard let record = try reader.delivery(delivery),
                let endpoint = try reader.endpoints().first(where: { $0.id == record.endpoint })
            else { throw Refusal(.notFound, "no such delivery") }
            _ = try Self.digest(record.digest, reader, permissions)
            let channel = Channel(rawValue: endpoint.channel) ?? .manual
            let status = Self.status(
                of: record, at: endpoint, vault,
                isBlocked: Self.blocked(among: try reader.deliveries(of: record.digest)).contains(record.id),
                isSendingPaused: try reader.sendingPause() != nil, now: now)
            var attempts = try reader.attempts(at: delivery).map { AttemptReport($0, on: channel) }
            // What followed on the others, follows in the log; what is to be done now depends on where it stands.
            if let zh = status.instructionZH, let en = status.instructionEN, let last = attempts.indices.last {
                attempts[last].instructionZH = zh
                attempts[last].instructionEN = en
            }
            return DeliveryLog(delivery: status, attempts: attempts)
        }
    }

    /// The policy, job or event that is called this.
    package func item(called text: String, for officer: RowID) async throws -> RowID {
        try await permissions(of: officer).mayList()
        return try await store.reading { reader in
            guard let item = try reader.item(called: text) else { throw Refusal.unknownItem(text, .notFound) }
            return item
        }
    }

    /// Who was told of an item, or what an endpoint was told; or the digests for a student, group or officer.
    package func tellings(
        item: RowID?, endpoint: RowID?, member: RowID?, for officer: RowID
    ) async throws -> TellingList {
        let principal = try await store.principal(of: officer)
        let (now, rules) = (store.clock(), store.rules)
        let permissions = DigestPermissions(principal, at: now, rules)
        try permissions.mayList()
        let scopes = principal.scopes(at: now, rules).map { rules.scope($0) }
        return try await store.reading { reader in
            let digests = Dictionary(
                uniqueKeysWithValues: try reader.rows("digest", where: .always)
                    .compactMap { DigestRow($0, reader.catalogue) }.filter(permissions.sees).map { ($0.id, $0) })
            if let member {
                // Of somebody whom the officer is not shown, nothing is told either.
                let isShown = try ["student", "contact_group", "officer"].contains { collection in
                    try !reader.first(1, of: [member], in: CollectionName(collection), heldBy: scopes).isEmpty
                }
                guard isShown else { throw Refusal(.notFound, "no such row") }
                return TellingList(
                    tellings: [], digests: try reader.digests(for: member).compactMap { digests[$0]?.summary })
            }
            guard item != nil || endpoint != nil else {
                throw Refusal(.malformedRequest, "one of item, endpoint and member is wanted")
            }
            let names = Dictionary(uniqueKeysWithValues: try reader.endpoints().map { ($0.id, $0.name) })
            return TellingList(
                tellings: try reader.tellings(of: item, to: endpoint).compactMap { telling in
                    guard let digest = digests[telling.digest], let name = names[telling.endpoint] else { return nil }
                    return TellingReport(
                        digest: digest.id.description, title: digest.title, endpoint: name,
                        collection: telling.collection.text, item: telling.item.description,
                        itemTitle: try reader.text("title", of: telling.item, in: telling.collection) ?? "",
                        version: telling.version.description, state: telling.state.rawValue,
                        sentAt: telling.sentAt?.value)
                }, digests: [])
        }
    }

    /// Notes a delivery made by hand, or found to have arrived.
    package func markSent(_ delivery: RowID, reach: Int?, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let digest = try await store.reading { reader in
            guard let record = try reader.delivery(delivery) else { throw Refusal(.notFound, "no such delivery") }
            let digest = try Self.digest(record.digest, reader, permissions)
            try permissions.mayEdit(digest)
            return digest.id
        }
        guard (reach ?? 0) >= 0, try await store.markDelivered([delivery], of: digest, reach: reach) > 0 else {
            throw Refusal(
                .conflict, reason: "not_waiting",
                Label("这条推送不在等待人工处理。", "the delivery does not wait for anybody"))
        }
        return try await report(digest, for: officer)
    }

    /// Notes all parts of a digest that wait for a person at one endpoint; everyone there is taken to have got each.
    package func markSent(
        _ id: RowID, at endpoint: RowID, reach: Int?, by officer: RowID
    ) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let parts = try await store.reading { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            return try reader.deliveries(of: id).filter { $0.endpoint == endpoint }.map(\.id)
        }
        guard (reach ?? 0) >= 0, try await store.markDelivered(parts, of: id, reach: reach) > 0 else {
            throw Refusal(
                .conflict, reason: "not_waiting",
                Label("这期推送在该端点没有等待人工处理的部分。", "no part of the digest waits for anybody at this endpoint"))
        }
        return try await report(id, for: officer)
    }

    /// Sends once more what did not arrive or may not have; what may have arrived only if duplicates are accepted.
    package func redrive(_ id: RowID, _ request: RedriveRequest, by officer: RowID) async throws -> DigestReport {
        let permissions = try await permissions(of: officer)
        let named = request.deliveries.map { Set($0.compactMap { RowID($0) }) }
        let again: [DeliveryState] = [.failed, .expired, .cancelled, .uncertain, .retryWait]
        let states =
            request.states.map { Set($0.compactMap(DeliveryState.init(rawValue:))) }
            ?? (named == nil ? [.failed, .expired] : Set(again))
        guard states.isSubset(of: again), request.states.map({ $0.count == states.count }) ?? true else {
            throw Refusal(
                .malformedRequest, reason: "unknown_state",
                Label("状态只能是 failed、expired、cancelled、uncertain、retry_wait。", "a state that cannot be sent again"))
        }
        let now = store.clock()
        let chosen = try await store.reading { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            // One that was cancelled before it was released has no deliveries.
            guard digest.isReleased || digest.status == "cancelled" else { throw Self.wrongStatus(digest) }
            let endpoints = try reader.endpoints()
            let channels = Dictionary(uniqueKeysWithValues: endpoints.map { ($0.id, Channel(rawValue: $0.channel)) })
            let retired = Set(endpoints.filter(\.isRetired).map(\.id))
            let all = try reader.deliveries(of: id).filter { delivery in
                states.contains(delivery.state) && (named?.contains(delivery.id) ?? true)
                    && (request.endpoint.map { RowID($0) == delivery.endpoint } ?? true)
                    && channels[delivery.endpoint] != .manual
            }
            let chosen = all.filter { !retired.contains($0.endpoint) }
            if chosen.isEmpty, let lost = all.first {
                throw Self.givenUp(endpoints.first { $0.id == lost.endpoint }?.name ?? "")
            }
            let told = try reader.items(in: chosen)
            try DigestContent(reader: reader, now: now).check(
                (digest.sections ?? []).flatMap(\.items).filter { told.contains($0.id) })
            return chosen.map { delivery in
                // A webhook's receiver knows a repetition by its id; nobody else does.
                (delivery.id, delivery.state == .uncertain && channels[delivery.endpoint] != .generic)
            }
        }
        guard !chosen.isEmpty else {
            throw Self.nothingToSendAgain
        }
        let doubtful = chosen.count { $0.1 }
        guard doubtful == 0 || request.acceptsDuplicates == true else {
            throw Refusal(
                .conflict, reason: "may_duplicate",
                Label(
                    "其中 \(doubtful) 条可能已经送达，重发会在群里出现两次；请先到群里查看，已出现则标记为已送达，确要重发请接受重复。",
                    "\(doubtful) of them may have arrived and would appear twice; look first and mark those that did, or "
                        + "accept duplicates"))
        }
        // What was sent, or taken to be sent, since it was chosen is not in a state to be sent again.
        guard try await store.requeue(chosen.map(\.0), until: store.clock() + Self.lifetime) > 0 else {
            throw Self.nothingToSendAgain
        }
        wake()
        return try await report(id, for: officer)
    }

    private static func givenUp(_ endpoint: String) -> Refusal {
        Refusal(
            .conflict, reason: "retired",
            Label(
                "端点“\(endpoint)”已弃用，不再发送；仍要告知的，请另起一期发到别的端点。",
                "the endpoint \(endpoint) was given up, and nothing goes there again; compose another digest for another endpoint"
            ))
    }

    private static var nothingToSendAgain: Refusal {
        Refusal(
            .conflict, reason: "not_resendable",
            Label(
                "没有可以重发的投递。不指定时只重发 failed 和 expired；已放弃、无法确认或等待重试的，请用 --state 指明 cancelled、uncertain 或 retry_wait。",
                "there is nothing that could be sent again; unless --state names cancelled, uncertain or retry_wait, only what "
                    + "is failed or expired is"))
    }

    /// Sends a digest as it would now be sent to an endpoint that is for tests, and to no other.
    package func test(_ id: RowID, at endpoint: RowID, by officer: RowID) async throws -> EndpointTest {
        let permissions = try await permissions(of: officer)
        let now = store.clock()
        let (record, rendering) = try await store.reading { reader in
            let digest = try Self.digest(id, reader, permissions)
            try permissions.mayEdit(digest)
            guard let record = try reader.endpoints().first(where: { $0.id == endpoint }) else {
                throw Refusal(.notFound, "no such endpoint")
            }
            try EndpointDesk.checkIsInUse(record)
            guard record.isForTests else {
                throw Refusal(
                    .conflict, reason: "not_for_tests",
                    Label("试发只能发到测试端点。", "drafts are tried out at endpoints for tests only"))
            }
            return (record, try DigestRenderings.trial(of: digest, at: record, reader, now: now))
        }
        let trial = EndpointTrial(store: store, vault: vault, transport: transport)
        let outcome = try await trial.send(rendering, to: record)
        let instruction = Instruction(afterTest: outcome.class, code: outcome.code, on: outcome.channel)
        return EndpointTest(
            endpoint: EndpointSummary(record, vault, waiting: 0), sent: outcome.class == .sent, code: outcome.code,
            instructionZH: instruction.chinese, instructionEN: instruction.english)
    }
}

extension AttemptReport {
    init(_ attempt: AttemptRecord, on channel: Channel) {
        let outcome = Outcome.Class(rawValue: attempt.outcome) ?? .unrecognised
        let isTest = attempt.delivery == nil
        let instruction =
            isTest
            ? Instruction(afterTest: outcome, code: attempt.code, on: channel)
            : Instruction(after: outcome, code: attempt.code, on: channel)
        self.init(
            delivery: attempt.delivery?.description, startedAt: attempt.startedAt.value,
            finishedAt: attempt.finishedAt.value, outcome: attempt.outcome, code: attempt.code, url: attempt.url,
            address: attempt.address, status: attempt.status, vendorCode: attempt.vendorCode,
            vendorMessage: attempt.vendorMessage, resolved: attempt.timings.resolved,
            connected: attempt.timings.connected, secured: attempt.timings.secured,
            firstByte: attempt.timings.firstByte, instructionZH: instruction.chinese,
            instructionEN: instruction.english)
    }
}
