/// Where authority is written: one row of `collection` gives `officer` the role named in `role`.
package struct Authority: Sendable {
    package let collection: CollectionName
    package let officer: FieldName
    package let role: FieldName
    package let target: FieldName
    package let when: Condition

    package init(
        _ collection: CollectionName, officer: FieldName, role: FieldName, target: FieldName, when: Condition
    ) {
        self.collection = collection
        self.officer = officer
        self.role = role
        self.target = target
        self.when = when
    }
}

/// A programme, declared: everything the engine, the sheets and the clients know about what they keep.
package struct Catalogue: Sendable {
    /// Rises with each released change; a client tells which one it was built with.
    package let version: Int
    package let collections: [Collection]
    package let scopes: [ScopeKind]
    package let roles: [Role]
    package let authority: Authority
    /// The scope kind that everybody holds.
    package let commons: ScopeKindName
    package let facets: [Facet]
    package let templates: [SheetTemplate]

    private let positions: [String: Int]
    private let scopePositions: [ScopeKindName: Int]
    private let rolePositions: [RoleName: Int]

    package init(
        version: Int, collections: [Collection], scopes: [ScopeKind], roles: [Role], authority: Authority,
        commons: ScopeKindName, facets: [Facet] = [], templates: [SheetTemplate] = []
    ) {
        self.version = version
        self.collections = collections
        self.scopes = scopes
        self.roles = roles
        self.authority = authority
        self.commons = commons
        self.facets = facets
        self.templates = templates
        positions = Dictionary(
            collections.enumerated().map { ($1.name.text, $0) }, uniquingKeysWith: { first, _ in first })
        scopePositions = Dictionary(
            scopes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        rolePositions = Dictionary(
            roles.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The position of a collection in `collections`; nil if this catalogue lacks it.
    package func position(of name: CollectionName) -> Int? { positions[name.text] }
    package func position(of name: String) -> Int? { positions[name] }
    package func position(ofScope name: ScopeKindName) -> Int? { scopePositions[name] }

    package subscript(_ name: CollectionName) -> Collection? { positions[name.text].map { collections[$0] } }
    package subscript(scope name: ScopeKindName) -> ScopeKind? { scopePositions[name].map { scopes[$0] } }
    package subscript(role name: RoleName) -> Role? { rolePositions[name].map { roles[$0] } }

    /// A copy with one collection replaced, which is how tests and later versions of a programme derive catalogues.
    package func replacing(_ collection: Collection) -> Catalogue {
        Catalogue(
            version: version, collections: collections.map { $0.name == collection.name ? collection : $0 },
            scopes: scopes, roles: roles, authority: authority, commons: commons, facets: facets, templates: templates)
    }
}
