import Curl
import Logging
import RoostSchema
import RoostServer
import RoostSync
import ServiceLifecycle
import Testing

@Suite struct RateLimiterTests {
    @Test func `the limit is reached and passes with time`() {
        let clock = ManualClock()
        let limiter = RateLimiter { clock.now }
        for _ in 0..<5 { #expect(limiter.secondsToWait(for: "a", perMinute: 5) == nil) }
        #expect(limiter.secondsToWait(for: "a", perMinute: 5) != nil)
        #expect(limiter.secondsToWait(for: "b", perMinute: 5) == nil)
        clock.advance(seconds: 120)
        #expect(limiter.secondsToWait(for: "a", perMinute: 5) == nil)
    }

    @Test func `a minute's end does not let twice the limit through`() {
        let clock = ManualClock()
        let limiter = RateLimiter { clock.now }
        clock.advance(seconds: 59)
        for _ in 0..<60 { _ = limiter.secondsToWait(for: "a", perMinute: 60) }
        clock.advance(seconds: 2)
        let admitted = (0..<60).filter { _ in limiter.secondsToWait(for: "a", perMinute: 60) == nil }.count
        #expect(admitted < 5)
    }

    @Test func `a clock set back locks nobody out`() {
        let clock = ManualClock()
        let limiter = RateLimiter { clock.now }
        for _ in 0..<5 { _ = limiter.secondsToWait(for: "a", perMinute: 5) }
        clock.advance(seconds: -3600)
        #expect(limiter.secondsToWait(for: "a", perMinute: 5) == nil)
    }

    @Test func `a device that asks too often is told when to come again, and others are not held up`() async throws {
        try await RunningServer.with([.perDevice: "3"]) { server in
            let (token, _) = try await server.enrolled("registrar", name: "甲", replica: "00000000000000a1")
            let (other, _) = try await server.enrolled("registrar", name: "乙", replica: "00000000000000a2")
            for _ in 0..<3 { #expect(try await server.idleExchange(token: token).status == 200) }
            let limited = try await server.idleExchange(token: token)
            #expect(limited.status == 429 && limited.errorCode == "rate_limited")
            #expect(limited.header("Retry-After") != nil)
            #expect(try await server.idleExchange(token: other, replica: "00000000000000a2").status == 200)
        }
    }

    @Test func `behind a trusted proxy limits count by the address it names last, and elsewhere by the sender's`()
        async throws
    {
        for (isTrusted, expected) in [("true", [401, 401, 429, 401]), ("false", [401, 401, 429, 429])] {
            try await RunningServer.with([.perAddress: "2", .trustsForwardedFor: isTrusted]) { server in
                var statuses: [Int] = []
                for addresses in [
                    "1.1.1.1, 203.0.113.7", "2.2.2.2, 203.0.113.7", "203.0.113.7", "203.0.113.7, 203.0.113.8",
                ] {
                    let header = HTTPHeader("X-Forwarded-For", addresses)
                    statuses.append(try await server.send(.get, "/v1/devices", headers: [header]).status)
                }
                #expect(statuses == expected)
            }
        }
    }

    @Test func `guessing tokens is limited by address`() async throws {
        try await RunningServer.with([.perAddress: "4"]) { server in
            var statuses: [Int] = []
            for _ in 0..<6 { statuses.append(try await server.send(.get, "/v1/devices", token: "guess").status) }
            #expect(statuses == [401, 401, 401, 401, 429, 429])
        }
    }
}

@Suite struct LogTests {
    @Test func `the log tells what happened to a request and nothing about people`() async throws {
        try await RunningServer.with { server in
            let (token, officer) = try await server.enrolled("registrar", name: "区某某")
            let header = HTTPHeader("x-request-id", "support-case-42")
            let devices = try await server.send(.get, "/v1/devices?name=%E5%8C%BA", token: token, headers: [header])
            #expect(devices.header("x-request-id") == "support-case-42")
            _ = try await server.send(.post, "/v1/sync", token: token, #"{"mutations":[{"fields":{"name":"谭某某"#)
            _ = try await server.send(.post, "/v1/devices/00000000000000a1/revoke", token: token)
            await server.group.triggerGracefulShutdown()
            let log = server.log.text
            #expect(log.contains(#""request_id":"support-case-42""#))
            #expect(log.contains(#""path":"/v1/devices/{replica}/revoke""#))
            #expect(log.contains(#""replica":"00000000000000a1""#))
            #expect(log.contains(#""status":"400""#))
            for secret in [
                token, String(token.dropFirst(6)), "区某某", "谭某某", "办公室电脑", officer.description, "%E5%8C%BA", "name=",
            ] {
                #expect(!log.contains(secret))
            }
        }
    }

    @Test(arguments: ["short", "has space in it", "line\u{7F}break", String(repeating: "x", count: 65)])
    func `a request id that could harm a log is replaced`(inbound: String) async throws {
        try await RunningServer.with { server in
            let bytes = inbound.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? inbound : "ünïcode-request"
            let answer = try await server.send(.get, "/healthz", headers: [HTTPHeader("x-request-id", bytes)])
            let id = try #require(answer.header("x-request-id"))
            #expect(id != bytes && id.count == 16)
        }
    }

    @Test func `a line is one line whatever is logged`() {
        let lines = LogLines()
        lines.logger.info("two\nlines", metadata: ["k": "a \"quoted\"\nvalue"])
        #expect(!lines.text.contains("\n"))
        #expect((try? Value(json: Array(lines.text.utf8)))?["k"] == "a \"quoted\"\nvalue")
    }
}

@Suite struct StopTests {
    @Test func `a graceful stop answers what was begun and takes nothing new`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            // Half a request is under way when the stop begins.
            let body = #"{"protocol":1,"catalogue":1,"replica":"00000000000000a1","incarnation":1,"now":0}"#
            let head = """
                POST /v1/sync HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r\n\
                Content-Length: \(body.utf8.count)\r\n\r\n
                """
            // Half a request is under way when the stop begins.
            let upload = try await RawConnection.open(
                port: server.port, sending: Array(head.utf8) + body.utf8.prefix(20))
            while try await !server.send(.get, "/metrics").text.contains("roost_requests_in_flight 2.0") {}
            await server.group.triggerGracefulShutdown()
            let answer = try await upload.finish(sending: Array(body.utf8.dropFirst(20)), closing: false)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.contains(#""expected":1"#))
            var isStopped = false
            for _ in 0..<1000 where !isStopped {
                do { _ = try await server.send(.post, "/v1/sync", token: token, body) } catch { isStopped = true }
            }
            #expect(isStopped)
        }
    }
}
