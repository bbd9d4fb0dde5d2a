extension Label {
    /// A length of time in words, to the nearest unit in which it is at least two: `43 分钟`, `43 minutes`.
    package static func span(milliseconds: Int64) -> Label {
        let seconds = milliseconds.magnitude / 1000
        let units: [(seconds: UInt64, zh: String, en: String)] = [
            (365 * 86_400, "年", "years"), (86_400, "天", "days"), (3600, "小时", "hours"), (60, "分钟", "minutes"),
        ]
        for unit in units where seconds >= 2 * unit.seconds {
            let count = (seconds + unit.seconds / 2) / unit.seconds
            return Label("\(count) \(unit.zh)", "\(count) \(unit.en)")
        }
        return Label("\(seconds) 秒", seconds == 1 ? "1 second" : "\(seconds) seconds")
    }
}
