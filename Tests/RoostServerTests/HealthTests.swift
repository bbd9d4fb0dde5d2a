import Curl
import Foundation
import RoostAPI
import RoostModel
import RoostSchema
import RoostServer
import RoostStore
import RoostSync
import Synchronization
import Testing

@Suite struct HealthTests {
    @Test func `a running server says it is alive and ready, with its epoch`() async throws {
        try await RunningServer.with { server in
            let alive = try await server.send(.get, "/healthz")
            #expect(alive.status == 200 && alive.json["status"] == "ok")
            let ready = try await server.send(.get, "/readyz")
            #expect(ready.status == 200 && ready.json["epoch"] == .text(server.store.epoch))
        }
    }

    @Test func `a server beside a foreign epoch file is alive but not ready`() async throws {
        try await RunningServer.with { server in
            try Data("0000000000000000\n".utf8)
                .write(to: URL(fileURLWithPath: server.directory.path + "/" + EpochFile.name))
            let ready = try await server.send(.get, "/readyz")
            #expect(ready.status == 503 && ready.errorCode == "unavailable")
            #expect(ready.header("Retry-After") != nil)
            #expect(try await server.send(.get, "/healthz").status == 200)
        }
    }

    @Test func `asking for readiness writes at most once a second`() async throws {
        let clock = ManualClock()
        let checks = Atomic(0)
        let isFailing = Atomic(false)
        let readiness = Readiness(clock: { clock.now }) {
            checks.add(1, ordering: .relaxed)
            if isFailing.load(ordering: .relaxed) { throw CancellationError() }
        }
        for _ in 0..<5 { #expect(await readiness.isWritable) }
        #expect(checks.load(ordering: .relaxed) == 1)
        isFailing.store(true, ordering: .relaxed)
        clock.advance(seconds: 1)
        for _ in 0..<5 { #expect(await !readiness.isWritable) }
        #expect(checks.load(ordering: .relaxed) == 2)
        isFailing.store(false, ordering: .relaxed)
        clock.advance(seconds: 1)
        #expect(await readiness.isWritable)
    }

    @Test func `limits are told as they are configured`() async throws {
        let settings: [(SettingKey, WritableKeyPath<Limits, Int>)] = [
            (.bodyBytes, \.bodyBytes), (.mutations, \.mutations), (.timeoutSeconds, \.timeoutSeconds),
            (.perDevice, \.requestsPerMinutePerDevice), (.perAddress, \.requestsPerMinutePerAddress),
            (.pageBytes, \.pageBytes), (.importTimeoutSeconds, \.importTimeoutSeconds), (.watchers, \.watchers),
            (.heartbeatSeconds, \.heartbeatSeconds), (.pollSeconds, \.pollSeconds), (.leaseDays, \.leaseDays),
        ]
        // One more than what each is without being set.
        var configured = Limits()
        for (_, limit) in settings { configured[keyPath: limit] += 1 }
        let values = settings.map { ($0.0, "\(configured[keyPath: $0.1])") }
        try await RunningServer.with(Dictionary(uniqueKeysWithValues: values)) { server in
            let told = try await server.send(.get, "/v1/limits")
            #expect(try JSONDecoder().decode(Limits.self, from: Data(told.body)) == configured)
            #expect(told.json["protocol"] == 1)
        }
    }

    @Test func `the schema tells every collection and field of the catalogue, and no write rule`() async throws {
        try await RunningServer.with { server in
            let schema = try await server.send(.get, "/v1/schema").json
            let catalogue = server.store.rules.catalogue
            #expect(schema["version"] == .integer(Int64(catalogue.version)))
            let told = schema["collections"]?.list ?? []
            let synced = catalogue.collections.filter { $0.syncClass != .serverOnly }
            #expect(told.map { $0["name"]?.text } == synced.map(\.name.text))
            for (collection, value) in zip(synced, told) {
                let fields = value["fields"]?.list ?? []
                #expect(fields.map { $0["name"]?.text } == collection.fields.map(\.name.text))
                #expect(fields.map { $0["label"]?["zh"]?.text } == collection.fields.map(\.label.zh))
                #expect(fields.allSatisfy { $0["kind"]?.text != nil })
            }
            #expect(schema["scopes"]?.list?.count == catalogue.scopes.count)
            #expect(schema["roles"]?.list?.allSatisfy { $0["writes"] == nil } ?? false)
        }
    }

    @Test func `metrics are Prometheus text that counts what happened`() async throws {
        try await RunningServer.with { server in
            let (token, _) = try await server.enrolled()
            #expect(try await server.idleExchange(token: token).status == 200)
            #expect(try await server.send(.get, "/v1/nothing").status == 404)
            let metrics = try await server.send(.get, "/metrics")
            #expect(metrics.header("Content-Type")?.hasPrefix("text/plain; version=0.0.4") ?? false)
            let lines = metrics.text.split(separator: "\n")
            #expect(lines.contains("# TYPE roost_requests_total counter"))
            #expect(lines.contains(#"roost_requests_total{method="POST",path="/v1/sync",status="200"} 1"#))
            #expect(lines.contains(#"roost_request_seconds_bucket{path="/v1/sync",le="+Inf"} 1"#))
            #expect(lines.contains(#"roost_refusals_total{code="not_found"} 1"#))
            #expect(lines.contains("roost_enrolments_total 1"))
            #expect(lines.contains("roost_watchers 0.0"))
            #expect(lines.filter { $0.hasPrefix("#") }.count == Set(lines.filter { $0.hasPrefix("#") }).count)
        }
    }

    @Test func `metrics behind a token are for its bearer only`() async throws {
        try await RunningServer.with([.metricsToken: "scrape-me"]) { server in
            var statuses: [Int] = []
            for token in [nil, "scrape-you", "scrape-me"] {
                statuses.append(try await server.send(.get, "/metrics", token: token).status)
            }
            #expect(statuses == [401, 401, 200])
        }
    }
}
