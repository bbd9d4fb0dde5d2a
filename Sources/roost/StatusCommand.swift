import ArgumentParser
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "本机与服务器的状态 · How this device and the server stand.")

    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let status = try desk.replica.status()
            let wording = Wording(desk.replica, lists: ReferenceLists(), language: options.language)
            let output = session.output
            let grants = try desk.grants()
            var lines: [(Label, String)] = [
                (Label("服务器", "Server"), desk.enrolled.server),
                (Label("本机", "Device"), "\(desk.enrolled.label) (\(desk.enrolled.replica))"),
                (
                    Label("登记人", "Enrolled as"),
                    desk.enrolled.name + " · " + grants.map { wording.role($0.role) }.joined(separator: ", ")
                ),
                (
                    Label("上次同步", "Last synchronised"),
                    status.exchangedAt.map(wording.moment) ?? output.text("从未", "never")
                ),
                (Label("待发送的修改", "Edits to send"), "\(status.pending)"),
                (Label("被退回的修改", "Refused edits"), "\(status.refused)"),
                (Label("待人处理的修改", "Quarantined edits"), "\(status.quarantined)"),
                (Label("未处理的冲突", "Open conflicts"), "\(status.openConflicts)"),
                (Label("他人待决定的修改", "Edits of others to decide"), "\(status.toDecide)"),
                (Label("范围", "In reach"), status.scopes.map(wording.scope).joined(separator: ", ")),
            ]
            if let revoked = try desk.replica.revokedDevice() {
                lines.append(
                    (
                        Label("已停用", "Revoked"),
                        ClientError.deviceRevoked(kept: revoked.kept).message.text(options.language)
                    ))
            }
            if try desk.replica.owesScrub() {
                lines.append(
                    (
                        Label("待抹去", "To be wiped"),
                        output.text(
                            "旧数据的残留：同步时磁盘空间不足或另有程序正在读取；腾出空间后再运行 roost sync",
                            "remains of former data: no room on the disk, or another program was reading; "
                                + "make room and run roost sync again")
                    ))
            }
            if let share = status.snapshot {
                lines.append(
                    (
                        Label("首次同步", "First sync"),
                        output.text(
                            "已完成 \(Int(share * 100)) %，运行 roost sync 继续",
                            "\(Int(share * 100)) % done; run roost sync to go on")
                    ))
            }
            if status.offset != 0 {
                lines.append((Label("时钟", "Clock"), wording.clock(status.offset)))
            }
            for collection in desk.catalogue.collections {
                if let count = status.rows[collection.name] { lines.append((collection.label, "\(count)")) }
            }
            output.table(["", ""], lines.map { [$0.0.text(options.language), $0.1] })
            output.result(Self.value(status, desk, grants))
        }
    }

    private static func value(_ status: ReplicaStatus, _ desk: Desk, _ grants: [HeldGrant]) -> Value {
        .object([
            .init("server", .text(desk.enrolled.server)),
            .init("replica", .text(desk.enrolled.replica.description)),
            .init("officer", .id(desk.enrolled.officer)), .init("name", .text(desk.enrolled.name)),
            .init("roles", .list(grants.map { .text($0.role.text) })),
            .init("exchanged_at_ms", status.exchangedAt.map { .integer($0.value) } ?? .null),
            .init("pending", .integer(Int64(status.pending))), .init("rejected", .integer(Int64(status.refused))),
            .init("quarantined", .integer(Int64(status.quarantined))),
            .init("conflicts", .integer(Int64(status.openConflicts))),
            .init("to_decide", .integer(Int64(status.toDecide))),
            .init("offset_ms", .integer(status.offset)), .init("epoch", status.epoch.map { .text($0) } ?? .null),
            .init("first_sync_percent", status.snapshot.map { .integer(Int64($0 * 100)) } ?? .null),
            .init("revoked_at_ms", ((try? desk.replica.revokedDevice())??.since).map { .integer($0.value) } ?? .null),
            .init("locked", .boolean(desk.endedLease != nil)),
            .init("scopes", .list(status.scopes.map { .text($0.description) })),
            .init(
                "rows",
                .object(
                    status.rows.sorted { $0.key < $1.key }.map { .init($0.key.text, .integer(Int64($0.value))) })),
        ])
    }
}
