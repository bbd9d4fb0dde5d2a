import RoostAPI
import RoostCourier
import RoostSchema
import RoostStore
import RoostSync

/// From what somebody enters about an endpoint to what is kept, and from there to what is shown.
extension EndpointRecord {
    /// Takes everything but address and secret.
    mutating func take(_ draft: EndpointDraft, _ catalogue: Catalogue) throws(Refusal) {
        name = draft.name ?? name
        guard !name.isEmpty, name.count <= 60, (draft.keyword?.count ?? 0) <= 30 else {
            throw Refusal.invalidEndpoint(
                "name_length", Label("名称须为 1–60 字，关键词不超过 30 字。", "a name has 1-60 characters, a keyword at most 30"))
        }
        if let keyword = draft.keyword { self.keyword = keyword.isEmpty ? nil : keyword }
        if let topics = draft.topics {
            let kinds = DigestContent.sectionKinds
            guard topics.allSatisfy(kinds.contains) else {
                throw Refusal.invalidEndpoint(
                    "unknown_topic",
                    Label(
                        "栏目只能是 \(kinds.joined(separator: "、"))。", "the topics are \(kinds.joined(separator: ", "))"))
            }
            self.topics = topics.isEmpty ? nil : topics
        }
        if let quiet = draft.quiet {
            guard quiet.isEmpty || QuietHours(quiet) != nil else {
                throw Refusal.invalidEndpoint(
                    "quiet_form", Label("免打扰时段请写成 22:00-08:00。", "quiet hours are written 22:00-08:00"))
            }
            self.quiet = quiet.isEmpty ? nil : quiet
        }
        if let form = draft.form {
            let forms = Channel(rawValue: channel)?.forms.map(\.rawValue) ?? []
            guard form.isEmpty || forms.contains(form) else {
                throw Refusal.invalidEndpoint(
                    "unknown_form",
                    Label(
                        "消息形式只能是 \(forms.joined(separator: "、"))。",
                        "this channel's kinds of message are \(forms.joined(separator: ", "))"))
            }
            self.form = form.isEmpty ? nil : form
        }
        if let authority = draft.authority {
            guard authority.isEmpty || authority.contains("-----BEGIN CERTIFICATE-----"), authority.utf8.count <= 8192
            else {
                throw Refusal.invalidEndpoint(
                    "authority_no_pem", Label("证书须为 PEM 格式。", "the authority's certificate is in PEM"))
            }
            guard authority.isEmpty || ![Channel.email.rawValue, Channel.manual.rawValue].contains(channel) else {
                throw Refusal.invalidEndpoint(
                    "no_authority",
                    Label(
                        "该渠道不用证书；邮件服务器的签发机构由管理员填入服务器设置 mail.ca_file。",
                        "this channel has none; a mail server's authority is named in the server's setting mail.ca_file"
                    ))
            }
            self.authority = authority.isEmpty ? nil : authority
        }
        if let role = draft.payloadRole {
            guard role.isEmpty || channel == Channel.generic.rawValue && catalogue[role: RoleName(role)] != nil else {
                let names = catalogue.roles.map(\.name.text)
                throw Refusal.invalidEndpoint(
                    "unknown_role",
                    Label(
                        "只有网址端点可按角色筛选内容，角色为 \(names.joined(separator: "、"))。",
                        "webhooks alone have a role, among \(names.joined(separator: ", "))"))
            }
            payloadRole = role.isEmpty ? nil : RoleName(role)
        }
        isForTests = draft.forTests ?? isForTests
        isForNotices = draft.forNotices ?? isForNotices
        guard !isForNotices || channel != Channel.manual.rawValue else {
            throw Refusal.invalidEndpoint(
                "notices_by_hand",
                Label(
                    "人工端点不能接收故障通知：没有人会去转发。", "an endpoint that a person delivers to is told of nothing by itself"))
        }
    }
}

