import RoostSchema
package import RoostSync

/// A row as the person sees it: what the scopes held show of it, with their own pending edits on top.
package struct ShownRow: Hashable, Sendable {
    /// Values are the person's; stamps are the server's, so that an edit's base names what the server issued.
    package var row: RoostSync.Row
    /// Positions of fields seen through their mask.
    package var masked: Set<Int>
    /// Whether an edit of this row waits for its verdict.
    package var isPending: Bool
    /// Positions of fields withheld because the device was out of contact for too long; their values are not here.
    package var locked: Set<Int> = []

    package init(row: RoostSync.Row, masked: Set<Int> = [], isPending: Bool = false) {
        self.row = row
        self.masked = masked
        self.isPending = isPending
    }
}

/// Puts together what is known of one row; pure.
struct Overlay {
    let rules: Rules
    let key: RowKey

    /// One scope's copy of the row.
    struct Copy {
        /// The scope kind's position; nil for a kind this catalogue lacks.
        let kind: Int?
        let row: WireRow
    }

    private var collection: RoostSchema.Collection { rules.catalogue.collections[key.collection] }

    /// The union of the copies, or nil without any.
    ///
    /// The newest image decides about deletion; of each field the unmasked value with the highest stamp is shown, else
    /// the masked one.
    func union(_ copies: [Copy]) -> ShownRow? {
        guard let newest = copies.max(by: { $0.row.sequence < $1.row.sequence })?.row else { return nil }
        // A version that no shown stamp tells stands in the deletion register, which counts towards the row's own.
        var row = RoostSync.Row(
            key: key, values: Array(repeating: .null, count: collection.fields.count), stamp: newest.stamp,
            isDeleted: newest.deleted != nil, deletion: newest.version ?? newest.deleted, sequence: newest.sequence)
        guard newest.deleted == nil else { return ShownRow(row: row) }
        var masked: Set<Int> = []
        var chosen: [Int: Stamp] = [:]
        for copy in copies where copy.row.deleted == nil {
            let veiled = Set(copy.row.masked)
            for change in copy.row.fields {
                let stamp = copy.row.stamps[change.field] ?? copy.row.stamp
                guard let position = collection.position(of: change.field) else {
                    add(UnknownField(change.field, change.value, stamp), to: &row)
                    continue
                }
                let value = collection.fields[position].kind.adopted(change.value)
                if veiled.contains(change.field) {
                    guard chosen[position] == nil else { continue }
                    row.set(position, to: value, at: stamp)
                    masked.insert(position)
                } else if chosen[position].map({ $0 < stamp }) ?? true {
                    row.set(position, to: value, at: stamp)
                    masked.remove(position)
                    chosen[position] = stamp
                }
            }
        }
        // A field that the scope shows but the copy does not name is cleared, unless another copy names it at the same
        // stamp: then it is behind a mask that leaves nothing.
        for copy in copies where copy.row.deleted == nil {
            let view = copy.kind.flatMap { rules.view(of: key.collection, in: $0) }
            let named = Set(copy.row.fields.compactMap { collection.position(of: $0.field) })
            for position in collection.fields.indices where !named.contains(position) {
                let told = copy.row.stamps[collection.fields[position].name.text]
                guard told != nil || view?.sights[position] == .full else { continue }
                let stamp = told ?? copy.row.stamp
                if chosen[position].map({ $0 < stamp }) ?? true {
                    row.set(position, to: .null, at: stamp)
                    masked.remove(position)
                    chosen[position] = stamp
                }
            }
        }
        return ShownRow(row: row, masked: masked)
    }

    /// The same as ``union(_:)`` of one copy, in a fraction of the time: for a snapshot's rows.
    func alone(_ copy: WireRow) -> ShownRow {
        var row = RoostSync.Row(
            key: key, values: Array(repeating: .null, count: collection.fields.count), stamp: copy.stamp,
            isDeleted: copy.deleted != nil, deletion: copy.version ?? copy.deleted, sequence: copy.sequence)
        guard copy.deleted == nil else { return ShownRow(row: row) }
        var masked: Set<Int> = []
        // Fields come in the order of their declaration: where the last was found, the next is near.
        var next = 0
        for change in copy.fields {
            while next < collection.fields.count, collection.fields[next].name.text != change.field { next += 1 }
            if next == collection.fields.count {
                guard let position = collection.position(of: change.field) else {
                    add(UnknownField(change.field, change.value, copy.stamps[change.field] ?? copy.stamp), to: &row)
                    next = 0
                    continue
                }
                next = position
            }
            row.values[next] = collection.fields[next].kind.adopted(change.value)
            if !copy.masked.isEmpty, copy.masked.contains(change.field) { masked.insert(next) }
            next += 1
        }
        for (field, stamp) in copy.stamps where stamp != copy.stamp {
            if let position = collection.position(of: field) {
                row.overrides.append(RoostSync.Row.Override(position, stamp))
            }
        }
        if row.overrides.count > 1 { row.overrides.sort { $0.position < $1.position } }
        return ShownRow(row: row, masked: masked)
    }

    private func add(_ field: UnknownField, to row: inout RoostSync.Row) {
        guard let index = row.unknown.firstIndex(where: { $0.name == field.name }) else {
            row.unknown.append(field)
            return
        }
        if row.unknown[index].stamp < field.stamp { row.unknown[index] = field }
    }

    /// Puts pending mutations, in the order of their numbers, on top of the server's row.
    func overlaid(_ server: ShownRow?, _ pending: [Mutation], by replica: ReplicaID) -> ShownRow? {
        var shown = server
        for mutation in pending {
            if shown == nil, mutation.action == .create {
                shown = ShownRow(
                    row: RoostSync.Row(
                        key: key, values: collection.fields.map(\.initial), stamp: Stamp(mutation.time, replica)))
            }
            guard var current = shown else { continue }
            switch mutation.action {
            case .delete: current.row.isDeleted = true
            case .restore: current.row.isDeleted = false
            case .create, .edit:
                for change in mutation.changes {
                    guard let position = collection.position(of: change.field) else {
                        add(UnknownField(change.field, change.value, Stamp(mutation.time, replica)), to: &current.row)
                        continue
                    }
                    current.row.values[position] = collection.fields[position].kind.adopted(change.value)
                    current.masked.remove(position)
                }
            }
            current.isPending = true
            shown = current
        }
        return shown
    }

    /// The greatest stamp among the values that an edit replaces, as the person saw them.
    ///
    /// Own pending edits do not count: their stamps are unknown, and the server knows that a replica has seen them.
    func base(of action: Mutation.Action, _ fields: [Int], over server: ShownRow?) -> Stamp? {
        guard let row = server?.row, action != .create else { return nil }
        if collection.syncClass == .authoritative { return row.version }
        guard action == .edit else { return row.deletion }
        return fields.map { row.stamp(of: $0) }.max() ?? row.stamp
    }

    /// The greatest stamp that the server showed of the row to the author of an edit that merges.
    func seen(_ action: Mutation.Action, over server: ShownRow?) -> Stamp? {
        guard let row = server?.row, action == .edit, collection.syncClass == .register else { return nil }
        return (row.overrides.map(\.stamp) + row.unknown.map(\.stamp)).reduce(row.stamp, max)
    }
}
