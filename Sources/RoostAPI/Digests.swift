/// The body of `POST /v1/digests` and `PUT /v1/digests/{digest}`; what is absent stays as it is or takes its default.
package struct DigestDraft: Codable, Hashable, Sendable {
    /// A policy or opportunity.
    package struct Item: Codable, Hashable, Sendable {
        /// `policy` or `opportunity`.
        package var collection: String
        package var id: String
        /// Said in place of the row's own summary.
        package var text: String?
        /// The https address of a picture, for messages that show one beside each item.
        package var picture: String?

        package init(collection: String, id: String, text: String? = nil, picture: String? = nil) {
            self.collection = collection
            self.id = id
            self.text = text
            self.picture = picture
        }
    }

    /// For an edit: the version it is based on; it is refused if there is a newer one.
    package var version: String?
    package var title: String?
    package var period: String?
    package var intro: String?
    /// In the order in which they appear within their section.
    package var items: [Item]?
    /// Takes what is new to the endpoints in place of `items`.
    package var new: Bool?
    /// Makes a reminder of what ends within so many days in place of `items`.
    package var endingWithin: Int?
    /// Makes a correction of this digest, for those who got it.
    package var corrects: String?
    /// A predicate about students; empty text is everybody.
    package var audience: String?
    /// Among `wecom`, `dingtalk`, `feishu`, `generic`, `email`, `manual`.
    package var channels: [String]?

    enum CodingKeys: String, CodingKey {
        case version, title, period, intro, items, new, corrects, audience, channels
        case endingWithin = "ending_within"
    }

    package init(
        version: String? = nil, title: String? = nil, period: String? = nil, intro: String? = nil,
        items: [Item]? = nil, new: Bool? = nil, endingWithin: Int? = nil, corrects: String? = nil,
        audience: String? = nil, channels: [String]? = nil
    ) {
        self.version = version
        self.title = title
        self.period = period
        self.intro = intro
        self.items = items
        self.new = new
        self.endingWithin = endingWithin
        self.corrects = corrects
        self.audience = audience
        self.channels = channels
    }
}

/// A digest without its deliveries.
package struct DigestSummary: Codable, Hashable, Sendable {
    package var id: String
    /// Changes with every edit.
    package var version: String
    package var title: String
    package var period: String?
    /// `draft`, `review`, `approved`, `scheduled`, `sending`, `sent`, `partly_sent`, `failed` or `cancelled`.
    package var status: String
    package var audience: String
    package var channels: [String]
    /// How many items it has.
    package var items: Int
    package var author: String
    package var approver: String?
    /// Milliseconds since the Unix epoch, as all moments here.
    package var scheduledAt: Int64?
    package var sentAt: Int64?
    /// `regular`, `correction` or `reminder`.
    package var kind: String
    package var corrects: String?
    /// What is done when the scheduled moment is missed: `ask`, `send` or `skip`.
    package var missed: String?
    /// What the server did with it of itself.
    package var note: String?

    enum CodingKeys: String, CodingKey {
        case id, version, title, period, status, audience, channels, items, author, approver, kind, corrects, missed,
            note
        case scheduledAt = "scheduled_at"
        case sentAt = "sent_at"
    }

    package init(
        id: String, version: String, title: String, period: String?, status: String, audience: String,
        channels: [String], items: Int, author: String, approver: String?, scheduledAt: Int64?, sentAt: Int64?,
        kind: String, corrects: String?, missed: String?, note: String?
    ) {
        self.id = id
        self.version = version
        self.title = title
        self.period = period
        self.status = status
        self.audience = audience
        self.channels = channels
        self.items = items
        self.author = author
        self.approver = approver
        self.scheduledAt = scheduledAt
        self.sentAt = sentAt
        self.kind = kind
        self.corrects = corrects
        self.missed = missed
        self.note = note
    }
}

/// The answer to `GET /v1/digests`, newest first.
package struct DigestList: Codable, Hashable, Sendable {
    package var digests: [DigestSummary]

    package init(digests: [DigestSummary]) { self.digests = digests }
}

/// Where one part of a digest stands on its way to one endpoint.
package struct DeliveryStatusReport: Codable, Hashable, Sendable {
    package var id: String
    /// The endpoint's name.
    package var endpoint: String
    package var channel: String
    /// Nothing in it is secret.
    package var address: String
    package var part: Int
    package var parts: Int
    /// `frozen`, `queued`, `leased`, `retry_wait`, `held`, `uncertain`, `sent`, `failed`, `expired`, `cancelled`,
    /// `manual_pending` or `manual_done`.
    package var state: String
    /// Why it is `held`: `rate`, `suspended`, `untested`, `paused`, `disabled`, `quiet`, `sending_paused`
    /// or `earlier_part`.
    package var heldBy: String?
    package var attempts: Int
    /// Code of the last outcome.
    package var code: String?
    /// What to do about it.
    package var instructionZH: String?
    package var instructionEN: String?
    package var nextAt: Int64?
    package var sentAt: Int64?
    package var reach: Int?

    enum CodingKeys: String, CodingKey {
        case id, endpoint, channel, address, part, parts, state, attempts, code, reach
        case heldBy = "held_by"
        case instructionZH = "instruction_zh"
        case instructionEN = "instruction_en"
        case nextAt = "next_at"
        case sentAt = "sent_at"
    }

    package init(
        id: String, endpoint: String, channel: String, address: String, part: Int, parts: Int, state: String,
        heldBy: String?, attempts: Int, code: String?, instructionZH: String?, instructionEN: String?, nextAt: Int64?,
        sentAt: Int64?,
        reach: Int?
    ) {
        self.id = id
        self.endpoint = endpoint
        self.channel = channel
        self.address = address
        self.part = part
        self.parts = parts
        self.state = state
        self.heldBy = heldBy
        self.attempts = attempts
        self.code = code
        self.instructionZH = instructionZH
        self.instructionEN = instructionEN
        self.nextAt = nextAt
        self.sentAt = sentAt
        self.reach = reach
    }
}

