package import CoreMetrics
import Synchronization

/// Keeps the values of swift-metrics in memory until somebody asks for `/metrics`.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    /// Upper bounds of the buckets of timers, in seconds.
    private static let seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    /// Upper bounds of the buckets of other distributions: counts and bytes.
    private static let amounts = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000] as [Double]

    private struct Key: Hashable, Comparable {
        let name: String
        let labels: String

        static func < (left: Self, right: Self) -> Bool {
            (left.name, left.labels) < (right.name, right.labels)
        }
    }

    private struct Series {
        var counters: [Key: CounterSeries] = [:]
        var gauges: [Key: GaugeSeries] = [:]
        var histograms: [Key: HistogramSeries] = [:]
    }

    /// A series as whoever counts spells it.
    private struct Spelling: Hashable {
        let label: String
        let dimensions: [String]
    }

    private let series = Mutex(Series())
    /// Every request counts under the same few spellings, and escaping them costs more than counting.
    private let keys = Mutex<[Spelling: Key]>([:])

    package init() {}

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let key = key(label, dimensions)
        return series.withLock { series in
            if let found = series.counters[key] { return found }
            let made = CounterSeries()
            series.counters[key] = made
            return made
        }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions, bounds: Self.amounts) : gauge(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, bounds: Self.seconds)
    }

    // A scraper expects a series to stay once it was there.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// All series in Prometheus' text format, in a stable order.
    package var text: String {
        let series = series.withLock { $0 }
        var text = PrometheusText()
        for (key, counter) in series.counters.sorted(by: { $0.key < $1.key }) {
            text.add(key.name, "counter", key.labels, "\(counter.value)")
        }
        for (key, gauge) in series.gauges.sorted(by: { $0.key < $1.key }) {
            text.add(key.name, "gauge", key.labels, "\(gauge.value)")
        }
        for (key, histogram) in series.histograms.sorted(by: { $0.key < $1.key }) {
            text.add(key.name, key.labels, histogram.counts, sum: histogram.sum)
        }
        return text.lines
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        let key = key(label, dimensions)
        return series.withLock { series in
            if let found = series.gauges[key] { return found }
            let made = GaugeSeries()
            series.gauges[key] = made
            return made
        }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)], bounds: [Double]) -> HistogramSeries {
        let key = key(label, dimensions)
        return series.withLock { series in
            if let found = series.histograms[key] { return found }
            let made = HistogramSeries(bounds: bounds)
            series.histograms[key] = made
            return made
        }
    }

    private func key(_ label: String, _ dimensions: [(String, String)]) -> Key {
        let spelling = Spelling(label: label, dimensions: dimensions.flatMap { [$0.0, $0.1] })
        return keys.withLock { keys in
            if let known = keys[spelling] { return known }
            let key = Key(name: PrometheusText.name(label), labels: PrometheusText.labels(dimensions))
            keys[spelling] = key
            return key
        }
    }
}
