import RoostSchema
package import RoostStore
package import RoostSync

/// Writes the changes that time alone brings, so that no projection or check ever reads the clock.
package struct DueDates: Sendable {
    private let store: ServerStore

    private static let day: Int64 = 86_400_000
    private static let chunk = 500

    package init(store: ServerStore) { self.store = store }

    /// Derives anew whoever has come of age since their row was last written.
    ///
    /// An edit without values changes no field of its own; the store computes derived fields at every write.
    /// - Returns: How many rows were written.
    package func refresh() async throws -> Int {
        let today = Int((store.clock().value + 8 * 3_600_000) / Self.day)
        var edits: [TrustedEdit] = []
        for collection in store.rules.catalogue.collections {
            for field in collection.fields {
                guard case .younger(let years, let birth, _) = field.derivation,
                    let position = collection.position(of: birth)
                else { continue }
                for row in try await store.rows(of: collection.name, where: .field(field.name, is: true)) {
                    guard let text = row.values[position].text, let date = PartialDate(text),
                        today >= date.latestDay(addingYears: years)
                    else { continue }
                    edits.append(TrustedEdit(collection.name, row.key.id, .edit))
                }
            }
        }
        for start in stride(from: 0, to: edits.count, by: Self.chunk) {
            let part = Array(edits[start..<min(start + Self.chunk, edits.count)])
            _ = try await store.write(part, by: DataDirectory.server)
        }
        return edits.count
    }

    /// How long until five past midnight in UTC+8, when days have changed.
    package static func untilNextDay(_ now: Milliseconds) -> Duration {
        let local = now.value + 8 * 3_600_000 - 300_000
        return .milliseconds(day - local % day)
    }
}
