package import RoostSchema

/// One edit of one row by one replica.
package struct Mutation: Hashable, Sendable {
    package enum Action: String, Hashable, Sendable {
        case create, edit, delete, restore
    }

    package struct Change: Hashable, Sendable {
        package let field: String
        package let value: Value

        package init(_ field: String, _ value: Value) {
            self.field = field
            self.value = value
        }
    }

    /// When the edit was made, by the clock that does not jump: lets the server tell its true age whatever the wall
    /// clock said then or says now.
    package struct Mark: Hashable, Sendable {
        /// Milliseconds since some moment fixed for this boot.
        package let monotonic: Int64
        /// Names the boot; readings of different boots cannot be compared.
        package let boot: String

        package init(monotonic: Int64, boot: String) {
            self.monotonic = monotonic
            self.boot = boot
        }
    }

    /// Counts the mutations of one incarnation of a replica: 1, 2, 3 … without gaps.
    package let number: Int64
    /// Mutations with the same group in one changeset apply together or not at all.
    package let group: Int64?
    package let collection: String
    package let row: RowID
    package let action: Action
    /// The author's hybrid time when the edit was made.
    package let time: HybridTime
    package let mark: Mark?
    /// The greatest stamp among the values this edit replaces, as its author saw them.
    package let base: Stamp?
    /// The greatest stamp its author saw anywhere in the row; nil where the replica does not say.
    package let seen: Stamp?
    /// What was set; a field that is not named was not touched, and null clears.
    package let changes: [Change]
    /// The effective stamp that a server gave it before losing that part of its history; nil for what is new.
    package let recovered: Stamp?

    package init(
        number: Int64, group: Int64? = nil, collection: String, row: RowID, action: Action, time: HybridTime,
        mark: Mark? = nil, base: Stamp? = nil, seen: Stamp? = nil, changes: [Change] = [], recovered: Stamp? = nil
    ) {
        self.number = number
        self.group = group
        self.collection = collection
        self.row = row
        self.action = action
        self.time = time
        self.mark = mark
        self.base = base
        self.seen = seen
        self.changes = changes
        self.recovered = recovered
    }

    /// The same edit as if it were new.
    package var unrecovered: Mutation {
        Mutation(
            number: number, group: group, collection: collection, row: row, action: action, time: time, mark: mark,
            base: base, seen: seen, changes: changes)
    }

    /// The same edit under another number; `recovered` replaces the stamp it was filed under, if it had been.
    package func renumbered(_ number: Int64, recovered: Stamp? = nil) -> Mutation {
        Mutation(
            number: number, group: group, collection: collection, row: row, action: action, time: time, mark: mark,
            base: base, seen: seen, changes: changes, recovered: recovered ?? self.recovered)
    }

    /// What remains of the edit without some fields that lost; nil if nothing does.
    package func without(_ lost: [String]) -> Mutation? {
        let standing = changes.filter { !lost.contains($0.field) }
        guard action == .create || (action == .edit ? !standing.isEmpty : lost.isEmpty) else { return nil }
        return saying(standing)
    }

    /// The same edit with other changes.
    package func saying(_ changes: [Change]) -> Mutation {
        Mutation(
            number: number, group: group, collection: collection, row: row, action: action, time: time, mark: mark,
            base: base, seen: seen, changes: changes, recovered: recovered)
    }

    /// Tells edits apart that copies of one database made under the same number, by all that they say.
    ///
    /// Row and time alone would not do: copies whose clock is behind their last edit both count on from that.
    package var fingerprint: Int64 {
        var writer = JSONWriter(reserving: 256)
        write(to: &writer)
        return Int64(bitPattern: FNV1a(writer.bytes).bits)
    }
}

/// Why a mutation was refused.
///
/// The raw value is the stable code on the wire; the list is closed.
package enum Refusal: String, Hashable, Sendable, CaseIterable {
    /// The author sees the row but may not write this.
    case forbidden
    /// There is no such row for this author; the same answer whether or not it exists.
    case outOfScope = "out_of_scope"
    /// A value does not fit its field.
    case invalid
    /// An authoritative row was changed since the version the edit is based on.
    case stale
    /// A row with this identity exists.
    case duplicate
    /// The row was erased; its identity cannot be used again.
    case gone
    /// A limit of the collection would be exceeded.
    case limit
    /// Rows of this collection are corrected by new rows.
    case appendOnly = "append_only"
    /// The edit hangs on a creation that was refused, or shares its group with a refused edit.
    case dependsOn = "depends_on"
    /// The base names a stamp that was never issued.
    case invalidBase = "invalid_base"
}

/// What became of a mutation; final once given.
package struct Verdict: Hashable, Sendable {
    package enum Outcome: String, Hashable, Sendable {
        case applied, merged, late, quarantined, rejected
    }

    package let number: Int64
    package let outcome: Outcome
    /// The effective stamp, for everything but refusals.
    package let stamp: Stamp?
    /// Fields whose value lost against a later one (`merged`).
    package let lost: [String]
    package let refusal: Refusal?
    /// The field a refusal is about, or the name of the limit.
    package let about: String?
    /// Finer reason of `invalid`, from ``FieldProblem``.
    package let problem: String?
    /// The row is deleted; the values are kept in it but do not bring it back.
    package let deleted: Bool

    package init(
        number: Int64, outcome: Outcome, stamp: Stamp? = nil, lost: [String] = [], refusal: Refusal? = nil,
        about: String? = nil, problem: String? = nil, deleted: Bool = false
    ) {
        self.number = number
        self.outcome = outcome
        self.stamp = stamp
        self.lost = lost
        self.refusal = refusal
        self.about = about
        self.problem = problem
        self.deleted = deleted
    }
}

extension FieldKind {
    /// A value as read from JSON, with row identities told apart from text.
    package func adopted(_ value: Value) -> Value {
        guard case .reference = self, let text = value.text else { return value }
        return RowID(text).map { .id($0) } ?? value
    }
}
