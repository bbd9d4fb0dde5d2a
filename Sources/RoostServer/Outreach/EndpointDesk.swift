package import RoostAPI
package import RoostCourier
package import RoostSchema
package import RoostStore
import RoostSync

/// Keeps the endpoints that digests go to.
package struct EndpointDesk: Sendable {
    private let store: ServerStore
    private let vault: EndpointVault
    private let transport: any HTTPTransport
    private let wake: @Sendable () -> Void

    package init(
        store: ServerStore, key: ServerKey, settings: CourierSettings, transport: any HTTPTransport,
        wake: @escaping @Sendable () -> Void
    ) {
        self.store = store
        vault = EndpointVault(key: key, settings: settings)
        self.transport = transport
        self.wake = wake
    }

    /// Every endpoint, addresses redacted.
    package func list(for officer: RowID) async throws -> EndpointList {
        try await mayLook(officer)
        let vault = vault
        return try await store.reading { reader in
            let waiting = try reader.waitingByEndpoint()
            return EndpointList(
                endpoints: try reader.endpoints().map { EndpointSummary($0, vault, waiting: waiting[$0.id] ?? 0) })
        }
    }

    /// Endpoints that fail, and those that did and recovered: one notice for each run of failures.
    package func notices(for officer: RowID) async throws -> EndpointNoticeList {
        try await mayLook(officer)
        return try await store.reading { reader in
            let endpoints = Dictionary(
                uniqueKeysWithValues: (try reader.endpoints() + [.mailServer]).map { ($0.id, $0) })
            return EndpointNoticeList(
                notices: try reader.notices(limit: 100).compactMap { notice in
                    guard let endpoint = endpoints[notice.endpoint],
                        let channel = Channel(rawValue: endpoint.channel)
                    else { return nil }
                    let instruction = Instruction(
                        after: Outcome.Class(rawValue: notice.outcome) ?? .unrecognised, code: notice.code, on: channel,
                        isStopped: endpoint.state != .active)
                    return EndpointNotice(
                        endpoint: endpoint.name, channel: endpoint.channel, code: notice.code,
                        failures: notice.failures, openedAt: notice.openedAt.value, latestAt: notice.latestAt.value,
                        closedAt: notice.closedAt?.value, toldAt: notice.toldAt?.value,
                        instructionZH: instruction.chinese,
                        instructionEN: instruction.english)
                })
        }
    }

    /// The latest attempts at an endpoint, test messages included.
    package func log(of id: RowID, for officer: RowID) async throws -> EndpointLog {
        try await mayLook(officer)
        let vault = vault
        return try await store.reading { reader in
            guard let record = try reader.endpoint(id) else { throw Refusal(.notFound, "no such endpoint") }
            let channel = Channel(rawValue: record.channel) ?? .manual
            return EndpointLog(
                endpoint: EndpointSummary(record, vault, waiting: try reader.waitingByEndpoint()[id] ?? 0),
                attempts: try reader.attempts(toReach: id, limit: 50).map { AttemptReport($0, on: channel) })
        }
    }

    /// Adds an endpoint; the signing secret of a webhook is told in this answer only.
    ///
    /// Nothing goes there before a test message has arrived.
    package func add(_ draft: EndpointDraft, by officer: RowID) async throws -> EndpointAdded {
        try await mayManage(officer)
        guard let channel = Channel(rawValue: draft.channel ?? "") else {
            throw Refusal.invalidEndpoint(
                "unknown_channel", Label("渠道只能是 \(Channel.names)。", "the channels are \(Channel.names)"))
        }
        let id = RowID(milliseconds: store.clock().value, random: UInt128.random(in: .min ... .max))
        var record = EndpointRecord(id: id, name: "", channel: channel.rawValue)
        if channel == .manual { record.state = .active }
        var draft = draft
        if draft.address == nil, channel != .manual { draft.address = "" }
        let (vault, entered) = (vault, (record, draft))
        let secret: WebhookSecret?
        (record, secret) = try await store.reading { reader in
            var record = entered.0
            let secret = try Self.fill(&record, from: entered.1, channel, vault, reader)
            return (record, secret)
        }
        do {
            let added = record
            // Somebody may have added the same robot since it was read.
            try await store.add(added) { reader in
                if channel.isRobot { try Self.checkIsAlone(added, vault, reader) }
            }
        } catch EndpointProblem.nameTaken {
            throw Refusal(.conflict, reason: "name_taken", Label("已有同名端点。", "there is an endpoint of this name"))
        }
        return EndpointAdded(endpoint: EndpointSummary(record, vault, waiting: 0), secret: secret?.revealed)
    }

    /// Changes an endpoint; a new address has to be tested before anything goes there.
    package func edit(_ id: RowID, _ draft: EndpointDraft, by officer: RowID) async throws -> EndpointAdded {
        try await mayManage(officer)
        let vault = vault
        let secret = try await changing(id) { record, reader in
            guard let channel = Channel(rawValue: record.channel) else { throw Refusal(.notFound, "no such endpoint") }
            let before = record
            let secret = try Self.fill(&record, from: draft, channel, vault, reader)
            if draft.address != nil, channel != .manual {
                record.state = .untested
                // What the receiver at the old address asked for says nothing of the one at another.
                if !vault.isSameAddress(before, record) { record.heldUntil = nil }
            }
            return secret
        }
        return EndpointAdded(endpoint: try await summary(id), secret: secret?.revealed)
    }

    /// Changes an endpoint in one transaction.
    private func changing<Outcome: Sendable>(
        _ id: RowID, _ change: @Sendable (inout EndpointRecord, RosterReader) throws -> Outcome
    ) async throws -> Outcome {
        do {
            return try await store.change(id) { record, reader in
                try Self.checkIsInUse(record)
                return try change(&record, reader)
            }
        } catch EndpointProblem.unknown {
            throw Refusal(.notFound, "no such endpoint")
        } catch EndpointProblem.nameTaken {
            throw Refusal(.conflict, reason: "name_taken", Label("已有同名端点。", "there is an endpoint of this name"))
        }
    }

    /// Puts what a draft says into a record; the new signing secret of a webhook, if it got one.
    private static func fill(
        _ record: inout EndpointRecord, from draft: EndpointDraft, _ channel: Channel, _ vault: EndpointVault,
        _ reader: RosterReader
    ) throws -> WebhookSecret? {
        try record.take(draft, reader.catalogue)
        if let group = draft.contactGroup { record.contactGroup = try self.group(group, reader) }
        do {
            let secret = try vault.sealAddress(of: draft, in: &record, channel)
            if draft.address != nil, channel.isRobot { try checkIsAlone(record, vault, reader) }
            return secret
        } catch let error as EndpointAddressError {
            throw Refusal.invalidEndpoint(error.rawValue, error.label)
        } catch let error as WebhookSecret.ParseError {
            throw Refusal.invalidEndpoint(
                error.rawValue,
                Label(
                    "签名密钥须为 whsec_ 加 24 至 64 字节的 Base64；也可不填，由服务器生成。",
                    "the secret has to be whsec_ and 24 to 64 bytes in Base64; without one the server makes one"))
        }
    }

    /// Throws if another endpoint is the same robot: its group would read everything twice, and the vendor counts both as one.
    private static func checkIsAlone(
        _ record: EndpointRecord, _ vault: EndpointVault, _ reader: RosterReader
    ) throws {
        // One that was given up has no address any more.
        let other = try reader.endpoints().first {
            $0.channel == record.channel && $0.id != record.id && vault.isSameAddress(record, $0)
        }
        guard let other else { return }
        throw Refusal(
            .conflict, reason: "address_taken",
            Label(
                "端点“\(other.name)”已经是这个机器人；要另作用途，请在群里再加一个机器人。",
                "the endpoint \(other.name) is this robot already; for another purpose, add another robot to the group")
        )
    }

    private static func group(_ text: String, _ reader: RosterReader) throws -> RowID? {
        guard !text.isEmpty else { return nil }
        guard let id = RowID(text), try !reader.rows("contact_group", ids: [id]).isEmpty else {
            throw Refusal.invalidEndpoint("unknown_group", Label("没有这个联络群组。", "there is no such contact group"))
        }
        return id
    }

    /// Gives a webhook a new signing secret, told in this answer only; the old ones are used beside it for a while, so that
    /// the receiver can change over at a time of its own.
    package func rotate(_ id: RowID, _ rotation: EndpointRotation, by officer: RowID) async throws -> EndpointAdded {
        try await mayManage(officer)
        // Judged as hours: a number of any size may be given, and its seconds need not be one.
        let hours = rotation.overlapHours ?? WebhookSecretRing.usualOverlapHours
        guard (0...WebhookSecretRing.longestOverlapHours).contains(hours) else {
            throw Refusal.invalidEndpoint(
                "overlap_range", Label("新旧密钥并用时间为 0–168 小时。", "secrets overlap for 0 to 168 hours"))
        }
        let (vault, now) = (vault, Moment(milliseconds: store.clock().value))
        do {
            let secret = try rotation.secret.map { text throws in try WebhookSecret(text) } ?? .random()
            try await changing(id) { record, _ in
                guard record.channel == Channel.generic.rawValue else {
                    throw Refusal(
                        .conflict, reason: "no_signing_secret",
                        Label(
                            "只有网址端点可以轮换密钥；机器人请用 edit --secret 更换。",
                            "only webhooks have secrets to rotate; give a robot another by editing it"))
                }
                // Old secrets that were sealed with a key that is lost sign nothing any more.
                let ring =
                    (try? vault.secrets(of: record))?.rotated(to: secret, now: now, overlap: .seconds(hours * 3600))
                    ?? WebhookSecretRing(secret)
                record.sealedSecrets = try vault.sealedSecrets(ring, of: id)
            }
            return EndpointAdded(endpoint: try await summary(id), secret: secret.revealed)
        } catch let error as WebhookSecret.ParseError {
            throw Refusal.invalidEndpoint(
                error.rawValue,
                Label(
                    "签名密钥须为 whsec_ 加 24 至 64 字节的 Base64；也可不填，由服务器生成。",
                    "the secret has to be whsec_ and 24 to 64 bytes in Base64; without one the server makes one"))
        }
    }

    /// Sends a test message at once; a new endpoint that takes it is active, one that was disabled may be resumed.
    package func test(_ id: RowID, by officer: RowID) async throws -> EndpointTest {
        try await mayManage(officer)
        let endpoint = try await endpointInUse(id)
        guard let channel = Channel(rawValue: endpoint.channel) else { throw Refusal(.notFound, "no such endpoint") }
        let message = Message(headline: "测试消息", summary: "这是一条测试消息，收到即表示端点可用。This is a test.")
        var context = RenderingContext(
            keyword: endpoint.keyword, form: endpoint.form.flatMap(MessageForm.init(rawValue:)),
            eventType: "endpoint.test", digest: id.description,
            frozenAt: Moment(milliseconds: store.clock().value))
        // Forms that show links only cannot show this one.
        if (try? message.rendered(for: channel, in: context)) == nil { context.form = nil }
        let rendering = try message.rendered(for: channel, in: context)
        let outcome = try await EndpointTrial(store: store, vault: vault, transport: transport)
            .send(rendering, to: endpoint)
        if outcome.class == .sent {
            switch endpoint.state {
            case .untested:
                try await store.setState(.active, of: id, before: .untested)
                wake()
            case .disabled: try await store.setState(.paused, of: id, before: .disabled)
            case .active, .paused, .retired: break
            }
        }
        let instruction = Instruction(afterTest: outcome.class, code: outcome.code, on: outcome.channel)
        return EndpointTest(
            endpoint: try await summary(id), sent: outcome.class == .sent, code: outcome.code,
            instructionZH: instruction.chinese, instructionEN: instruction.english)
    }

    /// Keeps deliveries back until the endpoint is resumed.
    package func pause(_ id: RowID, by officer: RowID) async throws -> EndpointSummary {
        try await mayManage(officer)
        let state = try await endpointInUse(id).state
        guard ![.disabled, .untested].contains(state) else { throw Self.testFirst }
        // Why one is paused already stays known: its mailbox may have been unsubscribed.
        if state != .paused {
            try await store.setState(.paused, of: id)
            // What was taken for it goes back.
            wake()
        }
        return try await summary(id)
    }

    /// Lets deliveries go again, what gathered meanwhile first, or without it; after a failure that a person had to mend,
    /// a test has to succeed first.
    package func resume(_ id: RowID, backlog: String = "send", by officer: RowID) async throws -> EndpointSummary {
        try await mayManage(officer)
        guard ![.disabled, .untested].contains(try await endpointInUse(id).state) else { throw Self.testFirst }
        switch backlog {
        case "send": break
        case "skip": _ = try await store.skipBacklog(of: id)
        default: throw Refusal(.malformedRequest, "backlog is send or skip")
        }
        try await store.setState(.active, of: id)
        wake()
        return try await summary(id)
    }

    /// Gives an endpoint up for good, and what waits for it: nothing goes there again, and its name and its robot are free
    /// for another endpoint.
    package func retire(_ id: RowID, by officer: RowID) async throws -> EndpointSummary {
        try await mayManage(officer)
        do {
            try await store.retire(id)
        } catch EndpointProblem.unknown {
            throw Refusal(.notFound, "no such endpoint")
        }
        // What was taken for it goes back.
        wake()
        return try await summary(id)
    }

    static func checkIsInUse(_ endpoint: EndpointRecord) throws(Refusal) {
        guard endpoint.isRetired else { return }
        throw Refusal(
            .conflict, reason: "retired",
            Label("端点已弃用，不能再用；需要时新增一个。", "the endpoint was given up for good; add another"))
    }

    private static var testFirst: Refusal {
        Refusal(
            .conflict, reason: "test_first",
            Label("端点未经测试或已停用：修正后先测试发送成功，再恢复。", "the endpoint is disabled or not tested: mend it and test it first"))
    }

    private func mayLook(_ officer: RowID) async throws {
        let principal = try await store.principal(of: officer)
        let rights: [Right] = [.manageEndpoints, .composeDigests, .approveDigests]
        guard rights.contains(where: { principal.has($0, at: store.clock(), store.rules.catalogue) }) else {
            throw Refusal.role(Label("只有起草或审批推送的人能看端点。", "endpoints are shown to those who deal with digests"))
        }
    }

    private func mayManage(_ officer: RowID) async throws {
        guard try await store.principal(of: officer).has(.manageEndpoints, at: store.clock(), store.rules.catalogue)
        else { throw Refusal.role(Label("端点由管理员维护，请联系管理员。", "endpoints are kept by administrators; ask one")) }
    }

    private func endpoint(_ id: RowID) async throws -> EndpointRecord {
        do {
            return try await store.endpoint(id)
        } catch EndpointProblem.unknown {
            throw Refusal(.notFound, "no such endpoint")
        }
    }

    private func endpointInUse(_ id: RowID) async throws -> EndpointRecord {
        let endpoint = try await endpoint(id)
        try Self.checkIsInUse(endpoint)
        return endpoint
    }

    private func summary(_ id: RowID) async throws -> EndpointSummary {
        let record = try await endpoint(id)
        let waiting = try await store.reading { reader in try reader.waitingByEndpoint()[id] ?? 0 }
        return EndpointSummary(record, vault, waiting: waiting)
    }
}
