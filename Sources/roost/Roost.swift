import ArgumentParser

/// The client's command line.
@main
struct Roost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roost",
        abstract: "归巢：离线可用的学生名册 · Roost: a roster that works offline.",
        discussion: """
            Exit status: 0 done · 1 this device's data cannot be used · 2 something to correct in the command \
            · 3 the server was not reached or failed · 4 the server refused \
            · 64 wrong usage.
            """,
        subcommands: [
            EnrolCommand.self, SyncCommand.self, StatusCommand.self, StudentsCommand.self, AssignCommand.self,
            RowsCommand.self, ImportCommand.self, UndoCommand.self, ConflictsCommand.self, RejectedCommand.self,
            QuarantineCommand.self, DigestCommand.self,
            EndpointsCommand.self,
        ])
}
