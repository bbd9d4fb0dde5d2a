/// How much of a field group a scope shows.
package indirect enum Sight: Hashable, Sendable {
    case hidden
    /// Each field of the group through its own ``Mask``.
    case masked
    case full
    /// Depends on stored values of the *subject* row (or of the row itself where it has none): never on who asks.
    case when(Condition, then: Sight, otherwise: Sight)
}

/// How a row of a collection comes to be in a scope of some kind.
package enum Attachment: Hashable, Sendable {
    /// All rows; for kinds without a key.
    case everyRow
    /// The row's subject (or the row itself) is linked to the scope's key.
    case subject
    /// This field of the row names the scope's key.
    case key(FieldName)
    /// Both: this field names the scope's key, and the subject is linked to it. So a row that names somebody stays out
    /// of a scope from which that person is kept.
    case subjectAndKey(FieldName)
}

/// What a scope kind shows of one collection.
package struct View: Sendable {
    package let collection: CollectionName
    package let attachment: Attachment
    /// A group that is not named is hidden.
    package let sights: [FieldGroup: Sight]
    /// Only rows that satisfy this; it reads the row itself.
    package let admits: Condition

    package init(
        _ collection: CollectionName, _ attachment: Attachment, _ sights: [FieldGroup: Sight] = ["main": .full],
        admits: Condition = .always
    ) {
        self.collection = collection
        self.attachment = attachment
        self.sights = sights
        self.admits = admits
    }
}

/// A rule that links subjects to keys: one live row of `collection` that satisfies `when` is one link.
package struct Link: Hashable, Sendable {
    package let collection: CollectionName
    package let subject: FieldName
    package let key: FieldName
    package let when: Condition
    /// Reads the subject's row: a link counts only while this holds.
    package let admits: Condition

    package init(
        _ collection: CollectionName, subject: FieldName, key: FieldName, when: Condition = .always,
        admits: Condition = .always
    ) {
        self.collection = collection
        self.subject = subject
        self.key = key
        self.when = when
        self.admits = admits
    }
}

/// A sort of scope: which rows it holds and which of their fields it shows.
///
/// A projection is a function of (scope kind, row, stored state), never of the person, so that what one replica of a
/// scope receives any other may receive.
package struct ScopeKind: Sendable {
    package let name: ScopeKindName
    package let label: Label
    /// The collection whose rows are the keys (`chapter:<row>`); nil for a kind with one scope (`county`).
    package let key: CollectionName?
    package let link: Link?
    /// Whether the rows of a scope see values of fields this catalogue does not know.
    package let relaysUnknown: Bool
    package let views: [View]

    package init(
        _ name: ScopeKindName, _ zh: String, _ en: String, key: CollectionName? = nil, link: Link? = nil,
        relaysUnknown: Bool = false, views: [View]
    ) {
        self.name = name
        label = Label(zh, en)
        self.key = key
        self.link = link
        self.relaysUnknown = relaysUnknown
        self.views = views
    }
}

/// One scope: a kind and, for keyed kinds, the row that is its key.
///
/// Written `chapter:<row>` or `county`.
package struct Scope: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let kind: ScopeKindName
    package let key: RowID?

    package init(_ kind: ScopeKindName, _ key: RowID? = nil) {
        self.kind = kind
        self.key = key
    }

    /// Reads the written form; nil if it is none.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else {
            self.init(ScopeKindName(text))
            return
        }
        guard let key = RowID(text[text.index(after: colon)...]) else { return nil }
        self.init(ScopeKindName(String(text[..<colon])), key)
    }

    package var description: String { key.map { "\(kind):\($0)" } ?? kind.text }

    package static func < (left: Self, right: Self) -> Bool {
        if left.kind != right.kind { return left.kind < right.kind }
        guard let key = left.key else { return right.key != nil }
        guard let other = right.key else { return false }
        return key < other
    }
}
