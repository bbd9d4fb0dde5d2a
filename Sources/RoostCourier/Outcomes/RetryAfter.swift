internal import Curl
internal import Foundation

extension HTTPResponse {
    /// How long the receiver asks to be left alone by `Retry-After`, in either of the header's forms; nil when it does
    /// not, or when the date has passed.
    func retryAfter(now: Moment) -> Duration? {
        guard let value = header("retry-after") else { return nil }
        if let seconds = Int64(value) { return seconds > 0 ? .seconds(min(seconds, 365 * 86_400)) : nil }
        guard let date = secondsOfHTTPDate(value), date > now.seconds else { return nil }
        return .seconds(date - now.seconds)
    }

    /// By how many seconds our clock is ahead of the receiver's, by the `Date` of its answer; nil without one.
    func secondsBehind(now: Moment) -> Int64? {
        header("date").flatMap(secondsOfHTTPDate).map { now.seconds - $0 }
    }
}

/// The Unix time of an IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT`, the one form RFC 9110 lets servers send.
private func secondsOfHTTPDate(_ text: String) -> Int64? {
    let words = text.split { $0 == " " || $0 == ":" || $0 == "," }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard words.count == 8, words[7] == "GMT", let day = Int(words[1]),
        let month = months.firstIndex(of: String(words[2])), let year = Int(words[3]), (1970...9999).contains(year),
        let hour = Int(words[4]),
        let minute = Int(words[5]), let second = Int(words[6])
    else { return nil }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let components = DateComponents(
        calendar: calendar, year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
    guard components.isValidDate, let date = calendar.date(from: components) else { return nil }
    return Int64(date.timeIntervalSince1970)
}
