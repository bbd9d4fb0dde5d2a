import Curl
import Foundation
import RoostAPI
import RoostModel
import RoostSchema
import RoostServer
import RoostStore
import RoostSync

/// A way to talk to a server; what replicas hold.
struct BenchConnection: Sendable {
    let client: HTTPClient
    let port: Int

    func send(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]?, token: String?, range: String? = nil
    ) async throws -> [UInt8] {
        var headers: [HTTPHeader] = []
        if let range { headers.append(HTTPHeader("range", range)) }
        if let token { headers.append(HTTPHeader("authorization", "Bearer \(token)")) }
        if body != nil { headers.append(HTTPHeader("content-type", "application/json")) }
        let response = try await client.send(
            HTTPRequest(
                method: method, url: "http://127.0.0.1:\(port)\(path)", headers: headers, body: body ?? [],
                options: TransferOptions(
                    totalTimeout: .seconds(600), responseLimit: 256 << 20, allowedSchemes: [.http],
                    addressPolicy: .anyAddress)))
        guard (200..<300).contains(response.status) else {
            throw BenchServer.Failure.status(
                response.status, String(decoding: response.body.prefix(300), as: UTF8.self))
        }
        return response.body
    }

    /// Seconds and count the server has spent on a path so far, by its own metrics.
    func timeSpent(on path: String) async throws -> (seconds: Double, count: Double) {
        let text = String(decoding: try await send(.get, Path.metrics, nil, token: nil), as: UTF8.self)
        func value(_ suffix: String) -> Double {
            text.split(separator: "\n")
                .first { $0.hasPrefix("roost_request_seconds_\(suffix){") && $0.contains("path=\"\(path)\"") }?
                .split(separator: " ").last.flatMap { Double($0) } ?? 0
        }
        return (value("sum"), value("count"))
    }
}

/// The built `roostd` on a database of its own, with one registrar whose devices can be enrolled.
final class BenchServer {
    let directory: String
    private let client = HTTPClient()
    private var port = 0
    private var process: Process?
    /// Whose devices can be enrolled.
    enum Officer: String, CaseIterable {
        case registrar, liaison
        /// Has no role.
        case guest
        /// Has every role that brings a scope of its own.
        case manifold

        var row: RowID { RowID(naming: "bench", rawValue) }

        var roles: [String] {
            switch self {
            case .registrar, .liaison: [rawValue]
            case .guest: []
            case .manifold: ["admin", "registrar", "liaison", "mentor", "approver"]
            }
        }

        func grant(_ role: String) -> RowID { RowID(naming: "bench grant", rawValue + " " + role) }
    }

    enum Failure: Error {
        case noServer(String)
        case status(Int, String)
    }

    init(directory: String) async throws {
        self.directory = directory
        let store = try openStore()
        try ServerKey.create(in: directory)
        for officer in Officer.allCases {
            _ = try await store.write(
                [TrustedEdit("officer", officer.row, .create, ["name": .text(officer.rawValue)])]
                    + officer.roles.map { role in
                        TrustedEdit(
                            "authority_grant", officer.grant(role), .create,
                            ["officer": .id(officer.row), "role": .text(role)])
                    }, by: officer.row)
        }
        try store.close()
    }

    private func openStore() throws -> ServerStore {
        try ServerStore(directory: directory, catalogue: .bench, clock: now)
    }

    /// Writes beside the server, as an operator's command does.
    func write(_ edits: [TrustedEdit]) async throws {
        let store = try ServerStore(directory: directory, catalogue: .bench, clock: now, isServing: false)
        _ = try await store.write(edits, by: Officer.registrar.row)
        try store.close()
    }

    /// Starts the server that was built beside this program, with limits that do not get in the way.
    func start() async throws {
        let binary =
            (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") as NSString)
            .deletingLastPathComponent + "/roostd"
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            throw Failure.noServer("build the product roostd first")
        }
        let configuration = directory + "/bench.yaml"
        try """
        data: \(directory)
        http:
          port: 0
        limits:
          body_bytes: 268435456
          requests_per_minute_per_device: 100000
          requests_per_minute_per_address: 100000
          timeout_seconds: 600
        enrolment:
          attempts_per_minute: 1000
        log:
          level: notice
        """.write(toFile: configuration, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = ["serve", "--config", configuration, "--json"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        var text = ""
        while let data = try output.fileHandleForReading.read(upToCount: 1), !data.isEmpty {
            text += String(decoding: data, as: UTF8.self)
            guard text.hasSuffix("\n") else { continue }
            if let range = text.range(of: #"127\.0\.0\.1:[0-9]+"#, options: .regularExpression) {
                port = Int(text[range].split(separator: ":").last ?? "") ?? 0
                return
            }
        }
        throw Failure.noServer("roostd ended before it listened")
    }

    var connection: BenchConnection { BenchConnection(client: client, port: port) }

    func stop() {
        process?.terminate()
        process?.waitUntilExit()
        process = nil
    }

    var processIdentifier: Int32 { process?.processIdentifier ?? 0 }

    /// Enrols devices beside the server, whose limit on attempts is no concern here, and returns their tokens.
    func enrol(_ devices: [(replica: ReplicaID, officer: RowID)]) async throws -> [String] {
        let store = try openStore()
        let key = try ServerKey(directory: directory)
        let desk = AccountDesk(store: store, key: key, codeMinutes: 60)
        var tokens: [String] = []
        for (replica, officer) in devices {
            let code = try await desk.makeCode(for: officer, madeBy: nil).code
            let token = DeviceToken()
            _ = try await store.redeemCode(
                hash: code.hash(key), replica: replica, label: "bench", tokenHash: token.hash)
            tokens.append(token.text)
        }
        try store.close()
        return tokens
    }
}

/// Bytes of memory a process holds.
func residentBytes(of process: Int32) -> Int {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
    else { return 0 }
    return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) * 1024
}

let now: @Sendable () -> Milliseconds = { Milliseconds(Int64(Date().timeIntervalSince1970 * 1000)) }

extension Catalogue {
    static let bench = Catalogue.programme.withConflicts(about: Programme.subject)
}
