import ArgumentParser
import Foundation
import RoostSchema
import RoostServer
import RoostStore
import RoostSync

struct Devices: OperatorCommand {
    static let configuration = CommandConfiguration(
        abstract: "List devices, and what each has not confirmed to be gone from its disk. 列出设备及未确认的清除。",
        discussion: """
            A device that is off-line cannot be purged: what left it is listed here until it says that it is gone. \
            离线设备无法远程清除；在它确认之前，会一直列在这里。
            """)

    @OptionGroup var options: CommonOptions

    @Flag(help: "Only those that have something to confirm. 只列出尚未确认的。")
    var unconfirmed = false

    func act() async throws {
        let desk = try await accountDesk(options)
        let records = try await desk.store.devices().filter { !unconfirmed || !$0.unconfirmed.isEmpty }
        guard !options.json else {
            return printLine(
                jsonObject { writer in
                    writer.name("devices")
                    writer.array { writer in for record in records { record.write(to: &writer) } }
                })
        }
        for record in records {
            let name = try await desk.name(of: record.device.officer)
            print(
                "\(record.device.replica)  \(name.isEmpty ? record.device.officer.description : name)  \(record.device.label)"
            )
            print("    " + facts(record).map(options.text).joined(separator: options.language == .zh ? "；" : "; "))
        }
        let waiting = records.count { !$0.unconfirmed.isEmpty }
        options.say(
            "共 \(records.count) 台，\(waiting) 台尚未确认清除。",
            "\(records.count) devices; \(waiting) have not confirmed a purge.")
    }

    private func facts(_ record: DeviceRecord) -> [Label] {
        var facts: [Label] = []
        if let seen = record.seen {
            facts.append(Label("最近联系 \(moment(seen))", "last contact \(moment(seen))"))
        } else {
            facts.append(Label("从未联系", "never in contact"))
        }
        if record.offset != 0 {
            let words = Label.span(milliseconds: record.offset)
            facts.append(
                record.offset > 0
                    ? Label("时钟快 \(words.zh)", "clock \(words.en) fast")
                    : Label("时钟慢 \(words.zh)", "clock \(words.en) slow"))
        }
        if let revoked = record.revoked {
            facts.append(Label("已于 \(moment(revoked)) 停用", "revoked \(moment(revoked))"))
        }
        let open = record.unconfirmed
        if !open.scopes.isEmpty {
            let names = open.scopes.map(\.description).joined(separator: " ")
            facts.append(Label("未确认清除的范围：\(names)", "scopes not confirmed to be gone: \(names)"))
        }
        if open.rows > 0 {
            facts.append(Label("未确认清除的记录：至多 \(open.rows) 条", "rows not confirmed to be gone: at most \(open.rows)"))
        }
        if !open.unknown.isEmpty {
            let names = open.unknown.map(\.description).joined(separator: " ")
            facts.append(
                Label(
                    "太久未同步，已无从得知这些范围中有哪些记录应当清除：\(names)",
                    "away so long that nobody knows what should be gone from: \(names)"))
        }
        if open.isOwed, open.scopes.isEmpty, open.rows == 0, open.unknown.isEmpty {
            facts.append(Label("未确认清除部分内容", "some of what it held is not confirmed to be gone"))
        }
        if let told = open.told {
            facts.append(Label("已于 \(moment(told)) 通知", "told \(moment(told))"))
        } else if !open.isEmpty {
            facts.append(Label("此后尚未联系", "not in contact since"))
        }
        if let purged = record.purged {
            facts.append(Label("最近确认清除 \(moment(purged))", "last confirmed a purge \(moment(purged))"))
        }
        if record.purgeAgreed == false {
            facts.append(
                // Enrolled anew as it is, it would keep its rows and how far it has read; only a revoked device gives all up.
                Label(
                    "所存内容与服务器所知不符：请先停用该设备（roostd account revoke-device \(record.device.replica)），"
                        + "待其运行 roost sync 清除数据后再用新登记码登记，它会重新读取全部内容；未发送的修改不会丢失",
                    "what it holds is not what it should: revoke it (roostd account revoke-device "
                        + "\(record.device.replica)), have it run roost sync, which wipes it, and enrol it with a new "
                        + "code; it then reads everything anew, and edits that were never sent are kept"))
        }
        return facts
    }

    private func moment(_ moment: Milliseconds) -> String {
        Date(timeIntervalSince1970: Double(moment.value) / 1000).formatted(.iso8601)
    }
}
