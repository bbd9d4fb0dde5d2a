/// The body of the steps `submit`, `approve`, `reject`, `schedule`, `send` and `cancel`.
package struct DigestStepRequest: Codable, Hashable, Sendable {
    /// The version that whoever asks has looked at; the step is refused if there is a newer one.
    package var version: String
    /// For `approve`, which is refused without it: ``DigestPreview/mark`` of the preview that was looked at, and refused too if
    /// what would be frozen now is something else, or for others.
    package var preview: String?
    /// For `schedule` and `send`: the number of students in the frozen audience, typed back.
    package var students: Int?
    /// For `schedule`: when it is to be sent, in milliseconds since the Unix epoch; when its draft proposes if absent.
    package var at: Int64?
    /// For `schedule`: what is done when the server was down at that moment: `ask` (if absent), `send` or `skip`.
    package var missed: String?

    package init(
        version: String, preview: String? = nil, students: Int? = nil, at: Int64? = nil, missed: String? = nil
    ) {
        self.version = version
        self.preview = preview
        self.students = students
        self.at = at
        self.missed = missed
    }
}

/// The body of `POST /v1/digests/{digest}/test`.
package struct DigestTestRequest: Codable, Hashable, Sendable {
    /// An endpoint that is for tests.
    package var endpoint: String

    package init(endpoint: String) { self.endpoint = endpoint }
}

/// The body of `POST /v1/digests/{digest}/redrive`: which of its deliveries are to be sent once more.
package struct RedriveRequest: Codable, Hashable, Sendable {
    /// Only these deliveries.
    package var deliveries: [String]?
    /// Only those in one of these states, among `failed`, `expired`, `cancelled`, `uncertain` and `retry_wait`; the first two
    /// if absent and no deliveries are named.
    package var states: [String]?
    /// Only those of this endpoint.
    package var endpoint: String?
    /// Whether it is understood that what may have arrived arrives twice.
    package var acceptsDuplicates: Bool?

    enum CodingKeys: String, CodingKey {
        case deliveries, states, endpoint
        case acceptsDuplicates = "accepts_duplicates"
    }

    package init(
        deliveries: [String]? = nil, states: [String]? = nil, endpoint: String? = nil,
        acceptsDuplicates: Bool? = nil
    ) {
        self.deliveries = deliveries
        self.states = states
        self.endpoint = endpoint
        self.acceptsDuplicates = acceptsDuplicates
    }
}

/// The body of `POST /v1/deliveries/{delivery}/mark-sent`.
package struct MarkSentRequest: Codable, Hashable, Sendable {
    /// About how many people read it.
    package var reach: Int?

    package init(reach: Int? = nil) { self.reach = reach }
}

/// The body of `POST /v1/digests/{digest}/mark-sent`: all of it that waits for a person at one endpoint.
package struct MarkEndpointSentRequest: Codable, Hashable, Sendable {
    package var endpoint: String
    /// About how many people read it.
    package var reach: Int?

    package init(endpoint: String, reach: Int? = nil) {
        self.endpoint = endpoint
        self.reach = reach
    }
}

/// One attempt at a delivery, or one test message; nothing in it is secret.
package struct AttemptReport: Codable, Hashable, Sendable {
    /// Nil for a test message.
    package var delivery: String?
    package var startedAt: Int64
    package var finishedAt: Int64
    package var outcome: String
    package var code: String
    /// Where it went, redacted, and the address that was connected to.
    package var url: String?
    package var address: String?
    /// HTTP status or SMTP code.
    package var status: Int?
    /// The vendor's own code and words.
    package var vendorCode: Int?
    package var vendorMessage: String?
    /// Microseconds from the start to the end of each phase that was reached.
    package var resolved: Int64?
    package var connected: Int64?
    package var secured: Int64?
    package var firstByte: Int64?
    /// What to do after it; of a delivery's last one, what to do now.
    package var instructionZH: String
    package var instructionEN: String

    enum CodingKeys: String, CodingKey {
        case delivery, outcome, code, url, address, status
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case vendorCode = "vendor_code"
        case vendorMessage = "vendor_message"
        case resolved = "resolved_us"
        case connected = "connected_us"
        case secured = "secured_us"
        case firstByte = "first_byte_us"
        case instructionZH = "instruction_zh"
        case instructionEN = "instruction_en"
    }

    package init(
        delivery: String?, startedAt: Int64, finishedAt: Int64, outcome: String, code: String, url: String?,
        address: String?,
        status: Int?, vendorCode: Int?, vendorMessage: String?, resolved: Int64?, connected: Int64?, secured: Int64?,
        firstByte: Int64?, instructionZH: String, instructionEN: String
    ) {
        self.delivery = delivery
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.outcome = outcome
        self.code = code
        self.url = url
        self.address = address
        self.status = status
        self.vendorCode = vendorCode
        self.vendorMessage = vendorMessage
        self.resolved = resolved
        self.connected = connected
        self.secured = secured
        self.firstByte = firstByte
        self.instructionZH = instructionZH
        self.instructionEN = instructionEN
    }
}

/// The answer to `GET /v1/deliveries/{delivery}`.
package struct DeliveryLog: Codable, Hashable, Sendable {
    package var delivery: DeliveryStatusReport
    /// The earliest first.
    package var attempts: [AttemptReport]

    package init(delivery: DeliveryStatusReport, attempts: [AttemptReport]) {
        self.delivery = delivery
        self.attempts = attempts
    }
}

/// One line of the answer to who was told what, when and in which version.
package struct TellingReport: Codable, Hashable, Sendable {
    package var digest: String
    package var title: String
    /// The endpoint's name.
    package var endpoint: String
    /// `policy` or `opportunity`.
    package var collection: String
    package var item: String
    package var itemTitle: String
    package var version: String
    package var state: String
    package var sentAt: Int64?

    enum CodingKeys: String, CodingKey {
        case digest, title, endpoint, collection, item, version, state
        case itemTitle = "item_title"
        case sentAt = "sent_at"
    }

    package init(
        digest: String, title: String, endpoint: String, collection: String, item: String, itemTitle: String,
        version: String, state: String, sentAt: Int64?
    ) {
        self.digest = digest
        self.title = title
        self.endpoint = endpoint
        self.collection = collection
        self.item = item
        self.itemTitle = itemTitle
        self.version = version
        self.state = state
        self.sentAt = sentAt
    }
}

/// The answer to `GET /v1/tellings?item=…` (a row, code or title), `?endpoint=…` or `?member=…` (a student, group or officer of an audience).
package struct TellingList: Codable, Hashable, Sendable {
    package var tellings: [TellingReport]
    /// For `member`: the digests whose audience it was in, the latest first.
    package var digests: [DigestSummary]

    package init(tellings: [TellingReport], digests: [DigestSummary]) {
        self.tellings = tellings
        self.digests = digests
    }
}
