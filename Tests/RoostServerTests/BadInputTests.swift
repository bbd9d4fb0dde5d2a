import Curl
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import Testing

@Suite struct BadInputTests {
    private static let replica = "00000000000000a1"

    @Test(arguments: [
        ("", "malformed_request"), ("{", "malformed_request"), ("[]", "malformed_request"),
        (#"{"protocol":1}"#, "malformed_request"), (#"{"protocol":1}{}"#, "malformed_request"),
        (#"{"protocol":"one"}"#, "malformed_request"), (#"{"protocol":1,"catalogue":1,"now":-5}"#, "malformed_request"),
        (#"{"protocol":99,"catalogue":1,"replica":"00000000000000a1","incarnation":1,"now":0}"#, "unsupported_version"),
        (#"{"protocol":1,"catalogue":1,"replica":"xyz","incarnation":1,"now":0}"#, "malformed_request"),
        (
            #"{"protocol":1,"catalogue":1,"replica":"00000000000000a1","incarnation":1,"now":0,"mutations":7}"#,
            "malformed_request"
        ),
    ])
    func `a broken exchange gets a stable code, a place and no effect`(body: String, code: String) async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            let answer = try await server.send(.post, "/v1/sync", token: token, body)
            #expect(answer.status == 400)
            #expect(answer.errorCode == code)
            #expect(answer.json["error"]?["request_id"]?.text == answer.header("x-request-id"))
            let after = try await server.idleExchange(token: token)
            #expect(after.json["expected"] == 1)
        }
    }

    @Test func `nesting without end is refused`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            let body = #"{"protocol":1,"x":"# + String(repeating: "[", count: 100_000)
            let answer = try await server.send(.post, "/v1/sync", token: token, body)
            #expect(answer.status == 400)
            #expect(answer.json["error"]?["message"]?.text?.hasPrefix("too_deep") ?? false)
        }
    }

    @Test func `text that is no UTF-8 is refused`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            let answer = try await server.send(
                .post, "/v1/sync", token: token, bytes: Array(#"{"epoch":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8))
            #expect(answer.status == 400 && answer.errorCode == "malformed_request")
        }
    }

    @Test func `a body announced as too large is refused unread`() async throws {
        try await RunningServer.with([.bodyBytes: "65536"]) { server in
            let (token, _) = try await server.enrolled()
            let answer = try await server.send(
                .post, "/v1/sync", token: token, bytes: Array(repeating: 0x20, count: 65_537))
            #expect(answer.status == 413 && answer.errorCode == "body_too_large")
            #expect(answer.header("Connection") == "close")
            #expect(try await server.idleExchange(token: token).status == 200)
        }
    }

    @Test func `a body that turns out too large is refused`() async throws {
        try await RunningServer.with([.bodyBytes: "65536"]) { server in
            let (token, _) = try await server.enrolled()
            let answer = try await server.send(
                .post, "/v1/sync", token: token, headers: [HTTPHeader("Transfer-Encoding", "chunked")],
                bytes: Array(repeating: 0x20, count: 200_000))
            #expect(answer.status == 413 && answer.errorCode == "body_too_large")
        }
    }

