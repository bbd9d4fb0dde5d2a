import Curl
import RoostCourier
import Synchronization
import Testing

@Suite struct SenderTests {
    /// 2026-11-21 00:00:00 UTC.
    static let start = Moment(milliseconds: 1_795_219_200_000)
    static let settings = CourierSettings.testing(weComBase: "http://127.0.0.1:1")

    let clock = ManualClock(start)

    private func robot(_ endpoint: Int, _ part: Int = 1, notAfter: Moment = start + .seconds(86_400)) throws
        -> LeasedDelivery
    {
        LeasedDelivery(
            id: DeliveryID("robot-\(endpoint)-\(part)"), webhookID: WebhookID("msg-r\(endpoint)-\(part)"),
            endpoint: EndpointID("robot-\(endpoint)"), target: .wecom(try WeComKey("0000-0000-0000-000\(endpoint)")),
            body: Array("part \(part)".utf8), contentType: "application/json", attempts: 0, notAfter: notAfter)
    }

    private func webhook(_ endpoint: Int, _ part: Int = 1) throws -> LeasedDelivery {
        LeasedDelivery(
            id: DeliveryID("hook-\(endpoint)-\(part)"), webhookID: WebhookID("msg-h\(endpoint)-\(part)"),
            endpoint: EndpointID("hook-\(endpoint)"),
            target: .generic(
                try WebhookURL("http://127.0.0.1:\(2000 + endpoint)/", settings: Self.settings), secrets: [.random()]),
            body: Array("{}".utf8), contentType: "application/json", attempts: 0,
            notAfter: Self.start + .seconds(5 * 86_400))
    }

    private func sender(_ queue: MemoryQueue, _ transport: any HTTPTransport, maximum: Int = 256) -> Sender {
        Sender(
            queue: queue, transport: transport, settings: Self.settings, maximumInFlight: maximum, clock: clock,
            jitter: { 0.5 }, observe: { _ in })
    }

