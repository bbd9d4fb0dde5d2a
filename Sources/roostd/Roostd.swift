import ArgumentParser

/// The server of Roost and what its operator does with it.
@main
struct Roostd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roostd",
        abstract: "Keeps a county's roster and lets devices sync with it. 花名册同步服务器。",
        subcommands: [
            Serve.self, Init.self, DoctorCommand.self, Backup.self, Restore.self, Recovery.self, Erase.self,
            EnrolCode.self,
            Account.self, Devices.self, Sending.self, SettingsCommand.self,
        ])
}
