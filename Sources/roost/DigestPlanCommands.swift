import ArgumentParser
import Foundation
import RoostAPI
import RoostClient
import RoostSchema

extension DigestCommand {
    /// Digests that come back every week or month.
    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "每周、每月的推送计划：提前两天起草 · Weekly and monthly digests, drafted two days ahead.",
            subcommands: [List.self, Add.self, Pause.self, Resume.self, Remove.self], defaultSubcommand: List.self)

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "列出计划 · List plans.")
            @OptionGroup var options: CommonOptions

            func run() async throws {
                try await Session.online(options) { session, server in try show(try await server.schedules(), session) }
            }
        }

        struct Add: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "新增计划 · Add a plan.", discussion: "遇节假日顺延。 A holiday puts it off to the next day.")
            @OptionGroup var options: CommonOptions
            @Argument(help: "名称，也是推送标题的开头 · Its name, with which titles begin.") var name: String
            @Option(help: "每周几，1（周一）至 7 · Day of the week, 1 is Monday.") var weekly: Int?
            @Option(help: "每月几号 · Day of the month.") var monthly: Int?
            @Option(help: "北京时间，如 19:10 · Time in China.") var time: String
            @Option(help: "受众条件 · The audience.") var audience: String?
            @Option(name: .customLong("channel"), help: "渠道，可多次 · A channel; repeatable.") var channels: [String] = []
            @Option(help: "错过时 ask|send|skip · What is done if the server was down then.") var missed: String?
            @Option(help: "做成截止提醒：发送后几天内截止的内容 · Reminders of what ends within so many days of it.")
            var endingWithin: Int?

            func run() async throws {
                try await Session.online(options) { session, server in
                    guard (weekly == nil) != (monthly == nil), let day = weekly ?? monthly else {
                        throw ValidationError("--weekly | --monthly")
                    }
                    _ = try await server.add(
                        ScheduleDraft(
                            name: name, cadence: weekly == nil ? "monthly" : "weekly", day: day, time: time,
                            audience: audience, channels: channels.isEmpty ? nil : channels, missed: missed,
                            endingWithin: endingWithin))
                    try show(try await server.schedules(), session)
                }
            }
        }

        struct Pause: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "暂停 · Make no more drafts.")
            @OptionGroup var plan: PlanOptions
            func run() async throws { try await plan.change("pause") }
        }

        struct Resume: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "恢复 · Make drafts again.")
            @OptionGroup var plan: PlanOptions
            func run() async throws { try await plan.change("resume") }
        }

        struct Remove: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "删除 · Forget it.")
            @OptionGroup var plan: PlanOptions
            func run() async throws { try await plan.change("remove") }
        }
    }
}

/// One plan, by its name.
struct PlanOptions: ParsableArguments {
    @OptionGroup var options: CommonOptions
    @Argument(help: "计划名称 · The plan.") var name: String

    func change(_ change: String) async throws {
        try await Session.online(options) { session, server in
            guard let plan = try await server.schedules().schedules.first(where: { $0.name == name }) else {
                throw ClientError.noSuchEntry(name)
            }
            try show(try await server.change(schedule: plan.id, change), session)
        }
    }
}

private func show(_ list: ScheduleList, _ session: Session) throws {
    let output = session.output
    output.table(
        [
            output.text("名称", "name"), output.text("周期", "cadence"), output.text("内容", "content"),
            output.text("下次", "next"),
            output.text("受众", "audience"), output.text("状态", "state"), output.text("上次草稿", "last draft"),
        ],
        list.schedules.map { plan in
            [
                plan.name, "\(plan.cadence) \(plan.day) \(plan.time)",
                plan.endingWithin.map { output.text("\($0) 天内截止", "ends within \($0) days") }
                    ?? output.text("新内容", "what is new"),
                output.moment(plan.nextAt),
                plan.audience, plan.paused ? output.text("暂停", "paused") : output.text("启用", "on"), plan.note ?? "",
            ]
        })
    output.result(try encoded(list))
}
