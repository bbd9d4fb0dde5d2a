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
        let principal = try await store.principal(of: officer)
        let rights: [Right] = [.manageEndpoints, .composeDigests, .approveDigests]
        guard rights.contains(where: { principal.has($0, at: store.clock(), store.rules.catalogue) }) else {
            throw Refusal(.forbidden, "endpoints are shown to those who deal with digests")
        }
        return EndpointList(endpoints: try await store.endpoints().map(summary))
    }

    /// Adds an endpoint; the signing secret of a webhook is told in this answer only.
    package func add(_ draft: EndpointDraft, by officer: RowID) async throws -> EndpointAdded {
        try await mayManage(officer)
        guard let channel = Channel(rawValue: draft.channel) else {
            throw Self.invalid(
                "unknown_channel", Label("渠道只能是 \(Self.channelNames)。", "channels are \(Self.channelNames)"))
        }
        guard !draft.name.isEmpty, draft.name.count <= 60, (draft.keyword?.count ?? 0) <= 30 else {
            throw Self.invalid(
                "name_length", Label("名称须为 1–60 字，关键词不超过 30 字。", "a name has 1-60 characters, a keyword at most 30"))
        }
        let id = RowID(milliseconds: store.clock().value, random: UInt128.random(in: .min ... .max))
        var record = EndpointRecord(
            id: id, name: draft.name, channel: channel.rawValue, contactGroup: try await group(draft.contactGroup),
            keyword: draft.keyword)
        var secret: WebhookSecret?
        do {
            switch channel {
            case .wecom:
                record.sealedAddress = try vault.sealedAddress(WeComKey(draft.address ?? "").revealed, of: id)
            case .generic:
                let url = try WebhookURL(draft.address ?? "", settings: vault.settings)
                let signing = try draft.secret.map { text throws in try WebhookSecret(text) } ?? .random()
                record.sealedAddress = try vault.sealedAddress(url.revealed, of: id)
                record.sealedSecrets = try vault.sealedSecrets([signing], of: id)
                secret = signing
            case .dingtalk:
                record.sealedAddress = try vault.sealedAddress(DingTalkToken(draft.address ?? "").revealed, of: id)
                record.sealedSecrets = try vault.sealedRobotSecret(draft.secret, of: id)
            case .feishu:
                record.sealedAddress = try vault.sealedAddress(FeishuToken(draft.address ?? "").revealed, of: id)
                record.sealedSecrets = try vault.sealedRobotSecret(draft.secret, of: id)
            case .email:
                record.sealedAddress = try vault.sealedAddress(MailAddress(draft.address ?? "").revealed, of: id)
            case .manual: break
            }
            try await store.add(record)
        } catch let error as EndpointAddressError {
            throw Self.invalid(error.rawValue, error.label)
        } catch let error as WebhookSecret.ParseError {
            throw Self.invalid(error.rawValue, Label("签名密钥不可用。", "the secret is not of the form whsec_…"))
        } catch EndpointProblem.nameTaken {
            throw Refusal(.conflict, reason: "name_taken", Label("已有同名端点。", "there is an endpoint of this name"))
        }
        return EndpointAdded(endpoint: summary(record), secret: secret?.revealed)
    }

    private static let channelNames = Channel.allCases.map(\.rawValue).joined(separator: ", ")

    private func group(_ text: String?) async throws -> RowID? {
        guard let text else { return nil }
        guard let id = RowID(text), try await !store.rows("contact_group", ids: [id]).isEmpty else {
            throw Self.invalid("unknown_group", Label("没有这个联络群组。", "there is no such contact group"))
        }
        return id
    }

    /// Sends a test message at once; an endpoint that was disabled and takes it may be resumed.
    package func test(_ id: RowID, by officer: RowID) async throws -> EndpointTest {
        try await mayManage(officer)
        let endpoint = try await endpoint(id)
        guard let target = try vault.target(of: endpoint) else {
            throw Refusal(
                .conflict, reason: "manual",
                Label("人工渠道无需测试。", "what a person delivers cannot be tested"))
        }
        let now = Moment(milliseconds: store.clock().value)
        let message = Message(headline: "测试消息", summary: "这是一条测试消息，收到即表示端点可用。This is a test.")
        let rendering = try message.rendered(
            for: target.channel,
            in: RenderingContext(
                keyword: endpoint.keyword, eventType: "endpoint.test", digest: id.description, frozenAt: now))
        var outcome: Outcome?
        for part in rendering.parts {
            let name = RowID(milliseconds: now.milliseconds, random: UInt128.random(in: .min ... .max))
            outcome = await sendOnce(
                part.body, contentType: rendering.contentType, to: target,
                as: StoreDeliveryQueue.webhookID(of: name), over: transport, settings: vault.settings,
                clock: SystemSenderClock())
        }
        guard let outcome else { throw Refusal(.internalError, "a rendering without parts") }
        if outcome.class == .sent, endpoint.state == .disabled { try await store.setState(.paused, of: id) }
        let instruction = Instruction(after: outcome.class, code: outcome.code, on: target.channel)
        return EndpointTest(
            endpoint: summary(try await self.endpoint(id)), sent: outcome.class == .sent, code: outcome.code,
            instructionZH: instruction.chinese, instructionEN: instruction.english)
    }

    /// Keeps deliveries back until the endpoint is resumed.
    package func pause(_ id: RowID, by officer: RowID) async throws -> EndpointSummary {
        try await mayManage(officer)
        guard try await endpoint(id).state != .disabled else { throw Self.testFirst }
        try await store.setState(.paused, of: id)
        return summary(try await endpoint(id))
    }

    /// Lets deliveries go again; after a failure that a person had to mend, a test has to succeed first.
    package func resume(_ id: RowID, by officer: RowID) async throws -> EndpointSummary {
        try await mayManage(officer)
        guard try await endpoint(id).state != .disabled else { throw Self.testFirst }
        try await store.setState(.active, of: id)
        wake()
        return summary(try await endpoint(id))
    }

    private static var testFirst: Refusal {
        Refusal(
            .conflict, reason: "test_first",
            Label("端点已停用：修正后先测试发送成功，再恢复。", "the endpoint is disabled: mend it and test it first"))
    }

    private static func invalid(_ reason: String, _ message: Label) -> Refusal {
        Refusal(.invalidEndpoint, reason: reason, message)
    }

    private func mayManage(_ officer: RowID) async throws {
        guard try await store.principal(of: officer).has(.manageEndpoints, at: store.clock(), store.rules.catalogue)
        else { throw Refusal(.forbidden, "endpoints are kept by administrators") }
    }

    private func endpoint(_ id: RowID) async throws -> EndpointRecord {
        do {
            return try await store.endpoint(id)
        } catch EndpointProblem.unknown {
            throw Refusal(.notFound, "no such endpoint")
        }
    }

    private func summary(_ endpoint: EndpointRecord) -> EndpointSummary {
        EndpointSummary(
            id: endpoint.id.description, name: endpoint.name, channel: endpoint.channel,
            address: vault.redactedAddress(of: endpoint), keyword: endpoint.keyword,
            contactGroup: endpoint.contactGroup?.description, state: endpoint.state.rawValue, note: endpoint.note)
    }
}

extension EndpointAddressError {
    /// What is wrong with the address; it never repeats what was entered, which may hold a token.
    fileprivate var label: Label {
        switch self {
        case .foreignHost:
            Label("这不是该渠道机器人的地址。", "this is not the address of a robot of this channel")
        case .missingKey: Label("缺少机器人密钥。", "the robot's key is missing")
        case .malformedKey: Label("机器人密钥的格式不对。", "the robot's key is malformed")
        case .malformedURL: Label("网址的格式不对。", "the address is not a URL such as https://host/path")
        case .innerAddress:
            Label("网址指向内部网络或本机。", "the address leads to this machine or into an internal network")
        case .malformedMailbox: Label("邮箱地址的格式不对。", "the address is not a mailbox such as name@example.org")
        case .malformedSecret: Label("签名密钥的格式不对。", "the robot's signing secret is malformed")
        case .insecureScheme: Label("网址须以 https:// 开头。", "the address has to begin with https://")
        }
    }
}
