import RoostSchema
package import RoostStore
package import RoostSync

/// Writes the changes that time alone brings, so that no projection or check ever reads the clock.
package struct DueDates: Sendable {
    private let store: ServerStore

    private static let day: Int64 = 86_400_000
    /// The county's days change at midnight in UTC+8.
    private static let zone: Int64 = 8 * 3_600_000
    private static let chunk = 500

    package init(store: ServerStore) { self.store = store }

    /// Derives anew whoever has come of age since their row was last written, and ends what was good until a day that has
    /// passed.
    /// - Returns: How many rows were written.
    package func refresh() async throws -> Int {
        let today = Int((store.clock().value + Self.zone) / Self.day)
        var edits = try await comingOfAge(today)
        for collection in store.rules.catalogue.collections {
            guard let expiry = collection.expiry else { continue }
            edits += try await expiring(expiry, collection, today)
        }
        for start in stride(from: 0, to: edits.count, by: Self.chunk) {
            let part = Array(edits[start..<min(start + Self.chunk, edits.count)])
            _ = try await store.write(part, by: DataDirectory.server)
        }
        return edits.count
    }

    /// An edit without values changes no field of its own; the store computes derived fields at every write.
    private func comingOfAge(_ today: Int) async throws -> [TrustedEdit] {
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
        return edits
    }

    private func expiring(_ expiry: Expiry, _ collection: Collection, _ today: Int) async throws -> [TrustedEdit] {
        guard let after = collection.position(of: expiry.after) else { return [] }
        let dated = Condition.all([expiry.when, .not(.field(expiry.after, is: .null))])
        var due: [(row: Row, lastDay: Int)] = []
        for row in try await store.rows(of: collection.name, where: dated) {
            guard let lastDay = row.values[after].text.flatMap({ PartialDate($0) })?.latestDay(addingYears: 0),
                today > lastDay
            else { continue }
            due.append((row, lastDay))
        }
        guard collection.syncClass == .appendOnly else {
            return due.map { TrustedEdit(collection.name, $0.row.key.id, .edit, [expiry.set: expiry.to]) }
        }
        return try await following(due, expiry, collection)
    }

    /// The rows that say of append-only ones that they are over, unless something later was said.
    private func following(
        _ due: [(row: Row, lastDay: Int)], _ expiry: Expiry, _ collection: Collection
    ) async throws -> [TrustedEdit] {
        guard let subject = collection.subject, let about = collection.position(of: subject),
            let order = expiry.order.flatMap({ collection.position(of: $0) }), let dated = expiry.order
        else { return [] }
        let same = expiry.same.compactMap { collection.position(of: $0) }
        func series(_ row: Row) -> [Value] { same.map { row.values[$0] } }
        func moment(_ row: Row) -> Int64 { row.values[order].integer ?? .min }
        let subjects = Array(Set(due.compactMap { $0.row.values[about].id }))
        var newest: [[Value]: Int64] = [:]
        for row in try await store.reading({ try $0.rows(collection.name, referring: subject, to: subjects) }) {
            newest[series(row)] = max(newest[series(row)] ?? .min, moment(row))
        }
        return due.compactMap { row, lastDay in
            guard newest[series(row)] == moment(row) else { return nil }
            // It was good until the end of the day, and what is said from then on counts more.
            let end = max(Int64(lastDay + 1) * Self.day - Self.zone, moment(row) + 1)
            var values: [FieldName: Value] = [expiry.set: expiry.to, dated: .integer(end)]
            for (name, value) in zip(expiry.same, series(row)) { values[name] = value }
            return TrustedEdit(
                collection.name, RowID(naming: "expired", row.key.id.description), .create, values)
        }
    }

    /// How long until five past midnight in UTC+8, when days have changed.
    package static func untilNextDay(_ now: Milliseconds) -> Duration {
        let local = now.value + zone - 300_000
        return .milliseconds(day - local % day)
    }
}
