import ArgumentParser
import RoostClient
import RoostSchema
import RoostStore
import RoostSync

struct AssignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assign", abstract: "为学生指定联络人 · Say who answers for a student.",
        discussion: """
            登记员直接指定，原联络员随之卸任；联络员提出移交申请，由登记员决定。\
            例 · A registrar's word ends the officer before; a liaison officer's is a proposal for the registrar. \
            For example: roost assign 谭子朗 梁茵淇
            """)

    @OptionGroup var options: CommonOptions
    @Argument(help: "编号，或只对应一人的姓名、拼音等 · Id, or a search that finds one.") var student: String
    @Argument(help: "工作人员的姓名或编号，本人为 me · Name or id of the officer; me.") var officer: String
    @Option(name: .long, help: "联络员、导师或领导 · liaison, mentor or leader.") var kind = "liaison"
    @Option(name: .long, help: "事由 · Why.") var reason: String?

    func run() async throws {
        try await Session.run(options) { session in
            let desk = try session.desk()
            let shown = try desk.student(student)
            let outcome = try Assigning(desk).assign(shown, to: officer, as: kind, reason: reason)
            switch outcome {
            case .assigned: session.output.say("已指定，待同步。", "Assigned, to be synchronised.")
            case .proposed:
                session.output.say(
                    "已提出移交申请，待同步；由登记员决定。", "Proposed, to be synchronised; a registrar decides.")
            }
            session.output.result(
                .object([
                    .init("id", .id(shown.row.key.id)),
                    .init("state", .text(outcome == .assigned ? "active" : "proposed")),
                ]))
        }
    }
}