    @Test func `an upload that breaks off changes nothing`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            let row = RowID(bits: 0x0190_0000_0000_7000_8000_0000_0000_0001)
            let body = """
                {"protocol":1,"catalogue":1,"replica":"\(Self.replica)","incarnation":1,"now":\(server.clock.now.value),\
                "mutations":[{"number":1,"collection":"student","row":"\(row)","action":"create",\
                "fields":{"name":"谭某某"}}]}
                """
            let head = """
                POST /v1/sync HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r\n\
                Content-Length: \(body.utf8.count)\r\n\r\n
                """
            let upload = try await RawConnection.open(port: server.port, sending: Array(head.utf8))
            let answer = try await upload.finish(sending: Array(body.utf8.dropLast(20)), closing: true)
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400"))
            #expect(try await server.idleExchange(token: token).json["expected"] == 1)
            #expect(try await server.store.rows("student", ids: [row]).isEmpty)
        }
    }

    @Test func `an upload that stalls is given up after the time limit`() async throws {
        try await RunningServer.with([.timeoutSeconds: "1"]) { server in
            // A route without a token: on a busy machine even the making of one may take longer than this limit.
            let head = "POST /v1/enrol HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{"
            let upload = try await RawConnection.open(port: server.port, sending: Array(head.utf8))
            let answer = try await upload.finish(sending: [], closing: false)
            #expect(answer.hasPrefix("HTTP/1.1 408"))
            #expect(answer.contains(#""code":"timeout""#))
        }
    }

    @Test func `an encoded body is refused instead of misread`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            let answer = try await server.send(
                .post, "/v1/sync", token: token, headers: [HTTPHeader("Content-Encoding", "br")], "{}")
            #expect(answer.status == 400)
        }
    }

    @Test(arguments: [
        nil, "", "nonsense", "roost_" + String(repeating: "0", count: 64), "roost_" + String(repeating: "z", count: 63),
    ])
    func `without a token of ours nothing is told`(token: String?) async throws {
        try await RunningServer.with { server in
            for (method, path) in [
                (.post, "/v1/sync"), (.get, "/v1/devices"), (.post, "/v1/enrolment-codes"),
                (.post, "/v1/devices/00000000000000a1/revoke"),
            ] as [(HTTPMethod, String)] {
                let answer = try await server.send(method, path, token: token, method == .post ? "{}" : "")
                #expect(answer.status == 401 && answer.errorCode == "unauthorized")
                #expect(answer.header("WWW-Authenticate") == "Bearer")
            }
        }
    }

    @Test func `a token does not speak for another replica`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled(replica: "00000000000000a1")
            _ = try await server.enrolled("admin", name: "乙", replica: "00000000000000a2")
            let answer = try await server.idleExchange(token: token, replica: "00000000000000a2")
            #expect(answer.status == 403 && answer.errorCode == "forbidden")
        }
    }

    @Test func `more mutations than allowed are refused as a whole`() async throws {
        try await RunningServer.with([.mutations: "1"]) { server in
            let (token, _) = try await server.enrolled()
            let mutations = [1, 2].map { number in
                #"{"number":\#(number),"collection":"student","row":"\#(RowID(bits: UInt128(number)))","#
                    + #""action":"create","time":"01a0000000000000","fields":{}}"#
            }
            let answer = try await server.send(
                .post, "/v1/sync", token: token,
                #"{"protocol":1,"catalogue":1,"replica":"\#(Self.replica)","incarnation":1,"#
                    + #""now":\#(server.clock.now.value),"mutations":[\#(mutations.joined(separator: ","))]}"#)
            #expect(answer.status == 413 && answer.errorCode == "too_many_mutations")
            #expect(try await server.idleExchange(token: token).json["expected"] == 1)
        }
    }

    @Test(arguments: [
        #"{"code":"2222-2222","label":"x"}"#, #"{"code":7,"label":"x","replica":"00000000000000a1"}"#,
        #"{"code":"2222-2222","label":"","replica":"00000000000000a1"}"#,
        #"{"code":"2222-2222","label":"two\nlines","replica":"00000000000000a1"}"#,
        #"{"code":"2222-2222","label":"x","replica":"0000000000000000"}"#,
        #"{"code":"2222-2222","label":"x","replica":"a1"}"#, "not json",
    ])
    func `an enrolment of the wrong form is refused before its code is looked at`(body: String) async throws {
        try await RunningServer.with { server in
            let answer = try await server.send(.post, "/v1/enrol", body)
            #expect(answer.status == 400 && answer.errorCode == "malformed_request")
        }
    }

    @Test func `unknown paths and methods get an error body`() async throws {
        try await RunningServer.with { server in
            for (method, path) in [(.get, "/v1/nope"), (.delete, "/v1/devices"), (.get, "/")]
                as [(HTTPMethod, String)]
            {
                let answer = try await server.send(method, path)
                #expect(answer.status == 404 && answer.errorCode == "not_found")
            }
        }
    }
}