extension EndpointVault {
    /// Checks and seals what a draft says of the address and the signing secret, each of which may come alone; the signing
    /// secret of a webhook that is new.
    func sealAddress(
        of draft: EndpointDraft, in record: inout EndpointRecord, _ channel: Channel
    ) throws -> WebhookSecret? {
        if let secret = draft.secret {
            switch channel {
            case .dingtalk, .feishu: record.sealedSecrets = try sealedRobotSecret(secret, of: record.id)
            case .generic:
                guard draft.address != nil else {
                    throw Refusal.invalidEndpoint(
                        "rotate_secret",
                        Label(
                            "网址端点请用 roost endpoints rotate 更换密钥，新旧可并用一段时间。",
                            "give a webhook another secret by roost endpoints rotate, the old one used beside it"))
                }
            case .wecom, .email, .manual:
                guard secret.isEmpty else {
                    throw Refusal.invalidEndpoint(
                        "no_secret", Label("该渠道没有签名密钥。", "this channel has no signing secret"))
                }
            }
        }
        guard let address = draft.address else { return nil }
        if channel.isRobot, draft.secret == nil, (try? robotSecret(of: record)) == nil, !record.sealedSecrets.isEmpty {
            throw Refusal.invalidEndpoint(
                "secret_unreadable",
                Label(
                    "原来的签名密钥已读不出（服务器密钥已更换）：请同时用 --secret 填写机器人的签名密钥，机器人未设签名则写 --secret \"\"。",
                    "the former signing secret cannot be read, the server's key having been replaced: give the robot's secret by "
                        + "--secret too, or --secret \"\" if it checks none"))
        }
        switch channel {
        case .wecom:
            record.sealedAddress = try sealedAddress(WeComKey(address).revealed, of: record.id)
        case .dingtalk:
            record.sealedAddress = try sealedAddress(DingTalkToken(address).revealed, of: record.id)
        case .feishu:
            record.sealedAddress = try sealedAddress(FeishuToken(address).revealed, of: record.id)
        case .email:
            record.sealedAddress = try sealedAddress(MailAddress(address).revealed, of: record.id)
        case .generic:
            let url = try WebhookURL(address, settings: settings)
            try url.checkHost(settings: settings)
            try url.checkPort(settings: settings)
            record.sealedAddress = try sealedAddress(url.revealed, of: record.id)
            // One that was sealed with a key that is lost is replaced: its receiver has to be told another.
            let isReadable = !record.sealedSecrets.isEmpty && (try? secrets(of: record)) != nil
            guard !isReadable || draft.secret != nil else { return nil }
            let secret = try draft.secret.map { text throws in try WebhookSecret(text) } ?? .random()
            record.sealedSecrets = try sealedSecrets(WebhookSecretRing(secret), of: record.id)
            return secret
        case .manual: break
        }
        return nil
    }
}

extension EndpointSummary {
    init(_ endpoint: EndpointRecord, _ vault: EndpointVault, waiting: Int) {
        self.init(
            id: endpoint.id.description, name: endpoint.name, channel: endpoint.channel, form: endpoint.form,
            address: vault.redactedAddress(of: endpoint), keyword: endpoint.keyword,
            contactGroup: endpoint.contactGroup?.description, topics: endpoint.topics, quiet: endpoint.quiet,
            forTests: endpoint.isForTests, forNotices: endpoint.isForNotices, payloadRole: endpoint.payloadRole?.text,
            state: endpoint.state.rawValue, note: endpoint.note, waiting: waiting,
            failures: endpoint.health.failures, suspendedUntil: endpoint.health.openUntil?.value,
            exhausted: endpoint.health.exhausted, exhaustedSince: endpoint.health.exhaustedSince?.value,
            answeredAt: endpoint.health.answeredAt?.value)
    }
}

extension Refusal {
    static func invalidEndpoint(_ reason: String, _ message: Label) -> Refusal {
        Refusal(.invalidEndpoint, reason: reason, message)
    }
}

extension EndpointAddressError {
    /// What is wrong with the address; it never repeats what was entered, which may hold a token.
    var label: Label {
        switch self {
        case .foreignHost:
            Label("这不是该渠道机器人的地址。", "this is not the address of a robot of this channel")
        case .missingKey: Label("缺少机器人密钥。", "the robot's key is missing")
        case .malformedKey: Label("机器人密钥的格式不对。", "the robot's key is malformed")
        case .malformedURL: Label("网址的格式不对。", "the address is not a URL such as https://host/path")
        case .innerAddress:
            Label("网址指向内部网络或本机。", "the address leads to this machine or into an internal network")
        case .forbiddenPort:
            Label(
                "网址的端口不在允许之列：请对方改用 443 端口，或请管理员把该端口加入服务器设置 courier.ports。",
                "the address names a port that is not allowed: have the receiver use 443, or the port added to the server's "
                    + "setting courier.ports")
        case .malformedMailbox: Label("邮箱地址的格式不对。", "the address is not a mailbox such as name@example.org")
        case .malformedSecret: Label("签名密钥的格式不对。", "the robot's signing secret is malformed")
        case .insecureScheme: Label("网址须以 https:// 开头。", "the address has to begin with https://")
        }
    }
}
