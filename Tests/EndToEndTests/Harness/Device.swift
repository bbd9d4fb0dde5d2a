/// Somebody's laptop: the `roost` program with a home directory that nobody else uses.
final class Device: Sendable {
    let name: String
    let home: String
    private let environment: [String: String]

    init(_ name: String, place: Place) throws {
        self.name = name
        home = try place.folder("device-" + name)
        environment = bareEnvironment(home: home)
    }

    /// Runs `roost` and takes whatever comes of it.
    func attempt(_ arguments: String...) async throws -> CommandResult { try await attempt(arguments) }

    func attempt(_ arguments: [String]) async throws -> CommandResult {
        try await run("roost", arguments, environment: environment)
    }

    /// Runs `roost … --json`, which must succeed, and returns what it printed.
    @discardableResult
    func roost(_ arguments: String...) async throws -> JSON { try await roost(arguments) }

    @discardableResult
    func roost(_ arguments: [String]) async throws -> JSON {
        let result = try await attempt(arguments + ["--json"])
        guard result.succeeded else { throw CommandFailure(result: result) }
        return try result.json
    }

    /// Reads a digest's preview and approves what stands there.
    func approve(_ digest: String) async throws {
        let preview = try await roost("digest", "preview", digest)
        guard let mark = preview["mark"].text else { throw Absent(what: "the mark of \(digest)") }
        try await roost("digest", "approve", digest, "--preview", mark)
    }

    /// Runs `roost` with a line on its standard input.
    func attempt(reading line: String, _ arguments: String...) async throws -> CommandResult {
        try await attempt(reading: line, arguments)
    }

    private func attempt(reading line: String, _ arguments: [String]) async throws -> CommandResult {
        // The shell's own echo is no process, whose arguments others could read.
        let script = #"line=$1; shift; printf '%s\n' "$line" | "$@""#
        let process = try ChildProcess(
            "/bin/sh", ["-c", script, "sh", line, try Provided.program("roost")] + arguments,
            environment: environment, limit: .seconds(120))
        return try await result(of: process, ["roost"] + arguments)
    }

    /// Runs `roost … --json` with a line on its standard input; it must succeed.
    func roost(reading line: String, _ arguments: String...) async throws -> JSON {
        let result = try await attempt(reading: line, arguments + ["--json"])
        guard result.succeeded else { throw CommandFailure(result: result) }
        return try result.json
    }

    /// Starts `roost` without waiting for its end.
    func begin(_ arguments: String...) throws -> ChildProcess {
        try ChildProcess(
            try Provided.program("roost"), arguments, environment: environment, limit: .seconds(120))
    }

    /// Trades a code of the officer's for a device of the server's.
    static func enrolled(
        _ name: String, as officer: String, at server: ServerUnderTest, through url: String? = nil, place: Place
    )
        async throws -> Device
    {
        let device = try Device(name, place: place)
        try await device.roost("enrol", url ?? server.url, try await server.code(for: officer))
        return device
    }
}
