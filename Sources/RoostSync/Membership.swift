package import RoostSchema

/// Which scopes hold a row, computed from images so that a change of the row, of a link or of the subject each moves it.
extension WorkingSet {
    /// The scopes whose views admit the row.
    ///
    /// `row` is the set's own image of it, or one that the set does not have.
    package func scopes(of row: Row, _ image: Image = .after) throws -> Set<ScopeKey> {
        try remembered(row.key, image) { image in try computedScopes(of: row, image) }
    }

    private func computedScopes(of row: Row, _ image: Image) throws -> Set<ScopeKey> {
        var scopes: Set<ScopeKey> = []
        let collection = rules.catalogue.collections[row.key.collection]
        var linked: [ScopeKey]?
        for view in rules.views[row.key.collection] {
            guard view.admits.holds(in: collection, row.values) else { continue }
            switch view.attachment {
            case .everyRow:
                scopes.insert(ScopeKey(view.kind, nil))
            case .key(let position):
                if let key = row.values[position].id { scopes.insert(ScopeKey(view.kind, key)) }
            case .subject:
                if linked == nil { linked = try links(of: row, image) }
                for scope in linked ?? [] where scope.kind == view.kind { scopes.insert(scope) }
            case .subjectAndKey(let position):
                guard let key = row.values[position].id else { continue }
                if linked == nil { linked = try links(of: row, image) }
                let scope = ScopeKey(view.kind, key)
                if linked?.contains(scope) ?? false { scopes.insert(scope) }
            case .concerned:
                let concerned =
                    switch collection.name {
                    case Conflict.collection: try self.concerned(by: row, image)
                    case ParallelEdit.collection: try self.scopes(ofParallel: row, image)
                    default: try self.scopes(ofSetAside: row, image)
                    }
                for scope in concerned where scope.kind == view.kind { scopes.insert(scope) }
            }
        }
        return scopes
    }

    /// The scopes to which a row's subject (or the row itself, where it is one) is linked.
    private func links(of row: Row, _ image: Image) throws -> [ScopeKey] {
        guard let subject = try subject(of: row, image) else { return [] }
        let collection = rules.catalogue.collections[subject.key.collection]
        var scopes: [ScopeKey] = []
        for link in rules.linksOfSubject[subject.key.collection] {
            guard link.admits.holds(in: collection, subject.values) else { continue }
            let linking = rules.catalogue.collections[link.collection]
            for row in try rows(of: link.collection, referring: link.subject, to: subject.key.id, image) {
                guard !row.isDeleted, let key = row.values[link.key].id, link.when.holds(in: linking, row.values)
                else { continue }
                scopes.append(ScopeKey(link.kind, key))
            }
        }
        return scopes
    }

    /// Whom a row is about: the row its subject field names, or itself where its collection has none.
    package func subject(of row: Row, _ image: Image = .after) throws -> Row? {
        guard let subject = rules.subjects[row.key.collection] else { return row }
        guard let id = row.values[subject.position].id else { return nil }
        return try self.row(RowKey(subject.collection, id), image)
    }

    /// The scopes of the row a conflict is about that show its field in full.
    private func concerned(by conflict: Row, _ image: Image) throws -> [ScopeKey] {
        guard let name = conflict.values[Conflict.Position.collection].text,
            let collection = rules.catalogue.position(of: name),
            let id = conflict.values[Conflict.Position.row].text.flatMap({ RowID($0) }),
            let field = conflict.values[Conflict.Position.field].text,
            let row = try row(RowKey(collection, id), image)
        else { return [] }
        return try scopes(of: row, image).filter { scope in
            try field == "deleted" || shows(field, of: row, in: scope.kind, image)
        }
    }

    /// Whether a scope kind shows a field of this row in full, declared or not.
    func shows(_ field: String, of row: Row, in kind: Int, _ image: Image) throws -> Bool {
        guard let position = rules.catalogue.collections[row.key.collection].position(of: field) else {
            return rules.catalogue.scopes[kind].relaysUnknown
        }
        return try sight(of: position, row: row, in: kind, image) == .full
    }

    /// How much of a field a scope kind shows of this row.
    package func sight(of position: Int, row: Row, in kind: Int, _ image: Image = .after) throws -> Sight {
        guard let view = rules.view(of: row.key.collection, in: kind) else { return .hidden }
        guard view.isConditional, case .when = view.sights[position] else { return view.sights[position] }
        guard let subject = try subject(of: row, image) else { return .hidden }
        let collection = rules.catalogue.collections[subject.key.collection]
        return view.sights[position].resolved { $0.holds(in: collection, subject.values) }
    }

    /// The sights of all fields, for telling whether a change of the subject changes what a scope shows of a row.
    func sights(of row: Row, in kind: Int, _ image: Image) throws -> [Sight] {
        try rules.catalogue.collections[row.key.collection].fields.indices.map {
            try sight(of: $0, row: row, in: kind, image)
        }
    }
}

extension Plan {
    /// Moves rows from the scopes in which they stand to those in which they should, and nothing else.
    package init(
        placing rows: [(row: Row, standing: Set<ScopeKey>)], in set: WorkingSet, after sequence: ServerSequence
    ) throws {
        self.init(lastSequence: sequence)
        for (row, standing) in rows {
            let now = try set.scopes(of: row)
            guard now != standing else { continue }
            lastSequence = lastSequence.next
            memberships += standing.symmetricDifference(now).map { scope in
                MembershipChange(scope: scope, row: row.key, sequence: lastSequence, isMember: now.contains(scope))
            }
        }
    }
}
