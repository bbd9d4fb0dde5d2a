package import RoostSchema

/// A scope with its kind as a position in the catalogue: what the engine computes with.
package struct ScopeKey: Hashable, Comparable, Sendable {
    package let kind: Int
    package let key: RowID?

    package init(_ kind: Int, _ key: RowID?) {
        self.kind = kind
        self.key = key
    }

    package static func < (left: Self, right: Self) -> Bool {
        if left.kind != right.kind { return left.kind < right.kind }
        guard let key = left.key else { return right.key != nil }
        guard let other = right.key else { return false }
        return key < other
    }
}

/// A catalogue with its names resolved to positions, so that deciding costs no look-up by name.
///
/// A class because every step of a decision passes it on: one reference instead of a dozen tables.
package final class Rules: Sendable {
    package let catalogue: Catalogue

    /// A view with positions; one exists for each (scope kind, collection) pair that shows anything.
    package struct CompiledView: Sendable {
        package let kind: Int
        package let collection: Int
        package let attachment: CompiledAttachment
        package let admits: Condition
        /// By field position.
        package let sights: [Sight]
        /// The same without conditions; what is conditional counts as hidden and must be resolved for each row.
        let shows: [Shows]
        /// Whether some sight depends on the subject's values.
        package let isConditional: Bool

        /// Whether a row whose subject is linked to a scope belongs there, but for what the view admits.
        func belongs(_ row: Row, to scope: ScopeKey) -> Bool {
            switch attachment {
            case .subject: true
            case .key(let position), .subjectAndKey(let position):
                scope.key != nil && row.values[position].id == scope.key
            case .everyRow, .concerned: false
            }
        }
    }

    /// A condition on a row's own values that lets it into the scopes of a kind, or keeps it out.
    ///
    /// When it turns, that is written down (``AdmissionChange``), so that it is known later how it was at any time.
    package struct Gate: Sendable {
        package let kind: Int
        /// Whether it is what a link asks of its subject, not what a view asks of its row.
        package let isLink: Bool
        let admits: Condition
        /// The fields it reads.
        let positions: [Int]
    }

    /// How a field is shown, once conditions are resolved.
    enum Shows: Sendable {
        case hidden, masked, full

        init(_ sight: Sight) {
            switch sight {
            case .full: self = .full
            case .masked: self = .masked
            case .hidden, .when: self = .hidden
            }
        }
    }

    package enum CompiledAttachment: Sendable {
        case everyRow
        case subject
        case key(Int)
        case subjectAndKey(Int)
        /// The built-in collections: wherever the fields they are about are seen in full.
        case concerned
    }

    package struct CompiledLink: Sendable {
        package let kind: Int
        package let collection: Int
        package let subject: Int
        package let key: Int
        package let when: Condition
        package let admits: Condition
    }

    /// A rule of a role, with its names resolved.
    ///
    /// A class because it is passed on for every mutation judged.
    final class CompiledWrite: Sendable {
        let rule: WriteRule
        let kind: Int
        let collection: Int
        /// Whether the rule's groups cover a field, by position; nil where they cover all.
        let covers: [Bool]?

        init?(_ rule: WriteRule, _ catalogue: Catalogue) {
            guard let kind = catalogue.position(ofScope: rule.scope),
                let collection = catalogue.position(of: rule.collection)
            else { return nil }
            self.rule = rule
            self.kind = kind
            self.collection = collection
            covers = rule.groups.map { groups in
                catalogue.collections[collection].fields.map { groups.contains($0.group) }
            }
        }
    }

    package struct Subject: Sendable {
        package let collection: Int
        package let position: Int
    }

    package struct Derived: Sendable {
        package let collection: Int
        package let position: Int
        package let derivation: Derivation
        /// For ``Derivation/latest(of:via:when:order:take:)``: the source collection and the position of `via` there.
        package let source: Int?
        package let via: Int?
    }

    /// Views by collection.
    package let views: [[CompiledView]]
    /// Links by the collection of their subject.
    package let linksOfSubject: [[CompiledLink]]
    /// Links by the collection that declares them.
    package let linksDeclaredBy: [[CompiledLink]]
    /// Whom rows of a collection are about.
    package let subjects: [Subject?]
    /// Collections whose rows are about rows of a collection.
    package let dependents: [[Subject]]
    package let derivedFields: [[Derived]]
    /// Derived fields elsewhere that read rows of a collection.
    package let derivedFrom: [[Derived]]
    /// Reference fields by which rows are looked up; the store keeps an index on each.
    package let indexed: [[Int]]
    package let limits: [[Limit]]
    /// The built-in collections, whose rows are about other rows and follow them, with the position of the field that
    /// names the row.
    package let concerning: [Int: Int]
    package let authority: Int?
    /// Derived fields are written by nobody, whatever a rule's groups say.
    package let isDerived: [[Bool]]
    package let commons: ScopeKey?
    /// What each role may write.
    let writes: [RoleName: [CompiledWrite]]
    /// The collection a field refers to, by collection and position; nil where it refers to any or none.
    let targets: [[Int?]]
    /// Whether a field is the one by which rows lead a subject to scopes, or give another row derived values.
    let leads: [[Bool]]
    /// What a new row holds where its author says nothing.
    let initial: [[Value]]
    /// Fields a new row must have, by position.
    let required: [[Int]]
    /// Fields that never change once the row is there.
    let isFixed: [[Bool]]
    /// Collections whose rows are wherever a field of another row is seen.
    let isConcerned: [Bool]
    /// By collection, the fields of a subject on which it depends where rows about it are and what is seen of them.
    let telling: [[Int]]
    /// By collection; conditions that always hold are none.
    let gates: [[Gate]]

    package init(_ catalogue: Catalogue) {
        self.catalogue = catalogue
        let collections = catalogue.collections
        let count = collections.count

        var views: [[CompiledView]] = Array(repeating: [], count: count)
        var linksOfSubject: [[CompiledLink]] = Array(repeating: [], count: count)
        var linksDeclaredBy: [[CompiledLink]] = Array(repeating: [], count: count)
        var subjects: [Subject?] = Array(repeating: nil, count: count)
        var dependents: [[Subject]] = Array(repeating: [], count: count)
        var derivedFields: [[Derived]] = Array(repeating: [], count: count)
        var derivedFrom: [[Derived]] = Array(repeating: [], count: count)
        var indexed: [Set<Int>] = Array(repeating: [], count: count)

        concerning = [
            (Conflict.collection, Conflict.Position.row), (Quarantine.collection, Quarantine.Position.row),
            (ParallelEdit.collection, ParallelEdit.Position.row),
        ].reduce(into: [:]) { concerning, builtIn in
            if let index = catalogue.position(of: builtIn.0) { concerning[index] = builtIn.1 }
        }
        for (index, row) in concerning { indexed[index].insert(row) }
        for (index, collection) in collections.enumerated() {
            if let name = collection.subject, let position = collection.position(of: name),
                let target = collection.fields[position].target.flatMap({ catalogue.position(of: $0) })
            {
                subjects[index] = Subject(collection: target, position: position)
                dependents[target].append(Subject(collection: index, position: position))
                indexed[index].insert(position)
            }
            for (position, field) in collection.fields.enumerated() {
                guard let derivation = field.derivation else { continue }
                switch derivation {
                case .latest(let source, let via, _, _, _):
                    guard let from = catalogue.position(of: source),
                        let viaPosition = collections[from].position(of: via)
                    else { continue }
                    let derived = Derived(
                        collection: index, position: position, derivation: derivation, source: from,
                        via: viaPosition)
                    derivedFields[index].append(derived)
                    derivedFrom[from].append(derived)
                    indexed[from].insert(viaPosition)
                case .younger:
                    derivedFields[index].append(
                        Derived(
                            collection: index, position: position,
                            derivation: derivation, source: nil,
                            via: nil))

                }
            }
            for limit in collection.limits {
                if let position = collection.position(of: limit.per) { indexed[index].insert(position) }
            }
        }
        for (kindIndex, kind) in catalogue.scopes.enumerated() {
            if let link = kind.link, let index = catalogue.position(of: link.collection),
                let subject = collections[index].position(of: link.subject),
                let key = collections[index].position(of: link.key),
                let target = collections[index].fields[subject].target.flatMap({ catalogue.position(of: $0) })
            {
                let compiled = CompiledLink(
                    kind: kindIndex, collection: index, subject: subject, key: key, when: link.when,
                    admits: link.admits)
                linksOfSubject[target].append(compiled)
                linksDeclaredBy[index].append(compiled)
                indexed[index].insert(subject)
            }
            for view in kind.views {
                guard let index = catalogue.position(of: view.collection) else { continue }
                let collection = collections[index]
                let sights = collection.fields.map { view.sights[$0.group] ?? .hidden }
                let attachment: CompiledAttachment
                switch view.attachment {
                case .everyRow: attachment = .everyRow
                case .subject: attachment = .subject
                case .key(let field):
                    guard let position = collection.position(of: field) else { continue }
                    attachment = .key(position)
                case .subjectAndKey(let field):
                    guard let position = collection.position(of: field) else { continue }
                    attachment = .subjectAndKey(position)
                }
                views[index].append(
                    CompiledView(
                        kind: kindIndex, collection: index,
                        attachment: concerning[index] != nil ? .concerned : attachment,
                        admits: view.admits, sights: sights, shows: sights.map(Shows.init),
                        isConditional: sights.contains { if case .when = $0 { true } else { false } }))
            }
        }
        isConcerned = views.map { $0.contains { if case .concerned = $0.attachment { true } else { false } } }
        telling = collections.indices.map { index in
            var names = Set(linksOfSubject[index].flatMap(\.admits.names))
            for about in [index] + dependents[index].map(\.collection) {
                for sight in views[about].flatMap(\.sights) { names.formUnion(sight.names) }
            }
            return names.compactMap { collections[index].position(of: $0) }.sorted()
        }
        gates = collections.enumerated().map { index, collection in
            let links = linksOfSubject[index].map { ($0.kind, true, $0.admits) }
            let shown = views[index].map { ($0.kind, false, $0.admits) }
            return (links + shown).filter { $0.2 != .always }.map { kind, isLink, admits in
                Gate(
                    kind: kind, isLink: isLink, admits: admits,
                    positions: admits.names.compactMap { collection.position(of: $0) })
            }
        }
        self.views = views
        self.linksOfSubject = linksOfSubject
        self.linksDeclaredBy = linksDeclaredBy
        self.subjects = subjects
        self.dependents = dependents
        self.derivedFields = derivedFields
        self.derivedFrom = derivedFrom
        self.indexed = indexed.map { $0.sorted() }
        limits = collections.map(\.limits)
        authority = catalogue.position(of: catalogue.authority.collection)
        isDerived = collections.map { $0.fields.map { $0.derivation != nil } }
        targets = collections.map { $0.fields.map { $0.target.flatMap { catalogue.position(of: $0) } } }
        initial = collections.map { $0.fields.map(\.initial) }
        required = collections.map { collection in
            collection.fields.indices.filter { collection.fields[$0].required }
        }
        isFixed = collections.map { collection in
            collection.fields.map { collection.fixed.contains($0.name) || collection.subject == $0.name }
        }
        var leads = collections.map { $0.fields.map { _ in false } }
        for link in linksOfSubject.joined() { leads[link.collection][link.subject] = true }
        for derived in derivedFields.joined() {
            if let source = derived.source, let via = derived.via { leads[source][via] = true }
        }
        self.leads = leads
        writes = Dictionary(
            catalogue.roles.map { ($0.name, $0.writes.compactMap { CompiledWrite($0, catalogue) }) },
            uniquingKeysWith: { first, _ in first })
        commons = catalogue.position(ofScope: catalogue.commons).map { ScopeKey($0, nil) }
    }

    package func scope(_ key: ScopeKey) -> Scope { Scope(catalogue.scopes[key.kind].name, key.key) }

    /// The scope of a written name, if this catalogue declares its kind and the key fits.
    package func key(of scope: Scope) -> ScopeKey? {
        guard let kind = catalogue.position(ofScope: scope.kind) else { return nil }
        guard (catalogue.scopes[kind].key == nil) == (scope.key == nil) else { return nil }
        return ScopeKey(kind, scope.key)
    }

    package func view(of collection: Int, in kind: Int) -> CompiledView? {
        views[collection].first { $0.kind == kind }
    }
}