/// The answer to `GET /v1/digests/{digest}` and to every step.
package struct DigestReport: Codable, Hashable, Sendable {
    package var digest: DigestSummary
    /// How many students the frozen audience holds: the number that is typed back to send it; nil before its approval.
    package var students: Int?
    package var deliveries: [DeliveryStatusReport]
    /// What a person is expected to do about its deliveries; nil for nothing.
    package var instructionZH: String?
    package var instructionEN: String?

    enum CodingKeys: String, CodingKey {
        case digest, students, deliveries
        case instructionZH = "instruction_zh"
        case instructionEN = "instruction_en"
    }

    package init(
        digest: DigestSummary, students: Int? = nil, deliveries: [DeliveryStatusReport], instructionZH: String? = nil,
        instructionEN: String? = nil
    ) {
        self.digest = digest
        self.students = students
        self.deliveries = deliveries
        self.instructionZH = instructionZH
        self.instructionEN = instructionEN
    }
}

/// The answer to `GET /v1/digests/{digest}/preview`: exactly what would be sent, and how many it concerns.
///
/// Of the people in the audience it holds numbers only.
package struct DigestPreview: Codable, Hashable, Sendable {
    package struct Audience: Codable, Hashable, Sendable {
        package var sentenceZH: String
        package var sentenceEN: String
        package var students: Int
        /// Contact groups with at least one of them.
        package var groups: Int
        /// Of those, how many no endpoint speaks to, and which (at most fifty).
        package var groupsWithoutEndpoint: Int
        package var namesWithoutEndpoint: [String]
        /// Officers who answer for somebody of the audience.
        package var officers: Int
        /// A few rows of students, all of them held by whoever asks; empty once frozen.
        package var sample: [String]
        /// Endpoints that get nothing, because all of it was told there or is of no topic of theirs.
        package var unaffected: [String]
        /// Endpoints at which it will wait: not yet tested, paused or disabled.
        package var waiting: [String]

        enum CodingKeys: String, CodingKey {
            case students, groups, officers, sample, unaffected, waiting
            case namesWithoutEndpoint = "names_without_endpoint"
            case sentenceZH = "sentence_zh"
            case sentenceEN = "sentence_en"
            case groupsWithoutEndpoint = "groups_without_endpoint"
        }

        package init(
            sentenceZH: String, sentenceEN: String, students: Int, groups: Int, groupsWithoutEndpoint: Int,
            namesWithoutEndpoint: [String], officers: Int, sample: [String], unaffected: [String], waiting: [String]
        ) {
            self.sentenceZH = sentenceZH
            self.sentenceEN = sentenceEN
            self.students = students
            self.groups = groups
            self.groupsWithoutEndpoint = groupsWithoutEndpoint
            self.namesWithoutEndpoint = namesWithoutEndpoint
            self.officers = officers
            self.sample = sample
            self.unaffected = unaffected
            self.waiting = waiting
        }
    }

    package struct Part: Codable, Hashable, Sendable {
        /// The body, byte for byte; it is text on every channel.
        package var body: String
        /// The text as a reader gets it.
        package var content: String
        /// What counts against `byte_limit`: the text's bytes in UTF-8, or the body's where the vendor counts those.
        package var bytes: Int

        package init(body: String, content: String, bytes: Int) {
            self.body = body
            self.content = content
            self.bytes = bytes
        }
    }

    /// One channel's rendering and the endpoints it goes to.
    package struct Rendering: Codable, Hashable, Sendable {
        package var channel: String
        /// The word that the endpoints' robots demand, if any.
        package var keyword: String?
        package var contentType: String
        package var byteLimit: Int
        package var endpoints: [String]
        package var parts: [Part]

        enum CodingKeys: String, CodingKey {
            case channel, keyword, endpoints, parts
            case contentType = "content_type"
            case byteLimit = "byte_limit"
        }

        package init(
            channel: String, keyword: String?, contentType: String, byteLimit: Int, endpoints: [String], parts: [Part]
        ) {
            self.channel = channel
            self.keyword = keyword
            self.contentType = contentType
            self.byteLimit = byteLimit
            self.endpoints = endpoints
            self.parts = parts
        }
    }

    package var digest: DigestSummary
    package var audience: Audience
    /// Whether the bytes are those frozen at approval.
    package var isFrozen: Bool
    /// Stands for all that is shown: what is told, to how many and where; nil once frozen.
    package var mark: String?
    package var renderings: [Rendering]

    enum CodingKeys: String, CodingKey {
        case digest, audience, mark, renderings
        case isFrozen = "is_frozen"
    }

    package init(
        digest: DigestSummary, audience: Audience, isFrozen: Bool, mark: String? = nil, renderings: [Rendering]
    ) {
        self.digest = digest
        self.audience = audience
        self.isFrozen = isFrozen
        self.mark = mark
        self.renderings = renderings
    }
}
