import CoreMetrics
import Foundation
import Metrics
import RoostAPI
import RoostStore
import RoostSync

/// What the server counts, by name; the only place where metric names are spelled.
package struct ServerMetrics: Sendable {
    package let registry: PrometheusRegistry

    package init(registry: PrometheusRegistry = PrometheusRegistry()) { self.registry = registry }

    /// Requests whose answer is not decided yet.
    var requestsInFlight: Meter { Meter(label: "roost_requests_in_flight", factory: registry) }

    func record(method: String, path: String, status: Int, duration: Duration) {
        counter("roost_requests_total", [("method", method), ("path", path), ("status", String(status))]).increment()
        Timer(label: "roost_request_seconds", dimensions: [("path", path)], factory: registry)
            .recordNanoseconds(
                duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
    }

    func refused(_ code: APIErrorCode) { counter("roost_refusals_total", [("code", code.rawValue)]).increment() }

    func exchanged(_ summary: ExchangeSummary) {
        for (outcome, count) in summary.verdicts {
            counter("roost_mutations_total", [("verdict", outcome.rawValue)]).increment(by: count)
        }
        if summary.repeated > 0 {
            counter("roost_mutations_total", [("verdict", "repeated")]).increment(by: summary.repeated)
        }
        counter("roost_rows_sent_total").increment(by: summary.rows)
    }

    func attempted(_ channel: String, _ outcome: String) {
        counter("roost_delivery_attempts_total", [("channel", channel), ("outcome", outcome)]).increment()
    }

    /// How the outbox is doing at this moment.
    func told(_ figures: OutboxFigures, now: Milliseconds) {
        func gauge(_ label: String, _ dimensions: [(String, String)] = [], _ value: Int64) {
            Meter(label: label, dimensions: dimensions, factory: registry).set(value)
        }
        for state in DeliveryState.allCases where !state.isSettled {
            gauge("roost_deliveries", [("state", state.rawValue)], Int64(figures.byState[state] ?? 0))
        }
        gauge("roost_delivery_oldest_due_seconds", [], figures.oldestDue.map { max(0, (now - $0) / 1000) } ?? 0)
        for state in EndpointRecord.State.allCases {
            gauge("roost_endpoints", [("state", state.rawValue)], Int64(figures.endpoints[state] ?? 0))
        }
        gauge("roost_endpoints_suspended", [], Int64(figures.suspended))
        for isTold in [true, false] {
            gauge(
                "roost_endpoints_failing", [("told", "\(isTold)")],
                Int64(figures.failing.count { $0.isTold == isTold }))
        }
        gauge("roost_sending_paused", [], figures.pause == nil ? 0 : 1)
        for pace in figures.paces {
            gauge("roost_delivery_milliseconds", [("channel", pace.channel), ("quantile", "0.5")], pace.median)
            gauge("roost_delivery_milliseconds", [("channel", pace.channel), ("quantile", "0.95")], pace.p95)
        }
    }

    /// How many devices have a stream of events open.
    func watched(by count: Int) { Meter(label: "roost_watchers", factory: registry).set(Int64(count)) }

    func enrolled() { counter("roost_enrolments_total").increment() }

    /// The text of `/metrics`, with what is read at this moment.
    var text: String {
        if let bytes = residentBytes { Meter(label: "process_resident_memory_bytes", factory: registry).set(bytes) }
        return registry.text
    }

    /// Bytes of memory the process holds, where the kernel tells.
    private var residentBytes: Int64? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int64($0) })
        else { return nil }
        return kilobytes * 1024
    }

    private func counter(_ label: String, _ dimensions: [(String, String)] = []) -> Counter {
        Counter(label: label, dimensions: dimensions, factory: registry)
    }
}
