import RoostClient
import RoostSchema
import RoostStore
import RoostSync
import Testing

/// What people read about a synchronisation, word for word.
@Suite struct WordingTests {
    private func wording(_ language: Language) throws -> Wording {
        Wording(try ReplicaWorld().replica, lists: ReferenceLists(), language: language)
    }

    @Test(
        arguments: [
            (3000, "本机时钟快 3 秒", "This device's clock is 3 seconds fast"),
            (-3000, "本机时钟慢 3 秒", "This device's clock is 3 seconds slow"),
            (300_000, "本机时钟快 5 分钟", "This device's clock is 5 minutes fast"),
            (-7_200_000, "本机时钟慢 2 小时", "This device's clock is 2 hours slow"),
            (2 * 365 * 86_400_000, "本机时钟快 2 年", "This device's clock is 2 years fast"),
        ] as [(Int64, String, String)])
    func `a wrong clock is told by how much and which way, what was done, and what to do`(
        offset: Int64, zh: String, en: String
    ) throws {
        #expect(try wording(.zh).clock(offset) == zh + "；修改已按校正后的时间记录。请校准时钟。")
        #expect(
            try wording(.en).clock(offset)
                == en + "; edits were filed at the corrected time. Set the clock right.")
        #expect(try wording(.zh).clock(0).isEmpty && wording(.en).clock(0).isEmpty)
    }

    @Test func `a first sync shows how far its file is, and everything else counts`() {
        var report = SyncReport()
        (report.sent, report.rowsReceived) = (3, 1200)
        #expect(report.progress(.zh) == "已发送 3 · 已接收 1200")
        #expect(report.progress(.en) == "sent 3 · received 1200")
        for (share, filled, percent) in [(0.0, 0, 0), (0.5, 12, 50), (0.999, 23, 99), (1.0, 24, 100), (1.2, 24, 100)] {
            report.snapshot = share
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
            #expect(report.progress(.zh) == "首次同步 \(bar) \(percent) %")
            #expect(report.progress(.en) == "First sync \(bar) \(percent) %")
        }
    }
}
