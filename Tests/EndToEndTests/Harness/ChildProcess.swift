import Dispatch
import Glibc
import Synchronization

import class Foundation.Thread

/// A program under test, run as a process of its own.
///
/// It is killed when its time is over, so that nothing that waits for it waits for ever. Signals go to this process alone,
/// and never after it was reaped, when its number may be somebody else's.
final class ChildProcess: Sendable {
    enum End: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    private struct Life: Sendable {
        var isReaped = false
        var end: End?
    }

    /// What was written to one stream so far.
    struct Text: Sendable {
        var bytes: [UInt8] = []
        var isOver = false

        var string: String { String(decoding: bytes, as: UTF8.self) }
        var lines: [Substring] { string.split(separator: "\n") }
    }

    /// One program is started at a time, so that none inherits the pipes of another and keeps them open.
    private static let starting = Mutex(())

    let identifier: pid_t
    let output = Watched(Text())
    let errors = Watched(Text())
    private let life = Watched(Life())
    private let reaped = DispatchSemaphore(value: 0)

    /// Starts a program with nothing on its standard input.
    init(_ program: String, _ arguments: [String], environment: [String: String], limit: Duration) throws {
        let variables = environment.map { "\($0.key)=\($0.value)" }
        let started = try Self.starting.withLock { _ in
            let (output, errors) = (try Descriptor.pipe(), try Descriptor.pipe())
            defer { for end in [output.writing, errors.writing] { close(end) } }
            let identifier = try Self.spawn(
                [program] + arguments, environment: variables, output: output.writing, errors: errors.writing)
            return (identifier: identifier, output: output.reading, errors: errors.reading)
        }
        identifier = started.identifier
        Self.collect(from: started.output, into: output)
        Self.collect(from: started.errors, into: errors)
        let (identifier, life, reaped) = (identifier, life, reaped)
        Thread {
            Self.await(identifier, life)
            reaped.signal()
        }.start()
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(limit.components.seconds))) { [weak self] in
            self?.send(SIGKILL)
        }
    }

    /// Leaves nothing running that could still write where a test cleans up.
    deinit {
        send(SIGKILL)
        _ = reaped.wait(timeout: .now() + .seconds(10))
    }

    /// Sends a signal, if the process is still there.
    func send(_ signal: Int32) {
        let identifier = identifier
        life.update { life in
            if !life.isReaped { kill(identifier, signal) }
        }
    }

    /// Waits until the process has ended and everything it wrote has been read.
    func finished() async throws -> End {
        let end = try await life.first("the end of process \(identifier)", within: .seconds(600), \.end)
        for stream in [output, errors] {
            _ = try await stream.first("the last output of process \(identifier)") { $0.isOver ? true : nil }
        }
        return end
    }

    private static func await(_ identifier: pid_t, _ life: Watched<Life>) {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        life.update { life in
            var status: Int32 = 0
            while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            life.isReaped = true
            life.end = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
        }
    }

    private static func collect(from descriptor: Int32, into text: Watched<Text>) {
        Thread {
            while let bytes = Descriptor.read(descriptor), !bytes.isEmpty {
                text.update { $0.bytes += bytes }
            }
            close(descriptor)
            text.update { $0.isOver = true }
        }.start()
    }

    private static func spawn(
        _ arguments: [String], environment: [String], output: Int32, errors: Int32
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)

        // The test runner may ignore or block signals, and both would be inherited.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        unsafe posix_spawnattr_setsigmask(&attributes, &defaults)
        for signal in [SIGINT, SIGTERM, SIGPIPE] { unsafe sigaddset(&defaults, signal) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var identifier: pid_t = 0
        let program = arguments.first ?? ""
        let code = unsafe withTextPointers(arguments) { arguments in
            unsafe withTextPointers(environment) { environment in
                unsafe posix_spawn(&identifier, program, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw SystemError(call: "posix_spawn", code: code) }
        return identifier
    }

    /// Calls the body with a null-terminated array of null-terminated texts.
    private static func withTextPointers<Result>(
        _ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe body(&pointers)
    }
}
