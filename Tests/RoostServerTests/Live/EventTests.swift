import Curl
import Foundation
import RoostAPI
import RoostModel
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import ServiceLifecycle
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct EventTests {
    private let county = Scope(ScopeKindName("county"))
    private let commons = Scope(ScopeKindName("commons"))

    private func student(_ name: String) -> TrustedEdit {
        TrustedEdit("student", RowID(naming: "events", name), .create, ["name": .text(name)])
    }

    private func school(_ name: String) -> TrustedEdit {
        TrustedEdit("school", RowID(naming: "events", name), .create, ["name": .text(name)])
    }

    /// The scopes that an event names; nil for another event.
    private func scopes(_ event: WireEvent?) -> [Scope]? {
        if case .moved(let scopes) = event { scopes } else { nil }
    }

    @Test func `a device is told which of its own scopes moved, and of nobody else's`() async throws {
        try await RunningServer.with { server in
            let (token, officer) = try await server.enrolled()
            let (other, _) = try await server.enrolled("liaison", name: "联络", replica: "00000000000000a2")
            var registrar = try await EventFeed(of: server, token: token)
            var liaison = try await EventFeed(of: server, token: other)
            #expect(registrar.head.status == 200)
            #expect(registrar.head.header("content-type") == "text/event-stream")
            #expect(registrar.head.header("cache-control") == "no-store")
            #expect(try await registrar.next() == .open(heartbeatSeconds: 20))
            #expect(try await liaison.next() == .open(heartbeatSeconds: 20))
            _ = try await server.store.write([student("甲")], by: officer)
            #expect(try await registrar.next() == .moved([county]))
            _ = try await server.store.write([school("大学")], by: officer)
            #expect(scopes(try await registrar.next())?.contains(commons) ?? false)
            #expect(try await liaison.next() == .moved([commons]))
        }
    }

    @Test func `what moves while nobody reads comes as one event`() async throws {
        let watchers = Watchers(limit: 10)
        let rules = Rules(Catalogue.programme)
        let scope = try #require(rules.commons)
        let device = Device(replica: ReplicaID(1), officer: RowID(naming: "events", "a"), label: "")
        let watcher = try watchers.admit(device) {}
        watchers.place(watcher, in: [scope])
        for _ in 0..<1000 { watchers.tell(Movement(scopes: [scope])) }
        #expect(await watcher.next() == .moved([scope]))
        watchers.beat()
        watchers.beat()
        #expect(await watcher.next() == .heartbeat)
        watchers.close()
        #expect(await watcher.next() == .end(.stopping))
        #expect(throws: Refusal.self) { try watchers.admit(device) {} }
    }

    @Test func `a thousand devices that watch cost the database one question a beat`() async throws {
        try await withTemporaryDirectory { path in
            let asked = Mutex<[String]>([])
            let clock = ManualClock()
            let store = try ServerStore(
                directory: path, catalogue: .programme, clock: { clock.now },
                observing: { sql in asked.withLock { $0.append(sql) } })
            let watchers = Watchers(limit: 1000)
            let scope = try #require(store.rules.commons)
            var seats: [Watcher] = []
            for number in 1...1000 as ClosedRange<UInt64> {
                let device = Device(
                    replica: ReplicaID(number), officer: RowID(naming: "events", "\(number)"), label: "")
                seats.append(try watchers.admit(device) {})
                watchers.place(seats[seats.count - 1], in: [scope])
            }
            let service = WatcherService(
                store: store, watchers: watchers, pause: .seconds(20), logger: LogLines().logger)
            asked.withLock { $0 = [] }
            for _ in 0..<3 {
                await service.beat()
                for seat in seats { #expect(await seat.next() == .heartbeat) }
            }
            #expect(asked.withLock(\.self) == Array(repeating: "PRAGMA data_version", count: 3))
            try store.close()
        }
    }

    @Test func `a device is not told of its own edits`() async throws {
        try await RunningServer.with { server in
            let (token, officer) = try await server.enrolled()
            let (other, _) = try await server.enrolled(name: "乙", replica: "00000000000000a2")
            var own = try await EventFeed(of: server, token: token)
            var others = try await EventFeed(of: server, token: other)
            #expect(try await own.next() == .open(heartbeatSeconds: 20))
            #expect(try await others.next() == .open(heartbeatSeconds: 20))
            let now = server.clock.now.value
            let mutation = Mutation(
                number: 1, collection: "student", row: RowID(naming: "events", "丙"), action: .create,
                time: HybridTime(Milliseconds(now)), changes: [Mutation.Change("name", "丙")])
            let request = ExchangeRequest(
                catalogue: 1, replica: ReplicaID(0xA1), incarnation: 1, epoch: nil, now: Milliseconds(now),
                mutations: [mutation])
            #expect(try await server.send(.post, Path.sync, token: token, bytes: request.json).status == 200)
            #expect(try await others.next() == .moved([county]))
            _ = try await server.store.write([school("大学")], by: officer)
            #expect(scopes(try await own.next())?.contains(commons) ?? false)
        }
    }

    @Test func `a grant that comes or goes is told, and with it what moves in the scope it brings`() async throws {
        try await RunningServer.with { server in
            let (_, admin) = try await server.enrolled("admin", name: "管", replica: "00000000000000a3")
            let (token, officer) = try await server.enrolled("liaison", name: "联络", replica: "00000000000000a2")
            var feed = try await EventFeed(of: server, token: token)
            #expect(try await feed.next() == .open(heartbeatSeconds: 20))
            let grant = TrustedEdit(
                "authority_grant", RowID(naming: "events", "grant"), .create,
                ["officer": .id(officer), "role": "registrar"])
            _ = try await server.store.write([grant], by: admin)
            #expect(try await feed.next() == .moved(nil))
            _ = try await server.store.write([student("甲")], by: admin)
            #expect(try await feed.next() == .moved([county]))
        }
    }

    @Test func `revoking a device ends its stream`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            var feed = try await EventFeed(of: server, token: token)
            #expect(try await feed.next() == .open(heartbeatSeconds: 20))
            let path = "\(Path.devices)/00000000000000a1/revoke"
            #expect(try await server.send(.post, path, token: token).status == 200)
            #expect(try await feed.next() == .end("credentials"))
            #expect(try await feed.next() == nil)
            let again = try await EventFeed(of: server, token: token)
            #expect(again.head.status == 403)
        }
    }

    @Test func `a device revoked by the operator's own process is let go within a heartbeat`() async throws {
        try await RunningServer.with([.heartbeatSeconds: "1"]) { server in
            let (token, _) = try await server.enrolled()
            var feed = try await EventFeed(of: server, token: token)
            #expect(try await feed.next() == .open(heartbeatSeconds: 1))
            let clock = server.clock
            let beside = try ServerStore(
                directory: server.store.directory, catalogue: server.store.rules.catalogue, clock: { clock.now })
            try await beside.revoke(ReplicaID(0xA1))
            try beside.close()
            #expect(try await feed.next() == .end("credentials"))
        }
    }

    @Test func `a second stream of the same device ends the first`() async throws {
        try await RunningServer.with { server in
            let (token, officer) = try await server.enrolled()
            var first = try await EventFeed(of: server, token: token)
            #expect(try await first.next() == .open(heartbeatSeconds: 20))
            var second = try await EventFeed(of: server, token: token)
            #expect(try await second.next() == .open(heartbeatSeconds: 20))
            #expect(try await first.next() == .end("replaced"))
            _ = try await server.store.write([student("甲")], by: officer)
            #expect(try await second.next() == .moved([county]))
            #expect(server.application.watchers.count == 1)
        }
    }

    @Test func `beyond the limit a device is told to come again, and no token opens nothing`() async throws {
        try await RunningServer.with([.watchers: "1"]) { server in
            let (token, _) = try await server.enrolled()
            let (other, _) = try await server.enrolled(name: "乙", replica: "00000000000000a2")
            var feed = try await EventFeed(of: server, token: token)
            #expect(try await feed.next() == .open(heartbeatSeconds: 20))
            let refused = try await server.send(.get, Path.events, token: other)
            #expect(refused.status == 503 && refused.errorCode == "unavailable")
            #expect(refused.header("retry-after") == "300")
            #expect(try await server.send(.get, Path.events).status == 401)
            // The same device may come again at any time.
            var again = try await EventFeed(of: server, token: token)
            #expect(try await again.next() == .open(heartbeatSeconds: 20))
        }
    }

    @Test func `a graceful stop ends streams instead of waiting for them`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            var feed = try await EventFeed(of: server, token: token)
            #expect(try await feed.next() == .open(heartbeatSeconds: 20))
            await server.group.triggerGracefulShutdown()
            #expect(try await feed.next() == .end("stopping"))
            #expect(try await feed.next() == nil)
        }
    }

    @Test func `a reader that takes nothing is cut off after a few heartbeats`() async throws {
        let watchers = Watchers(limit: 10)
        let device = Device(replica: ReplicaID(1), officer: RowID(naming: "events", "a"), label: "")
        try await confirmation { cut in
            let watcher = try watchers.admit(device) { cut() }
            for _ in 0..<3 { watchers.beat() }
            #expect(watchers.count == 1)
            watchers.beat()
            #expect(watchers.count == 0)
            #expect(await watcher.next() == .end(.stopping))
        }
    }
}

