package import RoostSchema

/// The built-in collection of edits that a person must decide on.
///
/// Such an edit follows the row it is about, but only into scopes that show all its fields in full; a creation goes where
/// the row would land. Whoever may write those fields there decides: accepting is an edit of their own that sets the
/// values, together with the state; declining sets the state alone. So it is settled offline like anything else.
package enum Quarantine {
    package static let collection: CollectionName = "quarantine"

    /// Why an edit was set aside; the raw value is stored.
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        /// Its author sees the field through a mask only.
        case masked
        /// Its author's authority had ended longer ago than the grace period.
        case authorityEnded = "authority_ended"
        /// The row went when an import was taken back.
        case importUndone = "import_undone"
        /// It was refused, and its author's device lost the row before its author had dealt with it.
        case leftScope = "left_scope"
        /// The server had accepted it before losing a part of its history, and cannot apply it to what it has now.
        case recovered
    }

    /// The declaration; ``Catalogue/withConflicts(about:)`` adds it.
    package static func declaration(about subject: CollectionName) -> RoostSchema.Collection {
        Collection(
            collection, .register, "待定修改", "Quarantine", subject: "subject",
            fields: [
                Field("subject", .reference(subject), "对象", "Subject"),
                Field("concerned_collection", .text(max: 41), "集合", "Collection", required: true),
                Field("concerned_row", .text(max: 36), "记录", "Row", required: true),
                Field(
                    "action",
                    .code([
                        Code("create", "新增", "Create"), Code("edit", "修改", "Edit"), Code("delete", "删除", "Delete"),
                        Code("restore", "恢复", "Restore"),
                    ]), "操作", "Action", required: true),
                // An object of field to value.
                Field("proposed_values", .structure(max: 65_536), "内容", "Values", required: true),
                Field("author", .text(max: 36), "修改人", "Author"),
                Field("device", .text(max: 60), "设备", "Device"),
                Field("made_at", .instant, "修改时间", "Made at"),
                Field("set_aside_at", .instant, "搁置时间", "Set aside at"),
                // The same for edits that were made as one group and are decided as one.
                Field("unit", .text(max: 60), "同组", "Unit", required: true),
                // Of those, the order in which they were made.
                Field("place", .integer(0...Int64.max), "顺序", "Place", required: true),
                Field(
                    "reason",
                    .code([
                        Code("masked", "修改人看不到原值", "Author sees a mask"),
                        Code("authority_ended", "修改人的权限已结束", "Author's authority ended"),
                        Code("import_undone", "所在导入已撤销", "Import taken back"),
                        Code("left_scope", "被退回，且记录已离开修改人", "Refused, and the row left its author"),
                        Code("recovered", "恢复备份后补交", "Given again after a restored backup"),
                    ]), "原因", "Reason", required: true),
                Field(
                    "state",
                    .code([
                        Code("pending", "待处理", "Pending"), Code("declined", "不采用", "Declined"),
                        Code("accepted", "已采用", "Accepted"),
                    ]), "状态", "State", required: true, initial: "pending",
                    // Who declines without having seen that another accepted does not undo what was applied.
                    merge: .rank(["pending", "declined", "accepted"], reopens: "pending")),
            ])
    }

    package enum Position {
        package static let subject = 0
        package static let collection = 1
        package static let row = 2
        package static let action = 3
        package static let values = 4
        package static let author = 5
        package static let device = 6
        package static let madeAt = 7
        package static let setAsideAt = 8
        package static let unit = 9
        package static let place = 10
        package static let reason = 11
        package static let state = 12
    }

    /// One identity for each mutation set aside, so that nothing is set aside twice.
    package static func id(of mutation: Int64, incarnation: Int64, by replica: ReplicaID) -> RowID {
        RowID(naming: "quarantine", "\(replica) \(incarnation) \(mutation)")
    }

    /// An edit to be set aside.
    package struct Entry: Hashable, Sendable {
        package let id: RowID
        package let row: RowKey
        package let action: Mutation.Action
        package let changes: [Mutation.Change]
        package let author: RowID?
        package let device: String?
        package let madeAt: Milliseconds
        package let unit: String
        package let place: Int64
        package let reason: Reason

        package init(
            id: RowID, row: RowKey, action: Mutation.Action, changes: [Mutation.Change], author: RowID?,
            device: String?, madeAt: Milliseconds, unit: String, place: Int64, reason: Reason
        ) {
            self.id = id
            self.row = row
            self.action = action
            self.changes = changes
            self.author = author
            self.device = device
            self.madeAt = madeAt
            self.unit = unit
            self.place = place
            self.reason = reason
        }
    }
}

