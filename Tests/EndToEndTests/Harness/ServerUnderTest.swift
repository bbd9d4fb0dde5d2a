import Glibc
import Synchronization

/// A `roostd` of its own, which can be stopped, killed and started again over the same data on the same port.
final class ServerUnderTest: Sendable {
    let data: String
    private let environment: [String: String]
    private let port = Mutex(0)
    private let process = Mutex<ChildProcess?>(nil)
    /// What earlier processes wrote, for looking through it afterwards.
    private let earlier = Mutex("")

    private let given = Mutex<[String]>([])
    /// Kept until the process is gone.
    private let place: Place

    /// The enrolment codes made so far.
    var codes: [String] { given.withLock { $0 } }

    /// Prepares a server; `settings` are environment variables over those that make a test fast.
    init(place: Place, settings: [String: String] = [:]) throws {
        self.place = place
        data = try place.folder("server")
        // Many devices on one address enrol and ask within a minute, which the limits are there to prevent.
        // A machine that builds and tests at the same time may be far slower than any server.
        let limits = [
            "ROOST_LIMITS_TIMEOUT_SECONDS": "300",
            "ROOST_ENROLMENT_ATTEMPTS_PER_MINUTE": "1000", "ROOST_LIMITS_REQUESTS_PER_MINUTE_PER_ADDRESS": "100000",
            "ROOST_LIMITS_REQUESTS_PER_MINUTE_PER_DEVICE": "100000",
        ]
        environment = bareEnvironment(home: try place.folder("server-home")).merging(limits) { _, new in new }
            .merging(settings) { _, new in new }
    }

    var url: String { "http://127.0.0.1:\(port.withLock { $0 })" }

    /// Everything that was logged or printed since the first start.
    var log: String {
        let current = process.withLock { $0 }
        return earlier.withLock { $0 } + (current.map { $0.output.value.string + $0.errors.value.string } ?? "")
    }

    /// Starts the server and waits until it listens.
    func start() async throws {
        let port = port.withLock { $0 }
        let arguments = ["serve", "--data", data, "--port", "\(port)", "--no-demo", "--json"]
        let process = try ChildProcess(
            try Provided.program("roostd"), arguments, environment: environment, limit: .seconds(900))
        self.process.withLock { $0 = process }
        let line = try await process.output.first("the server's address") { text -> String? in
            text.lines.first.map(String.init) ?? (text.isOver ? "" : nil)
        }
        guard let url = try? JSON(Array(line.utf8))["url"].text,
            let number = url.split(separator: ":").last.flatMap({ Int($0) })
        else { throw CommandFailure(result: try await result(of: process, ["roostd"] + arguments)) }
        self.port.withLock { $0 = number }
    }

    /// Ends the process at once, as a power failure would.
    @discardableResult
    func kill() async throws -> ChildProcess.End? { try await end(SIGKILL) }

    /// Ends it as an operator does.
    @discardableResult
    func stop() async throws -> ChildProcess.End? { try await end(SIGTERM) }

    private func end(_ signal: Int32) async throws -> ChildProcess.End? {
        guard let process = process.withLock({ $0 }) else { return nil }
        process.send(signal)
        let end = try await process.finished()
        earlier.withLock { $0 += process.output.value.string + process.errors.value.string }
        self.process.withLock { $0 = nil }
        return end
    }

    /// Runs a command of the operator's over the same data.
    func operate(_ arguments: String...) async throws -> JSON {
        let result = try await run(
            "roostd", arguments + ["--data", data, "--json"], environment: environment)
        guard result.succeeded else { throw CommandFailure(result: result) }
        return try result.json
    }

    /// Makes an officer and returns the row.
    func addOfficer(_ name: String, role: String, chapter: String? = nil) async throws -> String {
        let arguments = ["account", "add", "--name", name, "--role", role, "--unit", "鹤山市"]
        let target = chapter.map { ["--target", $0] } ?? []
        let result = try await run(
            "roostd", arguments + target + ["--data", data, "--json"], environment: environment)
        guard result.succeeded, let officer = try result.json["officer"].text else {
            throw CommandFailure(result: result)
        }
        return officer
    }

    /// A one-time code for an officer's device.
    func code(for officer: String) async throws -> String {
        guard let code = try await operate("enrol-code", officer)["code"].text else {
            throw Absent(what: "an enrolment code")
        }
        given.withLock { $0.append(code) }
        return code
    }
}
