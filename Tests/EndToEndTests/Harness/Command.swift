import Foundation

/// What one run of a program came to.
struct CommandResult: Sendable {
    let arguments: [String]
    let end: ChildProcess.End
    let output: String
    let errors: String

    var succeeded: Bool { end == .exit(0) }

    /// The one JSON value that was printed.
    var json: JSON {
        get throws { try JSON(Array(output.utf8)) }
    }

    /// Whether anything that only a terminal understands was written: escape sequences or returns to the line's start.
    var hasTerminalCodes: Bool {
        (output + errors).utf8.contains { $0 == 0x1B || $0 == 0x0D || $0 == 0x08 }
    }
}

/// A run that ended otherwise than a test needs to go on.
struct CommandFailure: Error, CustomStringConvertible {
    let result: CommandResult

    var description: String {
        "\(result.arguments.joined(separator: " ")) ended with \(result.end)\n\(result.output)\n\(result.errors)"
    }
}

/// Runs a program to its end.
func run(
    _ program: String, _ arguments: [String], environment: [String: String], limit: Duration = .seconds(120)
) async throws -> CommandResult {
    let process = try ChildProcess(
        try Provided.program(program), arguments, environment: environment, limit: limit)
    return try await result(of: process, [program] + arguments)
}

/// Waits for a program that was started before.
func result(of process: ChildProcess, _ arguments: [String]) async throws -> CommandResult {
    let end = try await process.finished()
    return CommandResult(
        arguments: arguments, end: end, output: process.output.value.string, errors: process.errors.value.string)
}

/// An environment that knows nothing of the person who runs the tests.
func bareEnvironment(home: String) -> [String: String] {
    [
        "HOME": home, "PATH": "/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": "Asia/Shanghai",
        "XDG_CONFIG_HOME": home + "/config", "XDG_DATA_HOME": home + "/share", "XDG_STATE_HOME": home + "/state",
        "XDG_CACHE_HOME": home + "/cache", "XDG_RUNTIME_DIR": home + "/run",
    ]
}
