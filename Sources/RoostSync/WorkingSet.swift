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

    /// What is known of one row, or of one whose row is not asked for but which others refer to.
    private struct Entry {
        let key: RowKey
        var isLoaded = false
        var before: Row?
        var after: Row?
        var isChanged = false
        /// Whether a mutation names it.
        var isTouched = false
        /// Whether something changed of it as a subject: only of others are the images before and after alike.
        var isDisturbed = false
        /// Whether no stored row can lead from it to a scope or give it a derived value.
        var isUnreferenced = false
        /// Scopes worked out before: a change asks for each of them three times.
        var scopesBefore: Set<ScopeKey>?
        var scopesAfter: Set<ScopeKey>?
        /// Rows whose ``scopesAfter`` follow from the links of this one.
        var rememberedAbout: [Int] = []
        var referring: [Referring] = []

        func list(_ collection: Int, _ position: Int) -> Int? {
            referring.firstIndex { $0.collection == collection && $0.position == position }
        }
    }

    /// Rows of a collection that refer to an entry, in either image or did so.
    private struct Referring {
        let collection: Int
        let position: Int
        var entries: [Int] = []
    }

    package let rules: Rules
    package let source: any RowSource
    private var entries: ContiguousArray<Entry> = []
    private var indexes: [RowKey: Int] = [:]
    /// Where the entry of a key was found last, by some bits of its identity: nearly all look-ups are of a row that was
    /// looked up just before, and need no hash.
    private var recent = ContiguousArray<Int32>(repeating: -1, count: 1024)
    /// Changed rows in order of first change.
    package private(set) var changed: [RowKey] = []
    private var undo: [(entry: Int, row: Row?, first: Bool)] = []

    package init(_ rules: Rules, source: any RowSource) {
        self.rules = rules
        self.source = source
    }

    package func prefetch(_ keys: some Sequence<RowKey>) throws {
        var missing: [RowKey] = []
        for key in keys {
            let entry = entry(of: key)
            guard !entries[entry].isLoaded else { continue }
            entries[entry].isLoaded = true
            missing.append(key)
        }
        guard !missing.isEmpty else { return }
        for row in try source.rows(missing) { _ = remember(row) }
    }

    package func prefetch(of collection: Int, referring position: Int, to targets: some Sequence<RowID>) throws {
        var missing: [RowID] = []
        for target in targets {
            let entry = entry(of: referred(target, by: collection, position))
            guard entries[entry].list(collection, position) == nil else { continue }
            entries[entry].referring.append(Referring(collection: collection, position: position))
            missing.append(target)
        }
        guard !missing.isEmpty else { return }
        for row in try source.rows(of: collection, referring: position, to: missing) {
            let entry = remember(row)
            entries[entry].isLoaded = true
            guard let target = entries[entry].before?.values[position].asID else { continue }
            note(entry, referringTo: target, by: collection, position)
        }
        // Rows changed before this look-up may refer here in their after-image only.
        for key in changed where key.collection == collection {
            let entry = entry(of: key)
            guard let target = entries[entry].after?.values[position].asID, missing.contains(target) else { continue }
            note(entry, referringTo: target, by: collection, position)
        }
    }

    /// Takes it that no stored row leads from a row to scopes or gives it derived values, because it is not stored itself.
    func assumeUnreferenced(_ key: RowKey) { entries[entry(of: key)].isUnreferenced = true }

    /// Notes that a mutation names a row; tells whether it is the first.
    func touch(_ key: RowKey) -> Bool {
        let entry = entry(of: key)
        defer { entries[entry].isTouched = true }
        return !entries[entry].isTouched
    }

    package func row(_ key: RowKey, _ image: Image = .after) throws -> Row? {
        let entry = entry(of: key)
        if !entries[entry].isLoaded { try prefetch(CollectionOfOne(key)) }
        return image == .before ? entries[entry].before : entries[entry].after
    }

    /// Rows of a collection that refer to `target`, in either image, by identity.
    package func rows(
        of collection: Int, referring position: Int, to target: RowID, _ image: Image = .after
    ) throws -> [Row] {
        let entry = entry(of: referred(target, by: collection, position))
        if entries[entry].list(collection, position) == nil {
            if entries[entry].isUnreferenced, rules.leads[collection][position] { return [] }
            try prefetch(of: collection, referring: position, to: CollectionOfOne(target))
        }
        guard let list = entries[entry].list(collection, position) else { return [] }
        return entries[entry].referring[list].entries.compactMap { index in
            guard let row = image == .before ? entries[index].before : entries[index].after else { return nil }
            return row.values[position].asID == target ? row : nil
        }
    }

    package func put(_ row: Row) {
        let entry = entry(of: row.key)
        let first = !entries[entry].isChanged
        let former = entries[entry].after
        undo.append((entry, former, first))
        if first { changed.append(row.key) }
        entries[entry].isChanged = true
        entries[entry].isLoaded = true
        if let former { forgetScopes(about: former) }
        forgetScopes(about: row)
        entries[entry].after = row
        for position in rules.indexed[row.key.collection] {
            guard let target = row.values[position].asID else { continue }
            note(entry, referringTo: target, by: row.key.collection, position)
        }
    }

    /// A point to roll back to.
    package var mark: Int { undo.count }

    package func rollBack(to mark: Int) {
        while undo.count > mark {
            guard let (entry, row, first) = undo.popLast() else { return }
            if let former = entries[entry].after { forgetScopes(about: former) }
            if let row { forgetScopes(about: row) }
            entries[entry].after = row
            if first {
                entries[entry].isChanged = false
                changed.removeLast()
            }
        }
    }

    /// Rows changed since a mark, in order of first change since then.
    package func changed(since mark: Int) -> [RowKey] {
        // Most groups are one mutation of one row.
        if undo.count == mark + 1 { return [entries[undo[mark].entry].key] }
        var seen: Set<Int> = []
        return undo[mark...].compactMap { seen.insert($0.entry).inserted ? entries[$0.entry].key : nil }
    }

    /// The scopes of a row, computed at most once for each image as long as nothing they follow from changes.
    func remembered(
        _ key: RowKey, _ image: Image, _ compute: (Image) throws -> Set<ScopeKey>
    ) throws -> Set<ScopeKey> {
        let entry = entry(of: key)
        // A concerned row's scopes follow from yet another row.
        guard !rules.isConcerned[key.collection],
            let row = image == .before ? entries[entry].before : entries[entry].after
        else { return try compute(image) }
        var subject = entry
        if let about = rules.subjects[key.collection] {
            subject = self.entry(of: RowKey(about.collection, row.values[about.position].id ?? key.id))
        }
        if image == .before || !entries[entry].isChanged && !entries[subject].isDisturbed {
            if let known = entries[entry].scopesBefore { return known }
            let scopes = try compute(.before)
            entries[entry].scopesBefore = scopes
            return scopes
        }
        if let known = entries[entry].scopesAfter { return known }
        let scopes = try compute(.after)
        entries[entry].scopesAfter = scopes
        entries[subject].rememberedAbout.append(entry)
        return scopes
    }

    /// Forgets what follows from a row that is about to change.
    private func forgetScopes(about row: Row) {
        let entry = entry(of: row.key)
        entries[entry].scopesAfter = nil
        if rules.subjects[row.key.collection] == nil, !rules.linksOfSubject[row.key.collection].isEmpty {
            disturb(entry)
        }
        for link in rules.linksDeclaredBy[row.key.collection] {
            guard let target = rules.subjectCollection(of: link), let id = row.values[link.subject].id else { continue }
            disturb(self.entry(of: RowKey(target, id)))
        }
    }

    private func disturb(_ subject: Int) {
        entries[subject].isDisturbed = true
        for entry in entries[subject].rememberedAbout { entries[entry].scopesAfter = nil }
        entries[subject].rememberedAbout.removeAll(keepingCapacity: true)
    }

    private func remember(_ row: Row) -> Int {
        let entry = entry(of: row.key)
        guard entries[entry].before == nil else { return entry }
        entries[entry].before = row
        if !entries[entry].isChanged { entries[entry].after = row }
        return entry
    }

    /// What a reference names; where it may name rows of any collection, an entry that stands for them all.
    private func referred(_ target: RowID, by collection: Int, _ position: Int) -> RowKey {
        RowKey(rules.targets[collection][position] ?? -1, target)
    }

    /// Adds to what refers to a row, if anybody has asked or may take it that nothing else does.
    private func note(_ referring: Int, referringTo target: RowID, by collection: Int, _ position: Int) {
        let entry = entry(of: referred(target, by: collection, position))
        if let list = entries[entry].list(collection, position) {
            if !entries[entry].referring[list].entries.contains(referring) {
                entries[entry].referring[list].entries.append(referring)
            }
        } else if entries[entry].isUnreferenced, rules.leads[collection][position] {
            entries[entry].referring.append(
                Referring(collection: collection, position: position, entries: [referring]))
        }
    }

    private func entry(of key: RowKey) -> Int {
        let slot = Int(truncatingIfNeeded: key.id.bits ^ key.id.bits >> 64) & (recent.count - 1)
        let last = Int(recent[slot])
        if last >= 0, entries[last].key == key { return last }
        let index: Int
        if let known = indexes[key] {
            index = known
        } else {
            index = entries.count
            entries.append(Entry(key: key))
            indexes[key] = index
        }
        recent[slot] = Int32(truncatingIfNeeded: index)
        return index
    }
}
