import Curl
import Foundation
import RoostAPI
import Testing

/// Bad input of every sort gets its documented code and loses nothing.
@Suite(.timeLimit(.minutes(5)))
struct RefusalTests {
    /// Limits small enough to be passed by small bodies.
    private static let narrow = ["ROOST_LIMITS_BODY_BYTES": "65536", "ROOST_LIMITS_MUTATIONS": "5"]

    @Test func `requests that make no sense are refused with the codes of the wire format`() async throws {
        let county = try await County.founded(settings: Self.narrow)
        let caller = county.wire.caller
        let limits = try await Caller(county.server.url).get(Path.limits)
        #expect(limits.json["body_bytes"] == 65536)
        #expect(limits.json["mutations"] == 5)

        func refusal(
            _ caller: Caller, _ path: String, _ body: String, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> APIErrorCode? {
            let answer = try await caller.send(.post, path, Array(body.utf8))
            let code = answer.code
            #expect(answer.status == code?.status, sourceLocation: sourceLocation)
            #expect(answer.json["error"]["request_id"].text?.isEmpty == false, sourceLocation: sourceLocation)
            #expect(answer.json["error"]["message"].text?.isEmpty == false, sourceLocation: sourceLocation)
            return code
        }
        func exchange(_ members: String) -> String {
            #"{"protocol":1,"replica":"\#(county.wire.replica)","now":1795000000000\#(members)}"#
        }

        #expect(try await refusal(caller, Path.sync, #"{"protocol":1,"#) == .malformedRequest)
        #expect(try await refusal(caller, Path.sync, "") == .malformedRequest)
        #expect(try await refusal(caller, Path.sync, exchange(#","mutations":"none""#)) == .malformedRequest)
        #expect(try await refusal(caller, Path.sync, #"{"protocol":1,"replica":7,"now":0}"#) == .malformedRequest)
        #expect(
            try await refusal(caller, Path.sync, #"{"protocol":2,"replica":"\#(county.wire.replica)","now":0}"#)
                == .unsupportedVersion)
        #expect(
            try await refusal(caller, Path.sync, #"{"protocol":1,"replica":"00000000000000a1","now":0}"#) == .forbidden)
        #expect(try await refusal(Caller(county.server.url), Path.sync, exchange("")) == .unauthorized)
        #expect(
            try await refusal(Caller(county.server.url, token: "nobody"), Path.sync, exchange("")) == .unauthorized)
        #expect(try await refusal(caller, "/v1/nowhere", "{}") == .notFound)
        #expect(
            try await refusal(caller, Path.sync, exchange(#","x":""# + String(repeating: "x", count: 70_000) + "\""))
                == .bodyTooLarge)
        let mutation = #"{"number":1,"collection":"school","row":"\#(WireDevice.newRow())","action":"create","time":""#
        let mutations = (0..<6).map { _ in mutation + #"01a1fd2f3b800000","fields":{}}"# }.joined(separator: ",")
        #expect(try await refusal(caller, Path.sync, exchange(#","mutations":[\#(mutations)]"#)) == .tooManyMutations)
        let unknown = #"{"code":"AAAA-AAAA","label":"x","replica":"00000000000000a1"}"#
        #expect(try await refusal(Caller(county.server.url), Path.enrol, unknown) == .codeInvalid)
        #expect(try await refusal(caller, "/v1/imports", "PK\u{3}\u{4}") == .unsupportedSheet)

        // Nothing of all this was kept, and the device goes on with its next number.
        try await county.wire.push([.create("school", WireDevice.newRow(), ["name": "某大学"])])
    }

    @Test func `an upload that breaks off leaves the server and the device's numbers as they were`() async throws {
        let county = try await County.founded()
        let token = try #require(county.wire.caller.token)
        let port = try #require(UInt16(county.server.url.split(separator: ":").last ?? ""))
        let socket = try Descriptor.connected(to: port)
        let head =
            "POST \(Path.sync) HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \(token)\r\ncontent-length: 5000\r\n\r\n"
        #expect(Descriptor.write(Array((head + #"{"protocol":1,"mutations":["#).utf8), to: socket))
        Descriptor.end(socket)
        #expect(try await Caller(county.server.url).get(Path.health).status == 200)
        try await county.wire.push([.create("school", WireDevice.newRow(), ["name": "某大学"])])
        #expect(try await county.server.stop() == .exit(0))
    }

    @Test func `a field of a later version is kept and relayed to whoever sees everything`() async throws {
        let county = try await County.founded()
        let row = WireDevice.newRow()
        try await county.wire.push([.create("student", row, ["name": "周未来", "favourite_tea": ["普洱", 2]])])
        let registrar = try await county.device("registrar", of: county.registrar)
        try await registrar.roost("sync")
        #expect(try await registrar.roost("students", "show", row)["fields"]["favourite_tea"] == ["普洱", 2])
    }

    @Test func `people are told by code why a device is not let in`() async throws {
        let county = try await County.founded()
        let device = try Device("new", place: county.place)
        func refusal(
            _ arguments: String..., exit: Int32, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> String? {
            let result = try await device.attempt(arguments + ["--json"])
            #expect(result.end == .exit(exit), sourceLocation: sourceLocation)
            let error = try result.json["error"]
            #expect(error["message"].text?.isEmpty == false, sourceLocation: sourceLocation)
            return error["code"].text
        }
        #expect(try await refusal("sync", exit: 2) == "not_enrolled")
        #expect(try await refusal("enrol", county.server.url, "AAAA-AAAA", exit: 4) == "code_invalid")
        let code = try await county.server.code(for: county.registrar)
        #expect(try await refusal("enrol", "http://127.0.0.1:9", code, exit: 3) == "unreachable_unreachable")
        try await device.roost("enrol", county.server.url, code)
        #expect(try await refusal("enrol", "http://127.0.0.1:9", code, exit: 2) == "already_enrolled")
        #expect(try await refusal("enrol", county.server.url, code, exit: 4) == "code_invalid")
        let second = try await Device("second", place: county.place).attempt("enrol", county.server.url, code, "--json")
        #expect(try second.json["error"]["code"] == "code_invalid")

        let replica = try #require(try await device.roost("status")["replica"].text)
        _ = try await county.server.operate("account", "revoke-device", replica)
        #expect(try await refusal("sync", exit: 4) == "device_revoked")
    }

    @Test func `a broken sheet is refused as a whole with a code, on the device and on the server`() async throws {
        let county = try await County.founded()
        let registrar = try await county.device("sheets", of: county.registrar)
        let sheets = [
            ("empty.csv", "sheet_empty"), ("blank-lines-only.csv", "sheet_empty"),
            ("title-only.csv", "sheet_no_header"),
            ("missing-name-column.csv", "sheet_missing_column"), ("duplicate-header.csv", "sheet_duplicate_columns"),
            ("duplicate-phone-header.csv", "sheet_duplicate_columns"), ("mojibake-file.csv", "sheet_mojibake"),
        ]
        for (name, code) in sheets {
            for place in [["--server"], []] {
                let result = try await registrar.attempt(
                    ["import", Provided.sheet("broken/" + name), "--json"] + place)
                #expect(result.end == .exit(place.isEmpty ? 2 : 4), "\(name)")
                #expect(try result.json["error"]["code"].text == code, "\(name)")
            }
        }
        #expect(try await registrar.roost("status")["pending"] == 0)
        #expect(try await county.wire.caller.get("/v1/imports").json["imports"] == [])
    }
}
