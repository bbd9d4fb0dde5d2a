package import RoostSchema

/// Where rows come from: the store inside its transaction, or a dictionary in a test.
package protocol RowSource {
    /// The rows that exist among `keys`, deleted ones included, in any order.
    func rows(_ keys: [RowKey]) throws -> [Row]
    /// The rows of a collection whose reference field at `position` names one of `targets`, deleted ones included.
    func rows(of collection: Int, referring position: Int, to targets: [RowID]) throws -> [Row]
    /// Of `keys`, those that were erased and may never be used again.
    func erased(_ keys: [RowKey]) throws -> Set<RowKey>
    /// Of `keys`, those whose creation by `replica` was refused.
    func refusedCreations(_ keys: [RowKey], by replica: ReplicaID) throws -> Set<RowKey>
    /// The officers to whom replicas belong.
    func officers(of replicas: Set<ReplicaID>) throws -> [ReplicaID: RowID]
    /// What the owners of replicas call them.
    func labels(of replicas: Set<ReplicaID>) throws -> [ReplicaID: String]
    /// Past and present holdings of an officer, and the times at which subjects were linked.
    func tenures(of subjects: [RowID]) throws -> [LinkTenure]
    /// When a row was let into scopes and kept out again, oldest first.
    func admissions(of row: RowKey) throws -> [AdmissionChange]
    /// The effective time of the last mutation of a replica; nil if there is none.
    func lastEffective(of replica: ReplicaID) throws -> HybridTime?
}

extension RowSource {
    package func labels(of replicas: Set<ReplicaID>) throws -> [ReplicaID: String] { [:] }
}

/// An interval in which a subject was linked to a scope.
package struct LinkTenure: Hashable, Sendable {
    package let scope: ScopeKey
    package let subject: RowID
    package let from: Milliseconds
    package let until: Milliseconds?

    package init(scope: ScopeKey, subject: RowID, from: Milliseconds, until: Milliseconds?) {
        self.scope = scope
        self.subject = subject
        self.from = from
        self.until = until
    }

    package func holds(at moment: Milliseconds) -> Bool {
        from <= moment && (until.map { moment < $0 } ?? true)
    }
}

