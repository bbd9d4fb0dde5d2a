import Curl
import Glibc
import Synchronization
import Testing

/// Options for a receiver on this machine, quick to give up.
private func local(_ change: (inout TransferOptions) -> Void = { _ in }) -> TransferOptions {
    var options = TransferOptions(
        connectTimeout: .seconds(60), totalTimeout: .seconds(120), allowedSchemes: [.http, .https],
        addressPolicy: .anyAddress)
    change(&options)
    return options
}

/// The error that sending the request ends with, or nil when it is answered.
private func failure(of request: HTTPRequest, by client: HTTPClient) async -> CurlError? {
    do throws(CurlError) {
        _ = try await client.send(request)
        return nil
    } catch {
        return error
    }
}

@Suite struct HTTPClientTests {
    let client = HTTPClient()

    @Test func `a POST arrives with exactly its headers and its body`() async throws {
        let receiver = try Receiver { _ in .answer(201, headers: ["X-Answer:  yes "], body: Array("done".utf8)) }
        let body = Array("{\"a\":\"归巢\u{0}\"}".utf8)
        let response = try await client.send(
            HTTPRequest(
                method: .post, url: receiver.base + "/hook?x=1",
                headers: [HTTPHeader("Content-Type", "application/json"), HTTPHeader("X-Empty", "")], body: body,
                options: local()))

        #expect(response.status == 201)
        #expect(response.header("x-answer") == "yes")
        #expect(response.body == Array("done".utf8))
        #expect(response.connectedAddress == "127.0.0.1:\(receiver.port)")
        #expect(response.timings.total > .zero)
        let request = try #require(receiver.requests.first)
        #expect(request.requestLine == "POST /hook?x=1 HTTP/1.1")
        #expect(request.values(of: "content-type") == ["application/json"])
        #expect(request.values(of: "x-empty") == [""])
        #expect(request.values(of: "content-length") == ["\(body.count)"])
        #expect(request.values(of: "expect").isEmpty)
        #expect(request.body == body)
    }

