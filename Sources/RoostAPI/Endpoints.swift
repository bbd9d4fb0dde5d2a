/// The body of `POST /v1/endpoints` and of `PUT /v1/endpoints/{endpoint}`, where what is absent stays as it is.
package struct EndpointDraft: Codable, Hashable, Sendable {
    package var name: String?
    /// `wecom`, `dingtalk`, `feishu`, `generic`, `email` or `manual`; never changes.
    package var channel: String?
    /// The kind of message it wants; empty for the usual one of its channel.
    package var form: String?
    /// The robot's key or the URL its app shows; the URL of a webhook; a mailbox; nothing for `manual`.
    package var address: String?
    /// `whsec_…` for a generic webhook, drawn by the server if absent; a robot's signing secret.
    package var secret: String?
    /// The word that the robot demands in every message; empty for none.
    package var keyword: String?
    /// The contact group it speaks to; empty for none.
    package var contactGroup: String?
    /// The sorts of section it takes; empty for all.
    package var topics: [String]?
    /// `22:00-08:00` in China, when only what was meant for that hour is sent; empty for none.
    package var quiet: String?
    /// PEM of the authority its certificate is from; empty for none.
    package var authority: String?
    /// Whether it only tries out drafts; digests never go there.
    package var forTests: Bool?
    /// Whether it is told which other endpoints fail and which recovered; digests never go there.
    package var forNotices: Bool?
    /// The role whose sight of rows a webhook's payload has; empty for what everybody sees.
    package var payloadRole: String?

    enum CodingKeys: String, CodingKey {
        case name, channel, form, address, secret, keyword, topics, quiet, authority
        case contactGroup = "contact_group"
        case forTests = "for_tests"
        case forNotices = "for_notices"
        case payloadRole = "payload_role"
    }

    package init(
        name: String? = nil, channel: String? = nil, form: String? = nil, address: String? = nil,
        secret: String? = nil, keyword: String? = nil, contactGroup: String? = nil, topics: [String]? = nil,
        quiet: String? = nil, authority: String? = nil, forTests: Bool? = nil, forNotices: Bool? = nil,
        payloadRole: String? = nil
    ) {
        self.name = name
        self.channel = channel
        self.form = form
        self.address = address
        self.secret = secret
        self.keyword = keyword
        self.contactGroup = contactGroup
        self.topics = topics
        self.quiet = quiet
        self.authority = authority
        self.forTests = forTests
        self.forNotices = forNotices
        self.payloadRole = payloadRole
    }
}

/// An endpoint as anybody may see it.
package struct EndpointSummary: Codable, Hashable, Sendable {
    package var id: String
    package var name: String
    package var channel: String
    package var form: String?
    /// Redacted: whoever knows such an address can post.
    package var address: String
    package var keyword: String?
    package var contactGroup: String?
    package var topics: [String]?
    package var quiet: String?
    package var forTests: Bool
    package var forNotices: Bool
    package var payloadRole: String?
    /// `untested`, `active`, `paused`, `disabled`, or `retired` of one that was given up for good.
    package var state: String
    /// Code of the outcome for which it was disabled, or `unsubscribed`.
    package var note: String?
    /// Deliveries that wait for it.
    package var waiting: Int
    /// Attempts failed in a row.
    package var failures: Int
    /// Until when sending is suspended after failures.
    package var suspendedUntil: Int64?
    /// Deliveries given up in a row, and since when; five over three days disable it.
    package var exhausted: Int
    package var exhaustedSince: Int64?
    /// When it last took something.
    package var answeredAt: Int64?

    enum CodingKeys: String, CodingKey {
        case id, name, channel, form, address, keyword, topics, quiet, state, note, waiting, failures, exhausted
        case contactGroup = "contact_group"
        case forTests = "for_tests"
        case forNotices = "for_notices"
        case payloadRole = "payload_role"
        case suspendedUntil = "suspended_until"
        case exhaustedSince = "exhausted_since"
        case answeredAt = "answered_at"
    }

    package init(
        id: String, name: String, channel: String, form: String?, address: String, keyword: String?,
        contactGroup: String?, topics: [String]?, quiet: String?, forTests: Bool, forNotices: Bool,
        payloadRole: String?, state: String, note: String?, waiting: Int, failures: Int, suspendedUntil: Int64?,
        exhausted: Int, exhaustedSince: Int64?,
        answeredAt: Int64?
    ) {
        self.id = id
        self.name = name
        self.channel = channel
        self.form = form
        self.address = address
        self.keyword = keyword
        self.contactGroup = contactGroup
        self.topics = topics
        self.quiet = quiet
        self.forTests = forTests
        self.forNotices = forNotices
        self.payloadRole = payloadRole
        self.state = state
        self.note = note
        self.waiting = waiting
        self.failures = failures
        self.suspendedUntil = suspendedUntil
        self.exhausted = exhausted
        self.exhaustedSince = exhaustedSince
        self.answeredAt = answeredAt
    }
}

