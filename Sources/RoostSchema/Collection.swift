/// How rows of a collection may change.
package enum SyncClass: String, Hashable, Sendable {
    /// Per-field merge of concurrent edits.
    case register
    /// Inserted once; a correction is a new row.
    case appendOnly
    /// Accepted only if based on the row's current version.
    case authoritative
    /// Never leaves the server.
    case serverOnly
}

/// At most so many live rows that satisfy `when` may share a value of `per`.
///
/// Allowed in authoritative and append-only collections only: elsewhere two replicas could each be right offline.
package struct Limit: Hashable, Sendable {
    package enum Maximum: Hashable, Sendable {
        case constant(Int)
        /// The value of this field in the row that `per` refers to; no value means no limit.
        case field(FieldName)
    }

    /// Stable name, reported as the reason of a refusal.
    package let name: String
    package let per: FieldName
    package let when: Condition
    package let maximum: Maximum
    /// Values set instead of refusing, when a new row would exceed the limit.
    package let otherwise: [FieldName: Value]

    package init(
        _ name: String, per: FieldName, when: Condition, maximum: Maximum, otherwise: [FieldName: Value] = [:]
    ) {
        self.name = name
        self.per = per
        self.when = when
        self.maximum = maximum
        self.otherwise = otherwise
    }
}

/// What a new row says about the row it is about: a call that found a wrong number says so of the number.
///
/// It is written as if by the same mutation, whoever may write the field otherwise, and merges like any value: what is set
/// later stays.
package struct Effect: Hashable, Sendable {
    package let when: Condition
    /// A field of the subject.
    package let set: FieldName
    package let to: Value

    package init(when: Condition, set: FieldName, to value: Value) {
        self.when = when
        self.set = set
        to = value
    }
}

/// What is good until a day and no longer: a term, a consent.
///
/// The server writes it once the day has passed, so that no projection or check ever asks the calendar. A row that may change
/// takes the value; of an append-only collection a further row says it, and only if none said something later.
package struct Expiry: Hashable, Sendable {
    /// The last day on which a row is good; a month or a year lasts until its end.
    package let after: FieldName
    /// What is true of a row that is good.
    package let when: Condition
    package let set: FieldName
    package let to: Value
    /// Of an append-only collection, what rows that follow each other have in common.
    package let same: [FieldName]
    /// Of an append-only collection, the moment that tells which of them is the newest.
    package let order: FieldName?

    package init(
        after: FieldName, when: Condition, set: FieldName, to value: Value, same: [FieldName] = [],
        order: FieldName? = nil
    ) {
        self.after = after
        self.when = when
        self.set = set
        to = value
        self.same = same
        self.order = order
    }
}

/// A kind of record, declared once: table, validation, visibility, wire schema and sheet mapping derive from it.
///
/// A class only because the engine passes declarations around by the million: one reference instead of ten.
package final class Collection: Sendable {
    package let name: CollectionName
    package let syncClass: SyncClass
    package let label: Label
    package let fields: [Field]
    /// The reference that says whom this row is about; a row follows its subject into and out of scopes.
    package let subject: FieldName?
    package let limits: [Limit]
    /// At least one of each set must have a value, when the row is created.
    package let needsOneOf: [Set<FieldName>]
    /// Fields that must not change after creation, because a scope or a subject hangs on them.
    package let fixed: Set<FieldName>
    /// Positions of the fields that a device locks when it was out of contact for too long, in rising order: those of the
    /// groups declared so, but for references, without which a row would lose its place.
    package let leased: [Int]
    /// Of new rows; for append-only collections with a subject.
    package let effects: [Effect]
    package let expiry: Expiry?

    private let positions: [String: Int]

    package init(
        _ name: CollectionName, _ syncClass: SyncClass, _ zh: String, _ en: String, subject: FieldName? = nil,
        limits: [Limit] = [], needsOneOf: [Set<FieldName>] = [], fixed: Set<FieldName> = [],
        leased: Set<FieldGroup> = [], effects: [Effect] = [], expiry: Expiry? = nil,
        fields: [Field]
    ) {
        self.name = name
        self.syncClass = syncClass
        label = Label(zh, en)
        self.fields = fields
        self.subject = subject
        self.limits = limits
        self.needsOneOf = needsOneOf
        self.fixed = fixed
        self.leased = fields.indices.filter { leased.contains(fields[$0].group) && fields[$0].target == nil }
        self.effects = effects
        self.expiry = expiry
        positions = Dictionary(fields.enumerated().map { ($1.name.text, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The position of a field in `fields`, and so in the values of a row; nil for a field this catalogue lacks.
    package func position(of name: FieldName) -> Int? { positions[name.text] }
    package func position(of name: String) -> Int? { positions[name] }

    package subscript(_ name: FieldName) -> Field? { positions[name.text].map { fields[$0] } }
}
