/// A point in time, in milliseconds since the Unix epoch, by the server's clock.
package struct Moment: Hashable, Comparable, Sendable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Whole seconds since the Unix epoch, rounded down.
    package var seconds: Int64 { milliseconds / 1000 }

    package static func < (left: Moment, right: Moment) -> Bool { left.milliseconds < right.milliseconds }

    /// The moment this much later, to the millisecond.
    package static func + (moment: Moment, duration: Duration) -> Moment {
        let parts = duration.components
        return Moment(
            milliseconds: moment.milliseconds + parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
    }

    /// The time from one moment to another.
    package static func - (later: Moment, earlier: Moment) -> Duration {
        .milliseconds(later.milliseconds - earlier.milliseconds)
    }

    /// Milliseconds since midnight in China, which has kept UTC+8 without summer time since 1992.
    package var timeOfDay: Int64 {
        let day: Int64 = 86_400_000
        let rest = (milliseconds + 28_800_000) % day
        return rest < 0 ? rest + day : rest
    }

    /// The next beginning of a day in China, after this moment.
    package var nextMidnight: Moment { Moment(milliseconds: milliseconds - timeOfDay + 86_400_000) }
}