/// The answer to `GET /v1/endpoints`.
package struct EndpointList: Codable, Hashable, Sendable {
    package var endpoints: [EndpointSummary]

    package init(endpoints: [EndpointSummary]) { self.endpoints = endpoints }
}

/// The answer to `POST /v1/endpoints`.
package struct EndpointAdded: Codable, Hashable, Sendable {
    package var endpoint: EndpointSummary
    /// The signing secret of a generic webhook, told this once.
    package var secret: String?

    package init(endpoint: EndpointSummary, secret: String?) {
        self.endpoint = endpoint
        self.secret = secret
    }
}

/// The answer to `POST /v1/endpoints/{endpoint}/test`.
package struct EndpointTest: Codable, Hashable, Sendable {
    package var endpoint: EndpointSummary
    /// Whether the receiver took the message.
    package var sent: Bool
    package var code: String
    package var instructionZH: String
    package var instructionEN: String

    enum CodingKeys: String, CodingKey {
        case endpoint, sent, code
        case instructionZH = "instruction_zh"
        case instructionEN = "instruction_en"
    }

    package init(
        endpoint: EndpointSummary, sent: Bool, code: String, instructionZH: String, instructionEN: String
    ) {
        self.endpoint = endpoint
        self.sent = sent
        self.code = code
        self.instructionZH = instructionZH
        self.instructionEN = instructionEN
    }
}

/// The answer to `GET /v1/endpoints/{endpoint}/log`: the latest attempts at an endpoint, test messages included.
package struct EndpointLog: Codable, Hashable, Sendable {
    package var endpoint: EndpointSummary
    /// The latest first, fifty at most.
    package var attempts: [AttemptReport]

    package init(endpoint: EndpointSummary, attempts: [AttemptReport]) {
        self.endpoint = endpoint
        self.attempts = attempts
    }
}

/// The body of `POST /v1/endpoints/{endpoint}/resume`.
package struct EndpointResumption: Codable, Hashable, Sendable {
    /// What becomes of what gathered: `send` or `skip`.
    package var backlog: String

    package init(backlog: String) { self.backlog = backlog }
}

/// The body of `POST /v1/endpoints/{endpoint}/rotate`; the answer is an ``EndpointAdded``.
package struct EndpointRotation: Codable, Hashable, Sendable {
    /// The new secret; drawn by the server if absent.
    package var secret: String?
    /// For how many hours the old ones are used beside it, 0 to 168; a day if absent.
    package var overlapHours: Int?

    enum CodingKeys: String, CodingKey {
        case secret
        case overlapHours = "overlap_hours"
    }

    package init(secret: String? = nil, overlapHours: Int? = nil) {
        self.secret = secret
        self.overlapHours = overlapHours
    }
}

/// A run of failures at one endpoint, told once.
package struct EndpointNotice: Codable, Hashable, Sendable {
    package var endpoint: String
    package var channel: String
    package var code: String
    package var failures: Int
    package var openedAt: Int64
    package var latestAt: Int64
    /// When it took something again.
    package var closedAt: Int64?
    /// When the endpoints that are for notices were told.
    package var toldAt: Int64?
    /// What to do.
    package var instructionZH: String
    package var instructionEN: String

    enum CodingKeys: String, CodingKey {
        case endpoint, channel, code, failures
        case openedAt = "opened_at"
        case latestAt = "latest_at"
        case closedAt = "closed_at"
        case toldAt = "told_at"
        case instructionZH = "instruction_zh"
        case instructionEN = "instruction_en"
    }

    package init(
        endpoint: String, channel: String, code: String, failures: Int, openedAt: Int64, latestAt: Int64,
        closedAt: Int64?, toldAt: Int64?, instructionZH: String, instructionEN: String
    ) {
        self.endpoint = endpoint
        self.channel = channel
        self.code = code
        self.failures = failures
        self.openedAt = openedAt
        self.latestAt = latestAt
        self.closedAt = closedAt
        self.toldAt = toldAt
        self.instructionZH = instructionZH
        self.instructionEN = instructionEN
    }
}

/// The answer to `GET /v1/endpoint-notices`: open ones first.
package struct EndpointNoticeList: Codable, Hashable, Sendable {
    package var notices: [EndpointNotice]

    package init(notices: [EndpointNotice]) { self.notices = notices }
}
