package import RoostSchema

/// What a decision asks the store to do, all of it in one transaction.
package struct Plan: Sendable {
    /// Rows as they are to be, with their new sequence.
    package var rows: [Row] = []
    /// Which of `rows` the store does not have yet.
    package var isNew: [Bool] = []
    package var memberships: [MembershipChange] = []
    package var authority: [AuthorityChange] = []
    package var admissions: [AdmissionChange] = []
    package var history: [HistoryEntry] = []
    package var parked: [ParkedEntry] = []
    /// Rows that were given again and are about somebody erased.
    package var erased: [RowKey] = []
    package var strangers: [StrangerEntry] = []
    package var verdicts: [Verdict] = []
    /// Rows whose creation was refused, so that later edits of them are told why.
    package var refusedCreations: [RowKey] = []
    /// Rows that were created after all.
    package var madeUpFor: [RowKey] = []
    /// Rows named by any mutation, whether or not they changed.
    package var touched: [RowKey] = []
    package var lastSequence: ServerSequence
    /// The effective time of the replica's last mutation.
    package var lastEffective: HybridTime?
}

/// A row enters, changes in, or leaves a scope; the newest change per (scope, row) is what the scope's feed serves.
package struct MembershipChange: Hashable, Sendable {
    package let scope: ScopeKey
    package let row: RowKey
    package let sequence: ServerSequence
    package let isMember: Bool
}

/// A grant or link begins or ends; intervals are never overwritten.
package struct AuthorityChange: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case grant(officer: RowID, role: String, target: RowID?)
        case link(kind: Int, subject: RowID, key: RowID)
    }

    /// The grant or link row.
    package let row: RowKey
    package let kind: Kind
    package let begins: Bool
    package let sequence: ServerSequence
    package let at: Milliseconds
}

/// What lets a row into the scopes of a kind turned: somebody came of age, a membership was left.
///
/// Kept like intervals of authority, and for the same reason: an edit is judged as things stood when it was made.
package struct AdmissionChange: Hashable, Sendable {
    package let row: RowKey
    /// Of the scope.
    package let kind: Int
    /// Whether it is what a link asks of its subject, not what a view asks of its row.
    package let isLink: Bool
    /// Whether the row was let in before.
    package let was: Bool
    package let at: Milliseconds

    package init(row: RowKey, kind: Int, isLink: Bool, was: Bool, at: Milliseconds) {
        self.row = row
        self.kind = kind
        self.isLink = isLink
        self.was = was
        self.at = at
    }
}

/// A value that is no longer in its row, or never got there.
package struct HistoryEntry: Hashable, Sendable {
    package let row: RowKey
    package let loss: Merge.Loss
    package let sequence: ServerSequence
}

/// A mutation of a collection that this catalogue does not declare, kept until one does.
package struct StrangerEntry: Hashable, Sendable {
    /// What a mutation is told that comes when too many are kept.
    package static let limitName = "parked"

    package let mutation: Mutation
    package let stamp: Stamp
    package let sequence: ServerSequence
}

/// A mutation that is kept until the row it needs is there.
package struct ParkedEntry: Hashable, Sendable {
    package let mutation: Mutation
    package let stamp: Stamp
    package let awaited: RowKey
}
