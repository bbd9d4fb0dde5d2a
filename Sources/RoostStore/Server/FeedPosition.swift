import RoostSync

/// What the server knows of a scope.
struct ScopeState {
    let id: Int64
    /// Rises with each collection, so that replicas that may have missed something are told apart.
    let epoch: Int64
    /// The first epoch from which a replica may go on, unless its cursor is behind `collected`.
    let since: Int64
    /// Up to here departures and deleted rows may be gone from the feed.
    let collected: Int64
}

/// Where in a scope's feed an answer begins.
///
/// A replica goes on where its cursor stands if it began under the scope's epoch: whatever was collected before was gone
/// when it began. One of an earlier epoch goes on if its cursor had passed everything collected since, and keeps its
/// epoch. All others begin anew.
struct FeedPosition {
    /// The epoch to be told with the page.
    let epoch: Int64
    /// The sequence the replica has; 0 for nothing.
    let start: Int64
    /// Whether the replica begins the scope with this page.
    let isBeginning: Bool
    /// Whether it had begun before, and what it missed is not known any more.
    let mustResnapshot: Bool

    /// Finds where a replica stands; `tenure` counts how often its owner came to hold the scope again, which lets them and
    /// nobody else begin anew.
    init(_ cursor: ScopeCursor?, in state: ScopeState?, tenure: Int64) {
        let current = (state?.epoch ?? 1) + tenure << 32
        let since = (state?.since ?? 1) + tenure << 32
        // Whether it began before the last collection, and not before its owner came to hold the scope.
        let isEarlier = cursor.map { $0.epoch >= since && $0.epoch < current } ?? false
        if let cursor, cursor.epoch == current || isEarlier && cursor.cursor.value >= state?.collected ?? 0 {
            epoch = cursor.epoch
            start = cursor.cursor.value
            isBeginning = false
            mustResnapshot = false
        } else {
            epoch = current
            start = 0
            isBeginning = true
            mustResnapshot = isEarlier && (cursor?.cursor ?? .zero) > .zero
        }
    }
}
