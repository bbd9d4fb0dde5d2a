import Curl
import Foundation
import Logging
import RoostModel
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import ServiceLifecycle
import Synchronization
import Testing

/// A whole server on a free port of loopback, over a database of its own, for the time of one test.
struct RunningServer: Sendable {
    let port: Int
    let application: RoostApplication
    let directory: DataDirectory
    let clock: ManualClock
    let log: LogLines
    let group: ServiceGroup
    let client: HTTPClient

    var store: ServerStore { application.store }

    /// Starts a server, lets `body` use it, stops it gracefully and removes its files.
    static func with(
        _ settings: [SettingKey: String] = [:], _ body: (RunningServer) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { path in
            let clock = ManualClock()
            let log = LogLines()
            let directory = DataDirectory(path: path) { clock.now }
            try ServerKey.create(in: path)
            let (store, key) = try directory.open()
            var given = settings
            given[.port] = "0"
            given[.data] = path
            let application = try RoostApplication(
                store: store, key: key, settings: ServerSettings { given[$0] }, logger: log.logger)
            let (ports, told) = AsyncStream.makeStream(of: Int.self)
            let group = try application.serviceGroup { port in told.yield(port) }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    defer { told.finish() }
                    try await group.run()
                }
                var iterator = ports.makeAsyncIterator()
                let port = try #require(await iterator.next(), "the server did not start")
                let server = RunningServer(
                    port: port, application: application, directory: directory, clock: clock, log: log, group: group,
                    client: HTTPClient())
                defer { server.client.shutdown() }
                do { try await body(server) } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            try store.close()
        }
    }

    func send(
        _ method: HTTPMethod, _ path: String, token: String? = nil, headers: [HTTPHeader] = [], _ body: String = ""
    ) async throws -> HTTPResponse {
        try await send(method, path, token: token, headers: headers, bytes: Array(body.utf8))
    }

    func send(
        _ method: HTTPMethod, _ path: String, token: String? = nil, headers: [HTTPHeader] = [], bytes: [UInt8]
    ) async throws -> HTTPResponse {
        let options = TransferOptions(
            connectTimeout: .seconds(60), totalTimeout: .seconds(120), responseLimit: 16 << 20, allowedSchemes: [.http],
            addressPolicy: .publicOnly(allowingLoopback: true))
        let authorization = token.map { [HTTPHeader("Authorization", "Bearer \($0)")] } ?? []
        return try await client.send(
            HTTPRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers + authorization, body: bytes,
                options: options))
    }

    /// Adds an officer with a role and enrols a device for them.
    func enrolled(
        _ role: RoleName = "registrar", name: String = "梁登记", replica: String = "00000000000000a1"
    ) async throws -> (token: String, officer: RowID) {
        let officer = try await application.accounts.addOfficer(name: name, unit: nil, role: role, target: nil)
        let (code, _) = try await application.accounts.makeCode(for: officer, madeBy: nil)
        let answer = try await enrol(code.text, replica: replica)
        #expect(answer.status == 201)
        return (try #require(answer.json["token"]?.text), officer)
    }

    func enrol(_ code: String, replica: String = "00000000000000a1", label: String = "办公室电脑") async throws
        -> HTTPResponse
    {
        try await send(.post, "/v1/enrol", #"{"code":"\#(code)","label":"\#(label)","replica":"\#(replica)"}"#)
    }

    /// An exchange without mutations.
    func idleExchange(
        token: String, replica: String = "00000000000000a1", after earlier: HTTPResponse? = nil
    ) async throws -> HTTPResponse {
        let scopes = try (earlier?.json["scopes"]?.list ?? []).map { page in
            let names = ["scope", "epoch", "cursor"]
            return Value.object(try names.map { Value.Member($0, try #require(page[$0])) })
        }
        let named = String(decoding: Value.list(scopes).json, as: UTF8.self)
        return try await send(
            .post, "/v1/sync", token: token,
            #"{"protocol":1,"catalogue":1,"replica":"\#(replica)","incarnation":1,"now":\#(clock.now.value),"#
                + #""scopes":\#(named)}"#)
    }
}

/// A clock that stands still until a test moves it; it begins on 2026-09-01.
final class ManualClock: Sendable {
    private let moment = Mutex<Int64>(1_788_220_800_000)

    var now: Milliseconds { Milliseconds(moment.withLock { $0 }) }
    func advance(seconds: Int64) { moment.withLock { $0 += seconds * 1000 } }
}

/// What a server logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger {
        Logger(label: "test") { [self] _ in
            LineLogHandler(level: .debug, format: .json) { line in self.lines.withLock { $0.append(line) } }
        }
    }
}

extension HTTPResponse {
    /// The body read as JSON; null if it is none.
    var json: Value { (try? Value(json: body)) ?? .null }
    var errorCode: String? { json["error"]?["code"]?.text }
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Makes a directory for the time of `body`.
func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.path + "/roost-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    do { try await body(path) } catch {
        try? FileManager.default.removeItem(atPath: path)
        throw error
    }
    try FileManager.default.removeItem(atPath: path)
}
