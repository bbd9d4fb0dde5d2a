import ArgumentParser
import RoostServer
import RoostStore
import RoostSync

/// Sending as a whole, for an operator: after a restoration it stands still until somebody has looked.
struct Sending: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sending", abstract: "See, pause or resume all sending of digests. 全部推送的状态、暂停与恢复。",
        subcommands: [Status.self, Pause.self, Resume.self], defaultSubcommand: Status.self)

    struct Status: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "How the outbox is doing. 发件箱状态。")
        @OptionGroup var options: CommonOptions

        func act() async throws { try await Sending.tell(options) { _ in nil } }
    }

    struct Pause: OperatorCommand {
        static let configuration = CommandConfiguration(abstract: "Let nothing out. 暂停全部发送。")
        @OptionGroup var options: CommonOptions

        func act() async throws {
            try await Sending.tell(options) { store in
                try await store.pauseSending("operator")
                return nil
            }
        }
    }

    struct Resume: OperatorCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let deliveries go again. 恢复发送。",
            discussion: """
                After a restoration, what was queued may have been sent since the backup was made. Webhooks tell a \
                repetition by its id; what waits for robots and mailboxes becomes uncertain, to be looked at and \
                redriven, unless --send-all is given; so does what was approved before the backup, once it is sent. Digests that \
                were composed after the backup are not known any more: look in the groups before the same is sent anew. \
                恢复备份后，机器人和邮件的待发投递会标为“无法确认”，查看后再重发；备份前已批准未发出的，发送时也同样处理。备份之后起草的推送服务器已不知道：\
                重新推送同样内容前请先到群里查看。
                """)
        @OptionGroup var options: CommonOptions
        @Flag(help: "Send what may have been sent already. 连可能已发送的也照发。") var sendAll = false

        func act() async throws {
            let all = sendAll
            try await Sending.tell(options) { store in
                let reason = try await store.sendingPause()
                let isDoubtful = reason != nil && reason != "operator" && !all
                return try await store.resumeSending(doubting: isDoubtful ? DigestDesk.channelsWithoutIdentity : [])
            }
        }
    }

    private static func tell(
        _ options: CommonOptions, after action: (ServerStore) async throws -> RestoredDoubt?
    ) async throws {
        let settings = try await SettingsReading(options).settings
        let store = try DataDirectory(path: settings.data, key: settings.key).open().store
        let doubt = try await action(store)
        let figures = try await store.outboxFigures(rules: Courier.rules)
        try store.close()
        let counts = DeliveryState.allCases.filter { !$0.isSettled }.map { ($0, figures.byState[$0] ?? 0) }
        if options.json {
            printLine(
                jsonObject { writer in
                    writer.name("paused")
                    writer.boolean(figures.pause != nil)
                    if let pause = figures.pause {
                        writer.name("reason")
                        writer.string(pause)
                    }
                    if let doubt {
                        writer.name("doubted")
                        writer.integer(Int64(doubt.queued))
                        writer.name("doubted_frozen")
                        writer.integer(Int64(doubt.frozen))
                    }
                    for (state, count) in counts {
                        writer.name(escaping: state.rawValue)
                        writer.integer(Int64(count))
                    }
                    writer.name("failing")
                    writer.array { writer in
                        for failing in figures.failing {
                            writer.object { writer in
                                writer.name("endpoint")
                                writer.string(failing.name)
                                writer.name("channel")
                                writer.string(failing.channel)
                                writer.name("code")
                                writer.string(failing.code)
                                writer.name("since_ms")
                                writer.integer(failing.since.value)
                                writer.name("told")
                                writer.boolean(failing.isTold)
                                writer.name("advice")
                                writer.string(options.text(failing.advice))
                            }
                        }
                    }
                })
            return
        }
        switch figures.pause {
        case nil: options.say("正在发送。", "Sending is on.")
        case "operator": options.say("已由操作员暂停。", "Paused by the operator.")
        case let reason?:
            options.say(
                "已暂停（\(reason)）：数据库来自备份，请确认后运行 roostd sending resume。",
                "Paused (\(reason)): the database is from a backup; look, then run roostd sending resume.")
        }
        for (state, count) in counts where count > 0 { print("\(state.rawValue): \(count)") }
        for failing in figures.failing {
            print("✗ \(options.text(failing.message))\n    → \(options.text(failing.advice))")
        }
        guard let doubt else { return }
        if doubt.queued > 0 {
            options.say(
                "\(doubt.queued) 条待发投递可能在备份之后已发出，已标为“无法确认”：请到群里查看后标记或重发。",
                "\(doubt.queued) that waited may have gone out since the backup and are uncertain now: look, then mark or redrive them."
            )
        }
        if doubt.frozen > 0 {
            options.say(
                "\(doubt.frozen) 条已批准未发出的投递可能在备份之后已发出：发送时不会直接发出，而标为“无法确认”。",
                "\(doubt.frozen) that were approved may have been released and gone out since the backup: when they are sent they "
                    + "become uncertain first.")
        }
    }
}
