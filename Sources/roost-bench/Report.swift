import RoostSchema
import RoostSync

/// Figures by name, with the ratios that are promised.
struct Report {
    private var figures: [(name: String, value: Double)] = []

    subscript(_ name: String) -> Double? {
        get { figures.first { $0.name == name }?.value }
        set { if let newValue { figures.append((name, newValue)) } }
    }

    /// Notes a rate, and beside it how long a processor was busy with each.
    mutating func add(_ spending: Spending, _ name: String) {
        self[name + "_per_second"] = spending.perSecond
        self[name + "_processor_us"] = spending.processorMicroseconds
    }

    func print() {
        var members = figures.map { Value.Member($0.name, .real(($0.value * 100).rounded() / 100)) }
        func ratio(_ name: String, _ over: String, _ label: String) {
            guard let figure = self[name], let base = self[over], base > 0 else { return }
            members.append(Value.Member(label, .real((figure / base * 1000).rounded() / 1000)))
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
        Swift.print("{")
        for (index, member) in members.enumerated() {
            let comma = index == members.count - 1 ? "" : ","
            Swift.print("  \"\(member.name)\": \(String(decoding: member.value.json, as: UTF8.self))\(comma)")
        }
        Swift.print("}")
    }
}
