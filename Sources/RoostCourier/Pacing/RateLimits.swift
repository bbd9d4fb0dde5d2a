/// So many messages within such a time.
package struct RateLimit: Hashable, Sendable {
    package let count: Int
    package let window: Duration

    package init(_ count: Int, in window: Duration) {
        self.count = count
        self.window = window
    }
}

extension Channel {
    /// What a vendor takes from one robot.
    package var rateLimits: [RateLimit] {
        switch self {
        case .wecom, .dingtalk: [RateLimit(20, in: .seconds(60))]
        case .feishu: [RateLimit(100, in: .seconds(60)), RateLimit(5, in: .seconds(1))]
        case .generic, .email, .manual: []
        }
    }

    /// How far back attempts have to be known for ``RateLimits/next(on:after:now:)``.
    package var rateMemory: Duration { rateLimits.map { $0.window + RateLimits.margin }.max() ?? .zero }
}

/// When the next message may start without exceeding what a vendor takes.
///
/// A sliding window and not a bucket that refills: a bucket of twenty lets nearly forty through in a minute, and DingTalk
/// shuts a robot out for ten minutes for that.
package enum RateLimits {
    /// Added to every window, because the vendor's clock does not tick with ours.
    static let margin = Duration.milliseconds(500)

    /// The earliest moment, `now` at the earliest, at which another message may start.
    ///
    /// `ends` are the moments at which earlier attempts *ended*, in any order; those that may not have arrived count too.
    /// Ends and not starts: a slow message arrives some time before it has been answered, and the next one right after
    /// its start at the earliest, so that counting this way can never be too generous, however long answers take. It
    /// relies on one message at a time.
    package static func next(on channel: Channel, after ends: [Moment], now: Moment) -> Moment {
        let latest = ends.sorted(by: >)
        return channel.rateLimits.reduce(now) { moment, limit in
            guard latest.count >= limit.count else { return moment }
            // Once this one has left the window, there is room for one more.
            return max(moment, latest[limit.count - 1] + limit.window + margin)
        }
    }
}

extension Moment {
    /// The moment itself, or one shortly after the next full or half hour if it lies close to that.
    ///
    /// Everybody's timers fire then, and Feishu asks senders to keep away (error 11232). `jitter` in 0..<1 spreads those
    /// who wait over four minutes.
    package func awayFromHalfHour(jitter: Double) -> Moment {
        let halfHour: Int64 = 1_800_000
        let rest = timeOfDay % halfHour
        // Ten seconds before, because a message takes a moment to get there.
        let sinceMark = rest < halfHour - 10_000 ? rest : rest - halfHour
        guard sinceMark < 60_000 else { return self }
        return Moment(milliseconds: milliseconds - sinceMark + 60_000) + .seconds(240) * jitter
    }
}

/// Hours of the day, in China, in which an endpoint wants no messages; they may run past midnight.
package struct QuietHours: Hashable, Sendable, CustomStringConvertible {
    /// Minutes since midnight.
    package let start: Int
    package let end: Int

    /// Nil unless both are minutes of a day and differ.
    package init?(start: Int, end: Int) {
        guard (0..<1440).contains(start), (0..<1440).contains(end), start != end else { return nil }
        self.start = start
        self.end = end
    }

    /// Reads `22:00-07:30`.
    package init?(_ text: String) {
        let times = text.split(separator: "-", omittingEmptySubsequences: false).map { time -> Int? in
            let parts = time.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = Int(parts[0]),
                let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
            else { return nil }
            return hour * 60 + minute
        }
        guard times.count == 2, let start = times[0], let end = times[1] else { return nil }
        self.init(start: start, end: end)
    }

    package var description: String { "\(Self.clock(start))-\(Self.clock(end))" }

    private static func clock(_ minute: Int) -> String {
        let (hours, minutes) = (minute / 60, minute % 60)
        return (hours < 10 ? "0" : "") + String(hours) + (minutes < 10 ? ":0" : ":") + String(minutes)
    }

    /// The moment itself, or the end of the quiet hours it lies in.
    package func end(for moment: Moment) -> Moment {
        let minute = Int(moment.timeOfDay / 60_000)
        let isQuiet = start < end ? (start..<end).contains(minute) : minute >= start || minute < end
        guard isQuiet else { return moment }
        let endOfDay = Int64(end) * 60_000
        let wait = endOfDay - moment.timeOfDay
        return Moment(milliseconds: moment.milliseconds + (wait > 0 ? wait : wait + 86_400_000))
    }
}
