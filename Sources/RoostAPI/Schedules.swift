/// The body of `POST /v1/schedules`.
package struct ScheduleDraft: Codable, Hashable, Sendable {
    /// Also the beginning of the titles of its digests.
    package var name: String
    /// `weekly` or `monthly`.
    package var cadence: String
    /// 1 (Monday) to 7, or 1 to 31.
    package var day: Int
    /// `19:10`, in China.
    package var time: String
    package var audience: String?
    package var channels: [String]?
    /// What is done when the server was down at its time: `ask` (if absent), `send` or `skip`.
    package var missed: String?
    /// For reminders in place of what is new: of what ends within so many days, 1 to 60, of the time of sending.
    package var endingWithin: Int?

    enum CodingKeys: String, CodingKey {
        case name, cadence, day, time, audience, channels, missed
        case endingWithin = "ending_within"
    }

    package init(
        name: String, cadence: String, day: Int, time: String, audience: String? = nil, channels: [String]? = nil,
        missed: String? = nil, endingWithin: Int? = nil
    ) {
        self.name = name
        self.cadence = cadence
        self.day = day
        self.time = time
        self.audience = audience
        self.channels = channels
        self.missed = missed
        self.endingWithin = endingWithin
    }
}

/// A digest that is proposed again and again.
package struct ScheduleSummary: Codable, Hashable, Sendable {
    package var id: String
    package var name: String
    package var cadence: String
    package var day: Int
    package var time: String
    package var audience: String
    package var channels: [String]
    package var missed: String
    /// For reminders: of what ends within so many days.
    package var endingWithin: Int?
    /// When the next one is to be sent; its draft is made two days before.
    package var nextAt: Int64
    package var paused: Bool
    /// What became of the last draft: `made`, or a code such as `nothing_new`.
    package var note: String?

    enum CodingKeys: String, CodingKey {
        case id, name, cadence, day, time, audience, channels, missed, paused, note
        case endingWithin = "ending_within"
        case nextAt = "next_at"
    }

    package init(
        id: String, name: String, cadence: String, day: Int, time: String, audience: String, channels: [String],
        missed: String, endingWithin: Int?, nextAt: Int64, paused: Bool, note: String?
    ) {
        self.id = id
        self.name = name
        self.cadence = cadence
        self.day = day
        self.time = time
        self.audience = audience
        self.channels = channels
        self.missed = missed
        self.endingWithin = endingWithin
        self.nextAt = nextAt
        self.paused = paused
        self.note = note
    }
}

/// The answer to `GET /v1/schedules`.
package struct ScheduleList: Codable, Hashable, Sendable {
    package var schedules: [ScheduleSummary]

    package init(schedules: [ScheduleSummary]) { self.schedules = schedules }
}