extension WorkingSet {
    /// The values of the row that sets an edit aside; nil in a catalogue without quarantine.
    package func values(settingAside entry: Quarantine.Entry, now: Milliseconds) throws -> (RowKey, [Value])? {
        guard let position = rules.catalogue.position(of: Quarantine.collection) else { return nil }
        typealias Position = Quarantine.Position
        let declaration = rules.catalogue.collections[position]
        let concerned = rules.catalogue.collections[entry.row.collection]
        var values = declaration.fields.map(\.initial)
        if let row = try row(entry.row) ?? proposal(entry.changes, key: entry.row) {
            values[Position.subject] = whom(row, declaration.fields[Position.subject].target)
        }
        values[Position.collection] = .text(concerned.name.text)
        values[Position.row] = .text(entry.row.id.description)
        values[Position.action] = .text(entry.action.rawValue)
        values[Position.values] = .object(entry.changes.map { Value.Member($0.field, $0.value) })
        values[Position.author] = entry.author.map { .text($0.description) } ?? .null
        values[Position.device] = entry.device.map { .text($0) } ?? .null
        values[Position.madeAt] = .integer(entry.madeAt.value)
        values[Position.setAsideAt] = .integer(now.value)
        values[Position.unit] = .text(entry.unit)
        values[Position.place] = .integer(entry.place)
        values[Position.reason] = .text(entry.reason.rawValue)
        return (RowKey(position, entry.id), values)
    }

    /// Whom a row is about, where that is a row of the declared collection; whether or not that row exists.
    func whom(_ row: Row, _ declared: CollectionName?) -> Value {
        guard let subject = rules.subjects[row.key.collection] else {
            return rules.catalogue.collections[row.key.collection].name == declared ? .id(row.key.id) : .null
        }
        guard rules.catalogue.collections[subject.collection].name == declared else { return .null }
        return row.values[subject.position]
    }

    /// The scopes of the row an edit set aside is about that show all its fields in full.
    func scopes(ofSetAside entry: Row, _ image: Image) throws -> [ScopeKey] {
        typealias Position = Quarantine.Position
        guard let name = entry.values[Position.collection].text, let collection = rules.catalogue.position(of: name),
            let id = entry.values[Position.row].text.flatMap({ RowID($0) }),
            case .object(let members) = entry.values[Position.values]
        else { return [] }
        let key = RowKey(collection, id)
        var row = try self.row(key, image)
        if row == nil, entry.values[Position.action].text == Mutation.Action.create.rawValue {
            row = try proposal(members.map { Mutation.Change($0.name, $0.value) }, key: key)
        }
        guard let row else { return [] }
        return try scopes(of: row, image).filter { scope in
            try members.allSatisfy { try shows($0.name, of: row, in: scope.kind, image) }
        }
    }

    /// The row that a creation set aside would have made, but for what is derived; nil if its identity was erased.
    private func proposal(_ changes: [Mutation.Change], key: RowKey) throws -> Row? {
        guard try source.erased([key]).isEmpty else { return nil }
        let collection = rules.catalogue.collections[key.collection]
        var values = collection.fields.map(\.initial)
        for change in changes {
            guard let position = collection.position(of: change.field) else { continue }
            values[position] = collection.fields[position].kind.adopted(change.value)
        }
        return Row(key: key, values: values, stamp: Stamp(HybridTime(bits: 0), ReplicaID(0)))
    }
}
