import Foundation
import RoostReference
import RoostSchema
import RoostSync

/// When something that comes back every week or month is next, in China.
enum Cadence: Hashable, Sendable {
    /// From 1 for Monday.
    case weekly(Int)
    /// The last day of a shorter month stands for a day it does not have.
    case monthly(Int)

    init?(_ name: String, day: Int) {
        switch name {
        case "weekly" where (1...7).contains(day): self = .weekly(day)
        case "monthly" where (1...31).contains(day): self = .monthly(day)
        default: return nil
        }
    }

    /// The first such moment after `moment`; one that falls on a holiday is put off to the first day after.
    func next(after moment: Milliseconds, minute: Int, holidays: Set<String>) -> Milliseconds {
        let today = ChinaTime(moment).days
        // A holiday may push one past the next: looking back a week finds those pushed to today.
        var candidates: [Milliseconds] = []
        for days in today - 15...today + 63 where holds(on: days) {
            var day = days
            while holidays.contains(ChinaTime.date(days: day)) { day += 1 }
            let candidate = ChinaTime(days: day, minute: minute).moment
            if candidate > moment { candidates.append(candidate) }
        }
        return candidates.min() ?? ChinaTime(days: today + 63, minute: minute).moment
    }

    private func holds(on days: Int) -> Bool {
        switch self {
        case .weekly(let weekday): return ChinaTime(days: days, minute: 0).weekday == weekday
        case .monthly(let day):
            let date = PartialDate.civil(daysSinceEpoch: days)
            let isLast = PartialDate.civil(daysSinceEpoch: days + 1).day == 1
            return date.day == day || isLast && date.day < day
        }
    }
}

/// The days on which nothing is planned.
enum Holidays {
    /// The operator's own list in the data directory, if there is one, else the one that ships with the program.
    static func dates(in directory: String) -> Set<String> {
        if let own = try? String(contentsOfFile: directory + "/holidays.csv", encoding: .utf8) {
            return dates(of: own)
        }
        return dates(of: unsafe text(roost_reference_holidays()))
    }

    private static func text(_ list: roost_reference_list) -> String {
        let bytes = unsafe UnsafeBufferPointer(start: list.bytes, count: list.count)
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    private static func dates(of text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isNewline).map { String($0.prefix(10)) }.filter { PartialDate($0) != nil })
    }
}
