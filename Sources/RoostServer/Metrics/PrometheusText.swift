/// Writes metrics in Prometheus' text exposition format 0.0.4.
struct PrometheusText {
    private(set) var lines = ""
    private var typed: Set<String> = []

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    mutating func add(_ name: String, _ type: String, _ labels: String, _ value: String) {
        declare(name, type)
        lines += "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(value)\n"
    }

    mutating func add(_ name: String, _ labels: String, _ counts: [(bound: Double, count: Int)], sum: Double) {
        declare(name, "histogram")
        let separator = labels.isEmpty ? "" : ","
        for (bound, count) in counts {
            let text = bound.isInfinite ? "+Inf" : "\(bound)"
            lines += "\(name)_bucket{\(labels)\(separator)le=\"\(text)\"} \(count)\n"
        }
        let braced = labels.isEmpty ? "" : "{\(labels)}"
        lines += "\(name)_sum\(braced) \(sum)\n\(name)_count\(braced) \(counts.last?.count ?? 0)\n"
    }

    private mutating func declare(_ name: String, _ type: String) {
        guard typed.insert(name).inserted else { return }
        lines += "# TYPE \(name) \(type)\n"
    }

    /// A label of swift-metrics as a metric name: letters, digits and `_`.
    static func name(_ label: String) -> String {
        let text = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return text.first?.isNumber ?? true ? "_" + text : text
    }

    /// Dimensions in the order of their names, values escaped.
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.sorted { $0.0 < $1.0 }
            .map { "\(name($0.0))=\"\(escaped($0.1))\"" }
            .joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        value.flatMap { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }
        .map(String.init).joined()
    }
}
