import Curl
import Foundation
import RoostAPI
import RoostSchema
import Synchronization

/// One HTTP answer of the server.
struct Answer: Sendable {
    let status: Int
    let body: [UInt8]
    let headers: [HTTPHeader]

    var json: JSON { (try? JSON(body)) ?? .null }
    /// The stable code of a refusal.
    var code: APIErrorCode? { json["error"]["code"].text.flatMap { APIErrorCode(rawValue: $0) } }
}

/// Speaks to the server as any program could, with nothing of the client's own code in between.
struct Caller: Sendable {
    let server: String
    var token: String?
    private let client = HTTPClient()

    init(_ server: String, token: String? = nil) {
        self.server = server
        self.token = token
    }

    func send(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8] = [], headers: [HTTPHeader] = []
    ) async throws -> Answer {
        let authorization = token.map { [HTTPHeader("authorization", "Bearer " + $0)] } ?? []
        let request = HTTPRequest(
            method: method, url: server + path, headers: authorization + headers, body: body,
            options: TransferOptions(
                connectTimeout: .seconds(60), totalTimeout: .seconds(120), responseLimit: 256 << 20,
                allowedSchemes: [.http],
                addressPolicy: .anyAddress, acceptCompressed: true))
        let response = try await client.send(request)
        return Answer(status: response.status, body: response.body, headers: response.headers)
    }

    func get(_ path: String) async throws -> Answer { try await send(.get, path) }

    func post(_ path: String, _ body: JSON) async throws -> Answer {
        try await send(.post, path, try body.bytes, headers: [HTTPHeader("content-type", "application/json")])
    }
}

/// A device that speaks the wire format by itself: for arranging what the journey starts from, and for what a careful
/// client would never send.
final class WireDevice: Sendable {
    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    let caller: Caller
    let replica: String
    private let nextNumber = Mutex<Int64>(1)

    private init(_ caller: Caller, replica: String) {
        self.caller = caller
        self.replica = replica
    }

    static func enrolled(as officer: String, at server: ServerUnderTest) async throws -> WireDevice {
        let replica = String(UInt64.random(in: 1 << 63 ... .max), radix: 16)
        let code = try await server.code(for: officer)
        let answer = try await Caller(server.url).post(
            Path.enrol, ["code": .text(code), "label": "wire", "replica": .text(replica)])
        guard answer.status == 201, let token = answer.json["token"].text else {
            throw Refused(description: "enrolment was answered with \(answer.status)")
        }
        return WireDevice(Caller(server.url, token: token), replica: replica)
    }

    /// An edit as the person makes it; number and time are added when it is sent.
    struct Edit: Sendable {
        let action: String
        let collection: String
        let row: String
        let fields: [String: JSON]
        let base: String?

        static func create(_ collection: String, _ row: String, _ fields: [String: JSON]) -> Edit {
            Edit(action: "create", collection: collection, row: row, fields: fields, base: nil)
        }

        static func edit(_ collection: String, _ row: String, _ fields: [String: JSON], base: String?) -> Edit {
            Edit(action: "edit", collection: collection, row: row, fields: fields, base: base)
        }
    }

    static func newRow() -> String {
        RowID(milliseconds: now, random: UInt128.random(in: .min ... .max)).description
    }

    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    /// One exchange without cursors, in pages as small as may be.
    func exchange(_ edits: [Edit]) async throws -> Answer {
        let first = nextNumber.withLock { number in
            defer { number += Int64(edits.count) }
            return number
        }
        let now = Self.now
        let mutations = edits.enumerated().map { index, edit -> JSON in
            var members: [String: JSON] = [
                "number": .integer(first + Int64(index)), "collection": .text(edit.collection),
                "row": .text(edit.row), "action": .text(edit.action),
                "time": .text(Self.hybridTime(now, counter: index)), "fields": .object(edit.fields),
            ]
            members["base"] = edit.base.map { .text($0) }
            return .object(members)
        }
        return try await caller.post(
            Path.sync,
            [
                "protocol": 1, "replica": .text(replica), "now": .integer(now), "mutations": .list(mutations),
                "page_bytes": 4096,
            ])
    }

    /// Sends edits that must all apply, and returns the stamps under which they were filed.
    @discardableResult
    func push(_ edits: [Edit]) async throws -> [String] {
        let answer = try await exchange(edits)
        let verdicts = answer.json["verdicts"].list
        let stamps = verdicts.filter { $0["verdict"] == "applied" }.compactMap(\.["stamp"].text)
        guard stamps.count == edits.count else {
            throw Refused(description: "\(answer.status): \(answer.code?.rawValue ?? "") \(verdicts)")
        }
        return stamps
    }

    private static func hybridTime(_ milliseconds: Int64, counter: Int) -> String {
        let digits = String(UInt64(milliseconds) << 16 + UInt64(counter), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
