/// The body of `POST /v1/endpoints`.
package struct EndpointDraft: Codable, Hashable, Sendable {
    package var name: String
    /// `wecom`, `dingtalk`, `feishu`, `generic`, `email` or `manual`.
    package var channel: String
    /// The robot's key or the URL its app shows; the URL of a generic webhook; nothing for `manual`.
    package var address: String?
    /// `whsec_…` for a generic webhook; drawn by the server if absent.
    package var secret: String?
    /// The word that the robot demands in every message.
    package var keyword: String?
    /// The contact group it speaks to.
    package var contactGroup: String?

    enum CodingKeys: String, CodingKey {
        case name, channel, address, secret, keyword
        case contactGroup = "contact_group"
    }

    package init(
        name: String, channel: String, address: String? = nil, secret: String? = nil, keyword: String? = nil,
        contactGroup: String? = nil
    ) {
        self.name = name
        self.channel = channel
        self.address = address
        self.secret = secret
        self.keyword = keyword
        self.contactGroup = contactGroup
    }
}

/// An endpoint as anybody may see it.
package struct EndpointSummary: Codable, Hashable, Sendable {
    package var id: String
    package var name: String
    package var channel: String
    /// Redacted: whoever knows such an address can post.
    package var address: String
    package var keyword: String?
    package var contactGroup: String?
    /// `active`, `paused` or `disabled`.
    package var state: String
    /// Code of the outcome for which it was disabled.
    package var note: String?

    enum CodingKeys: String, CodingKey {
        case id, name, channel, address, keyword, state, note
        case contactGroup = "contact_group"
    }

    package init(
        id: String, name: String, channel: String, address: String, keyword: String?, contactGroup: String?,
        state: String, note: String?
    ) {
        self.id = id
        self.name = name
        self.channel = channel
        self.address = address
        self.keyword = keyword
        self.contactGroup = contactGroup
        self.state = state
        self.note = note
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