/// The rows a decision reads and writes: before-images as the store has them, after-images as decided so far.
///
/// Rows are loaded in batches by `prefetch…` and singly where nobody foresaw the need, so a decision over a thousand
/// mutations costs a handful of queries. Groups are undone by rolling back to a mark.
package final class WorkingSet {
    package enum Image { case before, after }

    package let rules: Rules
    package let source: any RowSource
    private var before: [RowKey: Row] = [:]
    private var after: [RowKey: Row] = [:]
    private var loaded: Set<RowKey> = []
    /// Changed rows in order of first change.
    package private(set) var changed: [RowKey] = []
    private var isChanged: Set<RowKey> = []
    private var undo: [(key: RowKey, row: Row?, first: Bool)] = []

    private struct Reference: Hashable {
        let collection: Int
        let position: Int
        let target: RowID
    }
    private var referring: [Reference: [RowID]] = [:]

    /// Scopes worked out before, by row: a change asks for each of them three times.
    private var scopesBefore: [RowKey: Set<ScopeKey>] = [:]
    private var scopesAfter: [RowKey: Set<ScopeKey>] = [:]
    /// Rows in ``scopesAfter`` by the subject whose links lead to their scopes.
    private var rememberedAbout: [RowKey: [RowKey]] = [:]
    /// Subjects of whom something has changed: only of others are the images before and after alike.
    private var disturbed: Set<RowKey> = []

    package init(_ rules: Rules, source: any RowSource) {
        self.rules = rules
        self.source = source
    }

    package func prefetch(_ keys: some Sequence<RowKey>) throws {
        let missing = Array(Set(keys.lazy.filter { !self.loaded.contains($0) }))
        guard !missing.isEmpty else { return }
        for row in try source.rows(missing) { remember(row) }
        loaded.formUnion(missing)
    }

    package func prefetch(of collection: Int, referring position: Int, to targets: some Sequence<RowID>) throws {
        let missing = Set(targets).filter {
            referring[Reference(collection: collection, position: position, target: $0)] == nil
        }
        guard !missing.isEmpty else { return }
        for target in missing {
            referring[Reference(collection: collection, position: position, target: target)] = []
        }
        for row in try source.rows(of: collection, referring: position, to: Array(missing)) {
            remember(row)
            loaded.insert(row.key)
            guard let target = before[row.key]?.values[position].asID else { continue }
            add(row.key.id, to: Reference(collection: collection, position: position, target: target))
        }
        // Rows changed before this look-up may refer here in their after-image only.
        for key in changed where key.collection == collection {
            guard let target = after[key]?.values[position].asID, missing.contains(target) else { continue }
            add(key.id, to: Reference(collection: collection, position: position, target: target))
        }
    }

    /// Takes it that no stored row refers to any of `targets`, because they are not stored themselves.
    func assumeNone(of collection: Int, referring position: Int, to targets: Set<RowID>) {
        for target in targets {
            let reference = Reference(collection: collection, position: position, target: target)
            if referring[reference] == nil { referring[reference] = [] }
        }
    }

    package func row(_ key: RowKey, _ image: Image = .after) throws -> Row? {
        if !loaded.contains(key) { try prefetch(CollectionOfOne(key)) }
        return image == .before ? before[key] : after[key]
    }

    /// Rows of a collection that refer to `target`, in either image, by identity.
    package func rows(
        of collection: Int, referring position: Int, to target: RowID, _ image: Image = .after
    ) throws -> [Row] {
        let reference = Reference(collection: collection, position: position, target: target)
        if referring[reference] == nil {
            try prefetch(of: collection, referring: position, to: CollectionOfOne(target))
        }
        guard let ids = referring[reference], !ids.isEmpty else { return [] }
        return ids.compactMap { id in
            let key = RowKey(collection, id)
            guard let row = image == .before ? before[key] : after[key] else { return nil }
            return row.values[position].asID == target ? row : nil
        }
    }

    package func put(_ row: Row) {
        let first = isChanged.insert(row.key).inserted
        let former = after[row.key]
        undo.append((row.key, former, first))
        if first { changed.append(row.key) }
        loaded.insert(row.key)
        if let former { forgetScopes(about: former) }
        forgetScopes(about: row)
        after[row.key] = row
        for position in rules.indexed[row.key.collection] {
            guard let target = row.values[position].asID else { continue }
            let reference = Reference(collection: row.key.collection, position: position, target: target)
            if referring[reference] != nil { add(row.key.id, to: reference) }
        }
    }

    /// A point to roll back to.
    package var mark: Int { undo.count }

    package func rollBack(to mark: Int) {
        while undo.count > mark {
            guard let (key, row, first) = undo.popLast() else { return }
            if let former = after[key] { forgetScopes(about: former) }
            if let row { forgetScopes(about: row) }
            after[key] = row
            if first {
                isChanged.remove(key)
                changed.removeLast()
            }
        }
    }

    /// Rows changed since a mark, in order of first change since then.
    package func changed(since mark: Int) -> [RowKey] {
        var seen: Set<RowKey> = []
        return undo[mark...].compactMap { seen.insert($0.key).inserted ? $0.key : nil }
    }

    /// The scopes of a row, computed at most once for each image as long as nothing they follow from changes.
    func remembered(
        _ key: RowKey, _ image: Image, _ compute: (Image) throws -> Set<ScopeKey>
    ) throws -> Set<ScopeKey> {
        // A concerned row's scopes follow from yet another row.
        guard !rules.isConcerned[key.collection], let row = image == .before ? before[key] : after[key] else {
            return try compute(image)
        }
        let subject: RowKey
        if let about = rules.subjects[key.collection] {
            subject = RowKey(about.collection, row.values[about.position].id ?? key.id)
        } else {
            subject = key
        }
        if image == .before || !isChanged.contains(key) && !disturbed.contains(subject) {
            if let known = scopesBefore[key] { return known }
            let scopes = try compute(.before)
            scopesBefore[key] = scopes
            return scopes
        }
        if let known = scopesAfter[key] { return known }
        let scopes = try compute(.after)
        scopesAfter[key] = scopes
        rememberedAbout[subject, default: []].append(key)
        return scopes
    }

    /// Forgets what follows from a row that is about to change.
    private func forgetScopes(about row: Row) {
        scopesAfter[row.key] = nil
        func disturb(_ subject: RowKey) {
            disturbed.insert(subject)
            for key in rememberedAbout.removeValue(forKey: subject) ?? [] { scopesAfter[key] = nil }
        }
        if rules.subjects[row.key.collection] == nil, !rules.linksOfSubject[row.key.collection].isEmpty {
            disturb(row.key)
        }
        for link in rules.linksDeclaredBy[row.key.collection] {
            guard let target = rules.subjectCollection(of: link), let id = row.values[link.subject].id else { continue }
            disturb(RowKey(target, id))
        }
    }

    private func remember(_ row: Row) {
        guard before[row.key] == nil else { return }
        before[row.key] = row
        if !isChanged.contains(row.key) { after[row.key] = row }
    }

    private func add(_ id: RowID, to reference: Reference) {
        if !(referring[reference]?.contains(id) ?? false) { referring[reference, default: []].append(id) }
    }
}
