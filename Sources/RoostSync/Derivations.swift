package import RoostSchema

/// Keeps derived fields true after rows they read have changed.
extension DecisionRun {
    mutating func refreshDerived(since mark: Int) throws {
        // Whether rows that a target's fields read have changed, and not the target alone.
        var targets: [RowKey: Bool] = [:]
        for key in set.changed(since: mark) {
            if !rules.derivedFields[key.collection].isEmpty, targets[key] == nil { targets[key] = false }
            for derived in rules.derivedFrom[key.collection] {
                guard let via = derived.via else { continue }
                for image in [WorkingSet.Image.before, .after] {
                    guard let id = try set.row(key, image)?.values[via].id else { continue }
                    targets[RowKey(derived.collection, id)] = true
                }
            }
        }
        for (key, sourcesChanged) in targets.count > 1 ? targets.sorted(by: { $0.key < $1.key }) : Array(targets) {
            guard var row = try set.row(key) else { continue }
            var isChanged = false
            for derived in rules.derivedFields[key.collection] where derived.source == nil || sourcesChanged {
                let value = try value(of: derived, for: row)
                guard row.values[derived.position] != value else { continue }
                row.values[derived.position] = value
                isChanged = true
            }
            if isChanged { set.put(row) }
        }
    }

    private func value(of derived: Rules.Derived, for row: Row) throws -> Value {
        switch derived.derivation {
        case .latest(_, _, let condition, let order, let take):
            guard let source = derived.source, let via = derived.via,
                let position = rules.catalogue.collections[source].position(of: take)
            else { return .null }
            let rows = try set.rows(of: source, referring: via, to: row.key.id)
            let latest = rules.catalogue.collections[source].latest(of: rows, when: condition, order: order)
            return latest?.values[position] ?? .null
        case .younger(let years, let birth, let presumed):
            let collection = rules.catalogue.collections[derived.collection]
            guard let position = collection.position(of: birth), let text = row.values[position].text,
                let date = PartialDate(text)
            else { return .boolean(presumed.holds(in: collection, row.values)) }
            // China has one time zone: the day changes at 16:00 UTC.
            let today = Int((decider.now.value + 8 * 3_600_000) / 86_400_000)
            return .boolean(today < date.latestDay(addingYears: years))
        }
    }
}

extension RoostSchema.Collection {
    /// The row that ``Derivation/latest(of:via:when:order:take:)`` takes its value from.
    package func latest(of rows: [Row], when condition: Condition, order: [FieldName]) -> Row? {
        let places = order.compactMap { position(of: $0) }
        return rows.filter { !$0.isDeleted && condition.holds(in: self, $0.values) }.max { left, right in
            for place in places {
                if let rises = Self.rises(left.values[place], right.values[place]) { return rises }
            }
            return left.stamp < right.stamp
        }
    }

    /// Whether the second is greater; nil if they are equal.
    ///
    /// Partial dates compare as text: `2024` < `2024-06`.
    private static func rises(_ left: Value, _ right: Value) -> Bool? {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left == right ? nil : left < right
        case (.text(let left), .text(let right)): left == right ? nil : left < right
        case (.null, .null): nil
        case (.null, _): true
        case (_, .null): false
        default: nil
        }
    }
}
