/// For how many days the server keeps what is of use only for a while.
package struct Retention: Hashable, Sendable {
    /// Departures from scopes and deleted rows, for replicas that come back.
    package var tombstoneDays: Int
    /// Values that gave way, and notes of parallel edits.
    package var historyDays: Int
    /// Verdicts that their replica has said to have, for repeats.
    package var verdictDays: Int

    package init(tombstoneDays: Int = 180, historyDays: Int = 1095, verdictDays: Int = 90) {
        self.tombstoneDays = tombstoneDays
        self.historyDays = historyDays
        self.verdictDays = verdictDays
    }

    static let day: Int64 = 86_400_000
}

/// What one collection took away.
package struct CollectionReport: Hashable, Sendable {
    /// Departures from scopes, told to everybody long ago.
    package var departures = 0
    /// Deleted rows, for good: their identities answer `gone`.
    package var rows = 0
    package var history = 0
    package var verdicts = 0
    /// Notes of parallel edits, settled conflicts and decided edits set aside: deleted now, and collected as other deleted
    /// rows are.
    package var notes = 0

    package var isEmpty: Bool { self == CollectionReport() }
}
