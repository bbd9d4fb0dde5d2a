import RoostSchema
import RoostSync

/// A moment as clocks in China show it; there is one time zone and no summer time.
struct ChinaTime: Hashable, Sendable {
    static let offset: Int64 = 8 * 3_600_000
    static let day: Int64 = 86_400_000

    /// Days since the first of January 1970 in China.
    var days: Int
    /// Minute of the day.
    var minute: Int

    init(days: Int, minute: Int) {
        self.days = days
        self.minute = minute
    }

    init(_ moment: Milliseconds) {
        let local = moment.value + Self.offset
        days = Int(local / Self.day)
        minute = Int(local % Self.day / 60_000)
    }

    var moment: Milliseconds { Milliseconds(Int64(days) * Self.day + Int64(minute) * 60_000 - Self.offset) }

    /// `2026-11-21`.
    var date: String { Self.date(days: days) }

    /// 1 for Monday to 7 for Sunday; the first of January 1970 was a Thursday.
    var weekday: Int { (days + 3) % 7 + 1 }

    static func date(days: Int) -> String {
        let (year, month, day) = PartialDate.civil(daysSinceEpoch: days)
        return PartialDate(year: year, month: month, day: day)?.text ?? ""
    }
}