@Suite struct EventReaderTests {
    private let events: [WireEvent] = [
        .open(heartbeatSeconds: 20),
        .moved([Scope(ScopeKindName("county")), Scope(ScopeKindName("liaison"), RowID(naming: "a", "b"))]), .heartbeat,
        .moved(nil), .moved([]), .end("stopping"),
    ]

    @Test(arguments: 1...40) func `events are read however the stream is cut`(length: Int) {
        let bytes = events.flatMap(\.bytes)
        var reader = EventReader()
        let read = stride(from: 0, to: bytes.count, by: length).flatMap { start in
            reader.read(Array(bytes[start..<min(start + length, bytes.count)])) ?? []
        }
        #expect(read == events)
    }

    @Test(arguments: ["\n", "\r\n", "\r"]) func `any end of line will do`(end: String) {
        var reader = EventReader()
        let text = [
            "event:moved", "data:{\"scopes\":", "data: [\"county\"]}", "id: 4", "retry", "", ":", "data: {}", "",
        ]
        let read = reader.read(Array((text.joined(separator: end) + end).utf8))
        #expect(read == [.moved([Scope(ScopeKindName("county"))]), .heartbeat, .unknown])
    }

    @Test func `a stream without ends of lines is given up`() {
        var reader = EventReader()
        #expect(reader.read([UInt8](repeating: 0x61, count: 2 << 20)) == nil)
    }
}
