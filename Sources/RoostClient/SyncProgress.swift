import RoostSchema

extension SyncReport {
    /// How far a synchronisation is, in one line: a bar while a large scope comes as one file, counts otherwise.
    package func progress(_ language: Language) -> String {
        guard let share = snapshot else {
            return Label("已发送 \(sent) · 已接收 \(rowsReceived)", "sent \(sent) · received \(rowsReceived)").text(language)
        }
        let width = 24
        let filled = max(0, min(width, Int(share * Double(width))))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        return Label("首次同步", "First sync").text(language) + " \(bar) \(max(0, min(100, Int(share * 100)))) %"
    }
}
