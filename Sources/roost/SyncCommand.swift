import ArgumentParser
import Curl
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "与服务器交换修改 · Exchange edits with the server.",
        discussion: "随时可以中断：已完成的部分保留，其余下次继续。May be interrupted at any time.")

    @OptionGroup var options: CommonOptions

    @Flag(
        help: """
            一直运行：服务器或本机有变化就同步，直到按 Ctrl-C · Keep synchronising whenever something changes, until Ctrl-C.
            """)
    var watch = false

    func run() async throws {
        try await Session.run(options) { session in
            guard !watch else { return try await WatchSession(session).run() }
            let replica = try session.openReplica()
            let client = HTTPClient(idleConnections: 2)
            defer { client.shutdown() }
            let connection = try session.connection(try replica.enrolled(), client)
            let output = session.output
            let synchroniser = Synchroniser(
                replica: replica, server: connection, environment: session.environment)
            defer { output.endProgress() }
            let report = try await synchroniser.run { report in
                output.progress(report.progress(options.language))
            }
            output.endProgress()
            let wording = Wording(replica, lists: ReferenceLists(), language: options.language)
            tell(report, try replica.status(), wording, output)
            output.result(Self.value(report))
        }
    }

    func tell(_ report: SyncReport, _ status: ReplicaStatus, _ wording: Wording, _ output: Output) {
        output.say(
            "已同步：发送 \(report.sent) 条修改，接收 \(report.rowsReceived) 条记录。",
            "Synchronised: \(report.sent.of("edit")) sent, \(report.rowsReceived.of("record")) received.")
        for outcome in [Verdict.Outcome.applied, .merged, .late, .quarantined, .rejected] {
            if let count = report.verdicts[outcome] { output.say("  \(wording.outcome(outcome)): \(count)") }
        }
        if let recovery = report.recovery {
            if recovery.given > 0 {
                output.say(
                    "服务器曾从旧备份恢复；本机补交了 \(recovery.given) 条已确认的修改。",
                    "The server was restored from an older backup; this device gave again "
                        + "\(recovery.given.of("edit")) it had confirmed.")
            }
            if recovery.unrecovered > 0 {
                output.say(
                    "另有 \(recovery.unrecovered) 条本机已不再保存，已告知管理员。",
                    "\(recovery.unrecovered) more are no longer kept here; the operator was told.")
            }
        }
        if report.hasBegunAnew {
            output.say(
                "本机离线太久，已重新读取所在范围；未发送的修改都还在。",
                "This device was away for so long that it read its scopes anew; unsent edits were kept.")
        }
        if !report.gained.isEmpty {
            let names = report.gained.map(wording.scope).joined(separator: ", ")
            output.say("新获得的范围：\(names)", "New in reach: \(names)")
        }
        if !report.lost.isEmpty || report.rowsPurged > 0 {
            output.say(
                "不再可见的记录已从本机清除：\(report.rowsPurged) 条。",
                "Records out of your reach were removed from this device: \(report.rowsPurged).")
        }
        if report.leftByOwnEdit > 0 {
            output.say(
                "其中 \(report.leftByOwnEdit) 条是因您自己的修改而离开您的范围的。",
                "\(report.leftByOwnEdit) of them left because of your own edits.")
        }
        if report.surrendered > 0 {
            output.say(
                "其中被退回的 \(report.surrendered) 条修改已移交服务器，由现在负责的人决定。",
                "\(report.surrendered.of("refused edit")) of such records went to the server, for those who answer for them now."
            )
        }
        if !report.deletedMeanwhile.isEmpty {
            output.say(
                "有 \(report.deletedMeanwhile.count) 条您改过的记录已被他人删除；您写的内容还在其中。要恢复（或请登记员恢复）：",
                "\(report.deletedMeanwhile.count.of("record")) you edited had been deleted by somebody; what you wrote is "
                    + "kept in it. To bring it back, or have a registrar do so:")
            for (row, collection) in report.deletedMeanwhile.sorted(by: { $0.key < $1.key }) {
                let restore = "  roost rows restore \(collection) \(row)"
                output.say(restore, restore)
            }
        }
        if report.offset != 0 {
            output.say(wording.clock(report.offset))
        }
        if (report.verdicts[.rejected] ?? 0) > 0 {
            output.say("被退回的修改保存在 roost rejected 中。", "What was refused is kept: see roost rejected.")
        }
        if status.openConflicts > 0 {
            output.say(
                "有 \(status.openConflicts) 处冲突待处理：roost conflicts。",
                "\(status.openConflicts.of("conflict")) to settle: see roost conflicts.")
        }
        if status.toDecide > 0 {
            output.say(
                "有 \(status.toDecide) 条他人的修改待决定：roost quarantine。",
                "Waiting for a decision: \(status.toDecide.of("edit")) of others; see roost quarantine.")
        }
    }

    static func value(_ report: SyncReport) -> Value {
        .object([
            .init("exchanges", .integer(Int64(report.exchanges))), .init("sent", .integer(Int64(report.sent))),
            .init("received", .integer(Int64(report.rowsReceived))),
            .init("purged", .integer(Int64(report.rowsPurged))),
            .init("surrendered", .integer(Int64(report.surrendered))),
            .init(
                "deleted_meanwhile",
                .list(
                    report.deletedMeanwhile.sorted { $0.key < $1.key }.map { row, collection in
                        .object([.init("collection", .text(collection.text)), .init("id", .id(row))])
                    })),
            .init("left_by_own_edit", .integer(Int64(report.leftByOwnEdit))),
            .init(
                "verdicts",
                .object(
                    report.verdicts.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                        .init($0.key.rawValue, .integer(Int64($0.value)))
                    })),
            .init("gained", .list(report.gained.map { .text($0.description) })),
            .init("lost", .list(report.lost.map { .text($0.description) })),
            .init("offset_ms", .integer(report.offset)), .init("epoch_changed", .boolean(report.epochChanged)),
            .init("recovered", .integer(Int64(report.recovery?.given ?? 0))),
            .init("unrecovered", .integer(Int64(report.recovery?.unrecovered ?? 0))),
            .init("began_anew", .boolean(report.hasBegunAnew)),
        ])
    }
}