    @Test func `a body made at departure goes in place of the one announced, if it has its length`() async throws {
        let receiver = try Receiver()
        var request = HTTPRequest(method: .post, url: receiver.base, body: Array("written".utf8), options: local())
        for body in ["leaving", "of another length"] {
            request.departingBody = { Array(body.utf8) }
            _ = try await client.send(request)
        }
        request.departingBody = nil
        _ = try await client.send(request)
        let bodies = receiver.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies == ["leaving", "written", "written"])
    }

    @Test func `a body is made anew each time it leaves, and not before a connection stands`() async throws {
        let made = Mutex(0)
        func request(to url: String) -> HTTPRequest {
            var request = HTTPRequest(method: .post, url: url, body: Array("body 0".utf8), options: local())
            request.departingBody = {
                made.withLock { made in
                    made += 1
                    return Array("body \(made)".utf8)
                }
            }
            return request
        }
        let (socket, port) = try listeningSocket(backlog: 1)
        close(socket)
        let error = await failure(of: request(to: "http://127.0.0.1:\(port)"), by: client)
        #expect(error?.reason == .unreachable)
        #expect(made.withLock { $0 } == 0)
        // A kept connection that the receiver closes as the second request comes: libcurl opens another.
        let receiver = try Receiver { request in request.body == Array("body 2".utf8) ? .close : .answer(200) }
        for _ in 0..<2 { #expect(try await client.send(request(to: receiver.base)).status == 200) }
        #expect(receiver.requests.map { String(decoding: $0.body, as: UTF8.self) } == ["body 1", "body 2", "body 3"])
    }

    @Test func `a body of three megabytes arrives whole`() async throws {
        let receiver = try Receiver()
        let body = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let response = try await client.send(
            HTTPRequest(method: .post, url: receiver.base, body: body, options: local()))
        #expect(response.status == 200)
        #expect(receiver.requests.first?.body == body)
    }

    @Test(arguments: [HTTPMethod.get, .head, .post, .put, .patch, .delete])
    func `each method is sent under its own name`(_ method: HTTPMethod) async throws {
        let receiver = try Receiver { _ in .answer(200, body: [1, 2, 3]) }
        let response = try await client.send(
            HTTPRequest(method: method, url: receiver.base, options: local { $0.freshConnection = true }))
        #expect(receiver.requests.first?.requestLine == "\(method.rawValue) / HTTP/1.1")
        #expect(response.body == (method == .head ? [] : [1, 2, 3]))
    }

    @Test func `a connection is reused unless a fresh one is asked for`() async throws {
        let receiver = try Receiver()
        func ask(_ options: TransferOptions) async throws -> Int? {
            _ = try await client.send(HTTPRequest(method: .get, url: receiver.base, options: options))
            return receiver.requests.last?.connection
        }
        var connections: [Int?] = []
        var began = ContinuousClock.now
        repeat {
            began = .now
            connections = [try await ask(local()), try await ask(local())]
            // A connection is not kept for more than a minute, which can pass on a machine that does much else.
        } while began.duration(to: .now) > .seconds(50)
        #expect(connections[0] == connections[1])
        #expect(try await ask(local { $0.freshConnection = true }) != connections[1])
    }

    @Test func `what is doubtful has connections of its own, and ends with the client`() async throws {
        let (arrivals, arrival) = AsyncStream<Void>.makeStream()
        let receiver = try Receiver { request in
            guard request.body.isEmpty else { return .answer(200) }
            arrival.yield()
            return .hang
        }
        let client = HTTPClient()
        var request = HTTPRequest(method: .post, url: receiver.base, body: [1], options: local())
        _ = try await client.send(request)
        request.isDoubtful = true
        _ = try await client.send(request)
        #expect(Set(receiver.requests.map(\.connection)).count == 2)
        request.body = []
        async let silence = failure(of: request, by: client)
        for await _ in arrivals { break }
        client.shutdown()
        #expect(await silence?.reason == .closed)
    }

    @Test func `connections are kept beside more receivers that hang than idle ones are allowed`() async throws {
        let (arrivals, arrival) = AsyncStream<Void>.makeStream()
        let silent = try Receiver { _ in
            arrival.yield()
            return .hang
        }
        let receiver = try Receiver()
        let client = HTTPClient(idleConnections: 2)
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                let request = HTTPRequest(method: .post, url: silent.base, options: local())
                group.addTask { _ = await failure(of: request, by: client) }
            }
            for await _ in arrivals.prefix(8) {}
            for _ in 0..<5 {
                _ = try await client.send(HTTPRequest(method: .post, url: receiver.base, options: local()))
            }
            client.shutdown()
        }
        #expect(Set(receiver.requests.map(\.connection)).count == 1)
    }

    @Test func `two hundred requests at once are all answered with their own answer`() async throws {
        let receiver = try Receiver { .answer(200, body: $0.body) }
        let answers = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for number in 0..<200 {
                group.addTask { [client] in
                    let request = HTTPRequest(
                        method: .post, url: receiver.base, body: Array("\(number)".utf8), options: local())
                    return (number, try await client.send(request).body)
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(answers.count == 200)
        #expect(answers.allSatisfy { $0.value == Array("\($0.key)".utf8) })
    }

    @Test func `a redirect is an answer and is not followed`() async throws {
        let receiver = try Receiver { _ in .answer(302, headers: ["Location: /elsewhere"]) }
        let response = try await client.send(HTTPRequest(method: .get, url: receiver.base, options: local()))
        #expect(response.status == 302)
        #expect(receiver.requests.count == 1)
    }

    @Test func `only the last answer's headers are kept`() async throws {
        let receiver = try Receiver { _ in
            .raw(Array("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Last: 2\r\n\r\nhi".utf8))
        }
        let response = try await client.send(HTTPRequest(method: .get, url: receiver.base, options: local()))
        #expect(response.headers == [HTTPHeader("X-Last", "2")])
        #expect(response.body == Array("hi".utf8))
    }

    @Test func `a compressed answer is inflated, and its limit counts inflated bytes`() async throws {
        // gzip of {"rows":[]} three times: 33 bytes inflated.
        let compressed: [UInt8] = [
            31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 42, 202, 47, 47, 86, 178, 138, 142, 173, 173, 198, 202, 4, 0,
            186, 60, 228, 59, 33, 0, 0, 0,
        ]
        let receiver = try Receiver { _ in .answer(200, headers: ["Content-Encoding: gzip"], body: compressed) }
        let request = HTTPRequest(method: .get, url: receiver.base, options: local { $0.acceptCompressed = true })
        let response = try await client.send(request)
        #expect(response.body == Array(#"{"rows":[]}{"rows":[]}{"rows":[]}"#.utf8))
        #expect(receiver.requests.first?.values(of: "accept-encoding") == ["gzip"])

        var limited = request
        limited.options.responseLimit = 32
        #expect(await failure(of: limited, by: client)?.reason == .tooLarge)
    }

    @Test func `an answer over the limit is refused or cut, as asked`() async throws {
        let receiver = try Receiver { _ in .answer(200, body: [UInt8](repeating: 7, count: 100_000)) }
        let exact = local { $0.responseLimit = 100_000 }
        let whole = try await client.send(HTTPRequest(method: .get, url: receiver.base, options: exact))
        #expect(whole.body.count == 100_000 && !whole.bodyIsTruncated)

        let refusing = local { $0.responseLimit = 99_999 }
        let error = await failure(of: HTTPRequest(method: .get, url: receiver.base, options: refusing), by: client)
        #expect(error?.reason == .tooLarge)
        #expect(error?.status == 200)

        var cutting = refusing
        cutting.overflow = .truncate
        let cut = try await client.send(HTTPRequest(method: .get, url: receiver.base, options: cutting))
        #expect(cut.status == 200 && cut.bodyIsTruncated)
        #expect(cut.body == [UInt8](repeating: 7, count: 99_999))
    }
}

@Suite struct HTTPClientFailureTests {
    let client = HTTPClient()

    @Test func `a receiver that never answers is a timeout after which the request may have arrived`() async throws {
        let receiver = try Receiver { _ in .hang }
        let options = local { $0.totalTimeout = .milliseconds(200) }
        let error = await failure(of: HTTPRequest(method: .post, url: receiver.base, options: options), by: client)
        #expect(error?.reason == .timedOut)
        #expect(error?.surelyNotSent == false)
        #expect(receiver.requests.count == 1)
    }

    @Test func `a transfer that moves nothing is given up before its whole time is over`() async throws {
        let receiver = try Receiver { _ in .hang }
        let options = local {
            $0.stallTimeout = .seconds(1)
            $0.totalTimeout = .seconds(60)
        }
        let error = await failure(of: HTTPRequest(method: .post, url: receiver.base, options: options), by: client)
        #expect(error?.reason == .timedOut)
        #expect(try #require(error).timings.total < .seconds(10))
    }

    @Test func `a handshake that never ends is a timeout before which nothing was sent`() async throws {
        // Connected by the kernel, answered by nobody: the TLS handshake hangs.
        let (socket, port) = try listeningSocket(backlog: 4)
        defer { close(socket) }
        let options = local { $0.connectTimeout = .milliseconds(200) }
        let request = HTTPRequest(method: .post, url: "https://127.0.0.1:\(port)/", body: [1], options: options)
        let error = await failure(of: request, by: client)
        #expect(error?.reason == .timedOut)
        #expect(error?.surelyNotSent == true)
    }

    @Test func `a refused connection is unreachable and nothing was sent`() async throws {
        let (socket, port) = try listeningSocket(backlog: 1)
        close(socket)
        let request = HTTPRequest(method: .post, url: "http://127.0.0.1:\(port)/", options: local())
        let error = await failure(of: request, by: client)
        #expect(error?.reason == .unreachable)
        #expect(error?.surelyNotSent == true)
        #expect(error?.status == nil)
    }

    @Test func `TLS to a receiver without TLS fails before anything was sent`() async throws {
        let receiver = try Receiver { _ in .close }
        let options = local { $0.connectTimeout = .milliseconds(300) }
        let request = HTTPRequest(
            method: .post, url: "https://127.0.0.1:\(receiver.port)/", body: [1], options: options)
        let error = await failure(of: request, by: client)
        #expect(error?.surelyNotSent == true)
        #expect(receiver.requests.isEmpty)
    }

    @Test(arguments: [
        (Reply.close, CurlError.Reason.interrupted, nil as Int?),
        (.raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".utf8)), .interrupted, 200),
        (.raw(Array("SSH-2.0-OpenSSH_9.2\r\n\r\n".utf8)), .badResponse, nil),
    ])
    func `a broken answer tells that the request may have arrived`(
        _ reply: Reply, _ reason: CurlError.Reason, _ status: Int?
    ) async throws {
        let receiver = try Receiver { _ in reply }
        let request = HTTPRequest(
            method: .post, url: receiver.base, body: [1], options: local { $0.freshConnection = true })
        let error = await failure(of: request, by: client)
        #expect(error?.reason == reason)
        #expect(error?.surelyNotSent == false)
        #expect(error?.status == status)
    }

    @Test func `a head without end is refused`() async throws {
        let receiver = try Receiver { _ in
            .answer(200, headers: (0..<2000).map { "X-Filler-\($0): \(String(repeating: "x", count: 50))" })
        }
        let request = HTTPRequest(method: .get, url: receiver.base, options: local())
        #expect(await failure(of: request, by: client)?.reason == .tooLarge)
    }

    @Test func `cancelling the task aborts the transfer`() async throws {
        let (arrivals, arrival) = AsyncStream<Void>.makeStream()
        let receiver = try Receiver { _ in
            arrival.yield()
            return .hang
        }
        let task = Task { [client] in
            await failure(of: HTTPRequest(method: .post, url: receiver.base, options: local()), by: client)
        }
        for await _ in arrivals { break }
        task.cancel()
        let error = await task.value
        #expect(error?.reason == .cancelled)
        #expect(error?.surelyNotSent == false)
    }

    @Test func `a task cancelled beforehand sends nothing`() async throws {
        let receiver = try Receiver()
        let error = await withTaskGroup(of: CurlError?.self) { group in
            group.cancelAll()
            group.addTask { [client] in
                await failure(of: HTTPRequest(method: .post, url: receiver.base, options: local()), by: client)
            }
            return await group.next() ?? nil
        }
        #expect(error?.reason == .cancelled)
        #expect(error?.surelyNotSent == true)
        #expect(receiver.requests.isEmpty)
    }

    @Test func `shutting down ends what is under way and refuses what follows`() async throws {
        let (arrivals, arrival) = AsyncStream<Void>.makeStream()
        let receiver = try Receiver { _ in
            arrival.yield()
            return .hang
        }
        let client = HTTPClient()
        let request = HTTPRequest(method: .post, url: receiver.base, options: local())
        async let first = failure(of: request, by: client)
        for await _ in arrivals { break }
        client.shutdown()
        #expect(await first?.reason == .closed)
        #expect(await failure(of: request, by: client)?.reason == .closed)
        client.shutdown()
    }

    @Test(arguments: [
        HTTPHeader("X-Injected", "a\r\nX-Second: b"), HTTPHeader("X-Injected", "a\nb"), HTTPHeader("X-Nul", "a\u{0}b"),
        HTTPHeader("X-Name\r\nX-Second", "a"), HTTPHeader("X Name", "a"), HTTPHeader("", "a"), HTTPHeader("X:", "a"),
    ])
    func `a header that would become two, or none, is refused`(_ header: HTTPHeader) async throws {
        let receiver = try Receiver()
        let request = HTTPRequest(method: .post, url: receiver.base, headers: [header], options: local())
        let error = await failure(of: request, by: client)
        #expect(error?.reason == .invalidHeader)
        #expect(error?.surelyNotSent == true)
        #expect(receiver.requests.isEmpty)
    }

    @Test(arguments: [
        "", "127.0.0.1", "/path", "http://", "http:///path", "http://a b/", "http://host/\r\nX: y", "http://user@host/",
        "http://user:secret@host/", "http://host\\@other/", "http://１２７.0.0.1/", "http://host/路径", "://host/",
        "http://host:99999999/",
    ])
    func `a URL that is not plain and absolute is refused`(_ url: String) async throws {
        let error = await failure(of: HTTPRequest(method: .get, url: url, options: local()), by: client)
        #expect(error?.reason == .invalidURL)
        #expect(error?.surelyNotSent == true)
    }

    @Test(arguments: [
        "file:///etc/passwd", "gopher://127.0.0.1/x", "ftp://127.0.0.1/x", "smtp://127.0.0.1/", "http://127.0.0.1/",
    ])
    func `a protocol that is not allowed is refused`(_ url: String) async throws {
        let options = local { $0.allowedSchemes = [.https] }
        let error = await failure(of: HTTPRequest(method: .get, url: url, options: options), by: client)
        #expect(error?.reason == (url.hasPrefix("file:///") ? .invalidURL : .unsupportedProtocol))
        #expect(error?.surelyNotSent == true)
    }

    @Test func `a name that cannot exist is unresolved`() async throws {
        let request = HTTPRequest(method: .get, url: "http://no-such-host.invalid/", options: local())
        let error = await failure(of: request, by: client)
        #expect(error?.reason == .unresolved)
        #expect(error?.surelyNotSent == true)
    }
}
