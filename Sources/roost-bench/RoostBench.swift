import ArgumentParser

/// Measures the release build on this machine and prints JSON: each figure beside a physical baseline of the same run.
@main
struct RoostBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roost-bench",
        abstract: "Measure Roost beside plain SQLite, on this machine, in one run.",
        subcommands: [SyncBench.self, CourierBench.self], defaultSubcommand: SyncBench.self)
}
