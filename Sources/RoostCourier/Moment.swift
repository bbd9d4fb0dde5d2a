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
}
