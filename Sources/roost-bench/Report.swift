import RoostSchema
import RoostSync

/// Figures by name, with the ratios that are promised.
struct Report {
    private var figures: [(name: String, value: Double)] = []

    subscript(_ name: String) -> Double? {
        get { figures.first { $0.name == name }?.value }
        set { if let newValue { figures.append((name, newValue)) } }
    }

    /// Rates by name, turn after turn.
    private var turns: [String: [Double]] = [:]

    /// Notes the median rate of several turns, and beside it how long a processor was busy with each thing.
    mutating func add(_ spendings: [Spending], _ name: String) {
        self[name + "_per_second"] = median(spendings.map(\.perSecond))
        self[name + "_processor_us"] = median(spendings.map(\.processorMicroseconds))
        turns[name + "_per_second"] = spendings.map(\.perSecond)
    }

    /// A figure that is promised, as far as it was measured.
    private struct Wanted {
        let name: String
        let bound: String
        let isMet: (Value) -> Bool

        init(_ name: String, least: Double) {
            self.name = name
            bound = "< \(least)"
            isMet = { if case .real(let value) = $0 { value >= least } else { false } }
        }

        init(_ name: String, most: Double) {
            self.name = name
            bound = "> \(most)"
            isMet = { if case .real(let value) = $0 { value <= most } else { false } }
        }
    }

    private static var wanted: [Wanted] {
        [
            Wanted("courier_deliveries_per_second", least: 8000), Wanted("ratio_courier_to_bare", least: 0.8),
            Wanted("courier_enqueue_to_first_byte_ms_p95", most: 50),
            Wanted("courier_resident_megabytes_with_1000_in_flight", most: 100),
            Wanted("ratio_courier_beside_1000_hanging", least: 0.95),
        ]
    }

    func print() {
        var members = figures.map { Value.Member($0.name, .real(($0.value * 100).rounded() / 100)) }
        func ratio(_ name: String, _ over: String, _ label: String) {
            guard let figure = self[name], let base = self[over], base > 0 else { return }
            // Of what took turns, each turn with its neighbour: how fast the machine is changes more slowly than that.
            let pairs = zip(turns[name] ?? [figure], turns[over] ?? [base])
            members.append(Value.Member(label, .real((median(pairs.map { $0 / $1 }) * 1000).rounded() / 1000)))
        }
        ratio("push_new_rows_per_second", "baseline_upserts_per_second", "ratio_push_new_to_upserts")
        ratio("push_edits_per_second", "baseline_upserts_per_second", "ratio_push_edits_to_upserts")
        ratio("pull_rows_per_second", "baseline_scan_rows_per_second", "ratio_pull_to_scan")
        ratio("client_apply_rows_per_second", "baseline_upserts_per_second", "ratio_client_apply_to_upserts")
        ratio("snapshot_apply_rows_per_second", "baseline_upserts_per_second", "ratio_snapshot_apply_to_upserts")
        for kind in ["courier", "courier_tls"] {
            ratio("\(kind)_deliveries_per_second", "\(kind)_bare_deliveries_per_second", "ratio_\(kind)_to_bare")
            ratio(
                "\(kind)_robot_messages_per_second", "\(kind)_bare_new_connections_per_second",
                "ratio_\(kind)_robots_to_bare")
        }
        ratio(
            "courier_beside_1000_hanging_per_second", "courier_beside_0_hanging_per_second",
            "ratio_courier_beside_1000_hanging")
        let missed = Self.wanted.filter { wanted in
            members.contains { $0.name == wanted.name && !wanted.isMet($0.value) }
        }
        if members.contains(where: { member in Self.wanted.contains { $0.name == member.name } }) {
            members.append(Value.Member("missed", .list(missed.map { .text($0.name + " " + $0.bound) })))
        }
        Swift.print("{")
        for (index, member) in members.enumerated() {
            let comma = index == members.count - 1 ? "" : ","
            Swift.print("  \"\(member.name)\": \(String(decoding: member.value.json, as: UTF8.self))\(comma)")
        }
        Swift.print("}")
    }
}