    private static func answer(_ request: HTTPRequest) -> Result<HTTPResponse, CurlError> {
        .success(HTTPResponse(status: 200, body: Array(#"{"errcode":0,"errmsg":"ok"}"#.utf8)))
    }

    /// Runs the sender until the rows fulfil the condition, then lets it end by itself.
    private func run(
        _ sender: Sender, _ queue: MemoryQueue, until condition: @escaping @Sendable ([MemoryQueue.Row]) -> Bool
    ) async {
        await withTaskGroup { group in
            group.addTask { await sender.run() }
            await queue.wait(until: condition)
            sender.drain()
        }
    }

    @Test func `everything due is sent once, each endpoint within its limit`() async throws {
        var deliveries: [LeasedDelivery] = []
        for endpoint in 1...9 {
            for part in 1...10 { deliveries += [try robot(endpoint, part), try webhook(endpoint, part)] }
        }
        let queue = MemoryQueue(deliveries, due: Self.start)
        let transport = ScriptedTransport { request in
            await Task.yield()
            return Self.answer(request)
        }
        await run(sender(queue, transport, maximum: 20), queue) { $0.allSatisfy { $0.status == .sent } }

        #expect(transport.requests.count == 180)
        #expect(queue.rows.allSatisfy { $0.results.count == 1 && $0.delivery.attempts == 1 })
        for (url, most) in transport.most { #expect(most <= (url.contains("cgi-bin") ? 1 : 4)) }
        #expect(transport.mostInAll <= 20)
        // A robot's parts arrive in their order.
        let bodies = transport.requests.filter { $0.url.hasSuffix("0003") }.map {
            String(decoding: $0.body, as: UTF8.self)
        }
        #expect(bodies == (1...10).map { "part \($0)" })
    }

    @Test func `a queue that hands out too much gets the surplus back unsent`() async throws {
        let deliveries = try (1...6).map { try robot(1, $0) }
        let queue = MemoryQueue(deliveries, due: Self.start, ignoresEndpointLimit: true)
        let transport = ScriptedTransport { request in
            await Task.yield()
            return Self.answer(request)
        }
        let sender = sender(queue, transport)
        await withTaskGroup { group in
            group.addTask { await sender.run() }
            // What goes back is handed out again a moment later and not at once.
            for count in 1...6 {
                await queue.wait { rows in
                    rows.count { $0.status == .sent } >= count && !rows.contains { $0.status == .leased }
                }
                clock.advance(by: .seconds(1))
            }
            sender.drain()
        }
        #expect(transport.requests.count == 6)
        #expect(transport.most.values.allSatisfy { $0 == 1 })
        #expect(queue.rows.allSatisfy { $0.delivery.attempts == 1 })
    }

    @Test func `what is handed out again while it is under way is not sent twice, and counts as it comes back`()
        async throws
    {
        let queue = MemoryQueue([try webhook(1)], due: Self.start)
        let (begun, answered) = (Gate(), Gate())
        let transport = ScriptedTransport { _ in
            begun.open()
            await answered.pass()
            return .success(HTTPResponse(status: 204))
        }
        let sender = sender(queue, transport)
        await withTaskGroup { group in
            group.addTask { await sender.run() }
            await begun.pass()
            queue.loseLeases()
            sender.wake()
            await queue.wait { $0.allSatisfy { $0.status == .leased } }
            answered.open()
            await queue.wait { $0.allSatisfy { $0.status == .sent } }
            sender.drain()
        }
        #expect(transport.requests.count == 1)
        #expect(queue.rows.map(\.results.count) == [1])
    }

    @Test func `a failure is tried again when its time has come, under the same webhook id and a new timestamp`()
        async throws
    {
        let queue = MemoryQueue([try webhook(1)], due: Self.start)
        let count = Atomic<Int>(0)
        let transport = ScriptedTransport { _ in
            let number = count.wrappingAdd(1, ordering: .relaxed).newValue
            return .success(HTTPResponse(status: number < 3 ? 503 : 204))
        }
        let sender = sender(queue, transport)
        await withTaskGroup { group in
            group.addTask { await sender.run() }
            await queue.wait { $0[0].delivery.attempts == 1 }
            #expect(queue.rows[0].status == .retryWait)
            clock.advance(by: .seconds(5))
            await queue.wait { $0[0].delivery.attempts == 2 }
            clock.advance(by: .seconds(30))
            await queue.wait { $0[0].status == .sent }
            sender.drain()
        }
        func header(_ name: String) -> [String?] {
            transport.requests.map { $0.headers.first { $0.name == name }?.value }
        }
        #expect(header("webhook-id") == ["msg-h1-1", "msg-h1-1", "msg-h1-1"])
        #expect(header("webhook-timestamp") == ["1795219200", "1795219205", "1795219235"])
        #expect(Set(header("webhook-signature")).count == 3)
        #expect(queue.rows[0].delivery.attempts == 3)
    }

    @Test func `a robot that does not answer is left uncertain and not asked again`() async throws {
        let queue = MemoryQueue([try robot(1), try robot(1, 2)], due: Self.start)
        let transport = ScriptedTransport { _ in .failure(CurlError(.timedOut, requestMayHaveLeft: true)) }
        await run(sender(queue, transport), queue) { $0.allSatisfy { $0.status == .uncertain } }
        #expect(transport.requests.count == 2)
    }

    @Test func `what is past its last moment is not sent`() async throws {
        let queue = MemoryQueue([try robot(1, notAfter: Self.start)], due: Self.start)
        let transport = ScriptedTransport { Self.answer($0) }
        await run(sender(queue, transport), queue) { $0[0].status == .expired }
        #expect(transport.requests.isEmpty)
        #expect(queue.rows[0].results.map(\.outcome.code) == ["not_after"])
    }

    @Test func `while results cannot be stored nothing more is sent, and none is lost`() async throws {
        let queue = MemoryQueue([try robot(1), try robot(1, 2)], due: Self.start, recordFailures: 3)
        let transport = ScriptedTransport { Self.answer($0) }
        let failures = AsyncStream<Int>.makeStream()
        let sender = Sender(
            queue: queue, transport: transport, settings: Self.settings, clock: clock, jitter: { 0.5 },
            observe: { event in if case .recordFailed = event { failures.continuation.yield(transport.requests.count) }
            })
        await withTaskGroup { group in
            group.addTask { await sender.run() }
            var seen = 0
            for await sent in failures.stream {
                #expect(sent == 1)
                seen += 1
                if seen == 3 { break }
                clock.advance(by: .seconds(1))
                sender.wake()
            }
            clock.advance(by: .seconds(1))
            sender.wake()
            await queue.wait { $0.allSatisfy { $0.status == .sent } }
            sender.drain()
        }
        #expect(transport.requests.count == 2)
        #expect(queue.rows.allSatisfy { $0.results.count == 1 })
    }

    @Test func `draining waits for what is under way and takes nothing new`() async throws {
        let queue = MemoryQueue([try robot(1), try robot(1, 2)], due: Self.start)
        let (gate, arrived) = (Gate(), Gate())
        let transport = ScriptedTransport { request in
            arrived.open()
            await gate.pass()
            return Self.answer(request)
        }
        let sender = sender(queue, transport)
        await withTaskGroup { group in
            group.addTask { await sender.run() }
            await arrived.pass()
            sender.drain()
            gate.open()
        }
        #expect(queue.rows.map(\.status) == [.sent, .queued])
        #expect(transport.requests.count == 1)
    }

    @Test func `cancelling aborts what is under way and stores what became of it`() async throws {
        let queue = MemoryQueue([try robot(1), try webhook(1)], due: Self.start)
        let arrivals = AsyncStream<Void>.makeStream()
        let receiver = try Receiver { _ in
            arrivals.continuation.yield()
            return .hang
        }
        let client = HTTPClient()
        let transport = ScriptedTransport { request in
            var redirected = request
            redirected.url = receiver.base
            do throws(CurlError) { return .success(try await client.send(redirected)) } catch { return .failure(error) }
        }
        let sender = sender(queue, transport)
        let task = Task { await sender.run() }
        var count = 0
        for await _ in arrivals.stream {
            count += 1
            if count == 2 { break }
        }
        task.cancel()
        await task.value
        #expect(queue.rows.map(\.status) == [.uncertain, .retryWait])
        #expect(queue.rows.flatMap(\.results).map(\.outcome.code) == ["cancelled", "cancelled"])
    }
}

/// The whole way over the wire: rendering, sender, libcurl, a receiver.
@Suite struct DeliveryTests {
    @Test func `what was rendered is what arrives, signed and addressed`() async throws {
        let receiver = try Receiver { request in
            request.requestLine.contains("cgi-bin") ? .json(#"{"errcode":0,"errmsg":"ok"}"#) : .answer(204)
        }
        let settings = CourierSettings.testing(weComBase: receiver.base)
        let clock = SystemSenderClock()
        let now = clock.now()
        let message = Message(
            headline: "周报", sections: [Message.Section(title: "政策", items: [Message.Item(title: "安家补贴")])])
        let context = RenderingContext(digest: "d1", frozenAt: now)
        let markdown = try message.rendered(for: .wecom, in: context)
        let payload = try message.rendered(for: .generic, in: context)
        let secret = WebhookSecret.random()

        func delivery(_ name: String, _ target: DeliveryTarget, _ rendering: Rendering) -> LeasedDelivery {
            LeasedDelivery(
                id: DeliveryID(name), webhookID: WebhookID("msg_\(name)"), endpoint: EndpointID(name), target: target,
                body: rendering.parts[0].body, contentType: rendering.contentType, attempts: 0,
                notAfter: now + .seconds(3600))
        }
        let queue = MemoryQueue(
            [
                delivery("robot", .wecom(try WeComKey("0123456789abcdef")), markdown),
                delivery(
                    "hook", .generic(try WebhookURL(receiver.base + "/in?t=1", settings: settings), secrets: [secret]),
                    payload),
            ], due: now)
        let sender = Sender(queue: queue, transport: HTTPClient(), settings: settings, clock: clock, observe: { _ in })
        await withTaskGroup { group in
            group.addTask { await sender.run() }
            await queue.wait { $0.allSatisfy { $0.status.isFinal } }
            sender.drain()
        }

        #expect(queue.rows.map(\.status) == [.sent, .sent])
        let robot = try #require(receiver.requests.first { $0.requestLine.contains("cgi-bin") })
        #expect(robot.requestLine == "POST /cgi-bin/webhook/send?key=0123456789abcdef HTTP/1.1")
        #expect(robot.body == markdown.parts[0].body)
        #expect(robot.values(of: "content-type") == ["application/json"])
        #expect(robot.values(of: "webhook-signature").isEmpty)

        let hook = try #require(receiver.requests.first { $0.requestLine.contains("/in?t=1") })
        #expect(hook.body == payload.parts[0].body)
        #expect(hook.values(of: "webhook-id") == ["msg_hook"])
        let timestamp = try #require(hook.values(of: "webhook-timestamp").first.flatMap(Int64.init))
        let signature = try #require(hook.values(of: "webhook-signature").first)
        #expect(
            WebhookSignature.verify(
                header: signature, id: WebhookID("msg_hook"), timestamp: timestamp, body: hook.body, secret: secret,
                now: clock.now()))

        let results = queue.rows.flatMap(\.results)
        #expect(results.map(\.status) == [200, 204])
        #expect(results.map(\.url) == ["\(receiver.base)/cgi-bin/webhook/send?key=***", "\(receiver.base)/in?t=***"])
        #expect(results.allSatisfy { $0.connectedAddress == "127.0.0.1:\(receiver.port)" })
        #expect(results[0].answer == #"{"errcode":0,"errmsg":"ok"}"#)
    }

    @Test func `a real server's settings reach no receiver on this machine`() async throws {
        let receiver = try Receiver()
        let now = SystemSenderClock().now()
        let testing = CourierSettings.testing(weComBase: receiver.base)
        let targets = ["http://127.0.0.1", "https://localhost", "https://127.1"].map { "\($0):\(receiver.port)/" }
        let deliveries = try targets.map { url in
            LeasedDelivery(
                id: DeliveryID(url), webhookID: WebhookID("m"), endpoint: EndpointID(url),
                target: .generic(try WebhookURL(url, settings: testing), secrets: [.random()]), body: [],
                contentType: "application/json", attempts: 0, notAfter: now + .seconds(86_400))
        }
        let queue = MemoryQueue(deliveries, due: now)
        let ports = try #require(PortList("443, \(receiver.port)"))
        let sender = Sender(
            queue: queue, transport: HTTPClient(), settings: .production(webhookPorts: ports), observe: { _ in })
        await withTaskGroup { group in
            group.addTask { await sender.run() }
            await queue.wait { $0.allSatisfy { $0.status == .failed } }
            sender.drain()
        }
        #expect(receiver.requests.isEmpty)
        #expect(queue.rows.flatMap(\.results).map(\.outcome.code) == ["unsupported_protocol", "blocked", "blocked"])
    }

    @Test func `nothing goes to a port that is not allowed any more, and the endpoint is disabled until it is mended`()
        async throws
    {
        let receiver = try Receiver()
        let url = try WebhookURL("\(receiver.base)/in", settings: .testing(weComBase: receiver.base))
        let result = await sendOnce(
            [], contentType: "application/json", to: .generic(url, secrets: [.random()]), as: WebhookID("m"),
            over: HTTPClient(), settings: .production(), clock: SystemSenderClock())
        #expect(result.outcome.class == .config && result.outcome.code == "forbidden_port")
        #expect(result.decision.disablesEndpoint && result.outcome.instruction.english.contains("courier.ports"))
        #expect(receiver.requests.isEmpty)
    }
}
