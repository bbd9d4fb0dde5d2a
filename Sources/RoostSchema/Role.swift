/// A scope that a role's grant brings.
package enum Holding: Hashable, Sendable {
    /// The one scope of a kind without key.
    case shared(ScopeKindName)
    /// The scope keyed by the officer who holds the grant.
    case own(ScopeKindName)
    /// The scope keyed by the grant's target.
    case target(ScopeKindName)

    package var kind: ScopeKindName {
        switch self {
        case .shared(let kind), .own(let kind), .target(let kind): kind
        }
    }
}

/// What a role may write in one collection, to rows of the scopes it holds.
///
/// A rule speaks about one scope kind; a role may have several rules for a collection. `create` reads the row as it
/// would be; `edit` must hold for the row before and after, so a row can neither be taken from nor pushed into
/// somebody else's hands.
package struct WriteRule: Sendable {
    package let collection: CollectionName
    package let scope: ScopeKindName
    package let create: Condition
    package let edit: Condition
    package let delete: Condition
    /// Groups that may be written; nil allows all that are not derived.
    package let groups: Set<FieldGroup>?
    /// Creation only for a subject created in the same group of mutations.
    package let newSubjectOnly: Bool

    package init(
        _ collection: CollectionName, in scope: ScopeKindName, create: Condition = .never, edit: Condition = .never,
        delete: Condition = .never, groups: Set<FieldGroup>? = nil, newSubjectOnly: Bool = false
    ) {
        self.collection = collection
        self.scope = scope
        self.create = create
        self.edit = edit
        self.delete = delete
        self.groups = groups
        self.newSubjectOnly = newSubjectOnly
    }
}

/// Actions that are not writes of rows.
package enum Right: String, Hashable, Sendable, CaseIterable {
    case importSheets = "import"
    case undoImports = "undo"
    case composeDigests = "compose"
    case approveDigests = "approve"
    case manageAccounts = "accounts"
    case manageEndpoints = "endpoints"
}

/// A role that a grant gives to an officer.
package struct Role: Sendable {
    package let name: RoleName
    package let label: Label
    package let holds: [Holding]
    package let writes: [WriteRule]
    package let rights: Set<Right>

    package init(
        _ name: RoleName, _ zh: String, _ en: String, holds: [Holding], writes: [WriteRule] = [],
        rights: Set<Right> = []
    ) {
        self.name = name
        label = Label(zh, en)
        self.holds = holds
        self.writes = writes
        self.rights = rights
    }
}
